//! Parameters: what the user sets, checked by JSON Schema, over defaults that come from facts.

use super::expression::{Scope, computed};
use super::profile::{Profile, value_text};
use crate::catalogue::{Catalogue, Component, Parameter};
use crate::expressions::Expression;
use crate::json_schema::{Checked, check_schema};
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Mark, Result, nearest};
use kfc_yaml::value::to_json;
use kfc_yaml::{Map, Node};
use serde_json::{Value, json};

/// The parameters of a plan.
pub(super) struct Parameters<'c> {
    catalogue: &'c Catalogue,
    given: Node,
    global: Value,
    facts: Value,
}

/// Checks what the user set, whatever the profile and the components are: names, and values by their schemas.
///
/// # Errors
/// Every name that is neither a parameter nor a component, and every value that its schema refuses.
pub(super) fn check(catalogue: &Catalogue, given: &Node) -> Result<()> {
    let global = catalogue.global_parameters();
    let mut errors = Diagnostics::default();
    for entry in given.as_map().into_iter().flatten() {
        let name = entry.key.text.as_str();
        if let Some(component) = catalogue.components.get(name) {
            errors.collect(check_component(component, &entry.value));
        } else if let Some(parameter) = named(global, name) {
            errors.collect(check_given(parameter, &entry.value, &what("", name)));
        } else {
            errors.push(unknown(name, entry.key.mark, global, catalogue));
        }
    }
    errors.into_result(())
}

fn check_component(component: &Component, given: &Node) -> Result<()> {
    let name = component.name.value.as_str();
    let map = given.as_map().ok_or_else(|| -> Diagnostics {
        let message =
            format!("the parameters of `{name}` must be a mapping, but this is {}", given.describe());
        Diagnostic::error(Code::Parameter, message).at(given.mark).into()
    })?;
    let mut errors = Diagnostics::default();
    for entry in map {
        let own = entry.key.text.as_str();
        match named(&component.parameters, own) {
            Some(parameter) => {
                errors.collect(check_given(parameter, &entry.value, &what(name, own)));
            }
            None => errors.push(unknown_of(component, own, entry.key.mark)),
        }
    }
    errors.into_result(())
}

/// Checks a value of the user. What a release fixes need not be what the catalogue allows.
fn check_given(parameter: &Parameter, given: &Node, what: &str) -> Result<()> {
    match parameter.fixed {
        None => check_value(parameter, given, &value_of(parameter, given), what),
        Some(_) => check_fixed(parameter, given, what),
    }
}

/// The value that a user set; a former word counts as the one that replaces it.
fn value_of(parameter: &Parameter, given: &Node) -> Value {
    parameter.replacement(given).map_or_else(|| to_json(given), Value::from)
}

/// Warnings of former words among what the user set.
pub(super) fn former_words(catalogue: &Catalogue, given: &Node) -> Diagnostics {
    let mut warnings = Diagnostics::default();
    let mut add = |declared: &[Parameter], component: &str, given: &Node| {
        for entry in given.as_map().into_iter().flatten() {
            let Some(parameter) = named(declared, &entry.key.text) else { continue };
            if let Some(new) = parameter.replacement(&entry.value) {
                let old = entry.value.as_str().unwrap_or_default();
                let what = what(component, &entry.key.text);
                let message = format!("the value `{old}` of {what} has another name");
                let warning = Diagnostic::warning(Code::Deprecated, message).at(entry.value.mark);
                warnings.push(warning.help(format!("write `{new}`")));
            }
        }
    };
    add(catalogue.global_parameters(), "", given);
    for (name, component) in &catalogue.components {
        given.get(name).into_iter().for_each(|own| add(&component.parameters, name, own));
    }
    warnings
}

/// Checks a value by its schema; `node` is where it is from.
fn check_value(parameter: &Parameter, node: &Node, value: &Value, what: &str) -> Result<()> {
    let checked = Checked { what, code: Code::Parameter, value, is_secret: parameter.is_secret() };
    check_schema(&parameter.schema, &checked, |pointer| mark_at(node, pointer))
}

fn named<'p>(declared: &'p [Parameter], name: &str) -> Option<&'p Parameter> {
    declared.iter().find(|parameter| parameter.name.value == name)
}

fn full_name(component: &str, name: &str) -> String {
    if component.is_empty() { name.to_owned() } else { format!("{component}.{name}") }
}

fn what(component: &str, name: &str) -> String {
    format!("the parameter `{}`", full_name(component, name))
}

