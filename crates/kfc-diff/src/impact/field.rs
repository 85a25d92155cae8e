//! The class and severity of a field, by the kind of the resource and the field path.

use crate::compare::Difference;
use crate::model::{Class, Path, Severity};
use kfc_yaml::Node;

/// What the change of a field is about.
pub(crate) fn class_of(kind: &str, difference: &Difference<'_>) -> (Class, Severity) {
    let path = &difference.path;
    if let Some(found) = of_metadata(path, difference.after) {
        return found;
    }
    of_kind(kind, path, difference)
        .or_else(|| of_pod(path, difference))
        .unwrap_or((Class::Other, Severity::Low))
}

fn of_metadata(path: &Path, after: Option<&Node>) -> Option<(Class, Severity)> {
    let keys: Vec<&str> = path.keys().collect();
    let at = keys.iter().position(|key| *key == "metadata")?;
    let key = keys.get(at + 2).copied().unwrap_or_default();
    Some(match keys.get(at + 1).copied() {
        Some("labels") if key.starts_with("pod-security.kubernetes.io/") => (Class::Security, Severity::High),
        Some("annotations") if CLOUD_IDENTITIES.contains(&key) => (Class::Rbac, Severity::High),
        Some("finalizers") if after.is_none() => (Class::Metadata, Severity::Medium),
        _ => (Class::Metadata, Severity::Low),
    })
}

/// Annotations of service accounts that stand for an identity in a cloud.
const CLOUD_IDENTITIES: [&str; 3] =
    ["eks.amazonaws.com/role-arn", "iam.gke.io/gcp-service-account", "azure.workload.identity/client-id"];

fn of_kind(kind: &str, path: &Path, difference: &Difference<'_>) -> Option<(Class, Severity)> {
    let first = path.keys().next().unwrap_or_default();
    Some(match kind {
        "ConfigMap" | "Secret" => (Class::Config, Severity::Medium),
        "Role" | "ClusterRole" | "RoleBinding" | "ClusterRoleBinding" => (Class::Rbac, Severity::Medium),
        "ServiceAccount" => (Class::Rbac, Severity::Low),
        "Service" => (Class::Exposure, Severity::Medium),
        "Ingress"
        | "IngressClass"
        | "NetworkPolicy"
        | "Gateway"
        | "VirtualService"
        | "HTTPRoute"
        | "GRPCRoute"
        | "TLSRoute"
        | "TCPRoute"
        | "ReferenceGrant"
        | "AuthorizationPolicy"
        | "RequestAuthentication"
        | "PeerAuthentication"
        | "DestinationRule"
        | "ServiceEntry"
        | "Sidecar"
        | "EnvoyFilter"
        | "Route" => (Class::Exposure, Severity::Medium),
        "MutatingWebhookConfiguration" | "ValidatingWebhookConfiguration" => webhook(path, difference),
        "CustomResourceDefinition" => (Class::Crd, Severity::Low),
        "PersistentVolumeClaim"
        | "PersistentVolume"
        | "StorageClass"
        | "VolumeSnapshotClass"
        | "CSIDriver" => (Class::Storage, Severity::Medium),
        "ResourceQuota" | "LimitRange" => (Class::Resources, Severity::Medium),
        "HorizontalPodAutoscaler" if first == "spec" => (Class::Replicas, Severity::Medium),
        "PodDisruptionBudget" => (Class::Replicas, Severity::Medium),
        "PriorityClass" => (Class::Scheduling, Severity::Medium),
        _ => return None,
    })
}

fn webhook(path: &Path, difference: &Difference<'_>) -> (Class, Severity) {
    match path.last_key() {
        "caBundle" => (Class::Webhook, Severity::Low),
        "failurePolicy" | "rules" | "namespaceSelector" | "objectSelector" => {
            (Class::Webhook, Severity::High)
        }
        "webhooks" if difference.before.is_none() => (Class::Webhook, Severity::High),
        _ => (Class::Webhook, Severity::Medium),
    }
}

/// Keys of pod templates, and of custom resources that hold some: the innermost that is known decides.
const POD_KEYS: [(&str, Class, Severity); 46] = [
    ("image", Class::Image, Severity::Medium),
    ("images", Class::Image, Severity::Medium),
    ("imagePullPolicy", Class::Image, Severity::Low),
    ("imagePullSecrets", Class::Image, Severity::Medium),
    ("replicas", Class::Replicas, Severity::Medium),
    ("minReplicas", Class::Replicas, Severity::Medium),
    ("maxReplicas", Class::Replicas, Severity::Medium),
    ("parallelism", Class::Replicas, Severity::Medium),
    ("resources", Class::Resources, Severity::Medium),
    ("env", Class::Env, Severity::Medium),
    ("envFrom", Class::Env, Severity::Medium),
    ("args", Class::Config, Severity::Medium),
    ("command", Class::Config, Severity::Medium),
    ("volumes", Class::Storage, Severity::Medium),
    ("volumeMounts", Class::Storage, Severity::Medium),
    ("volumeDevices", Class::Storage, Severity::Medium),
    ("volumeClaimTemplates", Class::Storage, Severity::Medium),
    ("securityContext", Class::Security, Severity::Medium),
    ("privileged", Class::Security, Severity::High),
    ("allowPrivilegeEscalation", Class::Security, Severity::High),
    ("capabilities", Class::Security, Severity::High),
    ("hostNetwork", Class::Security, Severity::High),
    ("hostPID", Class::Security, Severity::High),
    ("hostIPC", Class::Security, Severity::High),
    ("hostPath", Class::Security, Severity::High),
    ("hostUsers", Class::Security, Severity::High),
    ("hostPort", Class::Exposure, Severity::High),
    ("serviceAccountName", Class::Security, Severity::Medium),
    ("serviceAccount", Class::Security, Severity::Medium),
    ("automountServiceAccountToken", Class::Security, Severity::Medium),
    ("nodeSelector", Class::Scheduling, Severity::Medium),
    ("nodeName", Class::Scheduling, Severity::Medium),
    ("affinity", Class::Scheduling, Severity::Medium),
    ("tolerations", Class::Scheduling, Severity::Medium),
    ("topologySpreadConstraints", Class::Scheduling, Severity::Medium),
    ("priorityClassName", Class::Scheduling, Severity::Medium),
    ("runtimeClassName", Class::Scheduling, Severity::Medium),
    ("schedulerName", Class::Scheduling, Severity::Medium),
    ("schedule", Class::Scheduling, Severity::Medium),
    ("ports", Class::Exposure, Severity::Medium),
    ("livenessProbe", Class::Other, Severity::Medium),
    ("readinessProbe", Class::Other, Severity::Medium),
    ("startupProbe", Class::Other, Severity::Medium),
    ("strategy", Class::Replicas, Severity::Low),
    ("updateStrategy", Class::Replicas, Severity::Low),
    ("storageClassName", Class::Storage, Severity::Medium),
];

fn of_pod(path: &Path, difference: &Difference<'_>) -> Option<(Class, Severity)> {
    let known = |key: &str| POD_KEYS.iter().find(|(name, ..)| *name == key);
    let container = path.ends_in_item() && matches!(path.last_key(), "containers" | "initContainers");
    if container {
        // A whole container has an image.
        return Some((Class::Image, Severity::Medium));
    }
    let (_, class, severity) = path.keys().rev().find_map(known)?;
    let holds_host_path = |node: Option<&Node>| node.is_some_and(|node| node.get("hostPath").is_some());
    match path.last_key() {
        "volumes" if holds_host_path(difference.after) => Some((Class::Security, Severity::High)),
        _ => Some((*class, *severity)),
    }
}
