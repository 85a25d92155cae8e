//! Reads YAML text into nodes, each with the place it came from.
//!
//! Nearly all of real manifests is plain block YAML. `block` reads that in one pass over the bytes and gives up on
//! everything that it is not sure of; `general` then reads the document with a complete parser, which takes what Go's
//! YAML library takes. Where both can read a document, they give the same.

mod block;
mod comments;
pub(crate) mod documents;
pub(crate) mod general;
pub(crate) mod grammar;
mod scalar;
mod scanner;
pub(crate) mod token;

pub use crate::size::DEEPEST;
pub use documents::{parse, parse_every_key, parse_generally, parse_last_wins, parse_resources};
pub use scalar::resolve_plain;
