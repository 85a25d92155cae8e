//! The field specs that kustomize 5.8.1 has built in, written down compactly: one line for a field of many kinds.
//!
//! A kind is written `Kind`, `Kind.group` or `Kind/version`; `*` is every kind. In paths `~` stands for where the kind
//! keeps its pod template (or, for a pod, itself).

use super::{FieldSpec, NameReference, TransformerConfig};
use crate::rules::Rule;
use kfc_kube::Gvk;

/// Paths, and the kinds that have them.
type Fields = &'static [(&'static str, &'static [&'static str])];

const EVERY: &[&str] = &["*"];
const INGRESS: &[&str] = &["Ingress"];
const ROLES: &[&str] = &["Role", "ClusterRole"];

/// Kinds with pods whose template labels are created.
const TEMPLATES: &[&str] = &[
    "ReplicationController/v1",
    "Deployment",
    "ReplicaSet",
    "DaemonSet",
    "StatefulSet.apps",
    "Job.batch",
    "CronJob.batch",
];

/// Kinds whose pods refer to config maps and secrets.
const POD_SOURCES: &[&str] =
    &["Pod/v1", "PodTemplate", "Deployment", "ReplicaSet", "DaemonSet", "StatefulSet", "Job", "CronJob"];

/// Kinds whose pods refer to service accounts, PVCs and priority classes.
const POD_OWNERS: &[&str] =
    &["Pod", "StatefulSet", "Deployment", "ReplicationController", "CronJob", "Job", "DaemonSet"];

/// Kinds whose pods may use variables.
const VARIABLE_PODS: &[&str] =
    &["Pod", "Deployment", "ReplicaSet", "DaemonSet", "StatefulSet", "Job", "CronJob"];

/// Kinds with affinity and spread rules that select by label.
const SPREAD: &[&str] = &["Deployment.apps", "StatefulSet.apps"];

const HORIZONTAL_POD_AUTOSCALER: Fields = &[("spec/scaleTargetRef/name", &["HorizontalPodAutoscaler"])];

const NAME: Fields = &[("metadata/name", EVERY)];

const NAMESPACE_CREATED: Fields =
    &[("metadata/name", &["Namespace"]), ("spec/service/namespace", &["APIService.apiregistration.k8s.io"])];

const NAMESPACE: Fields = &[(
    "spec/conversion/webhook/clientConfig/service/namespace",
    &["CustomResourceDefinition.apiextensions.k8s.io"],
)];

const TEMPLATE_LABELS_CREATED: Fields = &[
    ("metadata/labels", EVERY),
    ("~/metadata/labels", TEMPLATES),
    ("spec/jobTemplate/metadata/labels", &["CronJob.batch"]),
];

const CLAIM_TEMPLATE_LABELS_CREATED: Fields =
    &[("spec/volumeClaimTemplates[]/metadata/labels", &["StatefulSet.apps"])];

const SELECTORS_CREATED: Fields = &[
    ("spec/selector", &["Service/v1", "ReplicationController/v1"]),
    ("spec/selector/matchLabels", &["Deployment", "ReplicaSet", "DaemonSet", "StatefulSet.apps"]),
];

const SELECTORS: Fields = &[
    (
        "~/spec/affinity/podAffinity/preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm/labelSelector/\
         matchLabels",
        SPREAD,
    ),
    (
        "~/spec/affinity/podAffinity/requiredDuringSchedulingIgnoredDuringExecution/labelSelector/matchLabels",
        SPREAD,
    ),
    (
        "~/spec/affinity/podAntiAffinity/preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm/\
         labelSelector/matchLabels",
        SPREAD,
    ),
    (
        "~/spec/affinity/podAntiAffinity/requiredDuringSchedulingIgnoredDuringExecution/labelSelector/matchLabels",
        SPREAD,
    ),
    ("~/spec/topologySpreadConstraints/labelSelector/matchLabels", SPREAD),
    ("spec/selector/matchLabels", &["Job.batch", "PodDisruptionBudget.policy"]),
    ("spec/jobTemplate/spec/selector/matchLabels", &["CronJob.batch"]),
    ("spec/podSelector/matchLabels", &["NetworkPolicy.networking.k8s.io"]),
    ("spec/ingress/from/podSelector/matchLabels", &["NetworkPolicy.networking.k8s.io"]),
    ("spec/egress/to/podSelector/matchLabels", &["NetworkPolicy.networking.k8s.io"]),
];

