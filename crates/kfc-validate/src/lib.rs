//! Validation of a bundle: every resource against the types of a Kubernetes version or the custom resource definition of
//! its kind, and all of them against each other.
//!
//! [`validate`] is the whole of it. [`table`] has the types of Kubernetes, [`definitions`] those of custom resources, both as
//! [`shape`]s; `check` checks a value against its shape. `foreign` has definitions of kinds that platforms bring. `rules` runs the rules of definitions, `api` knows removed and
//! deprecated versions, `resource` has what the API server checks beyond types, `bundle` what resources ask of each other. `changes` looks
//! at what an older bundle has.

mod api;
mod budget;
pub mod bundle;
mod changes;
mod check;
pub mod definitions;
mod duplicates;
mod equality;
mod finding;
mod fit;
mod foreign;
mod format;
mod limits;
mod path;
mod pods;
mod resource;
mod rules;
pub mod shape;
pub mod table;
mod validation;
mod version;

pub use changes::immutable;
pub use finding::{Finding, Subject};
pub use validation::{Options, Verdict, validate};
pub use version::{Span, Version};
