//! What an API server checks of one resource beyond the types of its fields.

mod data;
mod metadata;
mod pod;
mod resources;
mod service;

pub(super) use metadata::check_texts;

use super::finding::Findings;
use super::pods::pod_template;
use super::version::Version;
use kfc_kube::Object;

/// Checks a resource. `namespaced` is whether its kind is namespaced, when that is known; `kubernetes` the version that has the
/// kind, if it is one of Kubernetes.
pub(super) fn check(
    resource: &Object,
    namespaced: Option<bool>,
    kubernetes: Option<Version>,
    found: &mut Findings<'_>,
) {
    metadata::check(resource, namespaced, found);
    let Some(version) = kubernetes else { return };
    if let Some(pod) = pod_template(resource) {
        pod::check(resource, pod, version, found);
    }
    match resource.kind() {
        "Service" => service::check(resource, found),
        "ConfigMap" | "Secret" => data::check(resource, found),
        _ => {}
    }
}
