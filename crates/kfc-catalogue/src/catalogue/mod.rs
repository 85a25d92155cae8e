//! The catalogue: components with their bases, overlays, and the layers of platform profiles. Reads the catalogue that
//! is built into the program and, on top of it, the user's own directories of the same layout.

mod at_release;
mod base;
mod component;
mod definition;
mod document;
mod layering;
mod load;
mod overlay;
mod platform;
mod release;
mod secrets;
mod setter;
mod stack;

pub use crate::files::{
    Alphabet, Awaited, Contributor, ContributorName, ContributorRole, CopiedKey, DeclaredSecret,
    ExternalStore, KeyReference, LayerComponent, NamespaceName, RandomText, ReadyKind, Requirement, Role,
    SecretKey, SecretReader, SecretWay, Select, Setter, Stage, Support, UserName, UserProfile, Wanted,
};
pub use base::{Base, BaseOrigin, BaseRemote, BaseSource};
pub use component::{Component, Parameter};
pub use definition::{STACK_FILES, StackCluster, StackDefinition, StackEnvironment};
pub use document::{API_VERSION, BUILT_IN, Place};
pub use layering::Difference;
pub use load::{Catalogue, DEFAULTS};
pub use overlay::Overlay;
pub use platform::Layer;
pub use release::{FETCHED, Release};
pub use stack::{Stack, StackChoice, StackFile};