const ANNOTATIONS_CREATED: Fields = &[
    ("metadata/annotations", EVERY),
    (
        "~/metadata/annotations",
        &[
            "ReplicationController/v1",
            "Deployment",
            "ReplicaSet",
            "DaemonSet",
            "StatefulSet",
            "Job.batch",
            "CronJob.batch",
        ],
    ),
    ("spec/jobTemplate/metadata/annotations", &["CronJob.batch"]),
];

const IMAGES_CREATED: Fields = &[
    ("spec/containers[]/image", EVERY),
    ("spec/initContainers[]/image", EVERY),
    ("spec/volumes[]/image/reference", EVERY),
    ("spec/template/spec/containers[]/image", EVERY),
    ("spec/template/spec/initContainers[]/image", EVERY),
    ("spec/template/spec/volumes[]/image/reference", EVERY),
];

const REPLICAS_CREATED: Fields =
    &[("spec/replicas", &["Deployment", "ReplicationController", "ReplicaSet", "StatefulSet"])];

const VARIABLES: Fields = &[
    ("~/spec/containers/args", VARIABLE_PODS),
    ("~/spec/containers/command", VARIABLE_PODS),
    ("~/spec/containers/env/value", VARIABLE_PODS),
    ("~/spec/containers/volumeMounts/mountPath", VARIABLE_PODS),
    ("~/spec/initContainers/args", VARIABLE_PODS),
    ("~/spec/initContainers/command", VARIABLE_PODS),
    ("~/spec/initContainers/env/value", VARIABLE_PODS),
    ("~/spec/initContainers/volumeMounts/mountPath", VARIABLE_PODS),
    ("~/spec/volumes/nfs/server", &["Pod", "Deployment", "ReplicaSet", "DaemonSet", "Job"]),
    ("~/volumes/nfs/server", &["CronJob"]),
    ("spec/volumeClaimTemplates/spec/nfs/server", &["StatefulSet"]),
    ("spec/nfs/server", &["PersistentVolume"]),
    ("~/metadata/annotations", &["Deployment"]),
    ("spec/rules/host", INGRESS),
    ("spec/tls/hosts", INGRESS),
    ("spec/tls/secretName", INGRESS),
    ("spec/ports/port", &["Service"]),
    ("spec/ports/targetPort", &["Service"]),
    ("metadata/labels", EVERY),
    ("metadata/annotations", EVERY),
];

const CONFIG_MAP_NAMES: Fields = &[
    ("~/spec/volumes/configMap/name", POD_SOURCES),
    ("~/spec/volumes/projected/sources/configMap/name", POD_SOURCES),
    ("~/spec/containers/env/valueFrom/configMapKeyRef/name", POD_SOURCES),
    ("~/spec/initContainers/env/valueFrom/configMapKeyRef/name", POD_SOURCES),
    ("~/spec/containers/envFrom/configMapRef/name", POD_SOURCES),
    ("~/spec/initContainers/envFrom/configMapRef/name", POD_SOURCES),
    ("spec/configSource/configMap", &["Node"]),
    ("rules/resourceNames", ROLES),
    ("metadata/annotations/nginx.ingress.kubernetes.io\\/fastcgi-params-configmap", INGRESS),
];

const SECRET_NAMES: Fields = &[
    ("~/spec/volumes/secret/secretName", POD_SOURCES),
    ("~/spec/volumes/projected/sources/secret/name", POD_SOURCES),
    ("~/spec/containers/env/valueFrom/secretKeyRef/name", POD_SOURCES),
    ("~/spec/initContainers/env/valueFrom/secretKeyRef/name", POD_SOURCES),
    ("~/spec/containers/envFrom/secretRef/name", POD_SOURCES),
    ("~/spec/initContainers/envFrom/secretRef/name", POD_SOURCES),
    ("~/spec/imagePullSecrets/name", POD_SOURCES),
    ("spec/template/spec/containers/env/valueFrom/secretKeyRef/name", &["Service/v1.serving.knative.dev"]),
    ("spec/tls/secretName", INGRESS),
    ("metadata/annotations/ingress.kubernetes.io\\/auth-secret", INGRESS),
    ("metadata/annotations/nginx.ingress.kubernetes.io\\/auth-secret", INGRESS),
    ("metadata/annotations/nginx.ingress.kubernetes.io\\/auth-tls-secret", INGRESS),
    ("imagePullSecrets/name", &["ServiceAccount"]),
    ("parameters/secretName", &["StorageClass"]),
    ("parameters/adminSecretName", &["StorageClass"]),
    ("parameters/userSecretName", &["StorageClass"]),
    ("parameters/secretRef", &["StorageClass"]),
    ("rules/resourceNames", ROLES),
    ("spec/azureFile/secretName", &["PersistentVolume"]),
];

