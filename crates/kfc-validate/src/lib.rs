//! Validates resources against the schemas of a Kubernetes version, CRDs and one another.
//!
//! [`validate`] does all of it. [`table`] has the types of Kubernetes and [`definitions`] those of CRDs, both as [`shape`]s;
//! `check` checks a value against its shape. `foreign` has CRDs of kinds that platforms define. `rules` runs the rules of CRDs,
//! `api` knows removed and deprecated versions, `resource` and `facts` have what the API server checks beyond types, `bundle` what resources
//! require of each other, `policies` what policies refuse. `changes` compares with an older bundle. [`readiness`] judges live objects by conditions of users.
//!
//! This crate must never know files, kustomize, plans of the catalogue or a cluster. Others may build on it.
//!
//! ```
//! use kfc_diagnostics::SourceId;
//! use kfc_kube::Object;
//! use kfc_validate::{Options, validate};
//! use kfc_yaml::parse::parse;
//!
//! let text = "{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {ports: [{port: high}]}}";
//! let web = Object::new(parse(text, SourceId::NONE)?.remove(0), false);
//! let verdict = validate(&[&web], &[], &Options::default());
//! assert_eq!(verdict.checked, 1);
//! assert!(verdict.findings[0].diagnostic.message.contains("port"));
//! # Ok::<(), kfc_diagnostics::Diagnostics>(())
//! ```

mod api;
#[cfg(feature = "rules")]
mod budget;
pub mod bundle;
#[cfg(feature = "rules")]
mod cel_value;
mod changes;
mod check;
pub mod definitions;
mod duplicates;
mod equality;
#[cfg(feature = "rules")]
mod expressions;
mod facts;
mod finding;
mod fit;
mod foreign;
mod format;
mod limits;
mod path;
mod pods;
#[cfg(feature = "rules")]
mod policies;
#[cfg(not(feature = "rules"))]
#[path = "without_policies.rs"]
mod policies;
#[cfg(feature = "rules")]
pub mod readiness;
#[cfg(not(feature = "rules"))]
#[path = "without_readiness.rs"]
pub mod readiness;
mod resource;
#[cfg(feature = "rules")]
mod rules;
#[cfg(not(feature = "rules"))]
#[path = "without_rules.rs"]
mod rules;
pub mod shape;
pub mod table;
mod update;
mod validation;
mod version;

pub use changes::immutable;
pub use finding::Finding;
pub use update::Update;
pub use validation::{KindName, Options, Verdict, undefined, validate};
pub use version::{Span, Version};
