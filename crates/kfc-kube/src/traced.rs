//! Objects with a history.

use crate::object::Object;
use kfc_diagnostics::Mark;
use kfc_yaml::{Entry, Node};
use std::fmt;

/// What set or removed a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastChange<'t> {
    /// The step, in a word: `patches`.
    pub step: &'t str,
    /// Its location, or that of the value that it wrote.
    pub mark: Option<Mark>,
}

/// An object, and what the program that made it remembers: what set its fields, and which of its values came out of a
/// Secret. An [`Object`] itself has no history.
///
/// The nodes that these methods are given are those of the object, or copies with the same marks.
pub trait Traced: fmt::Debug + Send + Sync {
    /// The object.
    fn object(&self) -> &Object;

    /// Whether it is a Secret, or was one before something changed its kind.
    fn was_secret(&self) -> bool;

    /// What set a value last; `None` when that is not known.
    fn set_by(&self, _value: &Node) -> Option<LastChange<'_>> {
        None
    }

    /// What removed a key from a mapping; `None` when that is not known.
    fn removed_by(&self, _parent: &Node, _key: &str) -> Option<LastChange<'_>> {
        None
    }

    /// Whether any value or key may have come out of a Secret. If not, the two questions below need not be asked.
    fn has_copied(&self) -> bool {
        false
    }

    /// Whether a single value came out of a Secret.
    fn is_copied_value(&self, _value: &Node) -> bool {
        false
    }

    /// Whether the key of an entry came out of a Secret.
    fn is_copied_key(&self, _entry: &Entry) -> bool {
        false
    }
}
