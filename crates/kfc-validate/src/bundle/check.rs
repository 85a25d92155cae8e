//! All checks of a bundle.

use super::{order, pod_security, references, selectors, structural, twice};
use crate::finding::Finding;
use crate::version::Version;
use kfc_kube::Object;

/// Checks what resources of a bundle require of each other. Skipped resources exist for the others, but are not checked; nor is
/// what is beside the bundle.
pub(crate) fn check(
    resources: &[&Object],
    beside: &[Object],
    skipped: &dyn Fn(&Object) -> bool,
    server: Version,
) -> Vec<Finding> {
    let checked: Vec<&Object> = resources.iter().copied().filter(|resource| !skipped(resource)).collect();
    let mut found = twice::check(&checked);
    found.extend(references::check(resources, beside, &checked));
    found.extend(selectors::check(resources, &checked));
    found.extend(order::namespaces_and_definitions(resources));
    found.extend(structural::check(&checked));
    found.extend(pod_security::check(resources, &checked, server));
    found
}
