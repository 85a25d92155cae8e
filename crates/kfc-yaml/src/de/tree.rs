//! Trees as parts of values.

use crate::Node;
use serde_core::de::{Deserialize, Deserializer, Error, Visitor};
use std::cell::RefCell;
use std::fmt;

/// The name by which a reader knows that a tree is wanted.
pub(super) const NAME: &str = "$kfc::Node";
/// The name by which a reader knows that a mapping is wanted.
pub(super) const MAPPING: &str = "$kfc::Mapping";

thread_local! {
    /// serde has no way to hand over a value that it does not know. [`hand_over`] fills it, and the visitor that is called at
    /// once empties it.
    static HANDED: RefCell<Option<Node>> = const { RefCell::new(None) };
}

/// Gives a tree to the visitor of [`Node`].
pub(super) fn hand_over<'de, V: Visitor<'de>, E: Error>(node: Node, visitor: V) -> Result<V::Value, E> {
    HANDED.with_borrow_mut(|slot| *slot = Some(node));
    visitor.visit_unit()
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(NAME, TreeVisitor)
    }
}

/// A mapping whose names are not known here, as a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping(pub Node);

impl<'de> Deserialize<'de> for Mapping {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(MAPPING, TreeVisitor).map(Self)
    }
}

struct TreeVisitor;

impl Visitor<'_> for TreeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a tree")
    }

    fn visit_unit<E: Error>(self) -> Result<Node, E> {
        HANDED.take().ok_or_else(|| E::custom("only trees have trees in them"))
    }
}
