//! Fields of objects that are left to others: what a stack, an overlay, a component or an annotation declares, by kind, name,
//! field and field manager. A pattern is a text in which `*` stands for any characters.

use crate::ObjectId;
use crate::object_pattern::{ObjectPattern, covers};
use kfc_yaml::field_path::{self, WrittenStep};
use serde_json::Value;
use std::fmt;

/// The annotation with field paths, separated by commas, that are left to others in this one object.
pub const IGNORE_ANNOTATION: &str = "kfc.dev/ignore-fields";

/// Which fields of which objects are left to which field managers.
///
/// ```
/// use kfc_kube::ObjectPattern;
/// use kfc_kube::ignore::{FieldPattern, IgnoreRule};
///
/// let fields = vec![FieldPattern::read("spec.template.spec.containers[*].resources")?];
/// let objects = ObjectPattern { kind: "Deployment".into(), ..ObjectPattern::default() };
/// let rule = IgnoreRule { objects, fields, ..IgnoreRule::default() };
/// assert!(rule.selects(&"Deployment shop/web".parse()?));
/// assert!(!rule.selects(&"Job shop/web".parse()?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IgnoreRule {
    /// The objects.
    pub objects: ObjectPattern,
    /// The fields; every field that `managers` own when there are none.
    pub fields: Vec<FieldPattern>,
    /// Patterns of the field managers to which the fields are left; anybody when there are none.
    pub managers: Vec<String>,
}

impl IgnoreRule {
    /// Whether the rule is about an object.
    #[must_use]
    pub fn selects(&self, object: &ObjectId) -> bool {
        self.objects.selects(object)
    }

    /// Whether fields are left to a field manager.
    #[must_use]
    pub fn is_left_to(&self, manager: &str) -> bool {
        self.managers.is_empty() || self.managers.iter().any(|pattern| covers(pattern, manager))
    }
}

/// A field path in which `*` stands for any key and `[*]` for every item of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldPattern {
    text: String,
    steps: Vec<WrittenStep>,
}

/// A step to a field of an object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FieldStep {
    /// A key of a mapping.
    Key(String),
    /// An index of a list.
    Index(usize),
}

impl FieldPattern {
    /// Reads a path as kfc prints it: `spec.template.spec.containers[name=web].image`, `metadata.annotations['a.b/c']`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(text: &str) -> Result<Self, String> {
        let steps = field_path::read(text).map_err(|why| format!("`{text}` is not a field path: {why}"))?;
        if steps.is_empty() {
            return Err("a field path is empty".to_owned());
        }
        Ok(Self { text: text.to_owned(), steps })
    }

    /// Its steps as they are written.
    #[must_use]
    pub fn steps(&self) -> &[WrittenStep] {
        &self.steps
    }

    /// The fields of an object that it matches.
    #[must_use]
    pub fn find(&self, object: &Value) -> Vec<Vec<FieldStep>> {
        let mut found = Vec::new();
        collect(object, &self.steps, &mut Vec::new(), &mut found);
        found
    }
}

impl fmt::Display for FieldPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The rule of an object's own annotation; `None` when it has none.
///
/// # Errors
/// What is wrong with one of its paths.
pub fn of_annotation(object: &ObjectId, value: &Value) -> Result<Option<IgnoreRule>, String> {
    let Some(text) = value["metadata"]["annotations"][IGNORE_ANNOTATION].as_str() else { return Ok(None) };
    let fields = text.split(',').map(str::trim).filter(|path| !path.is_empty());
    let fields = fields.map(FieldPattern::read).collect::<Result<Vec<_>, _>>()?;
    Ok((!fields.is_empty()).then(|| IgnoreRule {
        objects: ObjectPattern::of(object),
        fields,
        managers: Vec::new(),
    }))
}

fn collect(value: &Value, steps: &[WrittenStep], at: &mut Vec<FieldStep>, found: &mut Vec<Vec<FieldStep>>) {
    let Some((step, rest)) = steps.split_first() else {
        found.push(at.clone());
        return;
    };
    match value {
        Value::Object(map) => {
            for (key, below) in map.iter().filter(|(key, _)| is_key(step, key)) {
                at.push(FieldStep::Key(key.clone()));
                collect(below, rest, at, found);
                at.pop();
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate().filter(|(index, item)| is_item(step, *index, item))
            {
                at.push(FieldStep::Index(index));
                collect(item, rest, at, found);
                at.pop();
            }
        }
        _ => {}
    }
}

fn is_key(step: &WrittenStep, key: &str) -> bool {
    match step {
        WrittenStep::Word(pattern) | WrittenStep::Key(pattern) => covers(pattern, key),
        _ => false,
    }
}

fn is_item(step: &WrittenStep, index: usize, item: &Value) -> bool {
    let is = |value: &Value, pattern: &str| match value {
        Value::String(text) => covers(pattern, text),
        other => covers(pattern, &other.to_string()),
    };
    match step {
        WrittenStep::Index(at) => *at == index,
        WrittenStep::Word(word) => word == "*" || word.parse() == Ok(index),
        WrittenStep::Named(name) => name == "*" || is(&item["name"], name),
        WrittenStep::Item(pairs) => {
            pairs.iter().all(
                |(key, value)| if key.is_empty() { is(item, value) } else { is(&item[key.as_str()], value) },
            )
        }
        WrittenStep::Key(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{FieldPattern, of_annotation};
    use crate::ObjectId;
    use serde_json::json;

    #[test]
    fn paths_find_keys_and_items() {
        let object = json!({
            "metadata": {"annotations": {"sidecar.istio.io/a": "1", "other": "2"}},
            "spec": {"containers": [{"name": "web", "image": "a"}, {"name": "proxy", "image": "b"}], "replicas": 2},
        });
        let count = |path: &str| FieldPattern::read(path).unwrap().find(&object).len();
        assert_eq!(count("spec.replicas"), 1);
        assert_eq!(count("spec.containers[*].image"), 2);
        assert_eq!(count("spec.containers[name=p*].image"), 1);
        assert_eq!(count("spec.containers[1].image"), 1);
        assert_eq!(count("metadata.annotations['sidecar.istio.io/*']"), 1);
        assert_eq!(count("spec.*"), 2);
        assert_eq!(count("spec.none.below"), 0);
        assert!(FieldPattern::read("").is_err() && FieldPattern::read("a..b").is_err());
    }

    #[test]
    fn an_annotation_is_a_rule_for_its_object() {
        let object: ObjectId = "Deployment shop/web".parse().unwrap();
        let value =
            json!({"metadata": {"annotations": {"kfc.dev/ignore-fields": "spec.replicas, spec.paused"}}});
        let rule = of_annotation(&object, &value).unwrap().unwrap();
        assert!(rule.selects(&object) && rule.fields.len() == 2 && rule.is_left_to("anybody"));
        assert_eq!(of_annotation(&object, &json!({})), Ok(None));
        let wrong = json!({"metadata": {"annotations": {"kfc.dev/ignore-fields": "a["}}});
        assert!(of_annotation(&object, &wrong).is_err());
    }
}
