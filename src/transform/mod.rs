//! What kustomize's built-in transformers do to a set of resources, one file each.

pub mod config;
mod defaults;
pub mod field_spec;
pub mod order;

pub use config::{NameReference, TransformerConfig};
pub use field_spec::{FieldSpec, FieldSpecs};
