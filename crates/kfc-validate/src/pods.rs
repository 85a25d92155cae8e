//! Pods and the pod templates of workloads.

use kfc_kube::Object;
use kfc_yaml::Node;

/// The items of the list at a path; none without a list.
pub(super) fn items<'n>(node: &'n Node, path: &[&str]) -> impl Iterator<Item = &'n Node> + use<'n> {
    node.at(path).and_then(Node::as_seq).into_iter().flatten()
}

/// The text at a path; `None` for an empty one.
pub(super) fn text<'n>(node: &'n Node, path: &[&str]) -> Option<&'n str> {
    node.at(path).and_then(Node::as_text).filter(|text| !text.is_empty())
}

/// The template of the pods that a workload starts: the mapping with `metadata` and `spec`.
pub(super) fn pod_template(resource: &Object) -> Option<&Node> {
    match resource.kind() {
        "Pod" => Some(&resource.node),
        "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "Job" | "ReplicationController" => {
            resource.node.at(&["spec", "template"])
        }
        "CronJob" => resource.node.at(&["spec", "jobTemplate", "spec", "template"]),
        _ => None,
    }
}

/// All containers of a pod.
pub(super) fn containers(pod: &Node) -> impl Iterator<Item = &Node> {
    items(pod, &["spec", "initContainers"]).chain(items(pod, &["spec", "containers"]))
}

/// Whether labels match a selector: a mapping of labels, or one with `matchLabels` and
/// `matchExpressions`.
pub(super) fn selects(selector: &Node, labels: Option<&Node>) -> bool {
    let label = |key: &str| labels.and_then(|labels| labels.get(key)).and_then(Node::as_text);
    let is_plain = selector.get("matchLabels").is_none() && selector.get("matchExpressions").is_none();
    let wanted = if is_plain { Some(selector) } else { selector.get("matchLabels") };
    let fits = |map: &kfc_yaml::Map| map.iter().all(|e| label(&e.key.text) == e.value.as_text());
    let expression = |one: &Node| {
        let found = text(one, &["key"]).and_then(label);
        let is_listed = || items(one, &["values"]).any(|value| value.as_text() == found);
        match text(one, &["operator"]) {
            Some("In") => found.is_some() && is_listed(),
            Some("NotIn") => found.is_none() || !is_listed(),
            Some("Exists") => found.is_some(),
            Some("DoesNotExist") => found.is_none(),
            // Another check reports other operators.
            _ => true,
        }
    };
    wanted.and_then(Node::as_map).is_none_or(fits) && items(selector, &["matchExpressions"]).all(expression)
}
