//! Resolves a stack against a catalogue: from a profile and the names of components to a [`Plan`] that says which
//! components and overlays are selected, why, with which parameters, and which waits for which. Reads no manifests.

mod expression;
mod graph;
mod inputs;
mod list_filters;
mod overlays;
mod parameters;
mod plan;
mod profile;
mod requirements;
mod run;
mod secrets;
mod user_profiles;

pub use crate::expressions::{Expression, Name, names_in, touches};
pub use expression::Scope;
pub(crate) use inputs::Inputs;
pub use plan::{
    Edge, Plan, Planned, PlannedBinding, PlannedOverlay, PlannedSecret, PlannedUserProfile, Published, Reason,
};
pub use profile::{Fact, Profile, other_name};
pub use run::resolve;
