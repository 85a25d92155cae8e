//! `ignore`: fields of objects that are left to others.

use kfc_kube::ObjectPattern;
use kfc_kube::ignore::{FieldPattern, IgnoreRule};
use serde::Deserialize;

/// Fields of objects that are left to others: an apply, a comparison with a cluster and Argo CD do not touch them.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(with = "IgnoreFields"))]
#[serde(try_from = "IgnoreFields")]
pub struct Ignore(pub IgnoreRule);

#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "IgnoreFields", transform = of_something))]
#[serde(rename = "an entry of `ignore`", deny_unknown_fields)]
struct IgnoreFields {
    /// API group of the objects; any when not given.
    group: Option<String>,
    /// Pattern of their kind, in which `*` stands for any characters.
    #[serde(default)]
    kind: String,
    /// Pattern of their namespace.
    #[serde(default)]
    namespace: String,
    /// Pattern of their name.
    #[serde(default)]
    name: String,
    /// Field paths; `*` stands for any key, `[*]` for every item of a list. Every field of the managers when not given.
    fields: Option<Vec<WrittenPattern>>,
    /// Patterns of the field managers to which the fields are left; anybody when not given.
    managers: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(with = "String"))]
#[serde(try_from = "String")]
struct WrittenPattern(FieldPattern);

impl TryFrom<String> for WrittenPattern {
    type Error = String;

    fn try_from(written: String) -> Result<Self, String> {
        FieldPattern::read(&written).map(Self).map_err(|why| {
            format!("{why}; write it as kfc prints paths: `spec.template.spec.containers[name=web].image`, `metadata.labels['a.b/c']`")
        })
    }
}

impl TryFrom<IgnoreFields> for Ignore {
    type Error = String;

    fn try_from(written: IgnoreFields) -> Result<Self, String> {
        if written.fields.is_none() && written.managers.is_none() {
            let why = "an entry of `ignore` needs `fields` or `managers`: `fields` are left to anybody, or to the field managers of `managers`";
            return Err(why.to_owned());
        }
        Ok(Self(IgnoreRule {
            objects: ObjectPattern {
                group: written.group,
                kind: written.kind,
                namespace: written.namespace,
                name: written.name,
            },
            fields: written.fields.unwrap_or_default().into_iter().map(|pattern| pattern.0).collect(),
            managers: written.managers.unwrap_or_default(),
        }))
    }
}

#[cfg(feature = "schema")]
fn of_something(schema: &mut schemars::Schema) {
    let either = serde_json::json!([{"required": ["fields"]}, {"required": ["managers"]}]);
    schema.insert("anyOf".to_owned(), either);
}
