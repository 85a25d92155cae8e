//! kustomize's own command line, but for `build` and `version`.

pub(super) mod cfg;
pub(super) mod create;
pub(super) mod edit;
mod edit_args;
mod file;
pub(super) mod flags;
pub(super) mod functions;
pub(super) mod localize;
pub(super) mod openapi;
pub(super) mod topics;
