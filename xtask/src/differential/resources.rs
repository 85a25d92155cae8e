//! Random resources of Kubernetes, with the references, selectors, images and labels that transformers look for.

use super::chance::{Chance, spelled};
use serde_json::{Map, Value, json};

pub(super) const NAMES: &[&str] = &["web", "db", "cache", "app-1", "x"];

/// Kinds with what their bodies are.
const KINDS: &[(&str, &str, Body)] = &[
    ("apps/v1", "Deployment", Body::Workload),
    ("apps/v1", "Deployment", Body::Workload),
    ("apps/v1", "StatefulSet", Body::Workload),
    ("apps/v1", "DaemonSet", Body::Workload),
    ("batch/v1", "Job", Body::Job),
    ("batch/v1", "CronJob", Body::CronJob),
    ("v1", "Pod", Body::Pod),
    ("v1", "ConfigMap", Body::Data),
    ("v1", "ConfigMap", Body::Data),
    ("v1", "Secret", Body::Secret),
    ("v1", "Service", Body::Service),
    ("v1", "Service", Body::Service),
    ("v1", "ServiceAccount", Body::Nothing),
    ("v1", "Namespace", Body::Nothing),
    ("v1", "PersistentVolumeClaim", Body::Claim),
    ("networking.k8s.io/v1", "Ingress", Body::Ingress),
    ("networking.k8s.io/v1", "NetworkPolicy", Body::NetworkPolicy),
    ("rbac.authorization.k8s.io/v1", "Role", Body::Role),
    ("rbac.authorization.k8s.io/v1", "ClusterRole", Body::Role),
    ("rbac.authorization.k8s.io/v1", "RoleBinding", Body::Binding),
    ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", Body::Binding),
    ("autoscaling/v2", "HorizontalPodAutoscaler", Body::Autoscaler),
    ("policy/v1", "PodDisruptionBudget", Body::Budget),
    ("apiextensions.k8s.io/v1", "CustomResourceDefinition", Body::Definition),
    ("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", Body::Webhooks),
    ("example.com/v1", "Widget", Body::Custom),
    ("example.com/v1", "Widget", Body::Custom),
];

#[derive(Clone, Copy, Eq, PartialEq)]
enum Body {
    Workload,
    Job,
    CronJob,
    Pod,
    Data,
    Secret,
    Service,
    Nothing,
    Claim,
    Ingress,
    NetworkPolicy,
    Role,
    Binding,
    Autoscaler,
    Budget,
    Definition,
    Webhooks,
    Custom,
}

/// A resource, and what others need to name it.
#[derive(Clone)]
pub(super) struct Resource {
    pub(super) version: &'static str,
    pub(super) kind: &'static str,
    pub(super) name: String,
    pub(super) namespace: Option<&'static str>,
    body: Body,
    pub(super) value: Value,
}

impl Resource {
    /// The group of its kind; empty for the core.
    pub(super) fn group(&self) -> &'static str {
        self.version.split_once('/').map_or("", |(group, _)| group)
    }

    pub(super) fn has_pods(&self) -> bool {
        self.body == Body::Workload
    }

    /// The start of a patch of it.
    pub(super) fn head(&self) -> Map<String, Value> {
        let mut metadata = json!({"name": self.name});
        if let Some(namespace) = self.namespace {
            metadata["namespace"] = json!(namespace);
        }
        let head = json!({"apiVersion": self.version, "kind": self.kind, "metadata": metadata});
        head.as_object().cloned().unwrap_or_default()
    }
}

/// A scalar whose spelling matters.
pub(super) fn odd_scalar(chance: &mut Chance) -> Value {
    let all = [
        "a",
        "1",
        "\"1\"",
        "1.0",
        "01",
        "0o7",
        "0x1F",
        "1e3",
        "true",
        "\"true\"",
        "yes",
        "\"yes\"",
        "'no'",
        "null",
        "~",
        "\"\"",
        "''",
        "2020-01-01",
        "\"2020-01-01\"",
        "1_000",
        ".inf",
        "!!str 5",
        "\"a\\nb\\n\"",
        "' x '",
        "\"#x\"",
        "'{a}'",
        "x:y",
        "\"x: y\"",
        "\"\\t\"",
        "é",
        "{}",
        "[]",
        "12:30",
        "-1",
    ];
    spelled(chance.pick(&all))
}

