//! What a platform is made of: components, overlays and platforms of a catalogue, resolved for a stack into a plan, assembled
//! into a bundle, explained, drawn and compared with what is recorded.
//!
//! This crate must never know a cluster or the command line, nor which catalogue it is given: the caller brings the files.

pub mod argocd;
pub mod assemble;
pub mod catalogue;
pub mod detect;
pub mod explain;
pub mod golden;
mod json_schema;
pub mod picture;
pub mod resolve;
