//! Applies a bundle to a cluster, wave by wave, and knows what it applied before.
//!
//! This is the only crate that talks to an API server. It must never know the catalogue or the command line: it is given
//! objects in waves. Others may build on it.
//!
//! ```
//! use kfc_cluster::apply::InventoryId;
//!
//! // Each inventory writes as a field manager of its own: the server notices when two of them write one field.
//! assert_eq!(InventoryId::new("default", "platform").manager(), "kfc-platform");
//! ```

pub mod apply;
pub mod cluster;
mod snapshot;

pub use snapshot::snapshot;
