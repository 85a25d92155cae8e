//! `kustomization.yaml`: what it holds ([`model`]), how it is read ([`read`]), the configurations of built-in
//! generators and transformers ([`plugin`]), and what others say about the functions that they configure.

pub(crate) mod function;
pub mod model;
mod named;
pub(crate) mod parts;
pub mod plugin;
mod read;

pub use named::Named;
pub use plugin::PLUGIN_KINDS;
pub use read::{Read, empty, is_empty, read, read_replacement_file};
