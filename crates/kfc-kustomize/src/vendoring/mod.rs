//! Vendoring: finds every remote source of a tree ([`walk`]), stores its files next to the lock under their digest
//! ([`store`]), and reports changes since the earlier lock ([`change`]). The lock itself, and the check of trees against
//! it, are part of [`kfc_source`].

pub mod change;
pub mod store;
pub mod walk;
