//! The semantic diff of two bundles: which resources belong together ([`matching`]), in which fields they differ
//! ([`compare`](mod@compare)), and what that does to a cluster ([`impact`]). Gives a [`Report`], which formats are written from.

pub mod apply;
mod bundles;
mod compare;
mod fold;
mod impact;
mod input;
mod join;
mod keys;
mod lines;
mod matching;
pub mod model;
mod origin;
pub mod report;
mod summary;

pub use bundles::compare;
pub use input::{Input, redacted_text, redacted_texts};
pub use join::join;
pub use model::{Class, Report};
