//! What a resource needs: the others that it names.

use super::{containers, items, pod_template, text};
use crate::diagnostics::Mark;
use crate::resource::Resource;
use crate::yaml::Node;

/// A resource that is named by another one.
#[derive(Clone, Debug)]
pub(super) struct Need<'n> {
    pub(super) kind: &'n str,
    /// Empty for kinds that live in no namespace.
    pub(super) namespace: &'n str,
    pub(super) name: &'n str,
    /// Where it is named.
    pub(super) mark: Mark,
    /// Whether it has to be there before, as a namespace has, or only some time, as a service that is called.
    pub(super) before: bool,
}

/// Everything that a resource names and cannot be without.
pub(super) fn needs(resource: &Resource) -> Vec<Need<'_>> {
    let mut found = Vec::new();
    let namespace = resource.namespace();
    if !namespace.is_empty() {
        let mark = resource.node.at(&["metadata", "namespace"]).map_or(resource.mark(), |node| node.mark);
        found.push(Need { kind: "Namespace", namespace: "", name: namespace, mark, before: true });
    }
    if let Some(pod) = pod_template(resource) {
        of_pod(pod, namespace, &mut found);
    }
    match resource.kind() {
        "RoleBinding" | "ClusterRoleBinding" => of_binding(resource, &mut found),
        "MutatingWebhookConfiguration" | "ValidatingWebhookConfiguration" => {
            for webhook in items(&resource.node, &["webhooks"]) {
                service(webhook.at(&["clientConfig", "service"]), true, &mut found);
            }
        }
        "CustomResourceDefinition" => {
            let conversion = resource.node.at(&["spec", "conversion", "webhook", "clientConfig", "service"]);
            service(conversion, false, &mut found);
        }
        "APIService" => service(resource.node.at(&["spec", "service"]), true, &mut found),
        "StatefulSet" => named(resource.node.at(&["spec", "serviceName"]), "Service", namespace, &mut found),
        "HorizontalPodAutoscaler" => {
            let target = resource.node.at(&["spec", "scaleTargetRef"]);
            let kind = target.and_then(|target| text(target, &["kind"])).unwrap_or("Deployment");
            named(target.and_then(|target| target.get("name")), kind, namespace, &mut found);
        }
        "Ingress" => {
            for rule in items(&resource.node, &["spec", "rules"]) {
                for path in items(rule, &["http", "paths"]) {
                    let name = path.at(&["backend", "service", "name"]);
                    named(name, "Service", namespace, &mut found);
                }
            }
        }
        _ => {}
    }
    found
}

fn named<'n>(node: Option<&'n Node>, kind: &'n str, namespace: &'n str, found: &mut Vec<Need<'n>>) {
    // An empty name is none: a StatefulSet may do without a service.
    let text = |node: &'n Node| node.as_text().filter(|name| !name.is_empty());
    if let Some((node, name)) = node.and_then(|node| Some((node, text(node)?))) {
        let before = !matches!(kind, "Service");
        found.push(Need { kind, namespace, name, mark: node.mark, before });
    }
}

/// A service that the API server calls.
fn service<'n>(node: Option<&'n Node>, before: bool, found: &mut Vec<Need<'n>>) {
    let Some(node) = node else { return };
    let (Some(namespace), Some(name)) = (text(node, &["namespace"]), text(node, &["name"])) else { return };
    found.push(Need { kind: "Service", namespace, name, mark: node.mark, before });
}

fn of_binding<'n>(resource: &'n Resource, found: &mut Vec<Need<'n>>) {
    let role = resource.node.get("roleRef");
    let kind = role.and_then(|role| text(role, &["kind"])).unwrap_or("ClusterRole");
    let namespace = if kind == "Role" { resource.namespace() } else { "" };
    named(role.and_then(|role| role.get("name")), kind, namespace, found);
    for subject in items(&resource.node, &["subjects"]) {
        if text(subject, &["kind"]) == Some("ServiceAccount") {
            let namespace = text(subject, &["namespace"]).unwrap_or_default();
            named(subject.get("name"), "ServiceAccount", namespace, found);
        }
    }
}

fn of_pod<'n>(pod: &'n Node, namespace: &'n str, found: &mut Vec<Need<'n>>) {
    named(pod.at(&["spec", "serviceAccountName"]), "ServiceAccount", namespace, found);
    if !text(pod, &["spec", "priorityClassName"]).is_some_and(|name| name.starts_with("system-")) {
        named(pod.at(&["spec", "priorityClassName"]), "PriorityClass", "", found);
    }
    for volume in items(pod, &["spec", "volumes"]) {
        source(volume.get("configMap"), "name", "ConfigMap", namespace, found);
        source(volume.get("secret"), "secretName", "Secret", namespace, found);
        source(volume.get("persistentVolumeClaim"), "claimName", "PersistentVolumeClaim", namespace, found);
        for projected in items(volume, &["projected", "sources"]) {
            source(projected.get("configMap"), "name", "ConfigMap", namespace, found);
            source(projected.get("secret"), "name", "Secret", namespace, found);
        }
    }
    for container in containers(pod) {
        for from in items(container, &["envFrom"]) {
            source(from.get("configMapRef"), "name", "ConfigMap", namespace, found);
            source(from.get("secretRef"), "name", "Secret", namespace, found);
        }
        for variable in items(container, &["env"]) {
            source(variable.at(&["valueFrom", "configMapKeyRef"]), "name", "ConfigMap", namespace, found);
            source(variable.at(&["valueFrom", "secretKeyRef"]), "name", "Secret", namespace, found);
        }
    }
}

/// A source of data, unless it says that it may not be there.
fn source<'n>(
    node: Option<&'n Node>,
    field: &str,
    kind: &'n str,
    namespace: &'n str,
    found: &mut Vec<Need<'n>>,
) {
    let Some(node) = node else { return };
    if text(node, &["optional"]) != Some("true") {
        named(node.get(field), kind, namespace, found);
    }
}