const SERVICE_NAMES: Fields = &[
    ("spec/serviceName", &["StatefulSet.apps"]),
    ("spec/rules/http/paths/backend/serviceName", INGRESS),
    ("spec/backend/serviceName", INGRESS),
    ("spec/rules/http/paths/backend/service/name", INGRESS),
    ("spec/defaultBackend/service/name", INGRESS),
    ("spec/service/name", &["APIService.apiregistration.k8s.io"]),
    (
        "webhooks/clientConfig/service",
        &[
            "ValidatingWebhookConfiguration.admissionregistration.k8s.io",
            "MutatingWebhookConfiguration.admissionregistration.k8s.io",
        ],
    ),
];

/// What is referred to, and by which fields.
const NAME_REFERENCES: &[(&str, Fields)] = &[
    ("Deployment", HORIZONTAL_POD_AUTOSCALER),
    ("ReplicationController", HORIZONTAL_POD_AUTOSCALER),
    ("ReplicaSet", HORIZONTAL_POD_AUTOSCALER),
    ("StatefulSet", HORIZONTAL_POD_AUTOSCALER),
    ("ConfigMap/v1", CONFIG_MAP_NAMES),
    ("Secret/v1", SECRET_NAMES),
    ("Service/v1", SERVICE_NAMES),
    ("Role.rbac.authorization.k8s.io", &[("roleRef/name", &["RoleBinding.rbac.authorization.k8s.io"])]),
    (
        "ClusterRole.rbac.authorization.k8s.io",
        &[(
            "roleRef/name",
            &["RoleBinding.rbac.authorization.k8s.io", "ClusterRoleBinding.rbac.authorization.k8s.io"],
        )],
    ),
    (
        "ServiceAccount/v1",
        &[
            (
                "subjects",
                &["RoleBinding.rbac.authorization.k8s.io", "ClusterRoleBinding.rbac.authorization.k8s.io"],
            ),
            ("~/spec/serviceAccountName", POD_OWNERS),
        ],
    ),
    ("PersistentVolumeClaim/v1", &[("~/spec/volumes/persistentVolumeClaim/claimName", POD_OWNERS)]),
    (
        "PersistentVolume/v1",
        &[("spec/volumeName", &["PersistentVolumeClaim"]), ("rules/resourceNames", &["ClusterRole"])],
    ),
    (
        "StorageClass/v1.storage.k8s.io",
        &[
            ("spec/storageClassName", &["PersistentVolume", "PersistentVolumeClaim"]),
            ("spec/volumeClaimTemplates/spec/storageClassName", &["StatefulSet"]),
        ],
    ),
    ("PriorityClass/v1.scheduling.k8s.io", &[("~/spec/priorityClassName", POD_OWNERS)]),
    // The group is written so in kustomize; with it the reference finds no resource.
    ("IngressClass/v1.networking.k8s.io/v1", &[("spec/ingressClassName", INGRESS)]),
    (
        "ValidatingAdmissionPolicy.admissionregistration.k8s.io",
        &[("spec/policyName", &["ValidatingAdmissionPolicyBinding.admissionregistration.k8s.io"])],
    ),
];

impl TransformerConfig {
    /// The labels of templates of PVCs.
    pub(crate) fn claim_template_labels() -> Vec<FieldSpec> {
        fields(&[(CLAIM_TEMPLATE_LABELS_CREATED, true)])
    }

