//! Where in a tree a merge is, for messages.

use std::fmt;

/// A step on the way down, linked to the steps above it. Lives on the stack and costs nothing until it is printed.
#[derive(Clone, Copy, Debug)]
pub(super) enum Location<'a> {
    /// The top of the tree.
    Root,
    /// A field of a mapping.
    Field(&'a Location<'a>, &'a str),
    /// The item of a list whose merge key has this value.
    Item(&'a Location<'a>, &'a str),
}

/// `spec.template.spec.containers[app].env`
impl fmt::Display for Location<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Field(Self::Root, name) => f.write_str(name),
            Self::Field(parent, name) => write!(f, "{parent}.{name}"),
            Self::Item(parent, key) => write!(f, "{parent}[{key}]"),
        }
    }
}
