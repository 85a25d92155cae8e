//! Kubernetes objects: what identifies them, how labels and fields select them, how lists of their types merge, in which
//! waves they are applied, when they are ready, and what of a Secret may be shown.
//!
//! This crate must never know files, the network, kustomize or the catalogue. Others may build on it.
//!
//! ```
//! use kfc_kube::Gvk;
//!
//! let gvk = Gvk::new("apps/v1", "Deployment");
//! assert_eq!((gvk.group.as_str(), gvk.api_version().as_str()), ("apps", "apps/v1"));
//! ```

mod group_version;
pub mod hook;
mod id;
pub mod ignore;
pub mod kubectl;
pub mod label_selector;
pub mod notation;
mod object;
mod object_id;
mod object_pattern;
pub mod pattern;
mod quantity;
pub mod readiness;
pub mod ready;
pub mod redaction;
pub mod schema;
pub mod secret;
mod traced;
pub mod wave;

pub use group_version::GroupVersion;
pub use id::{Gvk, ResId, effective_namespace};
pub use object::Object;
pub use object_id::{NotAnObjectId, ObjectId};
pub use object_pattern::ObjectPattern;
pub use quantity::Quantity;
pub use traced::{LastChange, Traced};
