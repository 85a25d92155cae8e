//! Changes kustomization files as `kustomize edit` does, and writes new ones as `kustomize create` does.
//!
//! A command changes the tree of the file ([`Document`]); `layout` then carries the change into the text, so that
//! comments, order, indentation and quotes of everything else stay as they were. kustomize rewrites the whole file.

pub mod create;
mod document;
pub mod fix;
pub mod generator;
pub mod image;
pub mod label;
mod layout;
pub mod list;
pub mod patch;
pub mod vars;
mod write;

pub use document::Document;
pub use layout::carry;
