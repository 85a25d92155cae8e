//! Values over values, as Helm joins them.

use kfc_yaml::{Node, Value};

/// Lays `over` on `base`: mappings join, everything else of `over` wins.
#[must_use]
pub fn overlay(mut base: Node, over: &Node) -> Node {
    if let (Value::Map(into), Value::Map(from)) = (&mut base.value, &over.value) {
        for entry in from {
            let joined = match into.remove(&entry.key.text) {
                Some(old) => overlay(old, &entry.value),
                None => entry.value.clone(),
            };
            into.set(&entry.key.text, joined);
        }
        return base;
    }
    over.clone()
}
