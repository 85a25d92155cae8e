//! Ways to change a tree by another: strategic merge patches, JSON patches, and values laid over values.

mod failure;
pub mod json_patch;
mod pointer;
pub mod strategic;
pub mod values;
