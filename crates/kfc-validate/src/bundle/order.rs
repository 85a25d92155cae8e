//! The order of a bundle: no resource before what it needs.

use super::super::finding::{Finding, Findings};
use super::super::pods::text;
use super::needs::{home, needs};
use crate::path::Path;
use kfc_diagnostics::{Code, Diagnostic, Severity};
use kfc_kube::{Object, ObjectId};
use std::collections::HashMap;

/// Finds resources that come before their namespace, the CRD of their kind, or what they cannot start without: service
/// accounts, roles, config maps, secrets, PVCs, the services of webhooks.
#[must_use]
pub fn order(resources: &[&Object]) -> Vec<Finding> {
    let positions: HashMap<(&str, &str, &str), usize> =
        resources.iter().copied().enumerate().map(|(at, r)| ((r.kind(), home(r), r.name()), at)).collect();
    let definitions = definitions(resources);
    let mut all = Vec::new();
    for (at, resource) in resources.iter().copied().enumerate() {
        let needs = needs(resource).into_iter().filter(|need| need.before);
        let named = needs.filter_map(|need| positions.get(&(need.kind, need.namespace, need.name)));
        let definition = definitions.get(&(resource.group(), resource.kind()));
        for later in named.chain(definition).copied().filter(|needed| *needed > at) {
            all.push(late(resource, resources[later]));
        }
    }
    all
}

/// The findings of [`order`] that make `kubectl apply` fail; the others resolve themselves with time.
pub(super) fn namespaces_and_definitions(resources: &[&Object]) -> Vec<Finding> {
    let mut positions: HashMap<&str, usize> = HashMap::new();
    for (at, resource) in resources.iter().copied().enumerate().filter(|(_, r)| r.kind() == "Namespace") {
        positions.insert(resource.name(), at);
    }
    let definitions = definitions(resources);
    let mut all = Vec::new();
    for (at, resource) in resources.iter().copied().enumerate() {
        let namespace = positions.get(resource.namespace()).filter(|_| resource.kind() != "Namespace");
        let definition = definitions.get(&(resource.group(), resource.kind()));
        for later in namespace.into_iter().chain(definition).copied().filter(|needed| *needed > at) {
            let mut finding = late(resource, resources[later]);
            finding.diagnostic.severity = Severity::Warning;
            all.push(finding);
        }
    }
    all
}

fn late(resource: &Object, needed: &Object) -> Finding {
    let message =
        format!("{} comes before {}, which it needs", ObjectId::of(resource, ""), ObjectId::of(needed, ""));
    let error = Diagnostic::error(Code::Order, message).at(resource.mark());
    let mut found = Findings::of(resource);
    found.push(&Path::TOP, error.label(needed.mark(), "this is what it needs"));
    found.list.swap_remove(0)
}

/// The positions of CRDs in the bundle, by the group and kind that they define.
fn definitions<'r>(resources: &[&'r Object]) -> HashMap<(&'r str, &'r str), usize> {
    let mut found = HashMap::new();
    for (at, resource) in resources.iter().copied().enumerate() {
        let part = |path: &[&str]| text(&resource.node, path);
        if resource.kind() == "CustomResourceDefinition"
            && let (Some(group), Some(kind)) = (part(&["spec", "group"]), part(&["spec", "names", "kind"]))
        {
            found.insert((group, kind), at);
        }
    }
    found
}
