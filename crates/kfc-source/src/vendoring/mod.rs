//! Vendoring: the tree of every remote source is stored next to the lock under its own digest ([`store`]), and what changed
//! since the previous lock is reported ([`change`]). Other crates find the sources of a tree.

pub mod change;
pub mod store;
