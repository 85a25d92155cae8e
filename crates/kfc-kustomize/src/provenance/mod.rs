//! Where the value of a field comes from: its location in a source, and every step that changed it.
//!
//! A build with [`Options::keep_origins`](crate::engine::Options::keep_origins) gives each resource a [`Trail`]. A step
//! that changes a field adds a change to it, with the earlier value, and the field's mark then points at that change
//! instead of a source. The change holds the earlier mark, so that a field leads back to its base, however lists are
//! merged and reordered. In other builds a [`Trail`] is one empty pointer, and nothing is compared or copied.
//!
//! A [`Trail`] belongs to a resource, not to the build: roots and resources that are changed in parallel need no lock, and
//! the number of threads does not change the result.

mod compare;
mod step;
mod trail;

pub use step::{Details, Input, Overlay, Step, StepKind, Writes};
pub use trail::{Configuration, Declared, Last, Link, Origins, Removal, Trail};
