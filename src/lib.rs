//! kfc: a manifest compiler for machine-learning platforms on Kubernetes.
//!
//! A build is a line of stages with a typed value between each:
//!
//! ```text
//! sources ──▶ yaml::parse ──▶ kustomization ──▶ build (generate, merge, transform, reference) ──▶ yaml::emit
//!  bytes        Node            Kustomization       ResourceSet                                      bytes
//! ```
//!
//! ARCHITECTURE.md says which folder holds what.

#[cfg(feature = "cluster")]
pub mod apply;
pub mod argocd;
pub mod assemble;
pub mod build;
pub mod catalogue;
pub mod cli;
#[cfg(feature = "cluster")]
pub mod cluster;
pub mod detect;
pub mod diagnostics;
pub mod diff;
pub mod edit;
pub mod explain;
pub(crate) mod fields;
pub mod generate;
pub mod golden;
pub mod kustomization;
pub mod localize;
pub mod merge;
pub mod origin;
pub mod picture;
pub mod reference;
pub mod report;
pub mod resolve;
pub mod resource;
pub mod schema;
pub mod secrecy;
pub mod sources;
pub mod transform;
pub mod validate;
pub mod vendor;
pub mod write;
pub mod yaml;
