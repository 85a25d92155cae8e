//! `kustomization.yaml`: what it holds ([`model`]) and how it is read.

pub mod model;
