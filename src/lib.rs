//! The `kfc` program: the command line, and the catalogue that is built into it. Everything else is in the crates under
//! `crates/`; ARCHITECTURE.md says which is which.

pub mod cli;
pub mod embedded;
