//! Where in a tree a merge is, for messages.

use kfc_yaml::field_path::{ItemStep, KeyStep};
use std::fmt;

/// A step on the way down, linked to the steps above it. Lives on the stack and costs nothing until it is printed.
#[derive(Clone, Copy, Debug)]
pub(super) enum Location<'a> {
    /// The top of the tree.
    Root,
    /// A field of a mapping.
    Field(&'a Location<'a>, &'a str),
    /// The item of a list whose merge key has this value: the key, then the value.
    Item(&'a Location<'a>, &'a str, &'a str),
}

/// `spec.template.spec.containers[name=app].env`
impl fmt::Display for Location<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Field(Self::Root, key) => KeyStep { key, is_first: true }.fmt(f),
            Self::Field(parent, key) => write!(f, "{parent}{}", KeyStep { key, is_first: false }),
            Self::Item(parent, key, value) => write!(f, "{parent}{}", ItemStep(&[(key, value)])),
        }
    }
}
