//! Definitions of custom resources: names, columns, subresources and the structure of schemas.

use super::super::definitions::shape_of;
use super::super::fit::Fit;
use super::super::path::Path;
use super::here::{Check, Here, is_empty, is_true, text};
use super::words::is_label;
use kfc_diagnostics::Code;
use kfc_yaml::Node;
use std::collections::HashSet;

pub(super) const CHECKS: &[(&str, Check)] = &[
    ("apiextensions.v1.CustomResourceDefinitionNames", names),
    ("apiextensions.v1.CustomResourceDefinitionSpec", spec),
    ("apiextensions.v1.CustomResourceDefinitionVersion", version),
];

const TYPES: [&str; 6] = ["array", "boolean", "integer", "number", "object", "string"];
/// Levels of a schema that are looked at.
const DEEPEST: usize = 100;

fn names(here: &mut Here<'_, '_>) {
    let (kind, list) = (here.text(&["kind"]), here.text(&["listKind"]));
    if kind.is_some() && kind == list {
        here.invalid("listKind", "kind and listKind may not be the same");
    }
    for list in ["shortNames", "categories"] {
        for (index, name) in here.items(&[list]) {
            if name.as_str() == Some("") {
                here.invalid(
                    &format!("{list}[{index}]"),
                    "a DNS-1035 label must consist of lower case alphanumeric characters or '-'",
                );
            }
        }
    }
}

fn spec(here: &mut Here<'_, '_>) {
    if here.at(&["conversion"]).is_some_and(|conversion| conversion.get("strategy").is_none_or(is_empty)) {
        here.required("conversion.strategy", "");
    }
}

fn version(here: &mut Here<'_, '_>) {
    let name = here.node.get("name").and_then(Node::as_text);
    if name.is_some_and(|name| !is_label(name) || name.starts_with(|c: char| c.is_ascii_digit())) {
        here.invalid("name", "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character");
    }
    for (index, column) in here.items(&["additionalPrinterColumns"]) {
        if let Some(path) = column.get("jsonPath").and_then(text)
            && !is_json_path(path)
        {
            here.invalid(
                &format!("additionalPrinterColumns[{index}].jsonPath"),
                "must be a simple json path starting with .",
            );
        }
    }
    let Some(schema) = here.at(&["schema", "openAPIV3Schema"]) else { return };
    selectable(here, schema);
    let outer = Path::TOP.field("schema");
    let top = outer.field("openAPIV3Schema");
    root(here, schema, &top);
    let mut walk = SchemaWalk { here, depth: 0 };
    walk.schema(schema, &top, Place { is_root: true, ..Place::default() });
}

/// A simple JSON path starts with a dot.
fn is_json_path(path: &str) -> bool {
    path.starts_with('.') && !path.contains('{')
}

/// Fields that can be selected are texts, numbers or booleans of the schema.
fn selectable(here: &mut Here<'_, '_>, schema: &Node) {
    let mut seen = HashSet::new();
    for (index, field) in here.items(&["selectableFields"]) {
        let Some(path) = field.get("jsonPath").and_then(text) else { continue };
        let below = format!("selectableFields[{index}].jsonPath");
        if !seen.insert(path) {
            here.duplicate(&below, path);
            continue;
        }
        let words = match path.strip_prefix('.') {
            None => "is an invalid path: expected [ or . but got something else",
            Some(_) if path.contains('[') => "is an invalid path: array notation is not allowed",
            Some(path) => {
                match path.split('.').try_fold(schema, |schema, name| schema.at(&["properties", name])) {
                    None => "is an invalid path: does not refer to a valid field",
                    Some(found)
                        if !matches!(
                            found.get("type").and_then(text),
                            Some("string" | "boolean" | "integer")
                        ) =>
                    {
                        "must point to a field of type string, boolean or integer"
                    }
                    Some(_) => continue,
                }
            }
        };
        here.invalid(&below, words);
    }
}

