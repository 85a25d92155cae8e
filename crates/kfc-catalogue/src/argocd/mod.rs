//! The interface of kfc and Argo CD: the environment of a config-management plug-in, parameters of an application and their
//! announcement, annotations that control a sync.

mod annotate;
mod announce;
mod environment;
mod ignore;
mod parameters;

pub use annotate::{Annotations, annotate};
pub use announce::{Announcement, announce, announce_all, announce_choice};
pub use environment::Environment;
pub use ignore::ignore_differences;
pub use parameters::{Chosen, Given, Setting, choice, choose, read as read_parameters};

/// The parameters that stand for fields of a stack, in the order in which they are announced.
pub const FIELDS: [&str; 5] = ["platform", "components", "present", "without", "facts"];
/// The parameter that names the environment of the stack.
pub const ENVIRONMENT: &str = "environment";
/// The parameter that names the cluster of the stack.
pub const CLUSTER: &str = "cluster";
/// The parameter that says which annotations the bundle gets.
pub const ANNOTATIONS: &str = "argocd";
/// The parameter that has the bundle validated.
pub const VALIDATE: &str = "validate";
