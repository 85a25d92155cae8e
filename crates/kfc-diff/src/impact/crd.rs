//! CRDs: versions that are removed, and schemas that refuse what they accepted before.

use super::changed::{Changed, finding};
use crate::compare::same;
use crate::model::{ChangeKind, Class, Finding, Severity};
use kfc_yaml::{Map, Node};

/// The most findings that are reported one by one; the rest is counted.
const MOST: usize = 5;

/// Findings of a CRD that changes.
pub(super) fn findings(changed: &Changed<'_, '_>) -> Vec<Finding> {
    let (Some(before), Some(after)) = (changed.old_node(), changed.new_node()) else { return Vec::new() };
    if changed.resource_kind() != "CustomResourceDefinition" || changed.kind != ChangeKind::Changed {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (name, old) in versions(before) {
        let Some((_, new)) = versions(after).into_iter().find(|(other, _)| *other == name) else {
            let message =
                format!("the version `{name}` is removed: resources stored in it can no longer be read");
            found.push(finding(Class::Crd, Severity::Critical, "spec.versions", message));
            continue;
        };
        let is = |version: &Node, field: &str| version.get(field).and_then(Node::as_text) == Some("true");
        if is(old, "served") && !is(new, "served") {
            let message = format!("the version `{name}` is no longer served");
            found.push(finding(Class::Crd, Severity::High, "spec.versions", message));
        }
        if is(old, "storage") != is(new, "storage") && is(new, "storage") {
            let message = format!("resources are now stored as version `{name}`");
            found.push(finding(Class::Crd, Severity::Medium, "spec.versions", message));
        }
        let schema = |version| Node::at(version, &["schema", "openAPIV3Schema"]);
        if let (Some(old), Some(new)) = (schema(old), schema(new)) {
            let mut narrowed = Vec::new();
            narrower(old, new, &mut Vec::new(), &mut narrowed);
            found.extend(schema_findings(name, narrowed));
        }
    }
    found
}

fn versions(definition: &Node) -> Vec<(&str, &Node)> {
    let versions = definition.at(&["spec", "versions"]).and_then(Node::as_seq).unwrap_or_default();
    versions.iter().filter_map(|version| Some((version.get("name")?.as_text()?, version))).collect()
}

fn schema_findings(version: &str, narrowed: Vec<String>) -> Vec<Finding> {
    let count = narrowed.len();
    let say =
        |what: String| finding(Class::Crd, Severity::High, "spec.versions", format!("{version}: {what}"));
    let mut found: Vec<Finding> = narrowed.into_iter().take(MOST).map(say).collect();
    if count > MOST {
        found.push(say(format!("{} more fields accept less than before", count - MOST)));
    }
    found
}

/// Collects where the new schema accepts less than the old one.
fn narrower<'n>(old: &'n Node, new: &'n Node, path: &mut Vec<&'n str>, found: &mut Vec<String>) {
    if same(old, new) {
        return;
    }
    let at = |path: &[&str]| {
        if path.is_empty() { "the resource".to_owned() } else { format!("`{}`", path.join(".")) }
    };
    let text = |node: &Node, field: &str| node.get(field).and_then(Node::as_text).map(str::to_owned);
    match (text(old, "type"), text(new, "type")) {
        (Some(before), Some(after)) if before != after && !(before == "integer" && after == "number") => {
            found.push(format!("{} was of type {before} and is of type {after}", at(path)));
        }
        _ => {}
    }
    required(old, new, path, found);
    for value in texts(old, "enum")
        .filter(|value| new.get("enum").is_some() && !texts(new, "enum").any(|other| other == *value))
    {
        found.push(format!("{} no longer accepts `{value}`", at(path)));
    }
    if old.get("enum").is_none() && new.get("enum").is_some() {
        found.push(format!("{} accepts only listed values", at(path)));
    }
    limits(old, new, &at(path), found);
    let (before, after) = (properties(old), properties(new));
    let keeps_unknown = text(new, "x-kubernetes-preserve-unknown-fields").as_deref() == Some("true");
    for entry in before.into_iter().flat_map(Map::iter) {
        path.push(&entry.key.text);
        match after.and_then(|after| after.get(&entry.key.text)) {
            Some(other) => narrower(&entry.value, other, path, found),
            None if keeps_unknown || new.get("additionalProperties").is_some() => {}
            None => found.push(format!("{} is removed", at(path))),
        }
        path.pop();
    }
    for (field, step) in [("items", "[]"), ("additionalProperties", "*")] {
        if let (Some(old), Some(new)) = (old.get(field), new.get(field)) {
            path.push(step);
            narrower(old, new, path, found);
            path.pop();
        }
    }
}

fn properties(schema: &Node) -> Option<&Map> {
    schema.get("properties").and_then(Node::as_map)
}

fn texts<'n>(schema: &'n Node, field: &str) -> impl Iterator<Item = &'n str> {
    schema.get(field).and_then(Node::as_seq).unwrap_or_default().iter().filter_map(Node::as_text)
}

fn required(old: &Node, new: &Node, path: &[&str], found: &mut Vec<String>) {
    for field in texts(new, "required").filter(|field| !texts(old, "required").any(|other| other == *field)) {
        let full: Vec<&str> = path.iter().copied().chain([field]).collect();
        found.push(format!("`{}` is required now", full.join(".")));
    }
}

/// Limits that are tighter or new.
fn limits(old: &Node, new: &Node, at: &str, found: &mut Vec<String>) {
    let number = |node: &Node, field: &str| {
        node.get(field).and_then(Node::as_text).and_then(|text| text.parse::<f64>().ok())
    };
    for (field, is_lower_bound) in [
        ("minimum", true),
        ("minLength", true),
        ("minItems", true),
        ("maximum", false),
        ("maxLength", false),
        ("maxItems", false),
    ] {
        let Some(after) = number(new, field) else { continue };
        let tighter = number(old, field)
            .is_none_or(|before| if is_lower_bound { after > before } else { after < before });
        if tighter {
            found.push(format!("{at} has a {field} of {after}"));
        }
    }
    let pattern = |node: &Node| node.get("pattern").and_then(Node::as_text).map(str::to_owned);
    if let Some(pattern) = pattern(new).filter(|after| pattern(old).as_ref() != Some(after)) {
        found.push(format!("{at} must match `{pattern}`"));
    }
}
