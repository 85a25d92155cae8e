//! A resource as it is sent: what the server would turn into something else is written as the server stores it, and what
//! others own is left out.

use super::fields::{self, Parts};
use super::owner;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kfc_kube::ObjectId;
use kfc_kube::ignore::{self, FieldPattern, FieldStep, IgnoreRule};
use serde_json::{Map, Value};

/// The body of a resource as the server stores it. `stringData` becomes `data`: the server merges it there, so that a key
/// that left `stringData` would stay in `data` for ever.
pub(super) fn body_of(object: &ObjectId, text: &str) -> Value {
    let mut body: Value = serde_json::from_str(text).unwrap_or_default();
    if object.group.is_empty() && object.kind == "Secret" {
        encode(&mut body);
    }
    body
}

fn encode(secret: &mut Value) {
    let Some(plain) = secret["stringData"].as_object() else { return };
    if !plain.values().all(Value::is_string) {
        return;
    }
    let encoded: Vec<(String, Value)> = plain
        .iter()
        .map(|(key, value)| (key.clone(), STANDARD.encode(value.as_str().unwrap_or_default()).into()))
        .collect();
    if !secret["data"].is_object() {
        secret["data"] = Value::Object(Map::new());
    }
    if let Some(data) = secret["data"].as_object_mut() {
        data.extend(encoded);
    }
    if let Some(top) = secret.as_object_mut() {
        top.remove("stringData");
    }
}

/// Leaves fields to those who own them: by the rules that were declared, by the annotation of the object, and by those that
/// hold for everybody. What is left is as it is in the live object; the bundle only sets it when the object is created.
pub(super) fn leave_to_others(
    body: &mut Value,
    object: &ObjectId,
    live: &Value,
    manager: &str,
    declared: &[IgnoreRule],
) {
    let own = ignore::of_annotation(object, body).ok().flatten();
    let built_in = rules_for_everybody(object, body);
    let declared = declared.iter().filter(|rule| rule.selects(object)).chain(&own);
    let rules = declared
        .map(|rule| (rule, Origin::Declared))
        .chain(built_in.iter().map(|rule| (rule, Origin::BuiltIn)));
    let owners = Owners::of(&live["metadata"], manager);
    for (rule, origin) in rules {
        for owner in
            owners.others.iter().filter(|owner| rule.fields.is_empty() && rule.is_left_to(owner.manager))
        {
            drop_owned(body, owner.fields, owners.own);
        }
        // From the last to the first, so that indexes stay right while items leave.
        let mut found: Vec<Vec<FieldStep>> = rule.fields.iter().flat_map(|field| field.find(body)).collect();
        found.sort();
        for path in found.iter().rev() {
            leave(body, path, live, &owners, (rule, origin));
        }
    }
    let replicas = [FieldStep::Key("spec".to_owned()), FieldStep::Key("replicas".to_owned())];
    if owners.others.iter().any(Owner::is_autoscaler) {
        drop_at(body, &replicas);
    }
}

/// Fields that controllers of Kubernetes, or injectors of certificates, write into everybody's objects.
fn rules_for_everybody(object: &ObjectId, body: &Value) -> Vec<IgnoreRule> {
    let paths: &[&str] = match (object.group.as_str(), object.kind.as_str()) {
        ("rbac.authorization.k8s.io", "ClusterRole") if !body["aggregationRule"].is_null() => &["rules"],
        (
            "admissionregistration.k8s.io",
            "MutatingWebhookConfiguration" | "ValidatingWebhookConfiguration",
        ) => &[
            "webhooks[*].clientConfig.caBundle",
            "webhooks[*].failurePolicy",
            "webhooks[*].matchConditions",
            "webhooks[*].namespaceSelector",
        ],
        ("apiextensions.k8s.io", "CustomResourceDefinition") => {
            &["spec.conversion.webhook.clientConfig.caBundle"]
        }
        ("apiregistration.k8s.io", "APIService") => &["spec.caBundle"],
        _ => &[],
    };
    let fields: Vec<FieldPattern> = paths.iter().filter_map(|path| FieldPattern::read(path).ok()).collect();
    if fields.is_empty() { Vec::new() } else { vec![IgnoreRule { fields, ..IgnoreRule::default() }] }
}

/// Who owns the fields of a live object.
struct Owners<'m> {
    /// The fields that our manager applies.
    own: &'m Value,
    others: Vec<Owner<'m>>,
}

