//! Vendoring: the tree of every remote source is stored next to the lock under its own digest ([`store`]), and what changed
//! since the previous lock is reported ([`change`]). Which sources a tree needs, others find out.

pub mod change;
pub mod store;
