//! `component.yaml`: what a user selects, what it requires and provides, and its parameters.

use super::document::{Document, Place, name_of};
use super::ignore;
use super::secrets::{has_write_only, remove_examples};
use super::setter::{self, Setter};
use crate::json_schema::validator;
use kfc_diagnostics::{Code, Diagnostic, Mark};
use kfc_kube::ignore::IgnoreRule;
use kfc_yaml::Node;
use kfc_yaml::fields::{Errors, Fields, Spanned};
use kfc_yaml::value::to_json;
use serde_json::Value;

/// Stages in the life of a model, in the order in which `kfc list` shows them.
pub const STAGES: [&str; 7] =
    ["data", "training", "serving", "pipelines", "workbench", "management", "foundation"];

/// The kustomization root that a component's resources come from.
#[derive(Clone, Debug)]
pub struct Base {
    /// Its directory, relative to the component's directory, or a URL.
    pub path: Spanned,
    /// Directory of the component.
    pub place: Place,
}

/// A unit that a user selects.
#[derive(Clone, Debug)]
pub struct Component {
    /// Its name, that of its directory.
    pub name: Spanned,
    /// One line.
    pub description: String,
    /// One of [`STAGES`].
    pub stage: String,
    /// The version of what it installs.
    pub version: String,
    /// Where its resources come from.
    pub base: Base,
    /// What it requires.
    pub requires: Vec<Requirement>,
    /// Capabilities.
    pub provides: Vec<Spanned>,
    /// Components that cannot be in the same plan.
    pub conflicts: Vec<Spanned>,
    /// Conditions on facts.
    pub supports: Vec<Support>,
    /// Parameters with their JSON Schemas.
    pub parameters: Vec<Parameter>,
    /// Setters for parameters.
    pub set: Vec<Setter>,
    /// Fields of its objects that are left to others.
    pub ignore: Vec<IgnoreRule>,
    /// What must hold before the next wave.
    pub ready: Vec<Ready>,
}

/// A parameter: its name and its JSON Schema, of which `default` may have expressions.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// The name.
    pub name: Spanned,
    /// The schema without its default.
    pub schema: Value,
    /// The default, as it is written.
    pub default: Option<Node>,
    /// Whether the default is a published credential: a bundle with it gets a warning.
    pub published: bool,
    /// Whether the default is made of a parameter whose values must not be shown.
    pub derived: bool,
}

impl Parameter {
    /// Whether its values are redacted: its schema has `writeOnly`, for the whole or a part, or its default is made of such a
    /// parameter. Then what a user sets for it holds the same secret.
    #[must_use]
    pub fn is_secret(&self) -> bool {
        self.derived || has_write_only(&self.schema)
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

/// Something that a component requires.
#[derive(Clone, Debug)]
pub struct Requirement {
    /// The component or capability.
    pub wanted: Wanted,
    /// Holds only when this is true.
    pub when: Option<Spanned>,
    /// Its location.
    pub mark: Mark,
}

/// What is required.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// A component by name.
    Component(String),
    /// Any component that provides this.
    Capability(String),
}

/// A condition on facts that something requires.
#[derive(Clone, Debug)]
pub struct Support {
    /// The condition.
    pub when: Spanned,
    /// The reason, for messages.
    pub reason: String,
}

/// Something that must hold before the next wave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ready {
    /// `deployment`, `statefulset`, `daemonset`, `job`, `crd` or `webhook`.
    pub what: &'static str,
    /// Its name.
    pub name: String,
    /// Its namespace; empty for cluster-scoped objects.
    pub namespace: String,
    /// Its location.
    pub mark: Mark,
}

/// Kinds that [`Ready`] may name.
const READY: [&str; 6] = ["deployment", "statefulset", "daemonset", "job", "crd", "webhook"];

pub(super) fn read(document: &Document, errors: &Errors) -> Option<Component> {
    let (top, spec) = document.open("Component", errors)?;
    let name = name_of(&top, errors);
    top.finish();
    check_name(&name, document, errors);
    let spec = match spec {
        Some(spec) => spec,
        None => {
            let error = Diagnostic::error(Code::MissingField, "a component needs `spec`");
            errors.push(error.at(document.node.mark));
            return None;
        }
    };
    let base = Base {
        path: spec.spanned("base").unwrap_or(Spanned { text: ".".to_owned(), mark: name.mark }),
        place: document.place.clone(),
    };
    let component = Component {
        name,
        description: spec.string("description"),
        stage: stage(&spec, errors),
        version: spec.string("version"),
        base,
        requires: spec.list("requires", |item| requirement(item, errors)),
        provides: spec.strings("provides"),
        conflicts: spec.strings("conflicts"),
        supports: supports(&spec, errors),
        parameters: parameters(&spec, "parameters", errors),
        set: spec.list("set", |item| setter::read(item, errors)),
        ignore: spec.list("ignore", |item| ignore::read(item, errors)),
        ready: spec.list("ready", |item| ready(item, errors)),
    };
    spec.finish();
    Some(component)
}

/// The name must be that of the directory, so that a reader finds it.
fn check_name(name: &Spanned, document: &Document, errors: &Errors) {
    let folder = document.place.folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    if !name.text.is_empty() && name.text != folder {
        let message =
            format!("the name of the component is `{}`, but its directory is `{folder}`", name.text);
        errors.push(
            Diagnostic::error(Code::BadValue, message).at(name.mark).help("use the same name for both"),
        );
    }
}

