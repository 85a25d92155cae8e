//! Kubernetes objects, their identities, and ordered sets of them.

mod origin;
mod selector;
mod set;
mod shared;
mod single;

pub use crate::types::{Behavior, Selector};
pub use origin::{ConfiguredBy, Origin};
pub use selector::CompiledSelector;
pub use set::{IdRef, ResourceSet};
pub use shared::SharedScalars;
pub use single::{PreviousId, Resource, objects};
