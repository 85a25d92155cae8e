//! Where the value of a field came from: the place in a source, and every step that changed it on the way.
//!
//! A build that is asked to keep origins gives each resource a [`Trail`]. A step that changes a field leaves a change in
//! it, with the value that was there before, and the field's mark then points at that change in place of a source. The
//! change in turn holds the earlier mark, so that a field leads back to its base, however lists were merged and
//! reordered on the way. Without being asked, a trail is one empty pointer and nothing is compared or copied.
//!
//! Trails belong to resources, not to the build: roots and resources that are worked on in parallel need no lock, and the
//! number of threads cannot show.

mod compare;
mod step;
mod trail;

pub use step::{Details, Input, Overlay, Step, StepKind, Writes};
pub use trail::{Configuration, Declared, Last, Link, Origins, Removal, Trail};