impl<'c> Parameters<'c> {
    /// Reads what the user set: global parameters by name, those of a component below its name. A value that [`check`]
    /// refuses is as if it were not set.
    ///
    /// # Errors
    /// Global parameters without a value, defaults that cannot be computed.
    pub(super) fn read(catalogue: &'c Catalogue, profile: &Profile, given: &Node) -> Result<Self> {
        let none = Map::new();
        let facts = profile.tree();
        let global = global(catalogue.global_parameters(), given.as_map().unwrap_or(&none), &facts)?;
        Ok(Self { catalogue, given: given.clone(), global, facts })
    }

    /// The global parameters.
    pub(super) fn global(&self) -> &Value {
        &self.global
    }

    /// The parameters of a component.
    ///
    /// # Errors
    /// Parameters without a value, defaults that cannot be computed.
    pub(super) fn of(&self, component: &Component) -> Result<Value> {
        let name = component.name.value.as_str();
        let none = Map::new();
        let given = self.given.get(name).and_then(Node::as_map).unwrap_or(&none);
        let scope = Scope::new(&self.facts, &self.global, &[]);
        values(&component.parameters, given, &scope, name)
    }

    /// The scope of expressions of a component: global parameters and its own.
    pub(super) fn scope(&self, own: &Value, components: &[String]) -> Scope {
        let mut all = self.global.as_object().cloned().unwrap_or_default();
        all.extend(own.as_object().cloned().unwrap_or_default());
        Scope::new(&self.facts, &Value::Object(all), components)
    }

    /// What the parameters are that an expression of a component names: its own ones and global ones, but no secrets.
    pub(super) fn named_in(&self, expression: &str, component: &Component, own: &Value) -> Vec<String> {
        let declared = [
            (component.name.value.as_str(), &component.parameters[..], own),
            ("", self.catalogue.global_parameters(), &self.global),
        ];
        let mut said: Vec<String> = Vec::new();
        for name in Expression(expression).names() {
            let Some(name) = name.below("parameters").and_then(|path| path.first()) else { continue };
            let mut found = declared.iter().filter_map(|(owner, parameters, values)| {
                let parameter = named(parameters, name).filter(|parameter| !parameter.is_secret())?;
                let value = values.get(&parameter.name.value)?;
                Some(format!("{} is `{}`", what(owner, name), value_text(value)))
            });
            said.extend(found.next().filter(|text| !said.contains(text)));
        }
        said
    }

    /// Names of components that parameters are set for.
    pub(super) fn components_named(&self) -> impl Iterator<Item = (&str, Mark)> {
        let entries = self.given.as_map().into_iter().flatten();
        let named = entries.map(|entry| (entry.key.text.as_str(), entry.key.mark));
        named.filter(|(name, _)| self.catalogue.components.contains_key(*name))
    }
}

/// The values of the global parameters. Their defaults may name those that are declared before them.
fn global(declared: &[Parameter], given: &Map, facts: &Value) -> Result<Value> {
    let mut errors = Diagnostics::default();
    let mut before = json!({});
    for parameter in declared {
        let scope = Scope::new(facts, &before, &[]);
        let one = errors.collect(values(std::slice::from_ref(parameter), given, &scope, ""));
        if let (Some(all), Some(Value::Object(one))) = (before.as_object_mut(), one) {
            all.extend(one);
        }
    }
    errors.into_result(before)
}

/// The values of declared parameters: those that are given and allowed, else the defaults. One without either is an error.
fn values(declared: &[Parameter], given: &Map, scope: &Scope, component: &str) -> Result<Value> {
    let mut errors = Diagnostics::default();
    let mut values = serde_json::Map::new();
    for parameter in declared {
        let name = parameter.name.value.as_str();
        let what = what(component, name);
        let own = given.get(name);
        let value = match (own, &parameter.default) {
            // Only values of the catalogue have expressions; those of a user are literal.
            (Some(own), _) if check_given(parameter, own, &what).is_ok() => Some(value_of(parameter, own)),
            (_, Some(default)) => errors.collect(default_value(parameter, default, scope, &what)),
            (Some(_), None) => None,
            (None, None) => {
                errors.push(missing(parameter, &full_name(component, name)));
                None
            }
        };
        if let Some(value) = value {
            values.insert(name.to_owned(), value);
        }
    }
    errors.into_result(Value::Object(values))
}

fn default_value(parameter: &Parameter, default: &Node, scope: &Scope, what: &str) -> Result<Value> {
    let value = computed(scope, default)?;
    if parameter.fixed.is_none() {
        check_value(parameter, default, &value, what)?;
    }
    Ok(value)
}

fn missing(parameter: &Parameter, full: &str) -> Diagnostic {
    let error = Diagnostic::error(Code::Parameter, format!("the parameter `{full}` must be set"))
        .at(parameter.name.mark);
    let description = parameter.schema.get("description").and_then(Value::as_str);
    let error = description.into_iter().fold(error, |e, text| e.note(format!("its description: {text}")));
    error.help(format!("`--set {full}=VALUE`, or under `parameters` of the stack"))
}

