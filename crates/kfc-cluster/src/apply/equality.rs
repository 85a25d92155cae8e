//! Whether an apply would change nothing, decided from the live object alone. The server keeps which fields our manager last
//! applied, and takes a field away from it as soon as somebody else changes its value. So when that set is exactly what
//! would be sent, and the values are equal, then the server would answer with the object as it is: nothing is sent. In doubt
//! the answer is no, which costs one request.

use super::fields::{self, Parts};
use super::owner;
use serde_json::{Map, Value};

/// Whether an apply of `body` by `manager` surely leaves the live object as it is.
pub(super) fn is_surely_equal(body: &Value, live: &Value, manager: &str) -> bool {
    let metadata = &live["metadata"];
    if body["apiVersion"] != live["apiVersion"] || !metadata["deletionTimestamp"].is_null() {
        return false;
    }
    let empty = Value::Object(Map::new());
    let owned = match owner::applied_by(metadata, manager) {
        Some(entry) if entry["apiVersion"] == body["apiVersion"] => &entry["fieldsV1"],
        Some(_) => return false,
        // Of an object of which only the name is applied, nobody owns a field.
        None => &empty,
    };
    let defaults = Defaults::of(&body["apiVersion"]);
    mapping((body, owned, live), Level::Object, defaults)
}

/// Whether the server sets the defaults of Kubernetes in an object: those of custom resources are in their CRDs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Defaults {
    Kubernetes,
    Unknown,
}

impl Defaults {
    fn of(api_version: &Value) -> Self {
        let group = api_version.as_str().and_then(|text| text.split_once('/')).map_or("", |(group, _)| group);
        if !group.contains('.') || group.ends_with(".k8s.io") { Self::Kubernetes } else { Self::Unknown }
    }
}

/// How deep a mapping is: some fields of objects and of their metadata have no owner.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    Object,
    Metadata,
    Below,
}

impl Level {
    /// Whether the server keeps no owner of a field.
    fn is_unowned(self, key: &str) -> bool {
        match self {
            Self::Object => matches!(key, "apiVersion" | "kind" | "status"),
            Self::Metadata => matches!(
                key,
                "name"
                    | "namespace"
                    | "creationTimestamp"
                    | "uid"
                    | "resourceVersion"
                    | "generation"
                    | "selfLink"
            ),
            Self::Below => false,
        }
    }

    fn below(self, key: &str) -> Self {
        if self == Self::Object && key == "metadata" { Self::Metadata } else { Self::Below }
    }
}

/// Whether a mapping is equal: what is sent, what we own, and what is stored.
fn mapping((body, owned, live): (&Value, &Value, &Value), level: Level, defaults: Defaults) -> bool {
    let Some(body) = body.as_object() else { return false };
    let sent = body.iter().filter(|(key, _)| !level.is_unowned(key));
    let mut count = 0;
    for (key, value) in sent {
        let below = match fields::below_key(owned, key) {
            Some(below) => below,
            // Metadata with a name only.
            None if level == Level::Object && key == "metadata" => &Value::Null,
            None => return false,
        };
        count += usize::from(!below.is_null());
        let is_equal = match level.below(key) {
            Level::Metadata => mapping((value, below, &live[key.as_str()]), Level::Metadata, defaults),
            _ => is_equal_value(value, below, live.get(key).unwrap_or(&Value::Null), defaults),
        };
        if !is_equal {
            return false;
        }
    }
    // What we own and no longer send would be removed.
    fields::keys(owned).filter(|(key, _)| !level.is_unowned(key)).count() == count
}

fn is_equal_value(body: &Value, owned: &Value, live: &Value, defaults: Defaults) -> bool {
    match (fields::parts(owned), body) {
        (Parts::Keys, Value::Object(map)) if !map.is_empty() => {
            mapping((body, owned, live), Level::Below, defaults)
        }
        (Parts::Items, Value::Array(items)) if !items.is_empty() => list(items, owned, live, defaults),
        (Parts::Whole, _) => is_same(body, live, defaults),
        _ => false,
    }
}

fn list(body: &[Value], owned: &Value, live: &Value, defaults: Defaults) -> bool {
    let Some(live) = live.as_array() else { return false };
    let mut count = 0;
    for (key, below) in fields::items(owned) {
        count += 1;
        let mut sent = body.iter().filter(|item| key.may_be(item));
        let mut found = live.iter().filter(|item| key.is(item));
        let (Some(sent), None, Some(found), None) = (sent.next(), sent.next(), found.next(), found.next())
        else {
            return false;
        };
        if !is_equal_value(sent, below, found, defaults) {
            return false;
        }
    }
    count == body.len()
}

