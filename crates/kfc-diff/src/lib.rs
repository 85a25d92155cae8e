//! The semantic diff of two bundles: which resources belong together ([`matching`]), in which fields they differ
//! ([`compare`](mod@compare)), and what that does to a cluster ([`impact`]). Gives a [`Report`], which formats are written from.
//!
//! This crate must never know files, kustomize, plans of the catalogue or a cluster: it is given two sides. Objects that know
//! where their fields come from say so through [`kfc_kube::Traced`]. Others may build on it.
//!
//! ```
//! use kfc_diagnostics::SourceId;
//! use kfc_diff::{Input, Member, compare, report};
//! use kfc_kube::Object;
//! use kfc_kube::schema::Schema;
//! use kfc_yaml::parse::parse;
//!
//! let side = |label: &str, tag: &str| {
//!     let text = format!(
//!         "{{apiVersion: apps/v1, kind: Deployment, metadata: {{name: web}}, \
//!          spec: {{template: {{spec: {{containers: [{{name: web, image: 'web:{tag}'}}]}}}}}}}}"
//!     );
//!     let objects = parse(&text, SourceId::NONE)?.into_iter().map(|node| Object::new(node, false));
//!     let resources = objects.map(Member::new).collect();
//!     Ok::<_, kfc_diagnostics::Diagnostics>(Input { label: label.to_owned(), resources, ..Input::default() })
//! };
//! let found = compare(&side("before", "v1")?, &side("after", "v2")?, &Schema::builtin());
//! assert_eq!(found.summary.changed, 1);
//! let text = report::write(report::Format::Text, &found, &report::Style::default())?;
//! assert!(String::from_utf8_lossy(&text).contains("Deployment web"));
//! # Ok::<(), kfc_diagnostics::Diagnostics>(())
//! ```

#![allow(clippy::match_same_arms, reason = "a table of kinds is read and changed line by line")]

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
pub mod upgrade;

pub use bundles::compare;
pub use input::{Input, Member, redacted_text, redacted_texts};
pub use join::join;
pub use model::{Class, Report};
pub use upgrade::Upgrade;
