//! YAML: text to [`Node`] trees ([`parse`]) and back ([`emit`]).

pub mod emit;
pub mod folded;
pub mod json;
pub mod node;
pub mod parse;
pub(crate) mod size;
pub mod through_json;

pub use node::{Entry, Key, Map, Node, Scalar, ScalarKind, Spelling, Value};
