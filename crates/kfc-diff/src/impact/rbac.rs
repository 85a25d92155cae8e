//! Who gets rights that they did not have before.

use super::changed::{Changed, finding};
use crate::matching::Compared;
use crate::model::{Class, Finding, Severity};
use kfc_yaml::Node;
use std::collections::{BTreeMap, BTreeSet};

/// The bindings and roles of the new bundle.
pub(crate) struct Grants<'c> {
    /// Who holds a role: by kind, namespace of the role (empty for cluster roles) and name.
    holders: BTreeMap<(String, String, String), BTreeSet<String>>,
    roles: BTreeMap<(String, String, String), &'c Node>,
}

/// One thing that a role allows.
type Permission = (String, String);

/// The most permissions that are reported one by one; the rest is counted.
const MOST: usize = 6;

/// The most subjects that are reported by name.
const MOST_SUBJECTS: usize = 3;

impl<'c> Grants<'c> {
    /// Of all resources of a bundle.
    pub(crate) fn of(resources: &'c [Compared<'_>]) -> Self {
        let mut grants = Self { holders: BTreeMap::new(), roles: BTreeMap::new() };
        for one in resources {
            let identity = &one.identity;
            match identity.kind.as_str() {
                "Role" | "ClusterRole" => {
                    let key = (identity.kind.clone(), identity.namespace.clone(), identity.name.clone());
                    grants.roles.insert(key, &one.node);
                }
                "RoleBinding" | "ClusterRoleBinding" => {
                    let holders = grants.holders.entry(role_of(one)).or_default();
                    holders.extend(subjects(one));
                }
                _ => {}
            }
        }
        grants
    }
}

/// The role that a binding gives.
fn role_of(binding: &Compared<'_>) -> (String, String, String) {
    let text = |field: &str| {
        binding.node.at(&["roleRef", field]).and_then(Node::as_text).unwrap_or_default().to_owned()
    };
    let kind = text("kind");
    let namespace = if kind == "Role" { binding.identity.namespace.clone() } else { String::new() };
    (kind, namespace, text("name"))
}

/// The subjects of a binding, with its namespace.
fn subjects(binding: &Compared<'_>) -> BTreeSet<String> {
    let found = binding.node.get("subjects").and_then(Node::as_seq).unwrap_or_default();
    let scope = match binding.identity.kind.as_str() {
        "RoleBinding" => format!(" in {}", binding.identity.namespace),
        _ => String::new(),
    };
    let name = |subject: &Node| {
        let text = |field: &str| subject.get(field).and_then(Node::as_text).unwrap_or_default();
        let namespace = text("namespace");
        let slash = if namespace.is_empty() { "" } else { "/" };
        format!("{} {namespace}{slash}{}{scope}", text("kind"), text("name"))
    };
    found.iter().map(name).collect()
}

/// Findings of roles and bindings.
pub(super) fn findings(changed: &Changed<'_, '_>, grants: &Grants<'_>) -> Vec<Finding> {
    match changed.resource_kind() {
        "Role" | "ClusterRole" => role(changed, grants),
        "RoleBinding" | "ClusterRoleBinding" => binding(changed, grants),
        _ => Vec::new(),
    }
}

fn role(changed: &Changed<'_, '_>, grants: &Grants<'_>) -> Vec<Finding> {
    let before = changed.old_node().map(permissions).unwrap_or_default();
    let after = changed.new_node().map(permissions).unwrap_or_default();
    let gained: Vec<&Permission> = after.iter().filter(|one| !covers(&before, one)).collect();
    let Some(role) = changed.after.filter(|_| !gained.is_empty()) else { return Vec::new() };
    let key = (role.identity.kind.clone(), role.identity.namespace.clone(), role.identity.name.clone());
    let holders = grants.holders.get(&key);
    let who = holders.map_or_else(
        || "everyone bound to it".to_owned(),
        |names| listed(names.iter().map(String::as_str), MOST_SUBJECTS),
    );
    let message = format!("{who} can now {}", in_words(&gained));
    vec![finding(Class::Rbac, severity(&gained), "rules", message)]
}