/// Whether values that are owned as a whole are the same, with the defaults that the server sets in them.
fn is_same(body: &Value, live: &Value, defaults: Defaults) -> bool {
    match (body, live) {
        // What is empty is often not stored.
        (body, Value::Null) => is_empty(body),
        (Value::Object(body), Value::Object(live)) => {
            let is_default = |(key, value): (&String, &Value)| {
                body.contains_key(key) || (defaults == Defaults::Kubernetes && is_default(key, value, live))
            };
            body.iter().all(|(key, value)| is_same(value, live.get(key).unwrap_or(&Value::Null), defaults))
                && live.iter().all(is_default)
        }
        (Value::Array(body), Value::Array(live)) => {
            body.len() == live.len()
                && body.iter().zip(live).all(|(body, live)| is_same(body, live, defaults))
        }
        (Value::Number(body), Value::Number(live)) => body == live || body.as_f64() == live.as_f64(),
        (body, live) => body == live,
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
        Value::Bool(true) => false,
    }
}

/// Whether the server sets a field of a mapping that is owned as a whole, when it is left out.
fn is_default(key: &str, value: &Value, siblings: &Map<String, Value>) -> bool {
    let has = |key: &str| siblings.contains_key(key);
    match key {
        // A reference to a field of the pod.
        "apiVersion" => value == "v1" && has("fieldPath"),
        // A reference to a resource of a container.
        "divisor" => value == "0" && has("resource"),
        // A rule of a webhook.
        "scope" => value == "*" && has("operations"),
        // A port of a network policy.
        "protocol" => value == "TCP" && has("port"),
        // The subject of a role binding.
        "apiGroup" => {
            let expected = if siblings.get("kind") == Some(&Value::from("ServiceAccount")) {
                ""
            } else {
                "rbac.authorization.k8s.io"
            };
            value == expected && has("kind") && has("name")
        }
        // A token in a projected volume.
        "expirationSeconds" => value == 3600 && has("path"),
        // The service of a webhook.
        "port" => value == 443 && has("namespace") && has("name"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::is_surely_equal;
    use serde_json::{Value, json};

    /// A live object whose fields a manager applied.
    #[expect(clippy::needless_pass_by_value, reason = "a test gives away what it makes")]
    fn live(mut object: Value, owned: Value) -> Value {
        object["metadata"]["managedFields"] = json!([
            {"manager": "kfc-a", "operation": "Apply", "apiVersion": object["apiVersion"], "fieldsV1": owned},
        ]);
        object
    }

    #[expect(clippy::needless_pass_by_value, reason = "a test gives away what it makes")]
    fn service(ports: Value) -> Value {
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "labels": {"app": "web"}},
               "spec": {"ports": ports}})
    }

    fn owned_service() -> Value {
        json!({"f:metadata": {"f:labels": {"f:app": {}}},
               "f:spec": {"f:ports": {r#"k:{"port":80,"protocol":"TCP"}"#: {".": {}, "f:port": {}, "f:targetPort": {}}}}})
    }

    fn stored_service() -> Value {
        let mut stored =
            service(json!([{"port": 80, "protocol": "TCP", "targetPort": 8080, "nodePort": 31000}]));
        stored["spec"]["clusterIP"] = "10.0.0.1".into();
        live(stored, owned_service())
    }

    #[test]
    fn what_the_server_added_is_no_difference() {
        let body = service(json!([{"port": 80, "targetPort": 8080}]));
        assert!(is_surely_equal(&body, &stored_service(), "kfc-a"));
        assert!(!is_surely_equal(&body, &stored_service(), "kfc-b"));
    }

    #[test]
    fn a_changed_an_added_and_a_removed_field_are_differences() {
        let same = json!([{"port": 80, "targetPort": 8080}]);
        for ports in [
            json!([{"port": 80, "targetPort": 8081}]),
            json!([{"port": 80, "targetPort": 8080, "name": "http"}]),
            json!([{"port": 80}]),
            json!([]),
            json!([{"port": 80, "targetPort": 8080}, {"port": 81}]),
        ] {
            assert!(!is_surely_equal(&service(ports.clone()), &stored_service(), "kfc-a"), "{ports}");
        }
        let mut more = service(same.clone());
        more["metadata"]["labels"]["b"] = "1".into();
        assert!(!is_surely_equal(&more, &stored_service(), "kfc-a"));
        let mut less = service(same);
        less["metadata"].as_object_mut().unwrap().remove("labels");
        assert!(!is_surely_equal(&less, &stored_service(), "kfc-a"));
    }

    #[test]
    fn a_field_that_somebody_else_changed_is_no_longer_ours() {
        let mut stored = stored_service();
        // As the server records `kubectl edit`.
        stored["spec"]["ports"][0]["targetPort"] = 9090.into();
        stored["metadata"]["managedFields"][0]["fieldsV1"]["f:spec"]["f:ports"]
            [r#"k:{"port":80,"protocol":"TCP"}"#]
            .as_object_mut()
            .unwrap()
            .remove("f:targetPort");
        for port in [8080, 9090] {
            let body = service(json!([{"port": 80, "targetPort": port}]));
            assert!(!is_surely_equal(&body, &stored, "kfc-a"));
        }
    }

    #[test]
    fn an_object_that_is_deleted_or_of_another_version_has_to_be_sent() {
        let body = service(json!([{"port": 80, "targetPort": 8080}]));
        let mut stored = stored_service();
        stored["metadata"]["deletionTimestamp"] = "2026-01-02T03:04:05Z".into();
        assert!(!is_surely_equal(&body, &stored, "kfc-a"));
        let mut stored = stored_service();
        stored["metadata"]["managedFields"][0]["apiVersion"] = "v2".into();
        assert!(!is_surely_equal(&body, &stored, "kfc-a"));
    }

    #[test]
    fn lists_that_are_owned_as_a_whole_are_equal_up_to_known_defaults() {
        let hook = |rule: Value| json!({"apiVersion": "v1", "kind": "Hook", "metadata": {"name": "h"}, "rules": [rule]});
        let stored = live(
            hook(json!({"operations": ["CREATE"], "resources": ["pods"], "scope": "*"})),
            json!({"f:rules": {}}),
        );
        let rule = json!({"operations": ["CREATE"], "resources": ["pods"]});
        assert!(is_surely_equal(&hook(rule), &stored, "kfc-a"));
        for other in [
            json!({"operations": ["CREATE"], "resources": ["pods"], "scope": "Cluster"}),
            json!({"operations": ["CREATE"]}),
            json!({"operations": ["CREATE", "UPDATE"], "resources": ["pods"]}),
        ] {
            assert!(!is_surely_equal(&hook(other.clone()), &stored, "kfc-a"), "{other}");
        }
        // A custom resource has the defaults of its CRD, which are not known.
        let custom = |mut object: Value| {
            object["apiVersion"] = "example.com/v1".into();
            object
        };
        let same = live(custom(hook(json!({"port": 1, "protocol": "TCP"}))), json!({"f:rules": {}}));
        assert!(is_surely_equal(&custom(hook(json!({"port": 1, "protocol": "TCP"}))), &same, "kfc-a"));
        assert!(!is_surely_equal(&custom(hook(json!({"port": 1}))), &same, "kfc-a"));
        // A field that we sent before and that is not a default.
        let before = live(
            hook(json!({"operations": ["CREATE"], "resources": ["pods"], "matchPolicy": "Exact"})),
            json!({"f:rules": {}}),
        );
        let less = hook(json!({"operations": ["CREATE"], "resources": ["pods"]}));
        assert!(!is_surely_equal(&less, &before, "kfc-a"));
    }

    #[test]
    fn an_object_with_a_name_only_is_equal_when_it_exists() {
        let body = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "n"}});
        let mut stored = body.clone();
        stored["metadata"]["labels"] = json!({"kubernetes.io/metadata.name": "n"});
        assert!(is_surely_equal(&body, &stored, "kfc-a"));
        // Labels that an earlier version had are still ours, and would go.
        let before = live(stored, json!({"f:metadata": {"f:labels": {"f:a": {}}}}));
        assert!(!is_surely_equal(&body, &before, "kfc-a"));
    }

    #[test]
    fn empty_values_are_not_stored() {
        let body = |value: Value| json!({"apiVersion": "v1", "kind": "T", "metadata": {"name": "t"}, "spec": {"a": value}});
        let mut stored = body(Value::Null);
        stored["spec"].as_object_mut().unwrap().clear();
        let stored = live(stored, json!({"f:spec": {"f:a": {}}}));
        for value in [json!(""), json!(0), json!(false), json!([]), json!({})] {
            assert!(is_surely_equal(&body(value.clone()), &stored, "kfc-a"), "{value}");
        }
        for value in [json!("x"), json!(1), json!(true), json!([1]), json!({"b": 1})] {
            assert!(!is_surely_equal(&body(value.clone()), &stored, "kfc-a"), "{value}");
        }
    }
}
