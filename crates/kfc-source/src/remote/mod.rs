//! Remote sources: git repositories, single files, charts and OCI artifacts, fetched or taken from the vendored copy that
//! a lock pins.

#[cfg(feature = "fetch")]
pub mod archive;
#[cfg(feature = "fetch")]
pub mod chart;
mod copy;
#[cfg(feature = "fetch")]
mod credentials;
mod git;
#[cfg(feature = "fetch")]
pub mod oci;
mod remotes;
#[cfg(feature = "fetch")]
mod web;

pub use crate::options::{Event, Listener, LocalCopy, LockUse, Observer, Refresh, RemoteOptions, Renewal};
pub use crate::source::{Pin, Request, Source};
pub use remotes::{Fetched, Remotes};
