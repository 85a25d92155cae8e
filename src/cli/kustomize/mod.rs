//! kustomize's own command line, but for `build` and `version`.

pub(super) mod create;
pub(super) mod edit;
mod edit_args;
mod file;
pub(super) mod localize;
