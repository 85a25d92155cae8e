//! Selectors that match no pod of the bundle or the pods of another, and ports of services without such a port in the pods.

use super::super::finding::{Finding, Findings};
use super::super::pods::{containers, items, pod_template, selects, text};
use kfc_diagnostics::Code;
use kfc_kube::{Object, ObjectId};
use kfc_yaml::Node;
use std::collections::HashMap;

/// Pods, and the resource that starts them.
#[derive(Clone, Copy)]
struct Pods<'r> {
    owner: &'r Object,
    template: &'r Node,
}

impl Pods<'_> {
    fn are_selected(&self, selector: &Node) -> bool {
        selects(selector, self.template.at(&["metadata", "labels"]))
    }

    fn owner(&self) -> ObjectId {
        ObjectId::of(self.owner, "")
    }
}

/// Finds services, disruption budgets and network policies that select no pod, and services, disruption budgets and workloads
/// whose selectors match pods that are not theirs.
pub(super) fn check(resources: &[&Object], checked: &[&Object]) -> Vec<Finding> {
    let mut pods: HashMap<&str, Vec<Pods<'_>>> = HashMap::new();
    for owner in resources.iter().copied() {
        if let Some(template) = pod_template(owner) {
            pods.entry(owner.namespace()).or_default().push(Pods { owner, template });
        }
    }
    let mut all = Vec::new();
    for resource in checked.iter().copied() {
        let Some(selector) = selector(resource) else { continue };
        let mut found = Findings::of(resource);
        let here = pods.get(resource.namespace()).map_or(&[][..], Vec::as_slice);
        let selected: Vec<Pods<'_>> =
            here.iter().copied().filter(|pods| pods.are_selected(selector)).collect();
        if pod_template(resource).is_some() {
            check_foreign(resource, &selected, selector, &mut found);
        } else if selected.is_empty() {
            found.warning_at(Code::Selector, selector, "the selector matches no pod of the bundle").help =
                nearest_miss(selector, here);
        } else if resource.kind() == "Service" {
            check_ports(resource, &selected, &mut found);
            check_silent(resource, &selected, selector, &mut found);
        } else if resource.kind() == "PodDisruptionBudget" {
            check_budgets(resource, resources, &selected, &mut found);
        }
        all.append(&mut found.list);
    }
    all
}

/// The selector for pods of a resource. An empty one selects all pods or none, depending on the kind.
fn selector(resource: &Object) -> Option<&Node> {
    let selector = match (resource.kind(), resource.api_version()) {
        ("Service" | "ReplicationController", "v1")
        | ("Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet", "apps/v1")
        | ("PodDisruptionBudget", _) => resource.node.at(&["spec", "selector"]),
        ("NetworkPolicy", "networking.k8s.io/v1") => resource.node.at(&["spec", "podSelector"]),
        _ => None,
    };
    selector.filter(|selector| selector.as_map().is_some_and(|map| !map.is_empty()))
}

/// Finds pods of others among those of a workload: what counts, scales or shows its pods by its selector takes them for its own,
/// and a pod that belongs to none is adopted.
fn check_foreign(workload: &Object, selected: &[Pods<'_>], selector: &Node, found: &mut Findings<'_>) {
    let Some(other) = selected.iter().find(|pods| !std::ptr::eq(pods.owner, workload)) else { return };
    let message = format!("the selector also matches the pods of {}", other.owner());
    found.warning_at(Code::Selector, selector, message).help =
        Some("give each workload a label of its own, in its selector and in its pods".to_owned());
}

/// Finds pods that a service also selects, but that have none of its ports.
fn check_silent(service: &Object, selected: &[Pods<'_>], selector: &Node, found: &mut Findings<'_>) {
    let targets: Vec<&str> = targets(service).filter_map(Node::as_text).collect();
    let listens = |pods: &&Pods<'_>| targets.iter().any(|target| has_port(pods, target));
    // Pods need not declare the ports on which they listen.
    let is_known = |pods: &&Pods<'_>| ports(pods).next().is_some();
    if !selected.iter().any(|pods| listens(&pods)) {
        return;
    }
    if let Some(silent) = selected.iter().filter(is_known).find(|pods| !listens(pods)) {
        let message = format!(
            "the selector also matches the pods of {}, which have no port {}",
            silent.owner(),
            targets.iter().map(|target| format!("`{target}`")).collect::<Vec<_>>().join(" or ")
        );
        found.warning_at(Code::Selector, selector, message).help = Some(
            "part of the connections fails: select the pods by a label that only the right ones have"
                .to_owned(),
        );
    }
}

/// Finds pods of a disruption budget that an earlier one has too: a pod with two cannot be evicted.
fn check_budgets(budget: &Object, resources: &[&Object], selected: &[Pods<'_>], found: &mut Findings<'_>) {
    let earlier = resources.iter().copied().take_while(|resource| !std::ptr::eq(*resource, budget));
    let is_like = |other: &&Object| other.kind() == budget.kind() && other.namespace() == budget.namespace();
    for other in earlier.filter(is_like) {
        let Some(theirs) = selector(other) else { continue };
        if let Some(shared) = selected.iter().find(|pods| pods.are_selected(theirs)) {
            let message = format!("{} selects the pods of {} too", ObjectId::of(other, ""), shared.owner());
            let at = selector(budget).unwrap_or(&budget.node);
            found.warning_at(Code::Selector, at, message).help = Some(
                "a pod with two disruption budgets cannot be evicted, so that its node cannot be drained"
                    .to_owned(),
            );
            return;
        }
    }
}
/// The only label of a selector with several that a pod does not have.
fn nearest_miss(selector: &Node, pods: &[Pods<'_>]) -> Option<String> {
    let wanted = selector.get("matchLabels").unwrap_or(selector).as_map()?;
    pods.iter().find_map(|pod| {
        let labels = pod.template.at(&["metadata", "labels"])?;
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

/// The ports of its pods that a service names, by name or number.
fn targets(service: &Object) -> impl Iterator<Item = &Node> {
    items(&service.node, &["spec", "ports"]).filter_map(|port| port.get("targetPort").or(port.get("port")))
}

/// The ports that pods declare.
fn ports<'r>(pods: &Pods<'r>) -> impl Iterator<Item = &'r Node> {
    containers(pods.template).flat_map(|container| items(container, &["ports"]))
}

fn has_port(pods: &Pods<'_>, target: &str) -> bool {
    ports(pods).any(|port| [text(port, &["name"]), text(port, &["containerPort"])].contains(&Some(target)))
}

fn check_ports(service: &Object, selected: &[Pods<'_>], found: &mut Findings<'_>) {
    for target in targets(service) {
        let word = target.as_text().unwrap_or("");
        if !selected.iter().any(|pods| has_port(pods, word)) {
            let message = format!("port `{word}` does not exist in the selected pods");
            found.warning_at(Code::MissingPart, target, message);
        }
    }
}
