//! `kustomization.yaml`: what it holds ([`model`]), how it is read ([`read`]), the configurations of built-in
//! generators and transformers ([`plugin`]), and what others say about the functions that they configure.

mod extension_fields;
mod extensions;
pub(crate) mod function;
pub mod model;
mod named;
pub(crate) mod parts;
mod patterns;
pub mod plugin;
mod read;

pub use extensions::{Extensions, Skip, Skippable};
pub use named::Named;
pub use patterns::read_in;
pub use plugin::PLUGIN_KINDS;
pub use read::{Read, empty, is_empty, read, read_replacement_file};
