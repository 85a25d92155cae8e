//! Whole objects: values are replaced before anything is compared or written, so that no report can hold them.

use super::bytes_at;
use kfc_diagnostics::{address, token};
use kfc_yaml::{Node, ScalarKind, Value, json};
use std::borrow::Cow;

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

/// Whether a text of a node has an address with credentials in it.
#[must_use]
pub fn has_credentials(node: &Node) -> bool {
    let is_one =
        |text: &str| matches!(address::covered(text, &mut |_| address::COVERED.to_owned()), Cow::Owned(_));
    match &node.value {
        Value::Map(map) => map.iter().any(|entry| is_one(&entry.key.text) || has_credentials(&entry.value)),
        Value::Seq(items) => items.iter().any(has_credentials),
        Value::Scalar(scalar) => scalar.kind == ScalarKind::Str && is_one(&scalar.text),
    }
}

/// Replaces the credentials of every address in the texts of a node.
pub fn cover_credentials(node: &mut Node, stand_in: &mut dyn FnMut(&str) -> String) {
    match &mut node.value {
        Value::Map(map) => map.iter_mut().for_each(|entry| {
            if let Cow::Owned(text) = address::covered(&entry.key.text, stand_in) {
                entry.key.text = text.into();
            }
            cover_credentials(&mut entry.value, stand_in);
        }),
        Value::Seq(items) => items.iter_mut().for_each(|item| cover_credentials(item, stand_in)),
        Value::Scalar(scalar) if scalar.kind == ScalarKind::Str => {
            if let Cow::Owned(text) = address::covered(&scalar.text, stand_in) {
                scalar.text = text.into();
            }
        }
        Value::Scalar(_) => {}
    }
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
    if let Some(scalar) = node.as_scalar() {
        stand_in(&bytes_at(path, &scalar.text))
    } else {
        let mut text = String::new();
        drop(json::write(node, &mut text));
        stand_in(text.as_bytes())
    }
}
