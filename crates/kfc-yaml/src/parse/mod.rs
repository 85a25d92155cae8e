//! Reads YAML text into nodes, each with the place it came from.
//!
//! Nearly all of real manifests is plain block YAML. `block` reads that in one pass over the bytes and gives up on
//! everything that it is not sure of; `general` then reads the document with a complete YAML parser. Where both can
//! read a document, they give the same.

mod block;
mod documents;
mod general;
mod scalar;

pub use crate::size::DEEPEST;
pub use documents::{parse, parse_every_key, parse_generally, parse_last_wins};
pub use scalar::resolve_plain;
