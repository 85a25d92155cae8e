//! Selectors that match no pod of the bundle, and ports of services without such a port in the pods.

use super::super::finding::{Finding, Findings};
use super::super::pods::{containers, items, pod_template, selects, text};
use kfc_diagnostics::Code;
use kfc_kube::Object;
use kfc_yaml::Node;
use std::collections::HashMap;

/// Finds services, disruption budgets and network policies that select no pod.
pub(super) fn check(resources: &[&Object], checked: &[&Object]) -> Vec<Finding> {
    let mut pods: HashMap<&str, Vec<&Node>> = HashMap::new();
    for resource in resources.iter().copied() {
        if let Some(pod) = pod_template(resource) {
            pods.entry(resource.namespace()).or_default().push(pod);
        }
    }
    let mut all = Vec::new();
    for resource in checked.iter().copied() {
        let selector = match (resource.kind(), resource.api_version()) {
            ("Service", "v1") | ("PodDisruptionBudget", _) => resource.node.at(&["spec", "selector"]),
            ("NetworkPolicy", "networking.k8s.io/v1") => resource.node.at(&["spec", "podSelector"]),
            _ => None,
        };
        // An empty selector selects all pods or none, depending on the kind.
        let Some(selector) = selector.filter(|s| s.as_map().is_some_and(|map| !map.is_empty())) else {
            continue;
        };
        let mut found = Findings::of(resource);
        let here = pods.get(resource.namespace()).map_or(&[][..], Vec::as_slice);
        let selected: Vec<&Node> =
            here.iter().copied().filter(|pod| selects(selector, pod.at(&["metadata", "labels"]))).collect();
        if selected.is_empty() {
            found.warning_at(Code::Selector, selector, "the selector matches no pod of the bundle").help =
                nearest_miss(selector, here);
        } else if resource.kind() == "Service" {
            check_ports(resource, &selected, &mut found);
        }
        all.append(&mut found.list);
    }
    all
}

/// The only label of a selector with several that a pod does not have.
fn nearest_miss(selector: &Node, pods: &[&Node]) -> Option<String> {
    let wanted = selector.get("matchLabels").unwrap_or(selector).as_map()?;
    pods.iter().find_map(|pod| {
        let labels = pod.at(&["metadata", "labels"])?;
        let misses = |entry: &&kfc_yaml::Entry| {
            labels.get(&entry.key.text).and_then(Node::as_text) != entry.value.as_text()
        };
        let missing: Vec<_> = wanted.iter().filter(misses).collect();
        let [one] = missing.as_slice() else { return None };
        let key = one.key.text.as_str();
        let has = labels.get(key).and_then(Node::as_text);
        (wanted.len() > 1 || has.is_some()).then(|| match has {
            Some(value) => format!("there are pods with `{key}: {value}`"),
            None => format!("there are pods without only `{key}`"),
        })
    })
}

fn check_ports(service: &Object, pods: &[&Node], found: &mut Findings<'_>) {
    let ports: Vec<&Node> =
        pods.iter().flat_map(|pod| containers(pod)).flat_map(|c| items(c, &["ports"])).collect();
    for port in items(&service.node, &["spec", "ports"]) {
        let Some(target) = port.get("targetPort").or(port.get("port")) else { continue };
        let is_target = |port: &&Node| {
            let texts = [text(port, &["name"]), text(port, &["containerPort"])];
            texts.contains(&target.as_text())
        };
        if !ports.iter().any(is_target) {
            let word = target.as_text().unwrap_or("");
            found.warning_at(
                Code::Dangling,
                target,
                format!("port `{word}` does not exist in the selected pods"),
            );
        }
    }
}
