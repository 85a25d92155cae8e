//! What every service account may do in the end: the rules of all roles that it is bound to, those of aggregated roles too.

use crate::parity::form::permissions;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

type Allowed = BTreeMap<String, BTreeSet<String>>;

/// An object per service account, to be compared like others: `Permissions kubeflow/katib-controller`.
pub(crate) fn of_accounts(objects: &[Value]) -> Vec<Value> {
    let mut accounts: BTreeMap<(String, String), Allowed> = BTreeMap::new();
    for binding in objects.iter().filter(|one| is(one, "RoleBinding") || is(one, "ClusterRoleBinding")) {
        let namespace = binding["metadata"]["namespace"].as_str().unwrap_or_default();
        let role = &binding["roleRef"];
        let is_namespaced = role["kind"] == "Role";
        let allowed = objects
            .iter()
            .filter(|one| is(one, role["kind"].as_str().unwrap_or_default()))
            .filter(|one| one["metadata"]["name"] == role["name"])
            .filter(|one| !is_namespaced || one["metadata"]["namespace"] == namespace)
            .map(|one| rules(one, objects))
            .fold(Allowed::new(), union);
        for subject in binding["subjects"].as_array().into_iter().flatten() {
            let text = |field: &str| subject[field].as_str().unwrap_or_default().to_owned();
            if subject["kind"] == "ServiceAccount" {
                let scope =
                    if is(binding, "RoleBinding") { format!(" in {namespace}") } else { String::new() };
                let scoped =
                    allowed.iter().map(|(target, verbs)| (format!("{target}{scope}"), verbs.clone()));
                let named = text("namespace");
                let own = if named.is_empty() { namespace.to_owned() } else { named };
                let account = accounts.entry((own, text("name"))).or_default();
                *account = union(std::mem::take(account), scoped.collect());
            }
        }
    }
    accounts.into_iter().map(|((namespace, name), allowed)| object(&namespace, &name, allowed)).collect()
}

fn is(object: &Value, kind: &str) -> bool {
    object["kind"] == kind
}

fn union(mut one: Allowed, other: Allowed) -> Allowed {
    for (target, verbs) in other {
        one.entry(target).or_default().extend(verbs);
    }
    one
}

/// The rules of a role and of those that it aggregates.
fn rules(role: &Value, objects: &[Value]) -> Allowed {
    let selectors = role["aggregationRule"]["clusterRoleSelectors"].as_array();
    let Some(selectors) = selectors else { return permissions(&role["rules"]) };
    let is_selected = |other: &Value| {
        selectors.iter().any(|selector| {
            let mut labels = selector["matchLabels"].as_object().into_iter().flatten();
            labels.all(|(key, value)| &other["metadata"]["labels"][key] == value)
        })
    };
    let parts = objects.iter().filter(|one| is(one, "ClusterRole") && *one != role && is_selected(one));
    parts.map(|part| rules(part, objects)).fold(Allowed::new(), union)
}

fn object(namespace: &str, name: &str, allowed: Allowed) -> Value {
    let joined = |verbs: BTreeSet<String>| Value::from(verbs.into_iter().collect::<Vec<_>>().join(" "));
    let allowed: Map<String, Value> =
        allowed.into_iter().map(|(target, verbs)| (target, joined(verbs))).collect();
    json!({
        "apiVersion": "parity/v1",
        "kind": "Permissions",
        "metadata": {"namespace": namespace, "name": name},
        "allowed": allowed,
    })
}
