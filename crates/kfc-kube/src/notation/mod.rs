//! Schemas of custom resources in a compact notation: one line a field, and each structure that is used more than once has
//! a name. The schemas of a platform have ten times as many fields as such lines.
//!
//! ```text
//! Queue.v1 object
//!   apiVersion string
//!   kind string
//!   metadata object
//!   spec! object
//!     flavors [Flavor] maxItems=16 list=map(name)
//!     weight int32 minimum=0 default=1
//!     @rule self.flavors.size() > 0 || self.weight == 0
//!       message a queue with a weight needs flavors
//!
//! Flavor object
//!   name! string maxLength=63
//!   quota quantity
//! ```
//!
//! A line is a field, `!` if it is required, with its type and what else the schema says. Types are those of OpenAPI,
//! `int32` and the like for a type with a format, `[T]` for a list, `{T}` for a mapping with any keys, or a name. Lines below
//! a line, indented by two spaces, belong to the innermost type that is written on it. [`write()`] and [`Notation::parse`]
//! are inverse.

mod line;
mod read;
mod render;
mod value;
mod words;
mod write;

pub use read::Notation;
pub use render::Rendered;
pub use write::{NotRepresentable, write};

#[cfg(test)]
mod tests;
