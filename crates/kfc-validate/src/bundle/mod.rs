//! Checks of a whole bundle: that nothing in it refers to what is not there, that selectors select something, that nothing
//! comes before what it needs, that its custom resource definitions are structural, and that namespaces let its pods in.

mod needs;
mod order;
mod pod_security;
mod references;
mod selectors;
mod structural;
mod twice;

pub use order::order;

use super::finding::Finding;
use kfc_kustomize::resource::Resource;

/// Everything that resources of a bundle ask of each other. What `skipped` holds for counts as there, but is not looked at.
pub(super) fn check(resources: &[Resource], skipped: &dyn Fn(&Resource) -> bool) -> Vec<Finding> {
    let checked: Vec<&Resource> = resources.iter().filter(|resource| !skipped(resource)).collect();
    let mut found = twice::check(&checked);
    found.extend(references::check(resources, &checked));
    found.extend(selectors::check(resources, &checked));
    found.extend(order::namespaces_and_definitions(resources));
    found.extend(structural::check(&checked));
    found.extend(pod_security::check(resources, &checked));
    found
}

/// Kind and name of a resource, for messages.
fn title(resource: &Resource) -> String {
    match resource.namespace() {
        "" => format!("{} `{}`", resource.kind(), resource.name()),
        namespace => format!("{} `{}` in `{namespace}`", resource.kind(), resource.name()),
    }
}
