//! Immutable fields: the resource has to be recreated.

use super::changed::{Changed, finding, starts_with};
use crate::model::{ChangeKind, Class, Finding, Path, Severity};
use kfc_kube::Quantity;
use kfc_yaml::Node;

/// Kinds with their immutable fields.
const FIELDS: [(&str, &[&str]); 28] = [
    ("Deployment", &["spec", "selector"]),
    ("DaemonSet", &["spec", "selector"]),
    ("ReplicaSet", &["spec", "selector"]),
    ("StatefulSet", &["spec", "selector"]),
    ("StatefulSet", &["spec", "serviceName"]),
    ("StatefulSet", &["spec", "podManagementPolicy"]),
    ("StatefulSet", &["spec", "volumeClaimTemplates"]),
    ("Job", &["spec", "template"]),
    ("Job", &["spec", "selector"]),
    ("Job", &["spec", "completions"]),
    ("Job", &["spec", "completionMode"]),
    ("PersistentVolume", &["spec", "csi"]),
    ("PersistentVolume", &["spec", "nfs"]),
    ("PersistentVolume", &["spec", "hostPath"]),
    ("RoleBinding", &["roleRef"]),
    ("ClusterRoleBinding", &["roleRef"]),
    ("StorageClass", &["provisioner"]),
    ("StorageClass", &["parameters"]),
    ("StorageClass", &["reclaimPolicy"]),
    ("StorageClass", &["volumeBindingMode"]),
    ("Secret", &["type"]),
    ("CustomResourceDefinition", &["spec", "group"]),
    ("CustomResourceDefinition", &["spec", "scope"]),
    ("CustomResourceDefinition", &["spec", "names", "kind"]),
    ("CustomResourceDefinition", &["spec", "names", "plural"]),
    ("PriorityClass", &["value"]),
    ("IngressClass", &["spec", "controller"]),
    ("RuntimeClass", &["handler"]),
];

/// One finding for each immutable field.
pub(super) fn findings(changed: &Changed<'_, '_>) -> Vec<Finding> {
    // Without a name of its own, each object is another: nothing is changed in a cluster.
    let is_named = |node: &Node| node.at(&["metadata", "name"]).is_some();
    if changed.kind != ChangeKind::Changed || !changed.old_node().is_some_and(is_named) {
        return Vec::new();
    }
    let kind = changed.resource_kind();
    let mut said: Vec<String> = Vec::new();
    for difference in changed.real() {
        // The API server stores both in the same way.
        if is_nothing(difference.before) && is_nothing(difference.after) {
            continue;
        }
        let field = immutable_field(kind, &difference.path, changed.old_node());
        let field = field.or_else(|| special(kind, difference.before, difference.after, &difference.path));
        said.extend(field.filter(|field| !said.contains(field)));
    }
    let say = |field: &String| {
        let message = format!("`{field}` is immutable: the {kind} has to be deleted and created again");
        finding(Class::Recreate, Severity::Critical, field, message)
    };
    said.iter().map(say).collect()
}

/// Whether a field is absent or has no content.
fn is_nothing(node: Option<&Node>) -> bool {
    node.is_none_or(|node| {
        node.is_null()
            || node.as_seq().is_some_and(<[Node]>::is_empty)
            || node.as_map().is_some_and(kfc_yaml::Map::is_empty)
    })
}

fn immutable_field(kind: &str, path: &Path, old: Option<&Node>) -> Option<String> {
    let found = FIELDS.iter().find(|(of, keys)| *of == kind && starts_with(path, keys));
    if let Some((_, keys)) = found {
        return Some(keys.join("."));
    }
    let is_immutable = old.and_then(|node| node.get("immutable")).and_then(Node::as_text) == Some("true");
    let first = path.keys().next().unwrap_or_default();
    let is_data = matches!(first, "data" | "binaryData" | "stringData" | "immutable");
    (matches!(kind, "ConfigMap" | "Secret") && is_immutable && is_data).then(|| first.to_owned())
}

/// Fields that are immutable in some cases.
fn special(kind: &str, before: Option<&Node>, after: Option<&Node>, path: &Path) -> Option<String> {
    let text = |node: Option<&Node>| node.and_then(Node::as_text).unwrap_or_default().to_owned();
    match kind {
        "Service" if starts_with(path, &["spec", "clusterIP"]) => {
            let headless = |node| text(node) == "None";
            (headless(before) || headless(after) || (before.is_some() && after.is_some()))
                .then(|| "spec.clusterIP".to_owned())
        }
        "PersistentVolumeClaim" if starts_with(path, &["spec", "resources"]) => {
            shrinks(&text(before), &text(after)).then(|| "spec.resources.requests.storage".to_owned())
        }
        "PersistentVolumeClaim" if starts_with(path, &["spec", "volumeAttributesClassName"]) => None,
        "PersistentVolumeClaim" if starts_with(path, &["spec"]) => {
            Some(format!("spec.{}", path.keys().nth(1).unwrap_or_default()))
        }
        _ => None,
    }
}

/// PVCs can only grow.
fn shrinks(before: &str, after: &str) -> bool {
    let both = Quantity::parse(before).zip(Quantity::parse(after));
    both.is_some_and(|(before, after)| after.value() < before.value())
}