fn binding(changed: &Changed<'_, '_>, grants: &Grants<'_>) -> Vec<Finding> {
    let Some(after) = changed.after else { return Vec::new() };
    let before =
        changed.before.filter(|before| role_of(before) == role_of(after)).map(subjects).unwrap_or_default();
    let gained: Vec<String> = subjects(after).difference(&before).cloned().collect();
    if gained.is_empty() {
        return Vec::new();
    }
    let role = role_of(after);
    let allowed = grants.roles.get(&role).map(|node| permissions(node)).unwrap_or_default();
    let allowed: Vec<&Permission> = allowed.iter().collect();
    let what = if allowed.is_empty() {
        format!("do what the {} `{}` allows", role.0, role.2)
    } else {
        in_words(&allowed)
    };
    let is_admin = role.0 == "ClusterRole" && matches!(role.2.as_str(), "cluster-admin" | "admin");
    let severity = if is_admin { Severity::High } else { severity(&allowed) };
    let message = format!("{} can now {what}", listed(gained.iter().map(String::as_str), MOST_SUBJECTS));
    vec![finding(Class::Rbac, severity, "subjects", message)]
}

/// What the rules of a role allow: verb and resource.
fn permissions(role: &Node) -> BTreeSet<Permission> {
    let mut found = BTreeSet::new();
    for rule in role.get("rules").and_then(Node::as_seq).unwrap_or_default() {
        let list = |field: &str| -> Vec<&str> {
            rule.get(field)
                .and_then(Node::as_seq)
                .unwrap_or_default()
                .iter()
                .filter_map(Node::as_text)
                .collect()
        };
        let names = list("resourceNames");
        let named = if names.is_empty() { String::new() } else { format!(" named {}", names.join(", ")) };
        let resources = list("resources").into_iter().flat_map(|resource| {
            let groups = list("apiGroups").into_iter();
            groups.map(move |group| match (group, resource) {
                ("" | "*", resource) => resource.to_owned(),
                (group, resource) => format!("{resource}.{group}"),
            })
        });
        let targets: Vec<String> = resources
            .map(|resource| resource + &named)
            .chain(list("nonResourceURLs").into_iter().map(str::to_owned))
            .collect();
        for verb in list("verbs") {
            found.extend(targets.iter().map(|target| (verb.to_owned(), target.clone())));
        }
    }
    found
}

/// Whether a permission existed before, as it is or by a wildcard.
fn covers(before: &BTreeSet<Permission>, (verb, target): &Permission) -> bool {
    let bare = target.split(" named ").next().unwrap_or(target);
    let targets = [target.as_str(), bare, "*"];
    let verbs = [verb.as_str(), "*"];
    verbs
        .iter()
        .any(|verb| targets.iter().any(|target| before.contains(&((*verb).to_owned(), (*target).to_owned()))))
}

/// `get, list secrets; create pods`.
fn in_words(permissions: &[&Permission]) -> String {
    let mut by_target: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (verb, target) in permissions {
        by_target.entry(target).or_default().push(verb);
    }
    let phrase = |(target, verbs): (&&str, &Vec<&str>)| match (verbs.contains(&"*"), *target) {
        (true, "*") => "do everything".to_owned(),
        (true, target) => format!("do everything with {target}"),
        (false, target) => {
            format!("{} {}", verbs.join(", "), if target == "*" { "everything" } else { target })
        }
    };
    let phrases: Vec<String> = by_target.iter().map(phrase).collect();
    listed_with(phrases.iter().map(String::as_str), MOST, "; ")
}

fn listed<'t>(texts: impl Iterator<Item = &'t str>, most: usize) -> String {
    listed_with(texts, most, ", ")
}

fn listed_with<'t>(texts: impl Iterator<Item = &'t str>, most: usize, between: &str) -> String {
    let all: Vec<&str> = texts.collect();
    let shown = all.iter().take(most).copied().collect::<Vec<_>>().join(between);
    if all.len() > most { format!("{shown} and {} more", all.len() - most) } else { shown }
}

/// Secrets, wildcards, impersonation and the like are severe; reading anything else is not.
fn severity(permissions: &[&Permission]) -> Severity {
    let is_grave = |(verb, target): &&&Permission| {
        let reads = matches!(verb.as_str(), "get" | "list" | "watch");
        let target = target.split([' ', '.']).next().unwrap_or_default();
        verb == "*"
            || target == "*"
            || matches!(verb.as_str(), "impersonate" | "escalate" | "bind")
            || target == "secrets"
            || (!reads
                && matches!(
                    target,
                    "pods/exec" | "nodes" | "roles" | "clusterroles" | "rolebindings" | "clusterrolebindings"
                ))
    };
    match permissions.iter().find(is_grave) {
        Some(_) => Severity::High,
        None => Severity::Medium,
    }
}
