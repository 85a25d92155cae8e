//! `component.yaml`: what a user selects, what it requires and provides, and its parameters.

use super::base::{Base, BaseOrigin, BaseSource};
use super::document::{Document, Named};
use super::secrets::{has_write_only, remove_examples};
use crate::files::{
    Awaited, ComponentFile, ComponentSource, DeclaredSecret, Ready, Requirement, Setter, Stage, Support,
};
use crate::json_schema::validator;
use kfc_diagnostics::{Code, Diagnostic, Diagnostics};
use kfc_kube::ignore::IgnoreRule;
use kfc_kube::readiness::ReadyRule;
use kfc_yaml::Node;
use kfc_yaml::Spanned;
use kfc_yaml::de::Entries;
use kfc_yaml::value::to_json;
use serde_json::Value;
use std::collections::BTreeMap;

/// A unit that a user selects.
#[derive(Clone, Debug)]
pub struct Component {
    /// Its name, that of its directory.
    pub name: Spanned<String>,
    /// One line.
    pub description: String,
    /// The stage that it is for.
    pub stage: Stage,
    /// The version of what it installs.
    pub version: String,
    /// Where its resources come from.
    pub base: Base,
    /// What it requires.
    pub requires: Vec<Requirement>,
    /// Capabilities.
    pub provides: Vec<Spanned<String>>,
    /// Components that cannot be in the same plan.
    pub conflicts: Vec<Spanned<String>>,
    /// Conditions on facts.
    pub supports: Vec<Support>,
    /// Parameters with their JSON Schemas.
    pub parameters: Vec<Parameter>,
    /// The Secrets that it needs.
    pub secrets: Vec<DeclaredSecret>,
    /// Setters for parameters.
    pub set: Vec<Spanned<Setter>>,
    /// Fields of its objects that are left to others.
    pub ignore: Vec<IgnoreRule>,
    /// What must be ready before the next wave.
    pub awaited: Vec<Awaited>,
    /// When objects are ready, instead of what their kind says.
    pub ready: Vec<ReadyRule>,
}

/// A parameter: its name and its JSON Schema, of which `default` may have expressions.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// The name.
    pub name: Spanned<String>,
    /// The schema without its default.
    pub schema: Value,
    /// The default, as it is written.
    pub default: Option<Node>,
    /// Whether the default is a published credential: a bundle with it gets a warning.
    pub published: bool,
    /// Former words for values, and those that replace them.
    pub formerly: BTreeMap<String, String>,
    /// Whether the default is made of a parameter whose values must not be shown.
    pub derived: bool,
    /// Why only the default has an effect, in a release of upstream that cannot set the parameter.
    pub fixed: Option<String>,
}

impl Parameter {
    /// Whether its values are redacted: its schema has `writeOnly`, for the whole or a part, or its default is made of such a
    /// parameter. Then what a user sets for it holds the same secret.
    #[must_use]
    pub fn is_secret(&self) -> bool {
        self.derived || has_write_only(&self.schema)
    }

    /// The word that replaces a value of a user, when that is a former word.
    #[must_use]
    pub fn replacement(&self, given: &Node) -> Option<&str> {
        self.formerly.get(given.as_str()?).map(String::as_str)
    }

    /// The schema as it may be shown: that of a secret without examples and inner defaults.
    #[must_use]
    pub fn shown_schema(&self) -> Value {
        let mut schema = self.schema.clone();
        if self.is_secret() && !self.published {
            remove_examples(&mut schema);
        }
        schema
    }
}

/// The component of a file; parameters that are wrong are reported.
pub(super) fn read(document: &Document, file: ComponentFile, errors: &mut Diagnostics) -> Component {
    let (name, spec) = (file.metadata.name, file.spec);
    check_name(&name, document, errors);
    let (awaited, ready) = split_ready(spec.ready);
    let origin = origin(&name, spec.base, spec.source, errors);
    Component {
        description: spec.description,
        stage: spec.stage,
        version: spec.version,
        base: Base { place: document.place.clone(), origin },
        requires: spec.requires,
        provides: spec.provides,
        conflicts: spec.conflicts,
        supports: spec.supports,
        parameters: parameters(spec.parameters, errors),
        secrets: spec.secrets,
        set: spec.set,
        awaited,
        ready,
        name,
        ignore: spec.ignore.into_iter().map(|entry| entry.0).collect(),
    }
}

/// What is awaited, and when objects are ready.
pub(super) fn split_ready(entries: Vec<Ready>) -> (Vec<Awaited>, Vec<ReadyRule>) {
    let (mut awaited, mut ready) = (Vec::new(), Vec::new());
    for entry in entries {
        match entry {
            Ready::Awaited(object) => awaited.push(object),
            Ready::When(rule) => ready.push(rule),
        }
    }
    (awaited, ready)
}

/// Where the resources come from, which only one field may say.
fn origin(
    name: &Spanned<String>,
    base: Option<Spanned<String>>,
    sources: Vec<Spanned<ComponentSource>>,
    errors: &mut Diagnostics,
) -> BaseOrigin {
    if let (Some(base), Some(source)) = (&base, sources.first()) {
        let error = Diagnostic::error(Code::FieldConflict, "a component has either `base` or `source`");
        let error = error.at(base.mark).label(source.mark, "the first source is here");
        errors.push(
            error.help("to change what a source builds, name its URL in the kustomization of the base"),
        );
    }
    if sources.is_empty() {
        let here = || Spanned { value: ".".to_owned(), mark: name.mark };
        return BaseOrigin::Root(base.unwrap_or_else(here));
    }
    let list = sources.into_iter().map(|source| BaseSource::new(&name.value, source)).collect();
    BaseOrigin::Sources { list, file: "component.yaml".to_owned() }
}

