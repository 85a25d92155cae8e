//! Tests against a real Kubernetes API server: see `docs/testing.md`. They are ignored by a plain `cargo test`, because the
//! control plane has to be built first; `.ci/lab` builds it and runs them.

#![cfg(feature = "cluster")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by a panic")]
#![allow(clippy::print_stdout, reason = "says what it skips or measures")]

mod access;
mod admission;
mod cluster;
mod consent;
mod controllers;
mod corpora;
mod detection;
mod faults;
mod first_login;
mod fleet;
mod history;
mod hooks;
mod idempotence;
mod kubectl;
mod leaving;
mod locks;
mod login;
mod looking;
mod needs;
mod owners;
// The trees of upstream, as the comparison with them reads them.
#[path = "../parity"]
mod parity {
    pub(crate) mod table;
    pub(crate) mod trees;
}
mod profiles;
mod pruning;
mod robustness;
mod secrets;
mod sending;
mod shop;
mod space;
mod takeover;
mod trouble;
mod upgrade;
mod upstream;