/// What the schema of a whole object may not say.
fn root(here: &mut Here<'_, '_>, schema: &Node, top: &Path<'_>) {
    if schema.get("nullable").is_some_and(is_true) {
        here.invalid(&top.field("nullable"), "nullable cannot be true at the root");
    }
    if schema.get("default").is_some_and(|default| !default.is_null()) {
        here.invalid(&top.field("default"), "default cannot be set at the root");
    }
    metadata(here, schema, top, true);
}

/// `metadata`, `apiVersion` and `kind` of an object: their types, and that only names are limited.
fn metadata(here: &mut Here<'_, '_>, schema: &Node, path: &Path<'_>, is_root: bool) {
    for (field, due) in [("metadata", "object"), ("apiVersion", "string"), ("kind", "string")] {
        let Some(property) = schema.at(&["properties", field]) else { continue };
        let properties = path.field("properties");
        let below = properties.field(field);
        let kind = property.get("type").and_then(text);
        if kind.is_some_and(|kind| kind != due) {
            here.invalid(&below.field("type"), &format!("must be {due}"));
            continue;
        }
        if field != "metadata" || !is_root {
            continue;
        }
        let only = |node: &Node, allowed: &[&str]| {
            node.as_map().is_none_or(|map| map.iter().all(|entry| allowed.contains(&entry.key.text.as_str())))
        };
        let has_only_names =
            property.get("properties").is_none_or(|names| only(names, &["name", "generateName"]));
        if !only(property, &["type", "properties", "description"]) || !has_only_names {
            here.forbidden(&below, "must not specify anything other than name and generateName, but metadata is implicitly specified");
        }
        for name in ["name", "generateName"] {
            if property.at(&["properties", name, "default"]).is_some() {
                here.forbidden(
                    &below.field("properties").field(name).field("default"),
                    "must not be set in top-level metadata",
                );
            }
        }
    }
}

#[derive(Clone, Copy, Default)]
struct Place {
    is_root: bool,
    /// Inside `allOf`, `anyOf`, `oneOf` or `not`.
    is_junctor: bool,
    /// Directly in `anyOf` of an `x-kubernetes-int-or-string`, whose types are fixed.
    may_have_type: bool,
}

struct SchemaWalk<'s, 'h, 'r> {
    here: &'s mut Here<'h, 'r>,
    depth: usize,
}

