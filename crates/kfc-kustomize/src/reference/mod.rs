//! What refers to other resources: fields that hold names, variables, replacements.

pub mod field_path;
pub mod names;
pub mod replacements;
mod structured;
pub mod vars;