/// A value of a custom resource.
pub(super) fn any_value(chance: &mut Chance, depth: usize) -> Value {
    match chance.between(0, if depth == 0 { 4 } else { 9 }) {
        0..=2 => odd_scalar(chance),
        3 => json!(chance.pick(&["text", "a\nb\n", "some words", "$(V)", "x.y"])),
        4 => json!(chance.between(0, 9)),
        5..=7 => {
            let keys = chance.some(&["alpha", "beta", "gamma", "name", "value", "image"], 0, 3);
            Value::Object(
                keys.into_iter().map(|key| (key.to_owned(), any_value(chance, depth - 1))).collect(),
            )
        }
        _ => Value::Array((0..chance.between(0, 3)).map(|_| any_value(chance, depth - 1)).collect()),
    }
}

pub(super) fn labels(chance: &mut Chance) -> Value {
    let all = [
        ("app", json!("web")),
        ("tier", json!("1")),
        ("app.kubernetes.io/name", json!("x")),
        ("z", json!("")),
        ("env", json!("true")),
    ];
    Value::Object(chance.some(&all, 1, 2).into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

fn image(chance: &mut Chance) -> String {
    let digest = format!("sha256:{}", "0".repeat(64));
    match chance.between(0, 6) {
        0 => "nginx".to_owned(),
        1 => "nginx:1.2".to_owned(),
        2 => "reg.io/a/b:v1".to_owned(),
        3 => "reg.io:5000/x".to_owned(),
        4 => format!("nginx@{digest}"),
        5 => format!("reg.io/a/b:v1@{digest}"),
        _ => "busybox:1.0".to_owned(),
    }
}

fn environment(chance: &mut Chance) -> Value {
    let names = chance.some(&["A", "B", "C"], 1, 3);
    let mut variables = Vec::new();
    for name in names {
        let from = chance.pick(NAMES);
        variables.push(match chance.between(0, 3) {
            0 => json!({"name": name, "value": chance.pick(&["x", "1", "true", "$(V)", "pre-$(V)-$(W)", ""])}),
            1 => json!({"name": name, "valueFrom": {"configMapKeyRef": {"name": chance.pick(&[from, "generated"]), "key": "k"}}}),
            2 => json!({"name": name, "valueFrom": {"secretKeyRef": {"name": chance.pick(&[from, "hidden"]), "key": "k"}}}),
            _ => json!({"name": name, "value": odd_scalar(chance)}),
        });
    }
    Value::Array(variables)
}

fn container(name: &str, chance: &mut Chance) -> Value {
    let mut container = json!({"name": name, "image": image(chance)});
    if chance.one_in(2) {
        container["env"] = environment(chance);
    }
    if chance.one_in(3) {
        let map = chance.pick(&["generated", "web", "db"]);
        container["envFrom"] = json!([{"configMapRef": {"name": map}}, {"secretRef": {"name": "hidden"}}]);
    }
    if chance.one_in(3) {
        let port = chance.pick(&[80, 8080]);
        container["ports"] = json!([{"containerPort": port, "protocol": chance.pick(&["TCP", "UDP"])}, {"containerPort": 9090, "name": "m"}]);
    }
    if chance.one_in(3) {
        container["args"] = chance.pick(&[json!(["a", "b"]), json!(["--x=$(V)", "$(W)"]), json!([])]);
    }
    if chance.one_in(4) {
        container["volumeMounts"] = json!([{"mountPath": "/a", "name": "v"}]);
    }
    container
}

fn pod_spec(chance: &mut Chance) -> Value {
    let mut spec = json!({});
    for field in ["containers", "initContainers"] {
        if field == "containers" || chance.one_in(4) {
            let names = chance.some(&["main", "side", "log"], 1, 2);
            spec[field] = Value::Array(names.into_iter().map(|name| container(name, chance)).collect());
        }
    }
    if chance.one_in(3) {
        spec["serviceAccountName"] = json!(chance.pick(NAMES));
    }
    if chance.one_in(3) {
        let claim = chance.pick(NAMES);
        spec["volumes"] = json!([
            {"name": "v", "configMap": {"name": chance.pick(&["generated", "web"])}},
            {"name": "w", "secret": {"secretName": "hidden"}},
            {"name": "u", "persistentVolumeClaim": {"claimName": claim}},
            {"name": "p", "projected": {"sources": [{"configMap": {"name": "generated"}}, {"secret": {"name": "hidden"}}]}},
            {"name": "i", "image": {"reference": image(chance)}},
        ]);
    }
    if chance.one_in(6) {
        spec["imagePullSecrets"] = json!([{"name": "hidden"}]);
    }
    if chance.one_in(8) {
        spec["affinity"] = json!({"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [
            {"labelSelector": {"matchLabels": {"app": "web"}}, "topologyKey": "zone"}]}});
    }
    if chance.one_in(8) {
        spec["topologySpreadConstraints"] =
            json!([{"maxSkew": 1, "topologyKey": "zone", "labelSelector": {"matchLabels": {"app": "web"}}}]);
    }
    spec
}