impl SchemaWalk<'_, '_, '_> {
    fn schema(&mut self, schema: &Node, path: &Path<'_>, place: Place) {
        if self.depth > DEEPEST || schema.as_map().is_none() {
            return;
        }
        self.depth += 1;
        if place.is_junctor {
            self.junctor(schema, path, place);
        } else {
            self.whole(schema, path);
        }
        self.fields(schema, path);
        if !place.is_junctor && !place.is_root {
            self.default(schema, path);
        }
        self.below(schema, path, place);
        self.depth -= 1;
    }

    fn below(&mut self, schema: &Node, path: &Path<'_>, place: Place) {
        let inner = Place { is_root: false, may_have_type: false, ..place };
        let properties = path.field("properties");
        for entry in schema.get("properties").and_then(Node::as_map).into_iter().flatten() {
            self.schema(&entry.value, &properties.field(&entry.key.text), inner);
        }
        for field in ["items", "additionalProperties"] {
            if let Some(one) = schema.get(field).filter(|one| one.as_map().is_some()) {
                self.schema(one, &path.field(field), inner);
            }
        }
        let is_either = schema.get("x-kubernetes-int-or-string").is_some_and(is_true);
        let junctor = Place { is_root: false, is_junctor: true, may_have_type: place.may_have_type };
        for field in ["allOf", "anyOf", "oneOf"] {
            let list = schema.get(field).and_then(Node::as_seq).unwrap_or_default();
            let types: Vec<Option<&str>> = list.iter().map(|one| one.get("type").and_then(text)).collect();
            let is_fixed = field == "anyOf" && types == [Some("integer"), Some("string")];
            for (index, one) in list.iter().enumerate() {
                let may_have_type = (is_either || place.may_have_type) && (is_fixed || field == "allOf");
                self.schema(one, &path.field(field).item(index), Place { may_have_type, ..junctor });
            }
        }
        if let Some(not) = schema.get("not") {
            self.schema(not, &path.field("not"), Place { may_have_type: false, ..junctor });
        }
    }

    /// Parts of a schema that only the structure has, not what limits it.
    fn junctor(&mut self, schema: &Node, path: &Path<'_>, place: Place) {
        for field in [
            "type",
            "description",
            "title",
            "default",
            "nullable",
            "additionalProperties",
            "x-kubernetes-validations",
            "x-kubernetes-preserve-unknown-fields",
            "x-kubernetes-int-or-string",
            "x-kubernetes-embedded-resource",
            "x-kubernetes-list-type",
            "x-kubernetes-map-type",
        ] {
            let is_set =
                schema.get(field).is_some_and(|value| !is_empty(value) && value.as_text() != Some("false"));
            if is_set && !(field == "type" && place.may_have_type) {
                self.here.forbidden(&path.field(field), "must be empty to be structural");
            }
        }
    }

    fn whole(&mut self, schema: &Node, path: &Path<'_>) {
        let kind = schema.get("type").and_then(text);
        let says = |field: &str| schema.get(field).is_some_and(is_true);
        if let Some(kind) = kind.filter(|kind| !TYPES.contains(kind)) {
            self.here.refuse(
                Code::ValueNotAllowed,
                &path.field("type"),
                &super::table::unsupported(kind, &TYPES),
            );
        }
        let is_free = says("x-kubernetes-int-or-string") || says("x-kubernetes-preserve-unknown-fields");
        if kind.is_none() && schema.get("type").is_some() && !is_free {
            self.here.required(&path.field("type"), "must not be empty for specified object fields");
        }
        if says("x-kubernetes-embedded-resource") {
            if kind.is_some_and(|kind| kind != "object") {
                self.here
                    .invalid(&path.field("type"), "must be object if x-kubernetes-embedded-resource is true");
            }
            if schema.get("properties").is_none_or(is_empty) && !says("x-kubernetes-preserve-unknown-fields")
            {
                self.here.required(&path.field("properties"), "must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields");
            }
            metadata(self.here, schema, path, false);
        }
        if let Some(map_type) = schema.get("x-kubernetes-map-type").and_then(text) {
            if !matches!(map_type, "atomic" | "granular") {
                let words = super::table::unsupported(map_type, &["atomic", "granular"]);
                self.here.refuse(Code::ValueNotAllowed, &path.field("x-kubernetes-map-type"), &words);
            } else if kind != Some("object") {
                self.here
                    .invalid(&path.field("type"), "must be object if x-kubernetes-map-type is specified");
            }
        }
        self.list(schema, kind, path);
    }

    /// `x-kubernetes-list-type` and its keys.
    fn list(&mut self, schema: &Node, kind: Option<&str>, path: &Path<'_>) {
        let list_type = schema.get("x-kubernetes-list-type").and_then(text);
        let keys: Vec<&str> = schema
            .get("x-kubernetes-list-map-keys")
            .and_then(Node::as_seq)
            .into_iter()
            .flatten()
            .filter_map(Node::as_text)
            .collect();
        let items = schema.get("items");
        let item = |field: &str| items.and_then(|items| items.get(field)).and_then(text);
        let keys_at = path.field("x-kubernetes-list-map-keys");
        match list_type {
            None => {
                if !keys.is_empty() {
                    self.here.required(
                        &path.field("x-kubernetes-list-type"),
                        "must be map if x-kubernetes-list-map-keys is non-empty",
                    );
                }
                return;
            }
            Some("atomic") => return,
            Some("set" | "map") => {}
            Some(other) => {
                let words = super::table::unsupported(other, &["atomic", "map", "set"]);
                return self.here.refuse(
                    Code::ValueNotAllowed,
                    &path.field("x-kubernetes-list-type"),
                    &words,
                );
            }
        }
        if kind != Some("array") {
            return self
                .here
                .invalid(&path.field("type"), "must be array if x-kubernetes-list-type is specified");
        }
        if item("nullable") == Some("true") {
            self.here.forbidden(
                &path.field("items").field("nullable"),
                "cannot be nullable when x-kubernetes-list-type is set or map",
            );
        }
        if list_type == Some("set") {
            match item("type") {
                Some("object") if item("x-kubernetes-map-type") != Some("atomic") => {
                    self.here.invalid(
                        &path.field("items").field("x-kubernetes-map-type"),
                        "must be atomic as item of a list with x-kubernetes-list-type=set",
                    );
                }
                Some("array") if !matches!(item("x-kubernetes-list-type"), None | Some("atomic")) => {
                    self.here.invalid(
                        &path.field("items").field("x-kubernetes-list-type"),
                        "must be atomic as item of a list with x-kubernetes-list-type=set",
                    );
                }
                _ => {}
            }
            return;
        }
        if keys.is_empty() {
            self.here.required(&keys_at, "must not be empty if x-kubernetes-list-type is map");
        }
        if item("type").is_some_and(|kind| kind != "object") {
            self.here.invalid(
                &path.field("items").field("type"),
                "must be object if parent array's x-kubernetes-list-type is map",
            );
        }
        self.keys(items, &keys, path, &keys_at);
    }

    fn keys(&mut self, items: Option<&Node>, keys: &[&str], path: &Path<'_>, keys_at: &Path<'_>) {
        let required: Vec<&str> = items
            .and_then(|items| items.get("required"))
            .and_then(Node::as_seq)
            .into_iter()
            .flatten()
            .filter_map(Node::as_text)
            .collect();
        let items_at = path.field("items");
        let properties = items_at.field("properties");
        for (index, name) in keys.iter().enumerate() {
            let property = items.and_then(|items| items.at(&["properties", name]));
            let below = properties.field(name);
            if keys[..index].contains(name) {
                self.here.duplicate(&keys_at.item(index), name);
                continue;
            }
            let Some(property) = property else {
                self.here.invalid(&keys_at.item(index), "entries must all be names of item properties");
                continue;
            };
            if matches!(property.get("type").and_then(text), Some("object" | "array")) {
                self.here.invalid(
                    &below.field("type"),
                    "must be a scalar type if parent array's x-kubernetes-list-type is map",
                );
            }
            if property.get("nullable").is_some_and(is_true) {
                self.here.forbidden(
                    &below.field("nullable"),
                    "this property is in x-kubernetes-list-map-keys, so it cannot be nullable",
                );
            }
            if !required.contains(name) && property.get("default").is_none() {
                self.here.required(&below.field("default"), "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property");
            }
        }
    }

    /// Fields that no schema may have, and those with few values.
    fn fields(&mut self, schema: &Node, path: &Path<'_>) {
        for field in ["additionalItems", "id", "$schema"] {
            if schema.get(field).is_some_and(|value| !is_empty(value)) {
                self.here.forbidden(&path.field(field), &format!("{field} is not supported"));
            }
        }
        if schema.get("uniqueItems").is_some_and(is_true) {
            self.here.forbidden(
                &path.field("uniqueItems"),
                "uniqueItems cannot be set to true since the runtime complexity becomes quadratic",
            );
        }
        for field in ["x-kubernetes-preserve-unknown-fields"] {
            if schema.get(field).and_then(Node::as_text) == Some("false") {
                self.here.invalid(&path.field(field), "must be true or undefined");
            }
        }
        if let Some(pattern) = schema.get("pattern").and_then(text)
            && let Some(words) = pattern_fault(pattern)
        {
            self.here.invalid(&path.field("pattern"), words);
        }
        for (index, rule) in
            schema.get("x-kubernetes-validations").and_then(Node::as_seq).into_iter().flatten().enumerate()
        {
            self.rule(schema, rule, &path.field("x-kubernetes-validations").item(index));
        }
    }

    /// What a rule says beside its expression.
    fn rule(&mut self, schema: &Node, rule: &Node, path: &Path<'_>) {
        if rule.get("rule").and_then(Node::as_text).is_some_and(|rule| rule.trim().is_empty()) {
            self.here.required(&path.field("rule"), "rule is not specified");
        }
        if let Some(message) = rule.get("message").and_then(text) {
            if message.trim().is_empty() {
                self.here.invalid(&path.field("message"), "must be non-empty if specified");
            } else if message.contains(['\n', '\r']) {
                self.here.invalid(&path.field("message"), "must not contain line breaks");
            }
        }
        if let Some(field) = rule.get("fieldPath").and_then(text)
            && !has_field(schema, field)
        {
            self.here.invalid(&path.field("fieldPath"), "must be a valid path");
        }
    }

    /// A default has to fit its own schema.
    fn default(&mut self, schema: &Node, path: &Path<'_>) {
        let Some(default) = schema.get("default") else { return };
        if schema.get("x-kubernetes-int-or-string").is_some_and(is_true) {
            return;
        }
        let nullable = schema.get("nullable").is_some_and(is_true);
        if default.is_null() && nullable {
            return;
        }
        let (shapes, id) = shape_of(schema);
        let mut fit = Fit {
            shapes: &shapes,
            table: self.here.table,
            null_is_nothing: false,
            found: self.here.found.empty(),
        };
        fit.check(default, id, &Path::TOP, default.mark.known());
        let first = fit.found.list.iter().find(|finding| finding.is_error());
        if let Some(words) = first.map(|first| first.diagnostic.message.clone()) {
            self.here.invalid(&path.field("default"), &format!("the default does not fit: {words}"));
        }
    }
}

