//! Reads a tree into a type with serde, strictly, and collects every error.
//!
//! A type derives `Deserialize`; its attributes and doc comments say what a file may have, and readers, JSON Schemas (the
//! feature `schema`) and reference tables follow them. Field names are cased, unknown fields are errors, null counts as absent,
//! and texts are texts: an unquoted `1.0` is not one. serde stops at the first error. Here the value with the error is recorded
//! and replaced by an empty one, so that everything else is read and checked as well.
//!
//! The name of a container is what messages call it: `#[serde(rename = "a component")]`. An enum of units is a list of words. With a
//! name such as `$keyed a source`, an enum of newtypes is chosen by the key that a mapping has: the names of the variants are keys.
//! [`TextOr`], [`OneOr`] and [`Entries`] are further shapes. [`Spanned`](crate::Spanned) keeps
//! the location of a value, [`Node`] the tree as it is.
//!
//! ```
//! use kfc_diagnostics::Sources;
//! use kfc_yaml::{Spanned, de, parse::parse};
//! use serde::Deserialize;
//!
//! #[derive(Deserialize)]
//! #[serde(rename = "a stage")]
//! enum Stage {
//!     #[serde(rename = "data")]
//!     Data,
//! }
//!
//! #[derive(Deserialize)]
//! #[serde(rename = "a component")]
//! struct Component {
//!     name: Spanned<String>,
//!     #[allow(dead_code)]
//!     stage: Stage,
//! }
//!
//! let (source, text) = Sources::default().add("a.yaml", "name: web\nstage: dat\nstages: []\n");
//! let (component, errors) = de::read::<Component>(&parse(&text.text, source)?[0]);
//! assert_eq!(component.unwrap().name.value, "web");
//! assert_eq!(
//!     errors.to_string(),
//!     "error[KFC0203]: `dat` is not a stage\nerror[KFC0201]: unknown field `stages` in a component"
//! );
//! # Ok::<(), kfc_diagnostics::Diagnostics>(())
//! ```

mod access;
mod context;
mod deserializer;
mod entries;
mod error;
mod one_or;
mod reader;
#[cfg(feature = "schema")]
mod schema;
mod spanned;
#[cfg(test)]
mod tests;
mod text_or;
mod tree;

pub use entries::Entries;
pub use error::Error;
pub use one_or::OneOr;
pub use text_or::TextOr;
pub use tree::Mapping;

use crate::Node;
use context::Context;
use kfc_diagnostics::Diagnostics;
use reader::Reader;
use serde_core::de::DeserializeOwned;

/// How often a document is read again. Each time shows a field that must be there, once for all values of its type, or a value
/// that its own type refuses.
const MOST_READS: usize = 100;

/// Reads a value, with all errors in the order of the source. After errors, the value has empty parts where they are, for the
/// checks that follow; there is none when a type does not accept an empty part.
#[must_use]
pub fn read<T: DeserializeOwned>(node: &Node) -> (Option<T>, Diagnostics) {
    let context = Context::default();
    for _ in 0..MOST_READS {
        context.start();
        if context.is_left_out(node) {
            return (None, context.into_found());
        }
        let reader = Reader::new(node, &context);
        match reader.settled(T::deserialize(reader)) {
            Ok(value) => return (Some(value), context.into_found()),
            Err(Error::Again) => {}
            Err(_) => break,
        }
    }
    context.note_more(node);
    (None, context.into_found())
}