fn template(chance: &mut Chance) -> Value {
    json!({"metadata": {"labels": {"app": "web"}}, "spec": pod_spec(chance)})
}

fn data(chance: &mut Chance) -> Value {
    let keys = chance.some(&["alpha", "beta", "gamma", "k", "x.y", "config.json", "config.yaml"], 1, 3);
    let mut data = Map::new();
    for key in keys {
        let value = match (key, chance.between(0, 3)) {
            ("config.json", _) => json!(chance.pick(&[
                "{\"a\": {\"b\": 1}, \"c\": [1, \"x\"]}",
                "{\n  \"a\": \"x\"\n}\n",
                "[]"
            ])),
            ("config.yaml", _) => json!(chance.pick(&[
                "a:\n  b: 1 # one\nc: [1, x]\n",
                "# top\na: \"x\"\n\nb:\n- name: n\n  value: 'v'\n"
            ])),
            (_, 0) => spelled(chance.pick(&[
                "\"1\"",
                "\"yes\"",
                "'null'",
                "\"\"",
                "\"a\\tb\"",
                "' x'",
                "\"ends \\n\"",
            ])),
            (_, 1) => json!(chance.pick(&["a\nb\n", "one\ntwo", "long ".repeat(30).as_str()])),
            _ => json!(chance.pick(&["x", "$(V)", "some text", "v1", "a: b"])),
        };
        data.insert(key.to_owned(), value);
    }
    Value::Object(data)
}

