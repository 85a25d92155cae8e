//! Sets of fields as `managedFields` has them (`fieldsV1`), followed along the values that they are about. A set is a tree:
//! `f:name` is a key, `k:{"name":"web"}` an item by its keys, `v:"x"` an item by its value; what has nothing below it is
//! owned as a whole.

use serde_json::{Map, Value};

/// What a set of fields has below a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Parts {
    /// Keys of a mapping.
    Keys,
    /// Items of a list that have identities.
    Items,
    /// Nothing: the value is owned as a whole.
    Whole,
}

/// How a set of fields is divided below a node.
pub(super) fn parts(owned: &Value) -> Parts {
    let keys = owned.as_object().into_iter().flat_map(Map::keys);
    let mut parts = keys.filter_map(|key| match key.get(..2)? {
        "f:" => Some(Parts::Keys),
        "k:" | "v:" | "i:" => Some(Parts::Items),
        _ => None,
    });
    parts.next().unwrap_or(Parts::Whole)
}

/// The keys of a mapping that a set of fields has, each with what is below it.
pub(super) fn keys(owned: &Value) -> impl Iterator<Item = (&str, &Value)> {
    owned.as_object().into_iter().flatten().filter_map(|(key, below)| Some((key.strip_prefix("f:")?, below)))
}

/// The items of a list that a set of fields has, each with what is below it.
pub(super) fn items(owned: &Value) -> impl Iterator<Item = (ItemKey, &Value)> {
    owned.as_object().into_iter().flatten().filter_map(|(key, below)| Some((ItemKey::read(key)?, below)))
}

/// What a set of fields has below a key.
pub(super) fn below_key<'o>(owned: &'o Value, key: &str) -> Option<&'o Value> {
    owned.as_object()?.get(&format!("f:{key}"))
}

/// What a set of fields has below an item of a list.
pub(super) fn below_item<'o>(owned: &'o Value, item: &Value) -> Option<&'o Value> {
    items(owned).find(|(key, _)| key.may_be(item)).map(|(_, below)| below)
}

/// What identifies an item of a list.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum ItemKey {
    /// The values of some of its fields.
    Fields(Map<String, Value>),
    /// The item itself.
    Value(Value),
}

impl ItemKey {
    fn read(key: &str) -> Option<Self> {
        if let Some(fields) = key.strip_prefix("k:") {
            return Some(Self::Fields(serde_json::from_str(fields).ok()?));
        }
        Some(Self::Value(serde_json::from_str(key.strip_prefix("v:")?).ok()?))
    }

    /// Whether it identifies an item that the server returned.
    pub(super) fn is(&self, item: &Value) -> bool {
        match self {
            Self::Fields(fields) => fields.iter().all(|(name, value)| item.get(name) == Some(value)),
            Self::Value(value) => value == item,
        }
    }

    /// Whether it identifies an item that somebody wrote: a key that is left out has its default (`protocol`).
    pub(super) fn may_be(&self, item: &Value) -> bool {
        match self {
            Self::Fields(fields) => {
                fields.iter().all(|(name, value)| item.get(name).is_none_or(|own| own == value))
            }
            Self::Value(value) => value == item,
        }
    }
}
