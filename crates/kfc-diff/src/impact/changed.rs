//! A resource that changes, as the rules of this module look at it.

use crate::compare::Difference;
use crate::matching::Compared;
use crate::model::{ChangeKind, Class, Finding, Path, Severity};
use kfc_yaml::Node;

/// A resource that changes, with both of its forms.
pub(crate) struct Changed<'c, 'n> {
    pub(crate) kind: ChangeKind,
    pub(crate) before: Option<&'c Compared<'n>>,
    pub(crate) after: Option<&'c Compared<'n>>,
    pub(crate) differences: &'c [Difference<'c>],
}

impl<'c> Changed<'c, '_> {
    /// The kind of the resource.
    pub(super) fn resource_kind(&self) -> &'c str {
        self.after.or(self.before).map_or("", |one| one.identity.kind.as_str())
    }

    /// The differences that are not of form alone.
    pub(super) fn real(&self) -> impl Iterator<Item = &'c Difference<'c>> {
        self.differences.iter().filter(|difference| difference.folded.is_none())
    }

    pub(super) fn old_node(&self) -> Option<&'c Node> {
        self.before.map(|one| &*one.node)
    }

    pub(super) fn new_node(&self) -> Option<&'c Node> {
        self.after.map(|one| &*one.node)
    }
}

pub(super) fn finding(class: Class, severity: Severity, path: &str, message: impl Into<String>) -> Finding {
    Finding { class, severity, message: message.into(), path: path.to_owned() }
}

/// Whether a field path starts with these keys.
pub(super) fn starts_with(path: &Path, keys: &[&str]) -> bool {
    let mut found = path.keys();
    keys.iter().all(|key| found.next() == Some(key))
}
