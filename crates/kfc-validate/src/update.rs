//! Resources that exist already.

use kfc_kube::{Object, ObjectId};
use rustc_hash::FxHashMap;

/// The namespace of what names none.
const DEFAULT: &str = "default";

/// A resource that exists already.
#[derive(Clone, Debug)]
pub struct Update {
    /// What it is.
    pub before: Object,
    /// What it will be.
    pub after: Object,
}

/// Updates by their objects.
#[derive(Debug)]
pub(super) struct Updates<'u>(FxHashMap<ObjectId, &'u Update>);

impl<'u> Updates<'u> {
    pub(super) fn of(list: &'u [Update]) -> Self {
        Self(list.iter().map(|update| (ObjectId::of(&update.before, DEFAULT), update)).collect())
    }

    /// What becomes of a resource that exists already.
    pub(super) fn find(&self, resource: &Object) -> Option<&'u Update> {
        self.0.get(&ObjectId::of(resource, DEFAULT)).copied()
    }
}
