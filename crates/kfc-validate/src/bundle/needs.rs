//! What a resource needs: the resources that it names.

use super::super::pods::{containers, items, pod_template, text};
use kfc_kube::{Object, ObjectId};
use kfc_yaml::Node;

/// A resource that another one names.
#[derive(Clone, Debug)]
pub(super) struct Need<'n> {
    pub(super) kind: &'n str,
    /// Empty for cluster-scoped kinds.
    pub(super) namespace: &'n str,
    pub(super) name: &'n str,
    /// The value that names it.
    pub(super) node: &'n Node,
    /// Whether it must exist before, as a namespace must, or only at some time, as a service that is called.
    pub(super) before: bool,
    /// A key that its data must have.
    pub(super) key: Option<&'n Node>,
    /// A port that it must have.
    pub(super) port: Option<&'n Node>,
}

/// Collects the needs of one resource.
impl Need<'_> {
    /// The resource that is needed.
    pub(super) fn object(&self) -> ObjectId {
        let own = |text: &str| text.to_owned();
        let (kind, namespace, name) = (own(self.kind), own(self.namespace), own(self.name));
        ObjectId { kind, namespace, name, ..ObjectId::default() }
    }
}

struct Needs<'n> {
    namespace: &'n str,
    list: Vec<Need<'n>>,
}

/// The namespace of a resource; empty for cluster-scoped kinds, even with a `metadata.namespace`.
pub(super) fn home(resource: &Object) -> &str {
    if resource.cluster_scoped { "" } else { resource.namespace() }
}

/// The resources that a resource names and requires.
pub(super) fn needs(resource: &Object) -> Vec<Need<'_>> {
    let top = &resource.node;
    let mut needs = Needs { namespace: resource.namespace(), list: Vec::new() };
    if !resource.cluster_scoped {
        needs.cluster("Namespace", top.at(&["metadata", "namespace"]));
    }
    if let Some(pod) = pod_template(resource) {
        needs.of_pod(pod);
    }
    match resource.kind() {
        "RoleBinding" | "ClusterRoleBinding" => needs.of_binding(resource),
        "MutatingWebhookConfiguration" | "ValidatingWebhookConfiguration" => {
            for webhook in items(top, &["webhooks"]) {
                needs.called(webhook.at(&["clientConfig", "service"]), true);
            }
        }
        "CustomResourceDefinition" => {
            needs.called(top.at(&["spec", "conversion", "webhook", "clientConfig", "service"]), false);
        }
        "APIService" => needs.called(top.at(&["spec", "service"]), true),
        "StatefulSet" => {
            needs.local("Service", top.at(&["spec", "serviceName"]));
            for claim in items(top, &["spec", "volumeClaimTemplates"]) {
                needs.cluster("StorageClass", claim.at(&["spec", "storageClassName"]));
            }
        }
        "PersistentVolumeClaim" => needs.cluster("StorageClass", top.at(&["spec", "storageClassName"])),
        "HorizontalPodAutoscaler" => {
            let target = top.at(&["spec", "scaleTargetRef"]);
            let kind = target.and_then(|target| text(target, &["kind"])).unwrap_or("Deployment");
            needs.local(kind, target.and_then(|target| target.get("name")));
        }
        "Ingress" => needs.of_ingress(top),
        "Certificate" if resource.group() == "cert-manager.io" => needs.of_certificate(top),
        "ValidatingAdmissionPolicyBinding" => {
            needs.cluster("ValidatingAdmissionPolicy", top.at(&["spec", "policyName"]));
        }
        "ServiceAccount" => {
            for secret in items(top, &["imagePullSecrets"]) {
                needs.local("Secret", secret.get("name"));
            }
        }
        _ => {}
    }
    needs.list
}

