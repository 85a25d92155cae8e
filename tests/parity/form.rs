//! Brings objects to the form in which an API server would store them, as far as two spellings of one object are concerned.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kfc_diagnostics::SourceId;
use kfc_kube::ObjectId;
use kfc_yaml::parse::parse;
use kfc_yaml::value::to_json;
use regex::Regex;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The objects with the names that generated ones have before their hash.
pub(crate) fn named(objects: Vec<Value>) -> Vec<Value> {
    let names = generated_names(&objects);
    objects.into_iter().map(|object| renamed(object, &names)).collect()
}

/// The objects of one side in stored form.
pub(crate) fn normalised(objects: Vec<Value>, schemas: &Schemas) -> Vec<Value> {
    let normal = |mut object: Value| {
        drop_nulls(&mut object);
        metadata(&mut object);
        if let Some(schema) = schemas.of(&object) {
            fill(&mut object, schema);
        }
        match object["kind"].as_str().unwrap_or_default() {
            "Secret" => secret(&mut object),
            "ConfigMap" => config_map(&mut object),
            "Role" | "ClusterRole" => role(&mut object),
            "RoleBinding" | "ClusterRoleBinding" => binding(&mut object),
            "Service" => service(&mut object),
            "Deployment" | "StatefulSet" | "DaemonSet" => workload(&mut object),
            "MutatingWebhookConfiguration" | "ValidatingWebhookConfiguration" => webhooks(&mut object),
            _ => {}
        }
        object
    };
    objects.into_iter().map(normal).collect()
}

/// The schemas of definitions, by API version and kind.
pub(crate) struct Schemas(BTreeMap<(String, String), Value>);

impl Schemas {
    pub(crate) fn of_definitions(definitions: &[Value]) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let mut found = BTreeMap::new();
        for definition in definitions {
            let spec = &definition["spec"];
            for version in spec["versions"].as_array().into_iter().flatten() {
                let api_version = format!("{}/{}", text(&spec["group"]), text(&version["name"]));
                let schema = version["schema"]["openAPIV3Schema"].clone();
                found.insert((api_version, text(&spec["names"]["kind"])), schema);
            }
        }
        Self(found)
    }

    fn of(&self, object: &Value) -> Option<&Value> {
        let text = |field: &str| object[field].as_str().unwrap_or_default().to_owned();
        self.0.get(&(text("apiVersion"), text("kind")))
    }
}

/// Sets the defaults of a schema, as the server does when it reads an object.
fn fill(value: &mut Value, schema: &Value) {
    if let Some(map) = value.as_object_mut() {
        for (name, field) in schema["properties"].as_object().into_iter().flatten() {
            if let (false, Some(default)) = (map.contains_key(name), field.get("default")) {
                map.insert(name.clone(), default.clone());
            }
            if let Some(value) = map.get_mut(name) {
                fill(value, field);
            }
        }
        if schema["additionalProperties"].is_object() {
            map.values_mut().for_each(|value| fill(value, &schema["additionalProperties"]));
        }
    }
    value.as_array_mut().into_iter().flatten().for_each(|item| fill(item, &schema["items"]));
}

/// `Deployment kubeflow/katib-controller`.
pub(crate) fn identity(object: &Value) -> String {
    ObjectId::of_json(object).unwrap_or_else(|| panic!("not an object: {object}")).to_string()
}

/// Names of generated config maps and secrets that end in a hash, with the name before it.
fn generated_names(objects: &[Value]) -> BTreeMap<String, String> {
    let hash = Regex::new("-[bcdfghkmt2456789]{10}$").unwrap();
    let generated = objects.iter().filter(|one| matches!(one["kind"].as_str(), Some("ConfigMap" | "Secret")));
    let names = generated.filter_map(|one| one["metadata"]["name"].as_str());
    let pair = |name: &str| Some((name.to_owned(), name[..hash.find(name)?.start()].to_owned()));
    names.filter_map(pair).collect()
}

fn renamed(value: Value, names: &BTreeMap<String, String>) -> Value {
    match value {
        Value::String(text) => Value::String(names.get(&text).cloned().unwrap_or(text)),
        Value::Array(items) => items.into_iter().map(|item| renamed(item, names)).collect(),
        Value::Object(map) => map.into_iter().map(|(key, value)| (key, renamed(value, names))).collect(),
        other => other,
    }
}

fn drop_nulls(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(drop_nulls),
        Value::Object(map) => {
            map.retain(|_, value| !value.is_null());
            map.values_mut().for_each(drop_nulls);
        }
        _ => {}
    }
}

/// What an API server fills in itself, and empty mappings.
fn metadata(object: &mut Value) {
    let Some(map) = object.as_object_mut() else { return };
    map.remove("status");
    let empty = |value: &Value| value.as_object().is_some_and(Map::is_empty);
    let Some(metadata) = map.get_mut("metadata").and_then(Value::as_object_mut) else { return };
    metadata.retain(|key, value| key != "creationTimestamp" && !empty(value));
}

fn secret(object: &mut Value) {
    let plain = object.as_object_mut().and_then(|map| map.remove("stringData")).unwrap_or_default();
    for (key, value) in plain.as_object().into_iter().flatten() {
        object["data"][key] = STANDARD.encode(value.as_str().unwrap_or_default()).into();
    }
    object.as_object_mut().unwrap().retain(|key, value| key != "data" || value != &json!({}));
}

/// An empty certificate is none.
fn webhooks(object: &mut Value) {
    for webhook in object.get_mut("webhooks").and_then(Value::as_array_mut).into_iter().flatten() {
        let Some(client) = webhook.get_mut("clientConfig").and_then(Value::as_object_mut) else { continue };
        client.retain(|key, value| key != "caBundle" || value != "");
    }
}

