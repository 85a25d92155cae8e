//! Between our tree and JSON values, which schemas and expressions work on.

use crate::{Entry, Key, Map, Node, ScalarKind, emit};
use compact_str::ToCompactString;
use kfc_diagnostics::Mark;
use serde_json::{Number, Value};

/// The JSON value of a node. Numbers that JSON does not have become their text.
#[must_use]
pub fn to_json(node: &Node) -> Value {
    if let Some(map) = node.as_map() {
        return map.iter().map(|entry| (entry.key.text.to_string(), to_json(&entry.value))).collect();
    }
    if let Some(items) = node.as_seq() {
        return items.iter().map(to_json).collect();
    }
    let Some(scalar) = node.as_scalar() else { return Value::Null };
    let text = scalar.text.as_str();
    let number = || {
        let json = emit::json_number(text, scalar.kind == ScalarKind::Float)?;
        json.parse::<Number>().ok().map(Value::Number)
    };
    match scalar.kind {
        ScalarKind::Null => Value::Null,
        ScalarKind::Bool => Value::Bool(emit::is_true(text)),
        ScalarKind::Int | ScalarKind::Float => number().unwrap_or_else(|| Value::from(text)),
        ScalarKind::Str | ScalarKind::Timestamp | ScalarKind::Binary => Value::from(text),
    }
}

/// The node of a JSON value; every part of it has the location `mark`.
#[must_use]
pub fn from_json(value: &Value, mark: impl Into<Option<Mark>>) -> Node {
    let mark = Mark::stored(mark);
    match value {
        Value::Null => Node::null(mark),
        Value::Bool(yes) => Node::scalar(yes.to_compact_string(), ScalarKind::Bool, mark),
        Value::Number(number) => {
            let text = number.to_compact_string();
            let kind = if number.is_f64() { ScalarKind::Float } else { ScalarKind::Int };
            Node::scalar(text, kind, mark)
        }
        Value::String(text) => Node::string(text, mark),
        Value::Array(items) => Node::seq(items.iter().map(|item| from_json(item, mark)).collect(), mark),
        Value::Object(map) => {
            let entry = |(key, value): (&String, &Value)| Entry {
                key: Key::new(key, mark),
                value: from_json(value, mark),
            };
            Node::map(map.iter().map(entry).collect::<Map>(), mark)
        }
    }
}
