//! Structural schemas, as Kubernetes wants them of custom resource definitions in `apiextensions.k8s.io/v1`.

use super::super::finding::{Finding, Findings};
use super::super::pods::{items, text};
use crate::diagnostics::Code;
use crate::resource::Resource;
use crate::yaml::Node;
use regex::Regex;

/// Fields of a schema that hold further schemas for the same value; those must not say anything about types.
const JUNCTORS: [&str; 3] = ["allOf", "anyOf", "oneOf"];

/// Finds custom resource definitions that an API server refuses: a version without a schema, none or several that are
/// stored, parts of a schema without a type, fields that a structural schema may not have.
pub(super) fn check(resources: &[&Resource]) -> Vec<Finding> {
    let mut all = Vec::new();
    let is_meant = |resource: &&&Resource| {
        resource.kind() == "CustomResourceDefinition" && resource.api_version() == "apiextensions.k8s.io/v1"
    };
    for resource in resources.iter().filter(is_meant) {
        let mut found = Findings::of(resource);
        check_names(resource, &mut found);
        let versions: Vec<&Node> = items(&resource.node, &["spec", "versions"]).collect();
        let stored = versions.iter().filter(|version| text(version, &["storage"]) == Some("true")).count();
        if stored != 1 {
            let message = format!("the definition stores {stored} versions, but exactly one is due");
            let versions = resource.node.at(&["spec", "versions"]).unwrap_or(&resource.node);
            found.error_at(Code::NotStructural, versions, message);
        }
        for version in versions {
            match version.at(&["schema", "openAPIV3Schema"]) {
                Some(schema) => check_schema(schema, "", &mut found),
                None => {
                    found.error_at(
                        Code::NotStructural,
                        version,
                        "this version of the definition has no schema",
                    );
                }
            }
        }
        all.append(&mut found.list);
    }
    all
}

/// A definition is called `<plural>.<group>`.
fn check_names(resource: &Resource, found: &mut Findings<'_>) {
    let part = |path: &[&str]| text(&resource.node, path).unwrap_or_default();
    let due = format!("{}.{}", part(&["spec", "names", "plural"]), part(&["spec", "group"]));
    if resource.name() != due
        && let Some(name) = resource.node.at(&["metadata", "name"])
    {
        found.error_at(Code::NotStructural, name, format!("the definition must be called `{due}`"));
    }
}

fn check_schema(schema: &Node, path: &str, found: &mut Findings<'_>) {
    let wrong = |what: &str, found: &mut Findings<'_>| {
        let place = if path.is_empty() { "the top".to_owned() } else { format!("`{path}`") };
        let message = format!("the schema is not structural: {place} {what}");
        found.error_at(Code::NotStructural, schema, message);
    };
    let says = |field: &str| text(schema, &[field]) == Some("true");
    let is_free = says("x-kubernetes-int-or-string") || says("x-kubernetes-preserve-unknown-fields");
    if schema.get("type").is_none() && !is_free {
        wrong("has no type", found);
    }
    if path.is_empty() && text(schema, &["type"]) != Some("object") {
        wrong("is no object", found);
    }
    for field in ["$ref", "definitions", "dependencies", "patternProperties", "deprecated", "discriminator"] {
        if schema.get(field).is_some() {
            wrong(&format!("has `{field}`"), found);
        }
    }
    let closed = |node: &Node| node.as_map().is_some();
    match (schema.get("properties"), schema.get("additionalProperties")) {
        (Some(_), Some(additional)) if closed(additional) => {
            wrong("has both `properties` and `additionalProperties`", found);
        }
        (_, Some(additional)) if closed(additional) => {
            check_schema(additional, &format!("{path}.*"), found);
        }
        _ => {}
    }
    for entry in schema.get("properties").and_then(Node::as_map).into_iter().flatten() {
        check_schema(&entry.value, &format!("{path}.{}", entry.key.text), found);
    }
    match schema.get("items") {
        Some(items) => check_schema(items, &format!("{path}[]"), found),
        None if text(schema, &["type"]) == Some("array") => wrong("is a list without `items`", found),
        None => {}
    }
    if let Some(pattern) = text(schema, &["pattern"])
        && let Err(error) = Regex::new(pattern)
    {
        let reason = error.to_string();
        let reason = reason.lines().last().unwrap_or_default();
        wrong(&format!("has a pattern that is no regular expression: {reason}"), found);
    }
    for junctor in JUNCTORS.iter().filter_map(|field| schema.get(field)).flat_map(|node| items(node, &[])) {
        if junctor.get("type").is_some() && !says("x-kubernetes-int-or-string") {
            wrong("gives a type below `allOf`, `anyOf` or `oneOf`", found);
        }
    }
}
