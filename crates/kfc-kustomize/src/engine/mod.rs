//! The build of a kustomization root: loads the tree of roots (`load`), accumulates resources bottom-up with generators
//! and transformers (`accumulate`), then fixes references, resolves variables, sorts and cleans up (`finish`).

mod accumulate;
mod accumulated;
pub mod assembly;
mod bundle;
mod declared;
mod finish;
mod function;
mod load;
mod openapi;
mod options;
mod origin;
mod plugin;
pub mod read;
mod run;
mod transformers;

pub use crate::rules::KUSTOMIZE_VERSION;
pub use bundle::Bundle;
pub(crate) use load::inline_documents;
pub use options::{Options, Reorder};
pub use run::{build, build_root};
