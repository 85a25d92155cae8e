//! Structural schemas, as Kubernetes wants them of custom resource definitions in `apiextensions.k8s.io/v1`.

use super::{items, text, title};
use crate::diagnostics::{Code, Diagnostic, Diagnostics};
use crate::resource::Resource;
use crate::yaml::Node;

/// Fields of a schema that hold further schemas for the same value; those must not say anything about types.
const JUNCTORS: [&str; 3] = ["allOf", "anyOf", "oneOf"];

/// Finds custom resource definitions that an API server refuses: a version without a schema, none or several that are
/// stored, parts of a schema without a type, fields that a structural schema may not have.
#[must_use]
pub fn structural(resources: &[Resource]) -> Diagnostics {
    let mut found = Diagnostics::default();
    for resource in resources.iter().filter(|resource| resource.kind() == "CustomResourceDefinition") {
        check_names(resource, &mut found);
        let versions: Vec<&Node> = items(&resource.node, &["spec", "versions"]).collect();
        let stored = versions.iter().filter(|version| text(version, &["storage"]) == Some("true")).count();
        if stored != 1 {
            let message = format!("{} stores {stored} versions, but exactly one is due", title(resource));
            found.push(Diagnostic::error(Code::NotStructural, message).at(resource.mark()));
        }
        for version in versions {
            match version.at(&["schema", "openAPIV3Schema"]) {
                Some(schema) => check(schema, "", resource, &mut found),
                None => {
                    let message = format!("a version of {} has no schema", title(resource));
                    found.push(Diagnostic::error(Code::NotStructural, message).at(version.mark));
                }
            }
        }
    }
    found
}

/// A definition is called `<plural>.<group>`.
fn check_names(resource: &Resource, found: &mut Diagnostics) {
    let part = |path: &[&str]| text(&resource.node, path).unwrap_or_default();
    let due = format!("{}.{}", part(&["spec", "names", "plural"]), part(&["spec", "group"]));
    if resource.name() != due {
        let message = format!("{} must be called `{due}`", title(resource));
        found.push(Diagnostic::error(Code::NotStructural, message).at(resource.mark()));
    }
}

fn check(schema: &Node, path: &str, resource: &Resource, found: &mut Diagnostics) {
    let wrong = |what: &str, found: &mut Diagnostics| {
        let place = if path.is_empty() { "the top".to_owned() } else { format!("`{path}`") };
        let message = format!("the schema of {} is not structural: {place} {what}", title(resource));
        found.push(Diagnostic::error(Code::NotStructural, message).at(schema.mark));
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
            check(additional, &format!("{path}.*"), resource, found)
        }
        _ => {}
    }
    for entry in schema.get("properties").and_then(Node::as_map).into_iter().flatten() {
        check(&entry.value, &format!("{path}.{}", entry.key.text), resource, found);
    }
    match schema.get("items") {
        Some(items) => check(items, &format!("{path}[]"), resource, found),
        None if text(schema, &["type"]) == Some("array") => wrong("is a list without `items`", found),
        None => {}
    }
    for junctor in JUNCTORS.iter().filter_map(|field| schema.get(field)).flat_map(|node| items(node, &[])) {
        if junctor.get("type").is_some() && !says("x-kubernetes-int-or-string") {
            wrong("gives a type below `allOf`, `anyOf` or `oneOf`", found);
        }
    }
}
