//! How a resource is sent, as the query of its request.

use crate::cluster::ApiResource;
use kfc_kube::ObjectId;

/// How a resource is sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct How<'h> {
    pub(super) manager: &'h str,
    /// Take over fields that others own.
    pub(super) force: bool,
    pub(super) dry_run: bool,
}

impl How<'_> {
    /// The path of the request.
    pub(super) fn path(&self, kind: &ApiResource, object: &ObjectId) -> String {
        let mut path = format!("{}?fieldManager={}", kind.path_of(object), self.manager);
        if self.force {
            path.push_str("&force=true");
        }
        if self.dry_run {
            path.push_str("&dryRun=All");
        }
        path
    }
}
