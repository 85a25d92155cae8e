//! Dangling references: names of what is not there, selectors that fit no pod, ports that lead nowhere.

use super::needs::{Need, needs};
use super::{containers, items, pod_template, text, title};
use crate::diagnostics::{Code, Diagnostic, Diagnostics, nearest};
use crate::resource::Resource;
use crate::yaml::Node;
use std::collections::HashSet;

/// Namespaces that every cluster has.
const NAMESPACES: [&str; 4] = ["default", "kube-system", "kube-public", "kube-node-lease"];
/// Roles that every cluster has.
const ROLES: [&str; 6] = [
    "admin",
    "edit",
    "view",
    "cluster-admin",
    "system:auth-delegator",
    "extension-apiserver-authentication-reader",
];
/// Config maps that a controller of Kubernetes makes in every namespace.
const CONFIG_MAPS: [&str; 2] = ["kube-root-ca.crt", "istio-ca-root-cert"];

/// Finds references to what is neither in the bundle, nor in every cluster, nor made by a controller: secrets of
/// certificates that cert-manager issues, and those that an annotation tells of.
#[must_use]
pub fn references(resources: &[Resource]) -> Diagnostics {
    let there: HashSet<(&str, &str, &str)> =
        resources.iter().map(|r| (r.kind(), r.namespace(), r.name())).collect();
    let made = made_by_controllers(resources);
    let pods: Vec<(&str, &Node)> =
        resources.iter().filter_map(|r| Some((r.namespace(), pod_template(r)?))).collect();
    let mut found = Diagnostics::default();
    for resource in resources {
        for need in needs(resource) {
            let key = (need.kind, need.namespace, need.name);
            if !there.contains(&key) && !made.contains(&key) && !is_built_in(&need) {
                found.push(dangling(resource, &need, resources));
            }
        }
        check_selector(resource, &mut found);
        if resource.kind() == "Service" {
            check_service(resource, &pods, &mut found);
        }
        if let Some(pod) = pod_template(resource) {
            check_volumes(resource, pod, &mut found);
        }
    }
    found
}

fn is_built_in(need: &Need<'_>) -> bool {
    match need.kind {
        "Namespace" => NAMESPACES.contains(&need.name),
        "ClusterRole" | "Role" => ROLES.contains(&need.name) || need.name.starts_with("system:"),
        "ServiceAccount" => need.name == "default",
        "ConfigMap" => CONFIG_MAPS.contains(&need.name),
        _ => false,
    }
}

/// Secrets that cert-manager writes for the certificates of the bundle.
fn made_by_controllers(resources: &[Resource]) -> HashSet<(&str, &str, &str)> {
    let certificates = resources.iter().filter(|resource| resource.kind() == "Certificate");
    certificates
        .filter_map(|r| Some(("Secret", r.namespace(), text(&r.node, &["spec", "secretName"])?)))
        .collect()
}

fn dangling(resource: &Resource, need: &Need<'_>, resources: &[Resource]) -> Diagnostic {
    let place = if need.namespace.is_empty() { String::new() } else { format!(" in `{}`", need.namespace) };
    let message =
        format!("{} names {} `{}`{place}, which is not there", title(resource), need.kind, need.name);
    let error = Diagnostic::error(Code::Dangling, message).at(need.mark);
    let same = resources.iter().filter(|r| r.kind() == need.kind && r.namespace() == need.namespace);
    match nearest(need.name, same.map(Resource::name)) {
        Some(near) => error.help(format!("the nearest is {} `{near}`", need.kind)),
        None => error,
    }
}

/// A workload's selector must fit its own pods.
fn check_selector(resource: &Resource, found: &mut Diagnostics) {
    let Some(selector) = resource.node.at(&["spec", "selector", "matchLabels"]) else { return };
    let Some(pod) = pod_template(resource) else { return };
    if !fits(selector, pod) {
        let message = format!("the selector of {} does not fit its own pods", title(resource));
        found.push(Diagnostic::error(Code::Dangling, message).at(selector.mark));
    }
}

/// Whether a pod has all the labels of a selector.
fn fits(selector: &Node, pod: &Node) -> bool {
    let labels = pod.at(&["metadata", "labels"]);
    let has = |key: &str, value: &Node| {
        labels.and_then(|labels| labels.get(key)).and_then(Node::as_text) == value.as_text()
    };
    selector.as_map().is_some_and(|map| map.iter().all(|entry| has(&entry.key.text, &entry.value)))
}

/// A service must select a pod, and its ports must lead to ports of that pod.
fn check_service(service: &Resource, pods: &[(&str, &Node)], found: &mut Diagnostics) {
    let Some(selector) = service.node.at(&["spec", "selector"]) else { return };
    let selected: Vec<&Node> = pods
        .iter()
        .filter(|(namespace, pod)| *namespace == service.namespace() && fits(selector, pod))
        .map(|(_, pod)| *pod)
        .collect();
    if selected.is_empty() {
        let message = format!("{} selects no pod", title(service));
        found.push(Diagnostic::error(Code::Dangling, message).at(selector.mark));
        return;
    }
    let ports: Vec<&Node> =
        selected.iter().flat_map(|pod| containers(pod)).flat_map(|c| items(c, &["ports"])).collect();
    for port in items(&service.node, &["spec", "ports"]) {
        let Some(target) = port.get("targetPort").or(port.get("port")) else { continue };
        let is_target = |port: &&Node| {
            let texts = [text(port, &["name"]), text(port, &["containerPort"])];
            texts.contains(&target.as_text())
        };
        if !ports.iter().any(is_target) {
            let message = format!(
                "port `{}` of {} leads to no port of its pods",
                target.as_text().unwrap_or(""),
                title(service)
            );
            found.push(Diagnostic::error(Code::Dangling, message).at(target.mark));
        }
    }
}

/// A container may only mount volumes that its pod has.
fn check_volumes(resource: &Resource, pod: &Node, found: &mut Diagnostics) {
    let volumes = items(pod, &["spec", "volumes"]).filter_map(|volume| text(volume, &["name"]));
    let claims = items(&resource.node, &["spec", "volumeClaimTemplates"])
        .filter_map(|claim| text(claim, &["metadata", "name"]));
    let known: HashSet<&str> = volumes.chain(claims).collect();
    for mount in containers(pod).flat_map(|container| items(container, &["volumeMounts"])) {
        let Some(name) = mount.get("name") else { continue };
        if !name.as_text().is_some_and(|name| known.contains(name)) {
            let message = format!(
                "{} mounts `{}`, which is no volume of its pods",
                title(resource),
                name.as_text().unwrap_or("")
            );
            found.push(Diagnostic::error(Code::Dangling, message).at(name.mark));
        }
    }
}
