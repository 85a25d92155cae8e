//! The objects of a small shop, of which several tests apply some, and how they apply them.

use super::cluster::{Cluster, Run};

/// Applies the file `shop.yaml`, without waiting for what it starts.
pub(crate) fn apply(cluster: &Cluster, more: &[&str]) -> Run {
    cluster.kfc(&[&["apply", "shop.yaml", "--name", "shop", "--no-wait"], more].concat())
}

/// The documents as one text.
pub(crate) fn bundle(documents: &[&str]) -> String {
    documents.join("---\n")
}

/// A Deployment into which the server writes defaults; `limits` are those of its container.
pub(crate) fn deployment(namespace: &str, limits: &str) -> String {
    format!(
        "\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web, namespace: {namespace}}}
spec:
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec:
      containers:
      - name: web
        image: registry.example.com/web:1
        env:
        - {{name: EMPTY, value: ''}}
        - {{name: POD, valueFrom: {{fieldRef: {{fieldPath: metadata.name}}}}}}
        ports: [{{containerPort: 80}}]
        resources: {{limits: {limits}}}
"
    )
}

/// A `NetworkPolicy` for its pods.
pub(crate) fn network_policy(namespace: &str) -> String {
    format!(
        "\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: web, namespace: {namespace}}}
spec:
  podSelector: {{matchLabels: {{app: web}}}}
  ingress: [{{ports: [{{port: 80}}]}}]
"
    )
}

/// A webhook that nothing answers; `client` is how the server reaches it.
pub(crate) fn webhook(client: &str) -> String {
    format!(
        "\
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {{name: shop}}
webhooks:
- name: shop.example.com
  admissionReviewVersions: [v1]
  sideEffects: None
  failurePolicy: Ignore
  rules: [{{operations: [CREATE], apiGroups: [shop.example.com], apiVersions: [v1], resources: [carts]}}]
  clientConfig: {client}
"
    )
}

/// The CRD of its carts; `fields` are further fields of its only version.
pub(crate) fn carts(fields: &str) -> String {
    format!(
        "\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {{name: carts.shop.example.com}}
spec:
  group: shop.example.com
  scope: Namespaced
  names: {{plural: carts, kind: Cart}}
  versions:
  - {{name: v1, served: true, storage: true, {fields}}}
"
    )
}

/// The service account `dev`, which may edit what is in its namespace.
pub(crate) fn developer(namespace: &str) -> String {
    format!(
        "\
apiVersion: v1
kind: ServiceAccount
metadata: {{name: dev, namespace: {namespace}}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {{name: dev, namespace: {namespace}}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: edit}}
subjects: [{{kind: ServiceAccount, name: dev, namespace: {namespace}}}]
"
    )
}
