//! Explains a bundle: which step gave a field its value ([`chain`]), the origin of every field of a resource
//! ([`annotated`]), and which entries changed nothing ([`unused`]). Works on bundles that were built with
//! their origins kept; writes no output itself.

mod annotated;
mod chain;
mod configurations;
mod field;
mod json;
mod kind;
mod parameters;
mod places;
mod redaction;
mod select;
mod unused;

pub use annotated::annotated;
pub use chain::{ChainStep, chain};
pub use field::{Field, FieldPath, Segment};
pub use json::{of_fields, of_unused};
pub use parameters::parameters;
pub use places::Places;
pub use select::select;
pub use unused::{Unused, text as unused_text, unused};
