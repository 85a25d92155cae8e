//! What kustomize's built-in transformers do to a set of resources, one file each.

pub mod annotations;
pub mod config;
mod config_file;
mod crd_config;
mod defaults;
pub mod field_spec;
mod image_reference;
pub mod images;
pub mod labels;
mod name_affix;
pub mod namespace;
pub mod order;
pub mod patch;
pub mod prefix;
pub mod replicas;
pub mod substitution;
pub mod suffix;
#[cfg(test)]
pub(crate) mod testing;
pub mod value_add;

pub use crate::types::{FieldSpec, NameReference, TransformerConfig};
pub use field_spec::{Create, FieldSpecs, Route, rewritten, split_path};