impl<'n> Needs<'n> {
    fn add(&mut self, kind: &'n str, namespace: &'n str, node: Option<&'n Node>) -> Option<&mut Need<'n>> {
        let node = node?;
        // An empty name is the same as no name: a StatefulSet may have no service.
        let name = node.as_text().filter(|name| !name.is_empty())?;
        // A certificate waits for its issuer by itself.
        let before = !matches!(kind, "Service" | "Issuer" | "ClusterIssuer");
        self.list.push(Need { kind, namespace, name, node, before, key: None, port: None });
        self.list.last_mut()
    }

    /// A resource in the namespace of the one that names it.
    fn local(&mut self, kind: &'n str, node: Option<&'n Node>) {
        self.add(kind, self.namespace, node);
    }

    /// A cluster-scoped resource.
    fn cluster(&mut self, kind: &'n str, node: Option<&'n Node>) {
        self.add(kind, "", node);
    }

    /// A service that the API server calls.
    fn called(&mut self, node: Option<&'n Node>, before: bool) {
        let Some(node) = node else { return };
        let Some(namespace) = text(node, &["namespace"]) else { return };
        if let Some(need) = self.add("Service", namespace, node.get("name")) {
            need.before = before;
            need.port = node.get("port");
        }
    }

    fn of_binding(&mut self, resource: &'n Object) {
        let role = resource.node.get("roleRef");
        let kind = role.and_then(|role| text(role, &["kind"])).unwrap_or("ClusterRole");
        let namespace = if kind == "Role" { resource.namespace() } else { "" };
        self.add(kind, namespace, role.and_then(|role| role.get("name")));
        for subject in items(&resource.node, &["subjects"]) {
            if text(subject, &["kind"]) == Some("ServiceAccount") {
                // The authorizer uses the namespace of a RoleBinding for a subject without one.
                let namespace = text(subject, &["namespace"]).unwrap_or(home(resource));
                self.add("ServiceAccount", namespace, subject.get("name"));
            }
        }
    }

    fn of_ingress(&mut self, top: &'n Node) {
        let paths = items(top, &["spec", "rules"]).flat_map(|rule| items(rule, &["http", "paths"]));
        let backends =
            paths.filter_map(|path| path.get("backend")).chain(top.at(&["spec", "defaultBackend"]));
        for service in backends.filter_map(|backend| backend.get("service")) {
            let port = service.at(&["port", "number"]).or(service.at(&["port", "name"]));
            if let Some(need) = self.add("Service", self.namespace, service.get("name")) {
                need.port = port;
            }
        }
        self.cluster("IngressClass", top.at(&["spec", "ingressClassName"]));
        let issued = |annotation: &str| top.at(&["metadata", "annotations", annotation]);
        let issuers =
            [("ClusterIssuer", "cert-manager.io/cluster-issuer"), ("Issuer", "cert-manager.io/issuer")];
        for (kind, annotation) in issuers {
            let namespace = if kind == "Issuer" { self.namespace } else { "" };
            self.add(kind, namespace, issued(annotation));
        }
        // The issuer creates the secret.
        if issuers.iter().all(|(_, annotation)| issued(annotation).is_none()) {
            for tls in items(top, &["spec", "tls"]) {
                self.local("Secret", tls.get("secretName"));
            }
        }
    }

    fn of_certificate(&mut self, top: &'n Node) {
        let Some(issuer) = top.at(&["spec", "issuerRef"]) else { return };
        let group = text(issuer, &["group"]).unwrap_or("cert-manager.io");
        if group == "cert-manager.io" {
            match text(issuer, &["kind"]) {
                Some("ClusterIssuer") => self.cluster("ClusterIssuer", issuer.get("name")),
                _ => self.local("Issuer", issuer.get("name")),
            }
        }
    }

    fn of_pod(&mut self, pod: &'n Node) {
        let account = pod.at(&["spec", "serviceAccountName"]).or(pod.at(&["spec", "serviceAccount"]));
        self.local("ServiceAccount", account);
        if !text(pod, &["spec", "priorityClassName"]).is_some_and(|name| name.starts_with("system-")) {
            self.cluster("PriorityClass", pod.at(&["spec", "priorityClassName"]));
        }
        self.cluster("RuntimeClass", pod.at(&["spec", "runtimeClassName"]));
        for secret in items(pod, &["spec", "imagePullSecrets"]) {
            self.local("Secret", secret.get("name"));
        }
        for volume in items(pod, &["spec", "volumes"]) {
            self.source(volume.get("configMap"), "name", "ConfigMap");
            self.source(volume.get("secret"), "secretName", "Secret");
            self.source(volume.get("persistentVolumeClaim"), "claimName", "PersistentVolumeClaim");
            let template = volume.at(&["ephemeral", "volumeClaimTemplate", "spec", "storageClassName"]);
            self.cluster("StorageClass", template);
            for projected in items(volume, &["projected", "sources"]) {
                self.source(projected.get("configMap"), "name", "ConfigMap");
                self.source(projected.get("secret"), "name", "Secret");
            }
        }
        for container in containers(pod) {
            for from in items(container, &["envFrom"]) {
                self.source(from.get("configMapRef"), "name", "ConfigMap");
                self.source(from.get("secretRef"), "name", "Secret");
            }
            for variable in items(container, &["env"]) {
                self.source(variable.at(&["valueFrom", "configMapKeyRef"]), "name", "ConfigMap");
                self.source(variable.at(&["valueFrom", "secretKeyRef"]), "name", "Secret");
            }
        }
    }

    /// A source of data, unless it is optional. It may name the keys that it uses.
    fn source(&mut self, node: Option<&'n Node>, field: &str, kind: &'n str) {
        let Some(node) = node else { return };
        if text(node, &["optional"]) == Some("true") {
            return;
        }
        let keys: Vec<&Node> =
            node.get("key").into_iter().chain(items(node, &["items"]).filter_map(|i| i.get("key"))).collect();
        self.local(kind, node.get(field));
        for key in keys {
            if let Some(need) = self.add(kind, self.namespace, node.get(field)) {
                need.key = Some(key);
            }
        }
    }
}
