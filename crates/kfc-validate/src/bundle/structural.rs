//! CRDs in `apiextensions.k8s.io/v1`: structural schemas, names, versions, and the approval that groups of the Kubernetes
//! community need.

use super::super::finding::{Finding, Findings};
use super::super::pods::{items, text};
use kfc_diagnostics::Code;
use kfc_kube::Object;
use kfc_yaml::Node;
use std::collections::HashSet;

/// Fields of a schema that have further schemas for the same value; those must not set types.
const JUNCTORS: [&str; 3] = ["allOf", "anyOf", "oneOf"];
/// The domains whose groups belong to the Kubernetes community.
const PROTECTED: [&str; 2] = ["k8s.io", "kubernetes.io"];
/// The annotation of a CRD in one of these groups with its approval.
const APPROVAL: &str = "api-approved.kubernetes.io";

/// Finds CRDs that an API server refuses: a group that is protected, a version without a schema, no stored version or
/// several, parts of a schema without a type, fields that a structural schema may not have.
pub(super) fn check(resources: &[&Object]) -> Vec<Finding> {
    let mut all = Vec::new();
    let mut patterns = HashSet::new();
    let is_meant = |resource: &&&Object| {
        resource.kind() == "CustomResourceDefinition" && resource.api_version() == "apiextensions.k8s.io/v1"
    };
    for resource in resources.iter().filter(is_meant) {
        let mut found = Findings::of(resource);
        check_names(resource, &mut found);
        check_approval(resource, &mut found);
        let versions: Vec<&Node> = items(&resource.node, &["spec", "versions"]).collect();
        let stored = versions.iter().filter(|version| text(version, &["storage"]) == Some("true")).count();
        if stored != 1 {
            let message = format!("the CRD stores {stored} versions, expected exactly one");
            let versions = resource.node.at(&["spec", "versions"]).unwrap_or(&resource.node);
            found.error_at(Code::NotStructural, versions, message);
        }
        for version in versions {
            match version.at(&["schema", "openAPIV3Schema"]) {
                Some(schema) => {
                    let mut walk =
                        SchemaWalk { found: &mut found, patterns: &mut patterns, path: String::new() };
                    walk.schema(schema);
                }
                None => {
                    found.error_at(Code::NotStructural, version, "this version of the CRD has no schema");
                }
            }
        }
        all.append(&mut found.list);
    }
    all
}

/// The name of a CRD is `<plural>.<group>`.
fn check_names(resource: &Object, found: &mut Findings<'_>) {
    let part = |path: &[&str]| text(&resource.node, path).unwrap_or_default();
    let due = format!("{}.{}", part(&["spec", "names", "plural"]), part(&["spec", "group"]));
    if resource.name() != due
        && let Some(name) = resource.node.at(&["metadata", "name"])
    {
        found.error_at(Code::NotStructural, name, format!("the name of the CRD must be `{due}`"));
    }
}

/// A CRD in a protected group has the URL where its API was approved, or that it was not: the API server refuses it when
/// the annotation is missing, or is neither a URL nor starts with `unapproved`.
fn check_approval(resource: &Object, found: &mut Findings<'_>) {
    let group = text(&resource.node, &["spec", "group"]).unwrap_or_default();
    if !PROTECTED.iter().any(|domain| is_in_domain(group, domain)) {
        return;
    }
    let annotation = resource.node.at(&["metadata", "annotations", APPROVAL]);
    let above = resource.node.at(&["metadata", "annotations"]).filter(|all| !all.is_null());
    let place = above.or(resource.node.get("metadata")).unwrap_or(&resource.node);
    let (place, message) = match annotation.and_then(Node::as_text).filter(|text| !text.is_empty()) {
        None => {
            (place, format!("the group `{group}` is protected: the CRD needs the annotation `{APPROVAL}`"))
        }
        Some(text) if text.starts_with("unapproved") || is_url(text) => return,
        Some(_) => (
            annotation.unwrap_or(place),
            format!("the annotation `{APPROVAL}` is neither a URL nor `unapproved`"),
        ),
    };
    let help =
        "set it to the URL of the pull request that approved the API, or to `unapproved` and the reason";
    found.error_at(Code::NotStructural, place, message).help = Some(help.to_owned());
}

/// Whether a group is a domain, or below it.
fn is_in_domain(group: &str, domain: &str) -> bool {
    group.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// Whether a text has a scheme and a host, which the API server requires of a URL here.
fn is_url(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once("://") else { return false };
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    is_scheme && !rest.is_empty() && !rest.starts_with(['/', '?', '#'])
}

struct SchemaWalk<'s, 'f, 'r> {
    found: &'f mut Findings<'r>,
    /// Those that are regular expressions: many schemas have the same.
    patterns: &'f mut HashSet<&'s str>,
    /// `.spec.rules[].host`
    path: String,
}

impl<'s> SchemaWalk<'s, '_, '_> {
    fn schema(&mut self, schema: &'s Node) {
        let says = |field: &str| text(schema, &[field]) == Some("true");
        let is_free = says("x-kubernetes-int-or-string") || says("x-kubernetes-preserve-unknown-fields");
        if schema.get("type").is_none() && !is_free {
            self.wrong(schema, "has no type");
        }
        if self.path.is_empty() && text(schema, &["type"]) != Some("object") {
            self.wrong(schema, "is not an object");
        }
        for field in
            ["$ref", "definitions", "dependencies", "patternProperties", "deprecated", "discriminator"]
        {
            if schema.get(field).is_some() {
                self.wrong(schema, &format!("has `{field}`"));
            }
        }
        let properties = schema.get("properties");
        if let Some(additional) = schema.get("additionalProperties").filter(|node| node.as_map().is_some()) {
            match properties {
                Some(_) => self.wrong(schema, "has both `properties` and `additionalProperties`"),
                None => self.below(".*", additional),
            }
        }
        for entry in properties.and_then(Node::as_map).into_iter().flatten() {
            self.path.push('.');
            self.below(&entry.key.text, &entry.value);
            self.path.pop();
        }
        match schema.get("items") {
            Some(item) => self.below("[]", item),
            None if text(schema, &["type"]) == Some("array") => {
                self.wrong(schema, "is a list without `items`");
            }
            None => {}
        }
        if let Some(pattern) = text(schema, &["pattern"])
            && !self.patterns.contains(pattern)
        {
            match regex_syntax::parse(pattern) {
                Ok(_) => {
                    self.patterns.insert(pattern);
                }
                Err(error) => {
                    let reason = error.to_string();
                    let reason = reason.lines().last().unwrap_or_default();
                    let what = format!("has a pattern that is not a regular expression: {reason}");
                    self.wrong(schema, &what);
                }
            }
        }
        for junctor in JUNCTORS.iter().filter_map(|field| schema.get(field)).flat_map(|node| items(node, &[]))
        {
            if junctor.get("type").is_some() && !says("x-kubernetes-int-or-string") {
                self.wrong(schema, "sets a type below `allOf`, `anyOf` or `oneOf`");
            }
        }
    }

    fn below(&mut self, step: &str, schema: &'s Node) {
        let length = self.path.len();
        self.path.push_str(step);
        self.schema(schema);
        self.path.truncate(length);
    }

    fn wrong(&mut self, schema: &Node, what: &str) {
        let place = if self.path.is_empty() { "the top".to_owned() } else { format!("`{}`", self.path) };
        let message = format!("the schema is not structural: {place} {what}");
        self.found.error_at(Code::NotStructural, schema, message);
    }
}
