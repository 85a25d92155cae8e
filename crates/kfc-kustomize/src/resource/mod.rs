//! Kubernetes objects, their identities, and ordered sets of them.

mod annotations;
mod field;
mod origin;
mod selector;
mod set;
mod shared;
mod single;
mod tree;

pub use crate::types::{Behavior, Selector};
pub use annotations::make_annotations_texts;
pub use field::{Field, Sourcing};
pub use origin::{ConfiguredBy, Origin};
pub use selector::CompiledSelector;
pub use set::{IdRef, Pass, ResourceSet};
pub use shared::SharedScalars;
pub use single::{PreviousId, Resource, located_objects, objects, write_objects};
pub use tree::{Draft, Editor, Excerpt, Locate};

#[cfg(test)]
mod tests;
