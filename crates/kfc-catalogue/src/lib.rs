//! What a platform is made of: components, overlays and platforms of a catalogue, resolved for a stack into a plan, assembled
//! into a bundle, explained, rendered and compared with goldens.
//!
//! This crate must never know a cluster or the command line, nor which catalogue it reads: the caller provides
//! the files. Other programs may build on it.
//!
//! ```
//! use kfc_catalogue::catalogue::{Catalogue, Place, Stack};
//! use kfc_catalogue::resolve::resolve;
//! use kfc_diagnostics::Sources;
//! use kfc_source::{Loader, Memory, Options, Surroundings};
//! use std::path::Path;
//! use std::sync::Arc;
//!
//! let files = Memory::new([
//!     ("/catalogue/bases/web/component.yaml",
//!      "{apiVersion: kfc.dev/v1alpha1, kind: Component, metadata: {name: web}, spec: {description: A page, stage: workbench}}"),
//!     ("/catalogue/bases/web/kustomization.yaml", "resources: []"),
//!     ("/catalogue/platforms/defaults.yaml",
//!      "{apiVersion: kfc.dev/v1alpha1, kind: Platform, metadata: {name: defaults}, \
//!       spec: {description: What profiles say, role: abstract, declares: {}}}"),
//!     ("/catalogue/platforms/edge.yaml",
//!      "{apiVersion: kfc.dev/v1alpha1, kind: Platform, metadata: {name: edge}, \
//!       spec: {description: A small cluster, role: platform, components: [web]}}"),
//! ]);
//! let options = Options::new(&Arc::new(Surroundings::in_memory(files)));
//! let loader = Loader::here(options, &Arc::new(Sources::default()));
//! let place = Place::on_disk(Path::new("/"), Path::new("catalogue"));
//! let plan = resolve(&Catalogue::load_only(&loader, &[place])?, &Stack::of_profile("edge"))?;
//! assert_eq!(plan.components[0].name(), "web");
//! # Ok::<(), kfc_diagnostics::Diagnostics>(())
//! ```

pub mod argocd;
pub mod assemble;
pub mod catalogue;
mod definitions;
pub mod detect;
pub mod explain;
pub mod expressions;
pub mod files;
pub mod golden;
mod json_schema;
pub mod render;
pub mod resolve;
#[cfg(feature = "schema")]
pub mod schema;
