//! What changes mean: a class and a severity for every field, and findings in words for what people should know before they
//! apply a bundle.

mod crd;
mod exposure;
mod field;
mod image;
mod immutable;
mod loss;
mod rbac;

pub(super) use field::class_of;
pub(super) use rbac::Grants;

use super::compare::Difference;
use super::matching::Compared;
use super::model::{ChangeKind, Class, Finding, Path, Severity, urgency};
use kfc_yaml::Node;

/// A resource that changes, with both of its forms.
pub(super) struct Changed<'c, 'n> {
    pub(super) kind: ChangeKind,
    pub(super) before: Option<&'c Compared<'n>>,
    pub(super) after: Option<&'c Compared<'n>>,
    pub(super) differences: &'c [Difference<'c>],
}

impl<'c> Changed<'c, '_> {
    /// The kind of the resource.
    fn resource_kind(&self) -> &'c str {
        self.after.or(self.before).map_or("", |one| one.identity.kind.as_str())
    }

    /// The differences that are more than form.
    fn real(&self) -> impl Iterator<Item = &'c Difference<'c>> {
        self.differences.iter().filter(|difference| difference.folded.is_none())
    }

    fn old_node(&self) -> Option<&'c Node> {
        self.before.map(|one| &*one.node)
    }

    fn new_node(&self) -> Option<&'c Node> {
        self.after.map(|one| &*one.node)
    }
}

/// Everything that is to be said of a change, the most urgent first.
pub(super) fn findings(changed: &Changed<'_, '_>, grants: &Grants<'_>) -> Vec<Finding> {
    let mut found = loss::findings(changed);
    found.extend(immutable::findings(changed));
    found.extend(crd::findings(changed));
    found.extend(image::findings(changed));
    found.extend(rbac::findings(changed, grants));
    found.extend(exposure::findings(changed));
    found.sort_by_key(|finding| urgency(finding.class, finding.severity));
    found
}

/// Why a resource goes.
pub(super) fn removal(why: &str) -> Finding {
    finding(Class::Resource, Severity::Medium, "", why)
}

fn finding(class: Class, severity: Severity, path: &str, message: impl Into<String>) -> Finding {
    Finding { class, severity, message: message.into(), path: path.to_owned() }
}

/// Whether a path starts with these keys.
fn starts_with(path: &Path, keys: &[&str]) -> bool {
    let mut found = path.keys();
    keys.iter().all(|key| found.next() == Some(key))
}
