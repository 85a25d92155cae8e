//! Tests against a real Kubernetes API server: see `docs/testing.md`. They are ignored by a plain `cargo test`, because the
//! control plane has to be built first; `.ci/lab` builds it and runs them.

#![cfg(feature = "cluster")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod admission;
mod cluster;
mod controllers;
mod faults;
mod kubectl;
mod needs;
mod owners;
mod profiles;
