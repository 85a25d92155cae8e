//! What in the schema of a parameter is a secret.

use crate::files::WayWord;
use kfc_diagnostics::Mark;
use kfc_yaml::Node;
use kfc_yaml::value::to_json;
use serde_json::Value;

/// Keywords of a schema that hold values of what it describes.
const WITH_VALUES: [&str; 3] = ["default", "examples", "example"];

/// Keywords of a schema whose value has names of its own.
const WITH_NAMES: [&str; 5] = ["properties", "patternProperties", "dependentSchemas", "$defs", "definitions"];

/// Whether a schema has `writeOnly`, for the whole or a part.
pub(super) fn has_write_only(schema: &Value) -> bool {
    match schema {
        Value::Object(map) => {
            map.get("writeOnly") == Some(&Value::Bool(true)) || map.values().any(has_write_only)
        }
        Value::Array(items) => items.iter().any(has_write_only),
        _ => false,
    }
}

/// Removes the values that a schema shows.
pub(super) fn remove_examples(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            map.retain(|keyword, _| !WITH_VALUES.contains(&keyword.as_str()));
            for (keyword, value) in map {
                match value {
                    Value::Object(named) if WITH_NAMES.contains(&keyword.as_str()) => {
                        named.values_mut().for_each(remove_examples);
                    }
                    value => remove_examples(value),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(remove_examples),
        _ => {}
    }
}

/// The places of the values that schemas of secrets hold, in a document of ours: no line that is shown has them.
pub(super) fn values_of_secrets(document: &Node) -> Vec<Mark> {
    let mut marks = Vec::new();
    let parameters = document.at(&["spec", "parameters"]).and_then(Node::as_map);
    for schema in parameters.into_iter().flatten().map(|entry| &entry.value) {
        let is_published = schema.get("published").is_some_and(|node| to_json(node) == Value::Bool(true));
        if !is_published && has_write_only(&to_json(schema)) {
            add_values(schema, &mut marks);
        }
    }
    marks
}

/// Whether a text is a word for where values come from.
fn is_way(text: &str) -> bool {
    WayWord::ALL.iter().any(|word| word.word() == text)
}

/// The places of values in a stack's file that no line that is shown has: those under `secrets`, where they must not be, and those
/// that setters put into Secrets.
pub(super) fn values_in_stack(document: &Node) -> Vec<Mark> {
    let Some(spec) = document.get("spec") else { return Vec::new() };
    let environments = spec.get("environments").and_then(Node::as_map).into_iter().flatten();
    let mut marks = values_in_spec(spec);
    marks.extend(environments.flat_map(|entry| values_in_spec(&entry.value)));
    marks.extend(spec.get("clusters").into_iter().flat_map(values_in_clusters));
    marks
}

/// As [`values_in_stack`], in a list of clusters.
pub(super) fn values_in_clusters(list: &Node) -> Vec<Mark> {
    let specs = list.as_seq().into_iter().flatten().filter_map(|cluster| cluster.get("spec"));
    specs.flat_map(values_in_spec).collect()
}

fn values_in_spec(spec: &Node) -> Vec<Mark> {
    let secrets = spec.get("secrets").and_then(Node::as_map).into_iter().flatten();
    let plain = secrets.flat_map(|entry| match entry.value.get("value").unwrap_or(&entry.value) {
        value if value.as_text().is_some_and(is_way) => Vec::new(),
        value => match value.as_map() {
            Some(fields) => {
                let fields = fields.iter().filter(|field| field.value.as_map().is_none());
                fields
                    .filter(|field| !["file", "existing"].contains(&field.key.text.as_str()))
                    .map(|field| field.value.mark)
                    .collect()
            }
            None => vec![value.mark],
        },
    });
    let setters = spec.get("set").and_then(Node::as_seq).into_iter().flatten();
    let is_of_secret = |setter: &&Node| {
        setter.at(&["select", "kind"]).and_then(Node::as_text).is_none_or(|kind| kind == "Secret")
    };
    let set = setters.filter(is_of_secret).filter_map(|setter| setter.get("value")).map(|value| value.mark);
    plain.chain(set).collect()
}

fn add_values(schema: &Node, marks: &mut Vec<Mark>) {
    for entry in schema.as_map().into_iter().flatten() {
        match entry.key.text.as_str() {
            keyword if WITH_VALUES.contains(&keyword) => marks.push(entry.value.mark),
            keyword if WITH_NAMES.contains(&keyword) => {
                let named = entry.value.as_map().into_iter().flatten();
                named.for_each(|entry| add_values(&entry.value, marks));
            }
            _ => add_values(&entry.value, marks),
        }
    }
    schema.as_seq().into_iter().flatten().for_each(|item| add_values(item, marks));
}
