//! The semantic diff of two bundles: which resources belong together ([`matching`]), in which fields they differ
//! ([`compare`](mod@compare)), and what that does to a cluster ([`impact`]). Gives a [`Report`], which formats are written from.
//!
//! This crate must never know plans of the catalogue or a cluster: it is given two sides. Others may build on it.
//!
//! ```
//! use kfc_diff::{Input, compare, report};
//! use kfc_kube::schema::Schema;
//! use kfc_kustomize::Kustomizer;
//! use kfc_source::Memory;
//!
//! let side = |label: &str, tag: &str| {
//!     let deployment = format!(
//!         "{{apiVersion: apps/v1, kind: Deployment, metadata: {{name: web}}, \
//!          spec: {{template: {{spec: {{containers: [{{name: web, image: 'web:{tag}'}}]}}}}}}}}"
//!     );
//!     let files = Memory::new([("/kustomization.yaml", "resources: [web.yaml]"), ("/web.yaml", deployment.as_str())]);
//!     let built = Kustomizer::in_memory().run(&files, "/")?;
//!     let resources = built.resources().to_vec();
//!     Ok::<_, kfc_kustomize::BuildError>(Input { label: label.to_owned(), resources, ..Input::default() })
//! };
//! let found = compare(&side("before", "v1")?, &side("after", "v2")?, &Schema::builtin());
//! assert_eq!(found.summary.changed, 1);
//! let text = report::write(report::Format::Text, &found, &report::Style::default()).unwrap();
//! assert!(String::from_utf8_lossy(&text).contains("Deployment web"));
//! # Ok::<(), kfc_kustomize::BuildError>(())
//! ```

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