/// Refuses a value for a parameter that a release of upstream cannot set.
fn check_fixed(parameter: &Parameter, given: &Node, what: &str) -> Result<()> {
    let Some(reason) = &parameter.fixed else { return Ok(()) };
    let fixed = parameter.default.as_ref().map(to_json).unwrap_or_default();
    if to_json(given) == fixed {
        return Ok(());
    }
    let message = format!("{what} cannot be set in this release: {reason}");
    let error = Diagnostic::error(Code::Parameter, message).at(given.mark);
    Err(error.help(format!("leave it out, so that it is {fixed}; or use another release")).into())
}

/// The location of a JSON pointer.
fn mark_at(node: &Node, pointer: &str) -> Option<Mark> {
    let mut here = node;
    for step in pointer.split('/').skip(1) {
        let next = match step.parse::<usize>() {
            Ok(at) if here.as_seq().is_some() => here.as_seq().and_then(|items| items.get(at)),
            _ => here.get(step),
        };
        match next {
            Some(next) => here = next,
            None => break,
        }
    }
    here.mark.known()
}

fn unknown(name: &str, mark: Mark, declared: &[Parameter], catalogue: &Catalogue) -> Diagnostic {
    let message = format!("`{name}` is neither a parameter nor a component");
    let error = Diagnostic::error(Code::Parameter, message).at(mark);
    let names =
        declared.iter().map(|p| p.name.value.as_str()).chain(catalogue.components.keys().map(String::as_str));
    match nearest(name, names) {
        Some(near) => error.help(format!("did you mean `{near}`?")),
        None => error.help("`kfc list parameters` shows all"),
    }
}

fn unknown_of(component: &Component, name: &str, mark: Mark) -> Diagnostic {
    let message = format!("the component `{}` has no parameter `{name}`", component.name.value);
    let error = Diagnostic::error(Code::Parameter, message).at(mark);
    let names: Vec<&str> = component.parameters.iter().map(|p| p.name.value.as_str()).collect();
    match nearest(name, names.iter().copied()) {
        Some(near) => error.help(format!("did you mean `{near}`?")),
        None if names.is_empty() => error.help("it has none"),
        None => error.help(format!("it has {}", names.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use super::{Checked, check_schema};
    use kfc_diagnostics::Code;
    use serde_json::{Value, json};

    fn errors(schema: &Value, value: &Value) -> String {
        let checked = Checked { what: "it", code: Code::Parameter, value, is_secret: true };
        let errors = check_schema(schema, &checked, |_| None).unwrap_err();
        errors.0.iter().map(|error| error.message.clone() + "\n").collect()
    }

    #[test]
    fn errors_show_neither_values_nor_keys_of_secrets() {
        let key = json!({"PLANTED": "PLANTED"});
        for (schema, value) in [
            (json!({"properties": {"a": {}}, "additionalProperties": false}), key.clone()),
            (json!({"unevaluatedProperties": false}), key.clone()),
            (json!({"propertyNames": {"maxLength": 1}}), key.clone()),
            (json!({"propertyNames": {"enum": ["a"]}}), key.clone()),
            (
                json!({"additionalProperties": {"type": "object", "properties": {"known": {"type": "null"}}}}),
                json!({"PLANTED": {"known": "PLANTED"}}),
            ),
            (json!({"patternProperties": {".": {"maxLength": 1}}}), key.clone()),
            (json!({"unevaluatedItems": false}), json!(["PLANTED"])),
            (json!({"dependentRequired": {"PLANTED": ["x"]}}), key.clone()),
            (
                json!({"maxProperties": 0, "minProperties": 2, "const": 1, "not": {}, "type": "null"}),
                key.clone(),
            ),
            (json!({"anyOf": [{"additionalProperties": false}], "oneOf": [false]}), key.clone()),
            (json!({"contains": {"type": "null"}, "uniqueItems": true}), json!(["PLANTED", "PLANTED"])),
            (
                json!({"format": "date", "pattern": "^$", "maxLength": 1, "contentEncoding": "base64"}),
                json!("PLANTED"),
            ),
        ] {
            let shown = errors(&schema, &value);
            assert!(!shown.contains("PLANTED"), "{schema}: {shown}");
        }
        let nested = json!({"properties": {"known": {"additionalProperties": {"type": "null"}}}});
        let shown = errors(&nested, &json!({"known": {"PLANTED": 1}}));
        assert_eq!(shown, "it has a wrong value at `/known/***`: value is not of type \"null\"\n");
        let shown = errors(&json!({"properties": {"a": {}}, "additionalProperties": false}), &key);
        assert_eq!(
            shown,
            "it has a wrong value: value does not satisfy `additionalProperties` of its schema\n"
        );
    }
}
