//! Where the value of a field comes from: its location in a source, and every step that changed it.
//!
//! A build with [`Options::keep_origins`](crate::engine::Options::keep_origins) gives each resource a [`History`]. A tree and
//! its history belong together in a resource, and only its [`Editor`](crate::resource::Editor) changes them, under a
//! [`Step`]: a change that no history knows does not compile. A step that changes a field adds a record with the earlier
//! value, and the field's mark then points at that record instead of a source. The record holds the earlier mark, so that a
//! field leads back to its base, however lists are merged and reordered. It also holds the location that the value has in a
//! build without histories, so that errors are the same in both. In other builds a [`History`] is one empty pointer, and
//! nothing is compared or copied.
//!
//! A [`History`] belongs to a resource, not to the build: roots and resources that are changed in parallel need no lock, and
//! the number of threads does not change the result.

mod compare;
mod history;
mod step;

pub(crate) use history::Log;
pub use history::{Configuration, Declared, History, Last, Link, Origins, Removal};
pub use step::{Cause, Details, Input, Stage, Step, StepKind, Writes};
