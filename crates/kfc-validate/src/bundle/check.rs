//! All checks of a bundle.

use super::{order, pod_security, references, selectors, structural, twice};
use crate::finding::Finding;
use kfc_kustomize::resource::Resource;

/// Everything that resources of a bundle ask of each other. What `skipped` holds for counts as there, but is not looked at.
pub(crate) fn check(resources: &[Resource], skipped: &dyn Fn(&Resource) -> bool) -> Vec<Finding> {
    let checked: Vec<&Resource> = resources.iter().filter(|resource| !skipped(resource)).collect();
    let mut found = twice::check(&checked);
    found.extend(references::check(resources, &checked));
    found.extend(selectors::check(resources, &checked));
    found.extend(order::namespaces_and_definitions(resources));
    found.extend(structural::check(&checked));
    found.extend(pod_security::check(resources, &checked));
    found
}
