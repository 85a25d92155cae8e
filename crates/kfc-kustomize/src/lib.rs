//! kustomize as a library: builds a tree, on disk or in memory, to the bytes that kustomize gives.
//!
//! This crate must never know the command line, expressions, the catalogue or a cluster. Others may build on it.

pub mod edit;
pub mod engine;
pub mod generate;
pub mod kustomization;
pub mod localize;
pub mod merge;
pub mod provenance;
pub mod redaction;
pub mod reference;
pub mod resource;
pub mod transform;
pub mod types;
pub mod vendoring;
