"""Which kinds the stand-in serves of itself, and by which keys the lists of their objects are merged."""

import json

# Group, version, kind, name in paths, whether namespaced.
BUILT_IN = [
    tuple(line.split())
    for line in """
    - v1 Namespace namespaces no
    - v1 Node nodes no
    - v1 PersistentVolume persistentvolumes no
    - v1 ConfigMap configmaps yes
    - v1 Secret secrets yes
    - v1 Service services yes
    - v1 ServiceAccount serviceaccounts yes
    - v1 Pod pods yes
    - v1 PersistentVolumeClaim persistentvolumeclaims yes
    - v1 Event events yes
    - v1 Endpoints endpoints yes
    - v1 LimitRange limitranges yes
    - v1 ResourceQuota resourcequotas yes
    apps v1 Deployment deployments yes
    apps v1 StatefulSet statefulsets yes
    apps v1 DaemonSet daemonsets yes
    apps v1 ReplicaSet replicasets yes
    batch v1 Job jobs yes
    batch v1 CronJob cronjobs yes
    autoscaling v2 HorizontalPodAutoscaler horizontalpodautoscalers yes
    policy v1 PodDisruptionBudget poddisruptionbudgets yes
    networking.k8s.io v1 Ingress ingresses yes
    networking.k8s.io v1 IngressClass ingressclasses no
    networking.k8s.io v1 NetworkPolicy networkpolicies yes
    rbac.authorization.k8s.io v1 Role roles yes
    rbac.authorization.k8s.io v1 RoleBinding rolebindings yes
    rbac.authorization.k8s.io v1 ClusterRole clusterroles no
    rbac.authorization.k8s.io v1 ClusterRoleBinding clusterrolebindings no
    storage.k8s.io v1 StorageClass storageclasses no
    scheduling.k8s.io v1 PriorityClass priorityclasses no
    coordination.k8s.io v1 Lease leases yes
    discovery.k8s.io v1 EndpointSlice endpointslices yes
    apiextensions.k8s.io v1 CustomResourceDefinition customresourcedefinitions no
    apiregistration.k8s.io v1 APIService apiservices no
    admissionregistration.k8s.io v1 MutatingWebhookConfiguration mutatingwebhookconfigurations no
    admissionregistration.k8s.io v1 ValidatingWebhookConfiguration validatingwebhookconfigurations no
    admissionregistration.k8s.io v1 ValidatingAdmissionPolicy validatingadmissionpolicies no
    admissionregistration.k8s.io v1 ValidatingAdmissionPolicyBinding validatingadmissionpolicybindings no
    flowcontrol.apiserver.k8s.io v1 FlowSchema flowschemas no
    """.strip().splitlines()
]

SHORT = {
    "namespaces": ["ns"],
    "configmaps": ["cm"],
    "services": ["svc"],
    "deployments": ["deploy"],
    "storageclasses": ["sc"],
    "customresourcedefinitions": ["crd", "crds"],
    "persistentvolumeclaims": ["pvc"],
    "events": ["ev"],
    "pods": ["po"],
}

# Keys of lists of built-in kinds, by the last fields of their path; lists that are not named are atomic.
KEYS = {
    "containers": ["name"],
    "initContainers": ["name"],
    "volumes": ["name"],
    "env": ["name"],
    "volumeMounts": ["mountPath"],
    "imagePullSecrets": ["name"],
    "hostAliases": ["ip"],
    "webhooks": ["name"],
    "conditions": ["type"],
    "ownerReferences": ["uid"],
    "spec.ports": ["port", "protocol"],
    "ports": ["containerPort", "protocol"],
    "volumeDevices": ["devicePath"],
    "topologySpreadConstraints": ["topologyKey", "whenUnsatisfiable"],
}
# Lists of plain values that are sets.
SETS = {"metadata.finalizers"}
DEFAULTS = {"protocol": "TCP"}


class Lists:
    """How the lists of a kind are merged: by the table above, or by the schema of its definition."""

    def __init__(self, schema=None):
        self.schema = schema

    def keys(self, path):
        """`None` for an atomic list, `[]` for a set, else the keys."""
        names = [step[1] for step in path if step[0] == "f"]
        if ".".join(names) in SETS:
            return []
        if names[:1] == ["metadata"]:
            return KEYS.get(names[-1]) if names[-1] == "ownerReferences" else None
        if self.schema is None:
            return KEYS.get(".".join(names[-2:])) or KEYS.get(names[-1])
        node = self.at(path)
        kind = node.get("x-kubernetes-list-type")
        if kind == "map":
            return node.get("x-kubernetes-list-map-keys")
        return [] if kind == "set" else None

    def is_atomic_map(self, path):
        if self.schema is not None:
            return self.at(path).get("x-kubernetes-map-type") == "atomic"
        names = [step[1] for step in path if step[0] == "f"]
        return names[-1:] in (["selector"], ["nodeSelector"], ["fieldRef"], ["configMapKeyRef"], ["secretKeyRef"]) and (
            names[:2] != ["spec", "selector"] or len(names) > 2
        )

    def at(self, path):
        node = self.schema or {}
        for step in path:
            if step[0] == "f":
                node = (node.get("properties") or {}).get(step[1]) or node.get("additionalProperties") or {}
            else:
                node = node.get("items") or {}
            if not isinstance(node, dict):
                return {}
        return node


def key_of(item, keys):
    """The key of an item of a list, as a step of a path."""
    picked = {key: item.get(key, DEFAULTS.get(key)) for key in keys}
    return ("k", json.dumps({k: v for k, v in picked.items() if v is not None}, sort_keys=True))