struct Owner<'m> {
    manager: &'m str,
    /// Whether it writes the subresource `scale`.
    scales: bool,
    fields: &'m Value,
}

impl Owner<'_> {
    /// Whether it is an autoscaler. People scale with kubectl, which is a change like any other.
    fn is_autoscaler(&self) -> bool {
        self.scales && !owner::is_tool(self.manager)
    }
}

impl<'m> Owners<'m> {
    fn of(metadata: &'m Value, manager: &str) -> Self {
        let own = owner::applied_by(metadata, manager).map_or(&Value::Null, |entry| &entry["fieldsV1"]);
        let others = owner::entries(metadata)
            .filter(|entry| entry["subresource"].is_null() || entry["subresource"] == "scale")
            .filter(|entry| entry["manager"] != manager || entry["operation"] != "Apply")
            .filter_map(|entry| {
                Some(Owner {
                    manager: entry["manager"].as_str()?,
                    scales: entry["subresource"] == "scale",
                    fields: &entry["fieldsV1"],
                })
            });
        Self { own, others: others.collect() }
    }
}

/// Where a rule is from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// Somebody declared it.
    Declared,
    /// It holds for everybody, and only for what controllers write: not for tools with which people write.
    BuiltIn,
}

/// How a set of fields covers a field.
enum Cover {
    /// It has the field itself.
    Field,
    /// It has something above the field as a whole.
    Above,
    No,
}

fn cover(owned: &Value, body: &Value, path: &[FieldStep]) -> Cover {
    let Some((first, rest)) = path.split_first() else {
        return if owned.is_null() { Cover::No } else { Cover::Field };
    };
    let (below, value) = match first {
        FieldStep::Key(key) => (fields::below_key(owned, key), &body[key.as_str()]),
        FieldStep::Index(index) => (fields::below_item(owned, &body[*index]), &body[*index]),
    };
    match below {
        Some(below) => cover(below, value, rest),
        None if owned.is_object() && fields::parts(owned) == Parts::Whole => Cover::Above,
        None => Cover::No,
    }
}

/// Leaves one field to its owner, when it has one that the rule names. A field that others own too stays when we no longer
/// send it. What only we own would go, so the live value is sent; so would a part of what others own as a whole.
fn leave(
    body: &mut Value,
    path: &[FieldStep],
    live: &Value,
    owners: &Owners<'_>,
    rule: (&IgnoreRule, Origin),
) {
    let (rule, origin) = rule;
    let fits = |owner: &&Owner<'_>| {
        rule.is_left_to(owner.manager) && (origin == Origin::Declared || !owner::is_tool(owner.manager))
    };
    let covers: Vec<Cover> =
        owners.others.iter().filter(fits).map(|owner| cover(owner.fields, body, path)).collect();
    if covers.iter().any(|cover| matches!(cover, Cover::Field)) {
        drop_at(body, path);
        return;
    }
    let is_in_whole = covers.iter().any(|cover| matches!(cover, Cover::Above));
    let is_ours = !matches!(cover(owners.own, body, path), Cover::No);
    if is_in_whole || (is_ours && origin == Origin::Declared && rule.managers.is_empty()) {
        take_value(body, path, live);
    }
}

/// Replaces the value of a field by that of the live object; without one there, it is not sent.
fn take_value(body: &mut Value, path: &[FieldStep], live: &Value) {
    match value_at(live, body, path) {
        Some(value) => {
            let value = value.clone();
            if let Some(field) = at_mut(body, path) {
                *field = value;
            }
        }
        None => drop_at(body, path),
    }
}

/// The field of the live object that a path of the body means: items of lists correspond by what identifies them.
fn value_at<'v>(live: &'v Value, body: &Value, path: &[FieldStep]) -> Option<&'v Value> {
    let Some((first, rest)) = path.split_first() else { return Some(live) };
    match first {
        FieldStep::Key(key) => value_at(live.get(key)?, &body[key.as_str()], rest),
        FieldStep::Index(index) => {
            let item = &body[*index];
            value_at(counterpart(live.as_array()?, item, *index)?, item, rest)
        }
    }
}

/// The item of a live list that an item of the body means.
fn counterpart<'v>(live: &'v [Value], item: &Value, index: usize) -> Option<&'v Value> {
    const IDENTITIES: [&str; 6] = ["name", "containerPort", "port", "mountPath", "ip", "topologyKey"];
    for key in IDENTITIES {
        if let Some(value) = item.get(key) {
            return live.iter().find(|other| other.get(key) == Some(value));
        }
    }
    if item.is_object() { live.get(index) } else { live.iter().find(|other| *other == item) }
}

