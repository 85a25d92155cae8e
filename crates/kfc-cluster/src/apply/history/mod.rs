//! The past of an inventory: a revision for each run that changed something, in config maps beside those of the inventory, and
//! copies of the bundles that were applied, from which a rollback restores them.
//!
//! No value of a Secret is ever in it: objects that hold one are withheld, and known by their identity only. Whoever holds the
//! lock of the inventory writes its history; nobody else does.

mod bundle;
mod copy;
mod revision;
mod standing;
mod store;

pub use bundle::RecordedBundle;
pub use copy::KeptCopy;
pub use revision::{CopyRef, Revision, RevisionResult, RevisionSource, Tally};
pub use standing::lacking;
pub use store::{InventoryHistory, NewRevision, RevisionContent};
