//! Resources that exist already.

use kfc_kube::Object;

/// The namespace of what names none.
pub(super) const DEFAULT: &str = "default";

/// A resource that exists already.
#[derive(Clone, Debug)]
pub struct Update {
    /// What it is.
    pub before: Object,
    /// What it will be.
    pub after: Object,
}
