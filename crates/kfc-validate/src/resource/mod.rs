//! What an API server checks of one resource beyond the types of its fields.

mod data;
mod metadata;
mod pod;
mod resources;
mod service;

pub(super) use metadata::check_texts;

use super::finding::Findings;
use super::pods::pod_template;
use kfc_kube::Object;

/// Checks a resource. `namespaced` is whether its kind is namespaced, when that is known.
pub(super) fn check(resource: &Object, namespaced: Option<bool>, is_builtin: bool, found: &mut Findings<'_>) {
    metadata::check(resource, namespaced, found);
    if !is_builtin {
        return;
    }
    if let Some(pod) = pod_template(resource) {
        pod::check(resource, pod, found);
    }
    match resource.kind() {
        "Service" => service::check(resource, found),
        "ConfigMap" | "Secret" => data::check(resource, found),
        _ => {}
    }
}
