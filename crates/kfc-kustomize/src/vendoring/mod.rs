//! Vendoring: finds every remote source of a tree ([`walk`]). How their trees are stored and compared with the lock is part
//! of [`kfc_source::vendoring`].

pub mod walk;
