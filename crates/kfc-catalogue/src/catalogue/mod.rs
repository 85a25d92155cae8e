//! The catalogue: components with their bases, overlays, and the layers of platform profiles. Reads the catalogue that
//! is built into the program and, on top of it, the user's own directories of the same layout.

mod component;
mod document;
mod ignore;
mod load;
mod overlay;
mod platform;
pub mod schema;
mod secrets;
mod setter;
mod stack;

pub use component::{Base, Component, Parameter, Ready, Requirement, STAGES, Support, Wanted};
pub use document::{API_VERSION, BUILT_IN, Place};
pub use load::{Catalogue, DEFAULTS};
pub use overlay::Overlay;
pub use platform::{Entry, Layer, Role};
pub use setter::Setter;
pub use stack::{Stack, StackFile};
