//! JSON, which sops indents with tabs.

use crate::failure::Result;
use crate::value::{Entry, Item, Value};
use kfc_source::DecryptFailure;
use kfc_yaml::emit::json_number;
use kfc_yaml::json::write_string;
use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use std::fmt;

pub(super) fn read(text: &str) -> Result<Vec<Entry>> {
    let value: Value = serde_json::from_str(text).map_err(|error| {
        DecryptFailure::new(format!("is not JSON: line {}, column {}", error.line(), error.column()))
    })?;
    match value {
        Value::Map(document) => Ok(document),
        _ => Err(DecryptFailure::new("is not a JSON object")),
    }
}

/// None for a text that is not UTF-8.
pub(super) fn write(document: &[Entry]) -> Option<String> {
    let mut out = String::new();
    mapping(document, 0, &mut out)?;
    out.push('\n');
    Some(out)
}

fn mapping(entries: &[Entry], depth: usize, out: &mut String) -> Option<()> {
    let pairs = entries.iter().filter_map(|entry| match entry {
        Entry::Pair(key, value) => Some((key, value)),
        Entry::Comment(_) => None,
    });
    collection(['{', '}'], pairs, depth, out, |(key, item), out| {
        write_string(key, out);
        out.push_str(": ");
        value(item, depth + 1, out)
    })
}

fn value(of: &Value, depth: usize, out: &mut String) -> Option<()> {
    match of {
        Value::Null => out.push_str("null"),
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Int(value) => out.push_str(&value.to_string()),
        Value::Float(value) => out.push_str(&json_number(&value.to_string(), true)?),
        Value::Time(text) => write_string(text, out),
        Value::Text(bytes) => write_string(std::str::from_utf8(bytes).ok()?, out),
        Value::Map(entries) => mapping(entries, depth, out)?,
        Value::Seq(_) => {
            collection(['[', ']'], of.items(), depth, out, |item, out| value(item, depth + 1, out))?;
        }
    }
    Some(())
}

fn collection<T>(
    [open, close]: [char; 2],
    items: impl Iterator<Item = T>,
    depth: usize,
    out: &mut String,
    mut write: impl FnMut(T, &mut String) -> Option<()>,
) -> Option<()> {
    let line = |depth: usize, out: &mut String| {
        out.push('\n');
        out.extend(std::iter::repeat_n('\t', depth));
    };
    out.push(open);
    let mut is_empty = true;
    for item in items {
        if !is_empty {
            out.push(',');
        }
        is_empty = false;
        line(depth + 1, out);
        write(item, out)?;
    }
    if !is_empty {
        line(depth, out);
    }
    out.push(close);
    Some(())
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

/// Keeps the order of keys, which the MAC depends on.
struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> std::result::Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> std::result::Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> std::result::Result<Value, E> {
        Ok(Value::Int(value))
    }

    #[expect(clippy::cast_precision_loss, reason = "as sops, which reads larger integers as floats")]
    fn visit_u64<E>(self, value: u64) -> std::result::Result<Value, E> {
        Ok(i64::try_from(value).map_or(Value::Float(value as f64), Value::Int))
    }

    fn visit_f64<E>(self, value: f64) -> std::result::Result<Value, E> {
        Ok(Value::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> std::result::Result<Value, E> {
        Ok(Value::Text(value.as_bytes().to_vec()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> std::result::Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(value) = access.next_element()? {
            items.push(Item::Value(value));
        }
        Ok(Value::Seq(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> std::result::Result<Value, A::Error> {
        let mut entries = Vec::new();
        while let Some((key, value)) = access.next_entry::<String, Value>()? {
            if crate::value::get(&entries, &key).is_some() {
                return Err(de::Error::custom("a key is defined more than once"));
            }
            entries.push(Entry::Pair(key, value));
        }
        Ok(Value::Map(entries))
    }
}