fn at_mut<'v>(value: &'v mut Value, path: &[FieldStep]) -> Option<&'v mut Value> {
    path.iter().try_fold(value, |value, step| match step {
        FieldStep::Key(key) => value.get_mut(key),
        FieldStep::Index(index) => value.get_mut(*index),
    })
}

fn drop_at(body: &mut Value, path: &[FieldStep]) {
    let Some((last, above)) = path.split_last() else { return };
    match (last, at_mut(body, above)) {
        (FieldStep::Key(key), Some(Value::Object(map))) => {
            map.remove(key);
        }
        (FieldStep::Index(index), Some(Value::Array(items))) if *index < items.len() => {
            items.remove(*index);
        }
        _ => {}
    }
}

/// Removes what another manager owns and we do not; what is empty after that goes too. Identities stay.
fn drop_owned(body: &mut Value, theirs: &Value, ours: &Value) {
    match body {
        Value::Object(map) => {
            let gone: Vec<String> = fields::keys(theirs)
                .filter(|(key, below)| {
                    let Some(value) = map.get_mut(*key) else { return false };
                    let own = fields::below_key(ours, key).unwrap_or(&Value::Null);
                    if fields::parts(below) == Parts::Whole {
                        own.is_null()
                    } else {
                        drop_owned(value, below, own);
                        value.as_object().is_some_and(Map::is_empty)
                    }
                })
                .map(|(key, _)| key.to_owned())
                .collect();
            for key in &gone {
                drop(map.remove(key));
            }
        }
        Value::Array(items) => {
            for item in items {
                let Some((key, below)) = fields::items(theirs).find(|(key, _)| key.may_be(item)) else {
                    continue;
                };
                let own = fields::below_item(ours, item).unwrap_or(&Value::Null);
                let identity = match &key {
                    fields::ItemKey::Fields(identity) => identity.clone(),
                    fields::ItemKey::Value(_) => continue,
                };
                drop_owned(item, below, own);
                for (name, value) in identity {
                    if let Some(map) = item.as_object_mut() {
                        map.entry(name).or_insert(value);
                    }
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::{body_of, leave_to_others};
    use kfc_kube::ignore::{FieldPattern, IgnoreRule};
    use kfc_kube::{ObjectId, ObjectPattern};
    use serde_json::{Value, json};

    fn object(group: &str, kind: &str) -> ObjectId {
        let [group, kind] = [group, kind].map(str::to_owned);
        ObjectId { group, version: "v1".into(), kind, namespace: "n".into(), name: "a".into() }
    }

    #[expect(clippy::needless_pass_by_value, reason = "a test gives away what it makes")]
    fn entry(manager: &str, operation: &str, fields: Value) -> Value {
        json!({"manager": manager, "operation": operation, "fieldsV1": fields})
    }

    fn rule(fields: &[&str], managers: &[&str]) -> IgnoreRule {
        IgnoreRule {
            objects: ObjectPattern { kind: "*".to_owned(), ..ObjectPattern::default() },
            fields: fields.iter().map(|field| FieldPattern::read(field).unwrap()).collect(),
            managers: managers.iter().map(|manager| (*manager).to_owned()).collect(),
        }
    }

    /// What is sent of a body.
    fn sent(mut body: Value, live: &Value, kind: (&str, &str), rules: &[IgnoreRule]) -> Value {
        leave_to_others(&mut body, &object(kind.0, kind.1), live, "kfc-a", rules);
        body
    }

    #[test]
    fn plain_values_of_a_secret_are_sent_as_data() {
        let text = r#"{"kind":"Secret","data":{"a":"YQ==","b":"YQ=="},"stringData":{"b":"b","c":"c"}}"#;
        let body = body_of(&object("", "Secret"), text);
        assert_eq!(body, json!({"kind": "Secret", "data": {"a": "YQ==", "b": "Yg==", "c": "Yw=="}}));
        let text = r#"{"kind":"Thing","stringData":{"b":"b"}}"#;
        assert_eq!(body_of(&object("x", "Thing"), text)["stringData"]["b"], "b");
    }

    #[test]
    fn rules_of_an_aggregated_role_are_left_to_its_controller() {
        let body = json!({"aggregationRule": {}, "rules": []});
        let controller = "clusterrole-aggregation-controller";
        let live = json!({"rules": [1], "metadata": {"managedFields": [entry(controller, "Apply", json!({"f:rules": {}}))]}});
        let kind = ("rbac.authorization.k8s.io", "ClusterRole");
        assert_eq!(sent(body, &live, kind, &[]), json!({"aggregationRule": {}}));
        let plain = json!({"rules": []});
        assert_eq!(sent(plain.clone(), &live, kind, &[]), plain);
    }

    #[test]
    fn a_certificate_that_was_injected_stays_and_that_of_a_user_does_not() {
        let body = json!({"webhooks": [{"name": "w", "clientConfig": {"caBundle": "", "service": {}}}]});
        let fields = json!({"f:webhooks": {r#"k:{"name":"w"}"#: {"f:clientConfig": {"f:caBundle": {}}}}});
        let kind = ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration");
        let live = |manager: &str| {
            json!({"webhooks": [{"name": "w", "clientConfig": {"caBundle": "Q0E="}}],
                   "metadata": {"managedFields": [entry(manager, "Update", fields.clone())]}})
        };
        let left = json!({"webhooks": [{"name": "w", "clientConfig": {"service": {}}}]});
        assert_eq!(sent(body.clone(), &live("cert-manager-cainjector"), kind, &[]), left);
        assert_eq!(sent(body.clone(), &live("kubectl-edit"), kind, &[]), body);
    }

    #[test]
    fn replicas_are_left_to_an_autoscaler_but_not_to_a_person() {
        let body = json!({"spec": {"replicas": 1, "paused": true}});
        let live = |manager: &str| {
            let mut scale = entry(manager, "Update", json!({"f:spec": {"f:replicas": {}}}));
            scale["subresource"] = "scale".into();
            json!({"spec": {"replicas": 5}, "metadata": {"managedFields": [scale]}})
        };
        let kind = ("apps", "Deployment");
        assert_eq!(
            sent(body.clone(), &live("kube-controller-manager"), kind, &[]),
            json!({"spec": {"paused": true}})
        );
        assert_eq!(sent(body.clone(), &live("kubectl"), kind, &[]), body);
    }

    #[test]
    fn a_declared_field_keeps_the_live_value_whoever_owns_it() {
        let body = json!({"spec": {"a": 1, "b": 1}});
        let ours = entry("kfc-a", "Apply", json!({"f:spec": {"f:a": {}, "f:b": {}}}));
        let live = json!({"spec": {"a": 2, "b": 2}, "metadata": {"managedFields": [ours]}});
        let kind = ("x", "Thing");
        // Ours: it would be removed if it were not sent.
        assert_eq!(
            sent(body.clone(), &live, kind, &[rule(&["spec.a"], &[])]),
            json!({"spec": {"a": 2, "b": 1}})
        );
        // Of others.
        let theirs = entry("kubectl-edit", "Update", json!({"f:spec": {"f:a": {}}}));
        let live = json!({"spec": {"a": 2}, "metadata": {"managedFields": [theirs]}});
        assert_eq!(sent(body.clone(), &live, kind, &[rule(&["spec.a"], &[])]), json!({"spec": {"b": 1}}));
        assert_eq!(
            sent(body.clone(), &live, kind, &[rule(&["spec.a"], &["kubectl*"])]),
            json!({"spec": {"b": 1}})
        );
        assert_eq!(sent(body.clone(), &live, kind, &[rule(&["spec.a"], &["other"])]), body);
        // A part of what others own as a whole.
        let whole = entry("kubectl-edit", "Update", json!({"f:spec": {}}));
        let live = json!({"spec": {"a": 2, "b": 1}, "metadata": {"managedFields": [whole]}});
        assert_eq!(sent(body, &live, kind, &[rule(&["spec.a"], &[])]), json!({"spec": {"a": 2, "b": 1}}));
    }

    #[test]
    fn every_field_of_a_manager_is_left_to_it() {
        let body = json!({"spec": {"list": [{"name": "x", "a": 1, "b": 1}], "c": {"d": 1}}});
        let fields = json!({"f:spec": {"f:list": {r#"k:{"name":"x"}"#: {".": {}, "f:name": {}, "f:a": {}}}, "f:c": {"f:d": {}}}});
        let live = json!({"metadata": {"managedFields": [entry("vpa-updater", "Update", fields)]}});
        let left = sent(body, &live, ("x", "Thing"), &[rule(&[], &["vpa-*"])]);
        assert_eq!(left, json!({"spec": {"list": [{"name": "x", "b": 1}]}}));
    }
}