fn stage(spec: &Fields<'_>, errors: &Errors) -> String {
    let stage = spec.required("stage");
    if !stage.text.is_empty() && !STAGES.contains(&stage.text.as_str()) {
        let error = Diagnostic::error(Code::BadValue, format!("`{}` is not a stage", stage.text));
        errors.push(error.at(stage.mark).help(format!("expected one of {}", STAGES.join(", "))));
    }
    stage.text
}

fn requirement(item: &Node, errors: &Errors) -> Option<Requirement> {
    if let Some(name) = item.as_str() {
        return Some(Requirement { wanted: Wanted::Component(name.to_owned()), when: None, mark: item.mark });
    }
    let fields = Fields::of(item, "a requirement", errors)?;
    let wanted = match (fields.spanned("component"), fields.spanned("capability")) {
        (Some(component), None) => Some(Wanted::Component(component.text)),
        (None, Some(capability)) => Some(Wanted::Capability(capability.text)),
        _ => {
            let message = "a requirement names either a `component` or a `capability`";
            errors.push(Diagnostic::error(Code::FieldConflict, message).at(item.mark));
            None
        }
    };
    let when = fields.spanned("when");
    fields.finish();
    Some(Requirement { wanted: wanted?, when, mark: item.mark })
}

/// `supports`: one expression, or a list of conditions with reasons.
pub(super) fn supports(spec: &Fields<'_>, errors: &Errors) -> Vec<Support> {
    let Some(node) = spec.node("supports") else { return Vec::new() };
    if let Some(text) = node.as_str() {
        let when = Spanned { text: text.to_owned(), mark: node.mark };
        return vec![Support { when, reason: String::new() }];
    }
    spec.list("supports", |item| {
        let fields = Fields::of(item, "a condition", errors)?;
        let support = Support { when: fields.required("when"), reason: fields.string("reason") };
        fields.finish();
        Some(support)
    })
}

/// Parameters as a mapping from names to JSON Schemas.
pub(super) fn parameters(spec: &Fields<'_>, field: &'static str, errors: &Errors) -> Vec<Parameter> {
    let Some(node) = spec.node(field) else { return Vec::new() };
    let Some(map) = node.as_map() else {
        let message = format!("`{field}` must be a mapping from names to JSON Schemas");
        errors.push(Diagnostic::error(Code::WrongType, message).at(node.mark));
        return Vec::new();
    };
    let read = |name: &str, mark: Mark, schema: &Node| {
        let mut value = to_json(schema);
        let Some(object) = value.as_object_mut() else {
            let message =
                format!("the schema of `{name}` must be a mapping, but this is {}", schema.describe());
            errors.push(Diagnostic::error(Code::WrongType, message).at(schema.mark));
            return None;
        };
        object.remove("default");
        let published = object.remove("published").unwrap_or_default();
        check_published(&published, schema, errors);
        if let Err(error) = validator(&value) {
            let message = format!("this is not a JSON Schema: {error}");
            errors.push(Diagnostic::error(Code::BadValue, message).at(schema.mark));
        }
        let name = Spanned { text: name.to_owned(), mark };
        let published = published == Value::Bool(true);
        Some(Parameter {
            name,
            schema: value,
            default: schema.get("default").cloned(),
            published,
            derived: false,
        })
    };
    map.iter().filter_map(|entry| read(&entry.key.text, entry.key.mark, &entry.value)).collect()
}

/// `published: true` is for secrets whose default is published: so there must be one, the same everywhere.
fn check_published(published: &Value, schema: &Node, errors: &Errors) {
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

fn ready(item: &Node, errors: &Errors) -> Option<Ready> {
    let fields = Fields::of(item, "a readiness condition", errors)?;
    let named: Vec<(&'static str, Spanned)> =
        READY.into_iter().filter_map(|what| Some((what, fields.spanned(what)?))).collect();
    let namespace = fields.string("namespace");
    fields.finish();
    let [(what, name)] = named.as_slice() else {
        let error = Diagnostic::error(Code::BadValue, "a readiness condition must name exactly one object");
        errors.push(error.at(item.mark).help(format!("expected one of {}", READY.join(", "))));
        return None;
    };
    Some(Ready { what, name: name.text.clone(), namespace, mark: item.mark })
}

#[cfg(test)]
mod tests {
    use super::Parameter;
    use crate::catalogue::secrets::values_of_secrets;
    use kfc_diagnostics::{Mark, SourceId};
    use kfc_yaml::fields::Spanned;
    use kfc_yaml::parse::parse;
    use serde_json::{Value, json};

    fn shown(schema: Value, published: bool) -> Value {
        let name = Spanned { text: "p".to_owned(), mark: Mark::NONE };
        Parameter { name, schema, default: None, published, derived: false }.shown_schema()
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
        let node = parse(text, SourceId::NONE).unwrap().remove(0);
        let marked: Vec<&str> =
            values_of_secrets(&node).iter().map(|mark| &text[mark.offset as usize..][..2]).collect();
        assert_eq!(marked, ["[P", "P}", "P}"]);
    }
}