/// Whether a path such as `.a.b` or `.map['a']` leads to a field of a schema.
fn has_field(schema: &Node, path: &str) -> bool {
    let Some(rest) = path.strip_prefix('.').or_else(|| path.starts_with("['").then_some(path)) else {
        return false;
    };
    let mut at = schema;
    let names: Vec<&str> = super::expand::steps(rest).collect();
    if names.is_empty() || rest.ends_with('.') {
        return false;
    }
    for name in names {
        let next = at
            .at(&["properties", name])
            .or_else(|| at.get("additionalProperties").filter(|one| one.as_map().is_some()));
        let Some(next) = next else { return false };
        at = next;
    }
    true
}

/// What Go's regular expressions do not have, though ours do: a repetition of a repetition, and counts above 1000.
fn pattern_fault(pattern: &str) -> Option<&'static str> {
    let (mut is_escaped, mut in_class, mut repeated) = (false, false, 0);
    let mut rest = pattern.char_indices();
    while let Some((at, sign)) = rest.next() {
        let is_repetition = !is_escaped && !in_class && matches!(sign, '*' | '+' | '?');
        match sign {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '[' if !in_class => {
                in_class = true;
                // A bracket that comes first belongs to the class.
                let inside = pattern[at + 1..].trim_start_matches('^');
                if inside.starts_with(']') {
                    rest.find(|(_, sign)| *sign == ']');
                }
            }
            ']' => in_class = false,
            '{' if !in_class => {
                let counts = pattern[at + 1..].split('}').next().unwrap_or("");
                if counts.split(',').any(|count| count.parse::<u32>().is_ok_and(|count| count > 1000)) {
                    return Some("must be a valid regular expression, but isn't: invalid repeat count");
                }
            }
            _ => {}
        }
        // One `?` makes a repetition lazy.
        repeated = if !is_repetition {
            0
        } else if sign == '?' && repeated == 1 {
            2
        } else {
            repeated + 1
        };
        if repeated > 1 && sign != '?' || repeated > 2 {
            return Some("must be a valid regular expression, but isn't: invalid nested repetition operator");
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::pattern_fault;

    #[test]
    fn patterns_are_those_of_go() {
        for right in [r"^[A-Za-z0-9!#$%&'*+\-.^_|~]+$", "a+?b", r"\*+", "[]*+]a", "a{1,1000}", "(a*)+"] {
            assert_eq!(pattern_fault(right), None, "{right}");
        }
        for wrong in ["a**", "a+*", "a{1001}", "a*??"] {
            assert!(pattern_fault(wrong).is_some(), "{wrong}");
        }
    }
}