fn fill(value: &mut Value, kind: &str, body: Body, chance: &mut Chance) {
    let other = chance.pick(NAMES);
    let selector = chance.pick(&[json!({"app": "web"}), json!({"app": "web", "tier": "1"})]);
    match body {
        Body::Workload => {
            value["spec"] = json!({"selector": {"matchLabels": selector}, "template": template(chance)});
            if chance.one_in(2) && kind != "DaemonSet" {
                value["spec"]["replicas"] = json!(chance.between(1, 3));
            }
            if kind == "StatefulSet" {
                value["spec"]["serviceName"] = json!(other);
                if chance.one_in(2) {
                    value["spec"]["volumeClaimTemplates"] =
                        json!([{"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"]}}]);
                }
            }
        }
        Body::Job => value["spec"] = json!({"template": template(chance)}),
        Body::CronJob => {
            value["spec"] =
                json!({"schedule": "* * * * *", "jobTemplate": {"spec": {"template": template(chance)}}});
        }
        Body::Pod => value["spec"] = pod_spec(chance),
        Body::Data => {
            value["data"] = data(chance);
            if chance.one_in(8) {
                value["binaryData"] = json!({"bin": "AAEC"});
            }
        }
        Body::Secret => {
            value["data"] =
                chance.pick(&[json!({"k": "aGk="}), json!({"k": spelled("!!binary aGk=")}), json!({})]);
            if chance.one_in(2) {
                value["stringData"] = json!({"p": "x"});
            }
        }
        Body::Service => {
            let port = chance.pick(&[json!(80), json!("http"), json!("80")]);
            value["spec"] = json!({"selector": selector, "ports": [{"port": 80, "targetPort": port}, {"port": 81, "name": "b"}]});
            if chance.one_in(4) {
                value["spec"]["type"] = json!("LoadBalancer");
            }
        }
        Body::Nothing => {}
        Body::Claim => {
            value["spec"] =
                json!({"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}});
        }
        Body::Ingress => {
            let backend = json!({"service": {"name": other, "port": {"number": 80}}});
            value["spec"] = json!({"rules": [{"host": "a.b", "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}],
                "tls": [{"secretName": "hidden", "hosts": ["a.b"]}]});
        }
        Body::NetworkPolicy => {
            value["spec"] = json!({"podSelector": {"matchLabels": selector}, "ingress": [{"from": [{"podSelector": {"matchLabels": {"app": "web"}}}]}]});
        }
        Body::Role => {
            value["rules"] = json!([{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"], "resourceNames": [other]}]);
        }
        Body::Binding => {
            let role = chance.pick(&["Role", "ClusterRole"]);
            value["roleRef"] = json!({"apiGroup": "rbac.authorization.k8s.io", "kind": role, "name": other});
            let mut subject =
                json!({"kind": "ServiceAccount", "name": chance.pick(&["default", "web", "x"])});
            if chance.one_in(2) {
                subject["namespace"] = json!(chance.pick(&["old", "default"]));
            }
            value["subjects"] = json!([subject]);
        }
        Body::Autoscaler => {
            value["spec"] = json!({"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": other}, "maxReplicas": 3});
        }
        Body::Budget => {
            value["spec"] = json!({"selector": {"matchLabels": selector}, "minAvailable": chance.pick(&[json!(1), json!("50%")])});
        }
        Body::Definition => {
            value["spec"] = json!({"group": "example.com", "names": {"kind": "Widget", "plural": "widgets"}, "scope": "Namespaced"});
        }
        Body::Webhooks => {
            value["webhooks"] = json!([{"name": "a.b.c", "clientConfig": {"service": {"name": other, "namespace": chance.pick(&["old", "default"])}}}]);
        }
        Body::Custom => {
            value["spec"] = json!({"alpha": any_value(chance, 2), "beta": any_value(chance, 3), "gamma": odd_scalar(chance),
                "ref": {"name": other}, "image": image(chance), "selector": {"app": "web"}});
        }
    }
}

/// A resource with a name of [`NAMES`].
pub(super) fn resource(chance: &mut Chance) -> Resource {
    let (version, kind, body) = chance.pick(KINDS);
    let name = if body == Body::Definition { "widgets.example.com" } else { chance.pick(NAMES) };
    let is_cluster_scoped =
        matches!(kind, "Namespace" | "ClusterRole" | "ClusterRoleBinding") || body == Body::Definition;
    let namespace =
        if is_cluster_scoped { None } else { chance.pick(&[None, None, None, Some("old"), Some("default")]) };
    let mut metadata = json!({"name": name});
    if let Some(namespace) = namespace {
        metadata["namespace"] = json!(namespace);
    }
    if chance.one_in(2) {
        metadata["labels"] = labels(chance);
    }
    if chance.one_in(3) {
        let keys = chance.some(&["note", "a/b", "config"], 1, 2);
        let quoted = ["x", "\"1\"", "\"true\"", "'a: b'", "\"l1\\nl2\"", "''", "'[]'", "\"null\"", "é"];
        metadata["annotations"] =
            keys.into_iter().map(|key| (key.to_owned(), spelled(chance.pick(&quoted)))).collect();
    }
    let mut value = json!({"apiVersion": version, "kind": kind, "metadata": metadata});
    fill(&mut value, kind, body, chance);
    Resource { version, kind, name: name.to_owned(), namespace, body, value }
}

/// What a generator makes, as far as others name it.
pub(super) fn generated(is_secret: bool, name: &str) -> Resource {
    let (kind, body) = if is_secret { ("Secret", Body::Secret) } else { ("ConfigMap", Body::Data) };
    Resource { version: "v1", kind, name: name.to_owned(), namespace: None, body, value: Value::Null }
}
