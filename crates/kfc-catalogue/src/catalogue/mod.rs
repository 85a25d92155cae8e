//! The catalogue: components with their bases, overlays, and the layers of platform profiles. Reads the catalogue that
//! is built into the program and, on top of it, the user's own directories of the same layout.

mod component;
mod document;
mod load;
mod overlay;
mod platform;
mod secrets;
mod setter;
mod stack;

pub use crate::files::{
    Awaited, LayerComponent, ReadyKind, Requirement, Role, Select, Setter, Stage, Support, Wanted,
};
pub use component::{Base, Component, Parameter};
pub use document::{API_VERSION, BUILT_IN, Place};
pub use load::{Catalogue, DEFAULTS};
pub use overlay::Overlay;
pub use platform::Layer;
pub use stack::{Stack, StackFile};
