//! Which kustomize the engine follows.

/// The kustomize release whose behaviour the engine has.
pub const KUSTOMIZE_VERSION: &str = "v5.8.1";
