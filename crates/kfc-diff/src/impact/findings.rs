//! Collects what every rule finds in a change.

use super::changed::{Changed, finding};
use super::rbac::{self, Grants};
use super::{crd, exposure, image, immutable, loss};
use crate::model::{Class, Finding, Severity, urgency};

/// All findings of a change, the most urgent first.
pub(crate) fn findings(changed: &Changed<'_, '_>, grants: &Grants<'_>) -> Vec<Finding> {
    let mut found = loss::findings(changed);
    found.extend(immutable::findings(changed));
    found.extend(crd::findings(changed));
    found.extend(image::findings(changed));
    found.extend(rbac::findings(changed, grants));
    found.extend(exposure::findings(changed));
    found.sort_by_key(|finding| urgency(finding.class, finding.severity));
    found
}

/// Why a resource is removed.
pub(crate) fn removal(why: &str) -> Finding {
    finding(Class::Resource, Severity::Medium, "", why)
}
