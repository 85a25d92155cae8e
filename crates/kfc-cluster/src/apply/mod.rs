//! Brings a bundle into a cluster, wave by wave, and takes it out again.
//!
//! ```text
//! inventory + bundle written ──▶ wave 0 applied ──▶ ready ──▶ wave 1 … ──▶ what left is pruned ──▶ inventory trimmed
//!                                pre-apply hooks before its workloads     post-apply hooks before
//! ```
//!
//! A run may end at any of these points: the inventory then names all that is there, and the next run goes on from what it
//! finds. The cluster is the only place where anything is remembered.

mod claims;
mod config_map;
mod conflict;
mod delete;
mod desired;
mod diagnose;
mod equality;
mod event;
mod fields;
mod forecast;
mod foreseen;
mod forget;
mod generate;
mod gone;
mod history;
mod hook_due;
mod hook_record;
mod hook_run;
mod how;
mod inventory;
mod inventory_id;
mod lease;
mod moving;
mod outcome;
mod owner;
mod preview;
mod prune;
mod rebuild;
mod recreate;
mod removal;
mod remover;
mod report;
mod rights;
mod run;
mod scope;
mod send;
mod session;
mod settings;
mod snapshot;
mod status;
mod survey;
mod wait;

pub use claims::Claims;
pub use conflict::move_advice;
pub use delete::{Deleting, delete, delete_objects, deletion_hooks, plan, plan_objects};
pub use event::{Event, Observer, Unobserved};
pub use forecast::{Forecast, Immutable, Leaving, Prediction, Question, forecast};
pub use foreseen::{Change, Preview};
pub use generate::{Fill, Generation, rotate};
pub use history::{
    CopyRef, InventoryHistory, KeptCopy, NewRevision, RecordedBundle, Revision, RevisionContent,
    RevisionResult, RevisionSource, Tally, lacking,
};
pub use hook_due::{DueHook, KnownHooks, Trigger};
pub use hook_record::HookRecord;
pub use inventory::{Entry, Inventory, LABEL, inventories};
pub use inventory_id::{DEFAULT_NAMESPACE, InventoryId, OLD_MANAGER};
pub use lease::{Lock, LockTerms, Locked};
pub use moving::move_inventory;
pub use outcome::Outcome;
pub use preview::preview;
pub use prune::PruneSet;
pub use rebuild::rebuild;
pub use recreate::{Cascade, Loss, RECREATE_ANNOTATION, Recreate};
pub use removal::{Kinds, PRUNE_ANNOTATION, RemovalPlan, Stay};
pub use remover::Deletion;
pub use report::Report;
pub use run::apply;
pub use scope::settle_scopes;
pub use session::Session;
pub use settings::Settings;
pub use status::{ObjectStatus, status};
pub use survey::{Survey, survey};