/// The server leaves out empty lists of built-in types.
fn drop_empty_lists(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(drop_empty_lists),
        Value::Object(map) => {
            map.retain(|_, value| value != &json!([]));
            map.values_mut().for_each(drop_empty_lists);
        }
        _ => {}
    }
}

/// Texts that are YAML or JSON count as what they say.
fn config_map(object: &mut Value) {
    for value in object.get_mut("data").and_then(Value::as_object_mut).into_iter().flat_map(Map::values_mut) {
        let parsed = value.as_str().and_then(|text| parse(text, SourceId::NONE).ok());
        let Some([only]) = parsed.as_deref() else { continue };
        let mut read = to_json(only);
        if read.is_object() || read.is_array() {
            drop_nulls(&mut read);
            *value = read;
        }
    }
}

fn strings(value: &Value) -> Vec<&str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

/// What rules allow: the group and resource, with names, and the verbs.
pub(crate) fn permissions(rules: &Value) -> BTreeMap<String, BTreeSet<String>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for rule in rules.as_array().into_iter().flatten() {
        let names = strings(&rule["resourceNames"]);
        let named: Vec<String> = if names.is_empty() {
            vec![String::new()]
        } else {
            names.iter().map(|name| format!(" {name}")).collect()
        };
        let mut targets: Vec<String> =
            strings(&rule["nonResourceURLs"]).into_iter().map(str::to_owned).collect();
        for group in strings(&rule["apiGroups"]) {
            for resource in strings(&rule["resources"]) {
                let separator = if group.is_empty() { "" } else { "/" };
                targets.extend(named.iter().map(|name| format!("{group}{separator}{resource}{name}")));
            }
        }
        for target in targets {
            found.entry(target).or_default().extend(strings(&rule["verbs"]).into_iter().map(str::to_owned));
        }
    }
    found
}

fn role(object: &mut Value) {
    let rules = permissions(&object["rules"]);
    let verbs = |verbs: BTreeSet<String>| Value::from(verbs.into_iter().collect::<Vec<_>>().join(" "));
    let rules: Map<String, Value> = rules.into_iter().map(|(target, set)| (target, verbs(set))).collect();
    object.as_object_mut().unwrap().remove("rules");
    // A controller fills in the rules of a role that is made of others.
    if object["aggregationRule"].is_null() {
        object.as_object_mut().unwrap().remove("aggregationRule");
        object["rules"] = Value::Object(rules);
    }
}

fn binding(object: &mut Value) {
    const GROUP: &str = "rbac.authorization.k8s.io";
    object["roleRef"]["apiGroup"] = GROUP.into();
    // Where a subject names no namespace, that of the binding counts.
    let namespace = object["metadata"]["namespace"].clone();
    let Some(subjects) = object.get_mut("subjects").and_then(Value::as_array_mut) else { return };
    for subject in subjects.iter_mut() {
        if subject["kind"] == "ServiceAccount" && subject["namespace"].is_null() {
            subject["namespace"] = namespace.clone();
        }
        if subject["kind"] == "ServiceAccount" {
            drop(subject.as_object_mut().unwrap().remove("apiGroup"));
        } else {
            subject["apiGroup"] = GROUP.into();
        }
    }
    subjects.sort_by_cached_key(Value::to_string);
}

fn service(object: &mut Value) {
    for port in object.pointer_mut("/spec/ports").and_then(Value::as_array_mut).into_iter().flatten() {
        if port.get("targetPort").is_none() {
            port["targetPort"] = port["port"].clone();
        }
    }
}

fn workload(object: &mut Value) {
    const ROLLING: [&str; 2] = ["strategy", "updateStrategy"];
    drop_empty_lists(object);
    let kind = object["kind"].clone();
    let Some(spec) = object.get_mut("spec").and_then(Value::as_object_mut) else { return };
    let defaults = match kind.as_str() {
        Some("Deployment") => {
            json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}})
        }
        Some("DaemonSet") => {
            json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}})
        }
        _ => json!({"type": "RollingUpdate", "rollingUpdate": {"partition": 0}}),
    };
    for field in ROLLING {
        let Some(strategy) = spec.get_mut(field) else { continue };
        if strategy["type"].is_null() {
            strategy["type"] = "RollingUpdate".into();
        }
        if strategy["type"] == "RollingUpdate" {
            for (key, value) in defaults["rollingUpdate"].as_object().into_iter().flatten() {
                if strategy["rollingUpdate"][key].is_null() {
                    strategy["rollingUpdate"][key] = value.clone();
                }
            }
        }
        if *strategy == defaults {
            spec.remove(field);
        }
    }
    if kind != "DaemonSet" && spec.get("replicas").is_none() {
        spec.insert("replicas".to_owned(), 1.into());
    }
    if let Some(template) = spec.get_mut("template") {
        metadata(template);
        pod(&mut template["spec"]);
    }
}

fn pod(spec: &mut Value) {
    let Some(fields) = spec.as_object_mut() else { return };
    // The old name of `serviceAccountName`, which the server keeps the same.
    if let Some(account) = fields.remove("serviceAccount") {
        fields.entry("serviceAccountName").or_insert(account);
    }
    for list in ["containers", "initContainers"] {
        for container in fields.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
            for variable in container.get_mut("env").and_then(Value::as_array_mut).into_iter().flatten() {
                if variable["value"] == "" {
                    variable.as_object_mut().unwrap().remove("value");
                }
            }
        }
    }
}