/// The name must be that of the directory, so that a reader finds it.
fn check_name(name: &Spanned<String>, document: &Document, errors: &mut Diagnostics) {
    let folder = document.place.folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    document.check_name(name, folder, &Named { object: "component", file: "directory" }, errors);
}

/// Parameters as a mapping from names to JSON Schemas.
pub(super) fn parameters(
    declared: Entries<crate::files::Declaration>,
    errors: &mut Diagnostics,
) -> Vec<Parameter> {
    let declared = declared.0.into_iter();
    declared.filter_map(|(name, declaration)| errors.collect(parameter(name, &declaration.0.0))).collect()
}

fn parameter(name: Spanned<String>, schema: &Node) -> kfc_diagnostics::Result<Parameter> {
    let mut value = to_json(schema);
    let mut errors = Diagnostics::default();
    let mut own =
        |name: &str| value.as_object_mut().and_then(|object| object.remove(name)).unwrap_or_default();
    own("default");
    let published = own("published");
    check_published(&published, schema, &mut errors);
    let formerly = errors.collect(former_words(&own("formerly"), schema)).unwrap_or_default();
    if let Err(error) = validator(&value) {
        let message = format!("this is not a JSON Schema: {error}");
        errors.push(Diagnostic::error(Code::BadValue, message).at(schema.mark));
    }
    let published = published == Value::Bool(true);
    let default = schema.get("default").cloned();
    errors.into_result(Parameter {
        name,
        schema: value,
        default,
        published,
        formerly,
        derived: false,
        fixed: None,
    })
}

/// `formerly`: words by the words that they replace.
fn former_words(formerly: &Value, schema: &Node) -> kfc_diagnostics::Result<BTreeMap<String, String>> {
    let words = match formerly {
        Value::Null => Some(BTreeMap::new()),
        Value::Object(map) => {
            map.iter().map(|(old, new)| Some((old.clone(), new.as_str()?.to_owned()))).collect()
        }
        _ => None,
    };
    words.ok_or_else(|| {
        let mark = schema.get("formerly").map_or(schema.mark, |node| node.mark);
        let message = "`formerly` must map former words to those that replace them";
        Diagnostic::error(Code::WrongType, message).at(mark).into()
    })
}

/// `published: true` is for secrets whose default is published: so there must be one, the same everywhere.
fn check_published(published: &Value, schema: &Node, errors: &mut Diagnostics) {
    let mark = schema.get("published").map_or(schema.mark, |node| node.mark);
    match published {
        Value::Null | Value::Bool(false) => {}
        Value::Bool(true) => {
            let default = schema.get("default").and_then(Node::as_str);
            let is_fixed = default.is_some_and(|text| !text.is_empty() && !text.contains("{{"));
            let is_secret = schema.get("writeOnly").is_some_and(|node| to_json(node) == Value::Bool(true));
            if !is_fixed || !is_secret {
                let message = "`published` needs `writeOnly: true` and a `default` without expressions";
                errors.push(Diagnostic::error(Code::FieldConflict, message).at(mark));
            }
        }
        _ => {
            let message = "`published` must be true or false";
            errors.push(Diagnostic::error(Code::WrongType, message).at(mark));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Parameter;
    use crate::catalogue::secrets::values_of_secrets;
    use kfc_diagnostics::SourceId;
    use kfc_yaml::Spanned;
    use kfc_yaml::parse::parse;
    use serde_json::{Value, json};
    use std::collections::BTreeMap;

    fn shown(schema: Value, published: bool) -> Value {
        let name = Spanned::nowhere("p".to_owned());
        Parameter {
            name,
            schema,
            default: None,
            published,
            formerly: BTreeMap::new(),
            derived: false,
            fixed: None,
        }
        .shown_schema()
    }

    #[test]
    fn schemas_of_secrets_are_shown_without_examples() {
        let schema = json!({
            "type": "object", "examples": ["P"], "writeOnly": true, "description": "d",
            "properties": {"default": {"type": "string", "default": "P", "example": "P"}, "examples": {"minLength": 1}},
            "anyOf": [{"$defs": {"example": {"examples": ["P"], "maxLength": 9}}}],
        });
        let expected = json!({
            "type": "object", "writeOnly": true, "description": "d",
            "properties": {"default": {"type": "string"}, "examples": {"minLength": 1}},
            "anyOf": [{"$defs": {"example": {"maxLength": 9}}}],
        });
        assert_eq!(shown(schema.clone(), false), expected);
        assert_eq!(shown(schema.clone(), true), schema);
        let open = json!({"type": "string", "examples": ["o"]});
        assert_eq!(shown(open.clone(), false), open);
        let part = json!({"examples": [{"pw": "P"}], "properties": {"pw": {"writeOnly": true}}});
        assert_eq!(shown(part, false), json!({"properties": {"pw": {"writeOnly": true}}}));
    }

    #[test]
    fn values_in_schemas_of_secrets_are_found() {
        let text = "spec:\n  parameters:\n    a: {writeOnly: true, examples: [P], default: P}\n    b: {examples: [o], default: o}\n    c: {published: true, writeOnly: true, default: o}\n    d: {items: [{properties: {example: {writeOnly: true, example: P}}}]}\n";
        let node = parse(text, SourceId(0)).unwrap().remove(0);
        let marked: Vec<&str> =
            values_of_secrets(&node).iter().map(|mark| &text[mark.offset as usize..][..2]).collect();
        assert_eq!(marked, ["[P", "P}", "P}"]);
    }
}
