//! kustomize as a library: builds a tree, on disk or in memory, to the bytes that kustomize gives.
//!
//! This crate must never know the command line, expressions, the catalogue or a cluster. Others may build on it: [`Kustomizer`]
//! is the front door.
//!
//! ```
//! use kfc_kustomize::Kustomizer;
//! use kfc_source::Memory;
//!
//! let files = Memory::new([
//!     ("/app/kustomization.yaml", "namespace: shop\nresources: [web.yaml]"),
//!     ("/app/web.yaml", "{apiVersion: v1, kind: Service, metadata: {name: web}}"),
//! ]);
//! let built = Kustomizer::in_memory().run(&files, "app")?;
//! assert_eq!(built.objects()[0].namespace(), "shop");
//! # Ok::<(), kfc_kustomize::BuildError>(())
//! ```

pub mod boolean;
pub mod edit;
pub mod engine;
pub mod generate;
mod invocation;
pub mod kustomization;
mod kustomizer;
pub mod localize;
pub mod merge;
pub mod package;
pub mod provenance;
pub mod redaction;
pub mod reference;
pub mod resource;
mod rules;
pub mod transform;
pub mod types;
pub mod vendoring;

pub use kustomizer::{BuildError, Built, Kustomizer};
