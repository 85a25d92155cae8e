//! Vendoring: every remote source of a tree is found ([`walk`]), its tree is stored beside the lock under its own digest
//! ([`store`]), and what changed against the lock before is reported ([`change`]). The lock itself, and the check
//! of trees against it, are part of [`kfc_source`].

pub mod change;
pub mod store;
pub mod walk;
