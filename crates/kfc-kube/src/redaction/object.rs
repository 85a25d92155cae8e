//! Whole objects: values are replaced before anything is compared or written, so that no report can hold them.

use super::bytes_at;
use kfc_diagnostics::token;
use kfc_yaml::{Node, Value, json};
use std::collections::HashSet;

/// How much of a place in a Secret is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// A single value is shown.
    Open,
    /// A mapping with its keys, nothing else.
    Keys,
    /// Nothing.
    Hidden,
}

fn place(path: &[&str]) -> Place {
    match path {
        ["apiVersion" | "kind" | "type" | "immutable"]
        | ["metadata", "name" | "namespace" | "generateName"]
        | ["metadata", "labels", _] => Place::Open,
        [] | [_] | ["metadata", "labels" | "annotations"] => Place::Keys,
        _ => Place::Hidden,
    }
}

/// Whether a single value at a path of a Secret may be shown.
#[must_use]
pub fn is_open(path: &[&str]) -> bool {
    place(path) == Place::Open
}

/// Whether a text at a path of a Secret may be shown: what is not a boolean is not a value of `immutable`.
#[must_use]
pub fn is_open_value(path: &[&str], text: &str) -> bool {
    is_open(path) && (path != ["immutable"] || matches!(text, "true" | "false"))
}

/// Whether the keys of a mapping at a path of a Secret may be shown.
#[must_use]
pub fn has_open_keys(path: &[&str]) -> bool {
    place(path) == Place::Keys
}

/// A token for bytes.
#[must_use]
pub fn token_of_bytes(bytes: &[u8]) -> String {
    token(bytes)
}

/// A token for a whole node.
#[must_use]
pub fn token_of(node: &Node) -> String {
    stand_in_at(&[], node, &mut token)
}

/// Replaces every single value that is one of these.
pub fn hide_values(node: &mut Node, values: &HashSet<String>) {
    match &mut node.value {
        Value::Map(map) => map.iter_mut().for_each(|entry| hide_values(&mut entry.value, values)),
        Value::Seq(items) => items.iter_mut().for_each(|item| hide_values(item, values)),
        Value::Scalar(scalar) => {
            if values.contains(scalar.text.as_str()) {
                *node = Node::string(&token(scalar.text.as_bytes()), node.mark);
            }
        }
    }
}

/// Replaces what is hidden of a node at a path of a Secret by what `stand_in` gives for its bytes.
pub fn hide(node: &mut Node, path: &mut Vec<String>, stand_in: &mut dyn FnMut(&[u8]) -> String) {
    if node.is_null() {
        return;
    }
    let names: Vec<&str> = path.iter().map(String::as_str).collect();
    match (place(&names), &mut node.value) {
        (Place::Open, Value::Scalar(scalar)) if is_open_value(&names, &scalar.text) => {}
        (Place::Keys, Value::Map(map)) => {
            for entry in map.iter_mut() {
                path.push(entry.key.text.to_string());
                hide(&mut entry.value, path, stand_in);
                path.pop();
            }
        }
        _ => *node = Node::string(&stand_in_at(&names, node, stand_in), node.mark),
    }
}

/// What stands for a whole node at a path of a Secret.
pub fn stand_in_at(path: &[&str], node: &Node, stand_in: &mut dyn FnMut(&[u8]) -> String) -> String {
    match node.as_scalar() {
        Some(scalar) => stand_in(&bytes_at(path, &scalar.text)),
        None => {
            let mut text = String::new();
            drop(json::write(node, &mut text));
            stand_in(text.as_bytes())
        }
    }
}
