//! YAML: text to [`Node`] trees ([`mod@parse`]) and back ([`emit`]), with the place of every key and value, and byte for byte
//! as kustomize writes it.
//!
//! This crate must never know Kubernetes, files, or what a document means. Others may build on it.
//!
//! ```
//! use kfc_diagnostics::Sources;
//! use kfc_yaml::{emit::emit_all, parse::parse};
//!
//! let (source, text) = Sources::default().add("a.yaml", "b: [1, 'two']\n");
//! let documents = parse(&text.text, source)?;
//! let bytes = emit_all(&documents.iter().collect::<Vec<_>>())?.concat();
//! assert_eq!(bytes, b"b:\n- 1\n- two\n");
//! # Ok::<(), kfc_diagnostics::Diagnostics>(())
//! ```

pub mod de;
pub mod emit;
pub mod field_path;
pub mod fields;
mod folded;
pub mod json;
pub mod node;
mod number;
pub mod parse;
pub mod size;
mod spanned;
mod style;
pub mod styled;
pub mod through_json;
pub mod value;

pub use node::{Deferred, Entry, Key, Map, Node, Scalar, ScalarKind, Spelling, Value};
pub use spanned::Spanned;
