//! What a platform is made of: components, overlays and platforms of a catalogue, resolved for a stack into a plan, assembled
//! into a bundle, explained, rendered and compared with goldens.
//!
//! This crate must never know a cluster or the command line, nor which catalogue it reads: the caller provides
//! the files. Other programs may build on it.

pub mod argocd;
pub mod assemble;
pub mod catalogue;
pub mod detect;
pub mod explain;
pub mod expressions;
pub mod golden;
mod json_schema;
pub mod render;
pub mod resolve;
