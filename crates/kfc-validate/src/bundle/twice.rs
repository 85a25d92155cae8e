//! Resources that are defined more than once.

use super::super::finding::{Finding, Findings};
use super::needs::home;
use crate::path::Path;
use kfc_diagnostics::{Code, Diagnostic};
use kfc_kube::Object;
use rustc_hash::FxHashMap;

/// Finds resources with the group, kind, namespace and name of an earlier one.
pub(super) fn check(resources: &[&Object]) -> Vec<Finding> {
    let mut seen: FxHashMap<(&str, &str, &str, &str), &Object> = FxHashMap::default();
    let mut all = Vec::new();
    for resource in resources.iter().copied().filter(|resource| resource.is_named()) {
        let key = (resource.group(), resource.kind(), home(resource), resource.name());
        if let Some(first) = seen.insert(key, resource) {
            let mut found = Findings::of(resource);
            let message = "the bundle has two resources of this kind and name";
            let error = Diagnostic::error(Code::ResourceTwice, message).at(resource.mark());
            found.push(&Path::TOP, error.label(first.mark(), "the first one"));
            all.append(&mut found.list);
        }
    }
    all
}
