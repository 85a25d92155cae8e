//! Fields that are left to others, as Argo CD's `ignoreDifferences`.

use kfc_kube::ignore::{FieldPattern, IgnoreRule};
use kfc_yaml::field_path::WrittenStep;
use serde_json::{Value, json};

/// The entries of `ignoreDifferences` for some rules. Argo CD has no patterns for parts of a key: such a field is left out
/// with a reason.
#[must_use]
pub fn ignore_differences(rules: &[IgnoreRule]) -> (Vec<Value>, Vec<String>) {
    let mut entries = Vec::new();
    let mut left = Vec::new();
    for rule in rules {
        let objects = &rule.objects;
        let mut entry = json!({"kind": if objects.kind.is_empty() { "*" } else { &objects.kind }});
        entry["group"] = objects.group.as_deref().unwrap_or("*").into();
        for (field, value) in [("namespace", &objects.namespace), ("name", &objects.name)] {
            if !value.is_empty() && value != "*" {
                entry[field] = value.as_str().into();
            }
        }
        let mut paths = Vec::new();
        for field in &rule.fields {
            match expression(field) {
                Some(path) => paths.push(path),
                None => {
                    left.push(format!("`{field}` has a pattern inside a key, which Argo CD cannot ignore"));
                }
            }
        }
        if !paths.is_empty() {
            entry["jqPathExpressions"] = paths.into();
        }
        // Argo CD ignores fields by path or by manager: the path alone covers both.
        if rule.fields.is_empty() {
            entry["managedFieldsManagers"] = rule.managers.clone().into();
        }
        if entry["jqPathExpressions"].is_array() || entry["managedFieldsManagers"].is_array() {
            entries.push(entry);
        }
    }
    (entries, left)
}

/// A field pattern as an expression of jq.
fn expression(field: &FieldPattern) -> Option<String> {
    let mut text = String::new();
    for step in field.steps() {
        let part = match step {
            WrittenStep::Word(word) | WrittenStep::Key(word) if word == "*" => "[]?".to_owned(),
            WrittenStep::Word(key) | WrittenStep::Key(key) if key.contains('*') => return None,
            WrittenStep::Word(key) | WrittenStep::Key(key) => format!("[{}]?", Value::from(key.as_str())),
            WrittenStep::Index(at) => format!("[{at}]?"),
            WrittenStep::Named(name) if name == "*" => "[]?".to_owned(),
            WrittenStep::Named(name) => selection(&[("name".to_owned(), name.clone())])?,
            WrittenStep::Item(pairs) => selection(pairs)?,
        };
        if text.is_empty() || text.ends_with(')') {
            text.push_str(if text.is_empty() { "." } else { " | ." });
        }
        text.push_str(&part);
    }
    Some(text)
}

/// The items of a list with some values; numbers are compared as texts.
fn selection(pairs: &[(String, String)]) -> Option<String> {
    let conditions: Option<Vec<String>> = pairs
        .iter()
        .map(|(key, value)| {
            let of =
                if key.is_empty() { ".".to_owned() } else { format!(".[{}]?", Value::from(key.as_str())) };
            (!value.contains('*')).then(|| format!("({of} | tostring) == {}", Value::from(value.as_str())))
        })
        .collect();
    Some(format!("[]? | select({})", conditions?.join(" and ")))
}

#[cfg(test)]
mod tests {
    use super::ignore_differences;
    use kfc_kube::ObjectPattern;
    use kfc_kube::ignore::{FieldPattern, IgnoreRule};
    use serde_json::json;

    #[test]
    fn rules_become_entries() {
        let fields = |paths: &[&str]| paths.iter().map(|path| FieldPattern::read(path).unwrap()).collect();
        let rules = [
            IgnoreRule {
                objects: ObjectPattern {
                    group: Some("apps".to_owned()),
                    kind: "Deployment".to_owned(),
                    name: "web".to_owned(),
                    ..ObjectPattern::default()
                },
                fields: fields(&[
                    "spec.replicas",
                    "spec.template.spec.containers[name=web].resources",
                    "metadata.annotations['a/*']",
                ]),
                ..IgnoreRule::default()
            },
            IgnoreRule { managers: vec!["vpa-*".to_owned()], ..IgnoreRule::default() },
        ];
        let (entries, left) = ignore_differences(&rules);
        assert_eq!(
            entries,
            [
                json!({"group": "apps", "kind": "Deployment", "name": "web", "jqPathExpressions": [
                    r#".["spec"]?["replicas"]?"#,
                    r#".["spec"]?["template"]?["spec"]?["containers"]?[]? | select((.["name"]? | tostring) == "web") | .["resources"]?"#,
                ]}),
                json!({"group": "*", "kind": "*", "managedFieldsManagers": ["vpa-*"]}),
            ]
        );
        assert_eq!(
            left,
            ["`metadata.annotations['a/*']` has a pattern inside a key, which Argo CD cannot ignore"]
        );
    }
}