    /// kustomize's built-in configuration, with its tables sorted. It costs some ten microseconds: make it once for a
    /// build and share it.
    #[must_use]
    pub fn default_config() -> Self {
        let mut template_labels = fields(&[(TEMPLATE_LABELS_CREATED, true)]);
        if !Rule::ClaimTemplatesOnRequest.holds() {
            template_labels.extend(Self::claim_template_labels());
        }
        let mut config = Self {
            name_prefix: fields(&[(NAME, false)]),
            name_suffix: fields(&[(NAME, false)]),
            namespace: fields(&[(NAMESPACE_CREATED, true), (NAMESPACE, false)]),
            labels: Vec::new(),
            common_labels: fields(&[
                (TEMPLATE_LABELS_CREATED, true),
                (CLAIM_TEMPLATE_LABELS_CREATED, true),
                (SELECTORS_CREATED, true),
                (SELECTORS, false),
            ]),
            template_labels,
            common_annotations: fields(&[(ANNOTATIONS_CREATED, true)]),
            name_reference: NAME_REFERENCES.iter().map(name_reference).collect(),
            var_reference: fields(&[(VARIABLES, false)]),
            images: fields(&[(IMAGES_CREATED, true)]),
            replicas: fields(&[(REPLICAS_CREATED, true)]),
        };
        config.sort();
        config
    }
}

fn name_reference(&(referral, specs): &(&str, Fields)) -> NameReference {
    NameReference { referral: gvk(referral), fields: fields(&[(specs, false)]) }
}

fn fields(lists: &[(Fields, bool)]) -> Vec<FieldSpec> {
    let mut specs = Vec::new();
    for (list, create) in lists {
        for (path, kinds) in *list {
            specs.extend(kinds.iter().map(|kind| field(path, kind, *create)));
        }
    }
    specs
}

fn field(path: &str, kind: &str, create: bool) -> FieldSpec {
    let gvk = gvk(kind);
    let path = match path.strip_prefix("~/") {
        None => path.to_owned(),
        Some(rest) => match gvk.kind.as_str() {
            "Pod" => rest.to_owned(),
            "PodTemplate" => format!("template/{rest}"),
            "CronJob" => format!("spec/jobTemplate/spec/template/{rest}"),
            _ => format!("spec/template/{rest}"),
        },
    };
    FieldSpec { gvk, path, create }
}

/// Reads `Kind`, `Kind.group`, `Kind/version` and `Kind/version.group`.
fn gvk(text: &str) -> Gvk {
    let (rest, group) = text.split_once('.').unwrap_or((text, ""));
    let (kind, version) = rest.split_once('/').unwrap_or((rest, ""));
    let kind = if kind == "*" { "" } else { kind };
    Gvk { group: group.to_owned(), version: version.to_owned(), kind: kind.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has(table: &[FieldSpec], kind: &str, path: &str, create: bool) -> bool {
        table.contains(&FieldSpec { gvk: gvk(kind), path: path.into(), create })
    }

    #[test]
    fn the_tables_hold_what_kustomize_has() {
        let config = TransformerConfig::default_config();
        assert_eq!(config.common_labels.len(), 32);
        assert_eq!(config.template_labels.len(), 10);
        assert_eq!(config.common_annotations.len(), 9);
        assert_eq!(config.var_reference.len(), 72);
        assert_eq!(config.images.len(), 6);
        assert_eq!(config.name_reference.len(), 16);
        assert_eq!(config.name_reference.iter().map(|r| r.fields.len()).sum::<usize>(), 166);
        assert!(has(
            &config.var_reference,
            "CronJob",
            "spec/jobTemplate/spec/template/volumes/nfs/server",
            false
        ));
        assert!(has(&config.common_labels, "ReplicationController/v1", "spec/selector", true));
    }

    #[test]
    fn merging_it_into_nothing_or_itself_changes_nothing() {
        let config = TransformerConfig::default_config();
        let mut merged = TransformerConfig::default();
        merged.merge(&config).unwrap();
        assert_eq!(merged, config);
        merged.merge(&config).unwrap();
        assert_eq!(merged, config);
    }

    #[test]
    fn references_are_resolved_in_the_legacy_order_of_kinds() {
        let config = TransformerConfig::default_config();
        let kinds: Vec<_> = config.name_reference.iter().map(|r| r.referral.kind.as_str()).collect();
        let expected = [
            "StorageClass",
            "ServiceAccount",
            "Role",
            "ClusterRole",
            "ConfigMap",
            "Secret",
            "Service",
            "PriorityClass",
            "PersistentVolume",
            "PersistentVolumeClaim",
            "Deployment",
            "StatefulSet",
            "ValidatingAdmissionPolicy",
            "IngressClass",
            "ReplicaSet",
            "ReplicationController",
        ];
        assert_eq!(kinds, expected);
    }
}
