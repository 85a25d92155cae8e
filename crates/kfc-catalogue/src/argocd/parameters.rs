//! Parameters of an application, `plugin.parameters`, put into its stack. Argo CD passes all values as text; the schemas of
//! the catalogue have their types.

use super::{ANNOTATIONS, Annotations, CLUSTER, ENVIRONMENT, FIELDS, VALIDATE};
use crate::catalogue::{Catalogue, DEFAULTS, Parameter, Stack, StackChoice};
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Mark, Result, SourceId, Sources, nearest};
use kfc_yaml::{Entry, Key, Map, Node, Spanned, parse};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// The variable with the application's parameters.
pub(super) const PARAMETERS: &str = "ARGOCD_APP_PARAMETERS";

/// A parameter as an application sets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// Its name, as Argo CD shows it.
    pub name: String,
    /// What it is set to.
    pub value: Setting,
}

/// What a parameter is set to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Setting {
    /// `string`.
    Text(String),
    /// `array`.
    List(Vec<String>),
    /// `map`.
    Map(BTreeMap<String, String>),
}

/// What parameters choose apart from the stack.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Chosen {
    /// Which annotations the bundle gets.
    pub annotations: Option<Annotations>,
    /// Whether the bundle is validated.
    pub validate: Option<bool>,
}

/// One entry of the JSON list in `ARGOCD_APP_PARAMETERS`.
#[derive(Deserialize)]
struct Raw {
    name: String,
    string: Option<String>,
    array: Option<Vec<String>>,
    map: Option<BTreeMap<String, String>>,
}

/// Reads the JSON list in `ARGOCD_APP_PARAMETERS`; `null` and nothing mean no parameters.
///
/// # Errors
/// Text that is not such a list, duplicate names, parameters without a value or with several.
pub fn read(text: &str) -> Result<Vec<Given>> {
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    let raw: Option<Vec<Raw>> = serde_json::from_str(text).map_err(|error| -> Diagnostics {
        let message = format!("the parameters of the application cannot be read: {error}");
        let help =
            format!("{PARAMETERS} must be a JSON list of objects with `name` and `string`, `array` or `map`");
        Diagnostic::error(Code::PluginParameter, message).help(help).into()
    })?;
    let mut errors = Diagnostics::default();
    let mut given: Vec<Given> = Vec::new();
    for raw in raw.unwrap_or_default() {
        let name = raw.name.clone();
        if given.iter().any(|other| other.name == name) {
            let message = format!("the parameter `{name}` is set more than once");
            errors.push(Diagnostic::error(Code::PluginParameter, message));
        } else if let Some(value) = errors.collect(setting(raw)) {
            given.push(Given { name, value });
        }
    }
    errors.into_result(given)
}

fn setting(raw: Raw) -> Result<Setting> {
    match (raw.string, raw.array, raw.map) {
        (Some(text), None, None) => Ok(Setting::Text(text)),
        (None, Some(items), None) => Ok(Setting::List(items)),
        (None, None, Some(map)) => Ok(Setting::Map(map)),
        (None, None, None) => {
            let error = Diagnostic::error(
                Code::PluginParameter,
                format!("the parameter `{}` has no value", raw.name),
            );
            Err(error.help("it needs `string`, `array` or `map`").into())
        }
        _ => {
            let message = format!("the parameter `{}` has several values", raw.name);
            let error = Diagnostic::error(Code::PluginParameter, message);
            Err(error.help("keep one of `string`, `array` and `map`").into())
        }
    }
}

/// Which environment and cluster of the stack the parameters name.
#[must_use]
pub fn choice<'g>(given: impl IntoIterator<Item = &'g Given>) -> StackChoice {
    let mut choice = StackChoice::default();
    for parameter in given {
        // Another form is an error of `choose`.
        let Setting::Text(text) = &parameter.value else { continue };
        let text = Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        match parameter.name.as_str() {
            ENVIRONMENT => choice.environment = text,
            CLUSTER => choice.cluster = text,
            _ => {}
        }
    }
    choice
}

/// Puts parameters into a stack, instead of its own values, and returns what they choose apart from it. The schemas of values
/// are checked when the stack is resolved. Without a catalogue there is no stack, but a kustomization root.
///
/// # Errors
/// Every parameter that does not exist or has the wrong form.
pub fn choose<'g>(
    given: impl IntoIterator<Item = &'g Given>,
    mut stack: Option<(&mut Stack, &Catalogue)>,
    texts: &Sources,
) -> Result<Chosen> {
    let mut errors = Diagnostics::default();
    let mut chosen = Chosen::default();
    for parameter in given {
        let placed = Placed::new(parameter, texts);
        let done = match parameter.name.as_str() {
            ANNOTATIONS => placed.list().and_then(|names| {
                let texts: Vec<&str> = names.iter().map(|name| name.value.as_str()).collect();
                chosen.annotations = Some(Annotations::named(&texts, placed.mark())?);
                Ok(())
            }),
            VALIDATE => placed.boolean().map(|validate| chosen.validate = Some(validate)),
            // They chose the stack.
            ENVIRONMENT | CLUSTER if stack.is_some() => placed.text().map(drop),
            _ => match &mut stack {
                Some((stack, catalogue)) => placed.put(stack, catalogue),
                None => Err(placed.unknown([ANNOTATIONS, VALIDATE].into_iter(), true)),
            },
        };
        errors.collect(done);
    }
    errors.into_result(chosen)
}

/// A parameter whose value is a source that errors refer to.
struct Placed<'g> {
    given: &'g Given,
    source: SourceId,
}

impl<'g> Placed<'g> {
    fn new(given: &'g Given, texts: &Sources) -> Self {
        let text = match &given.value {
            Setting::Text(text) => text.clone(),
            Setting::List(items) => items.join("\n"),
            Setting::Map(map) => {
                map.iter().map(|(key, value)| format!("{key}: {value}")).collect::<Vec<_>>().join("\n")
            }
        };
        let (source, _) = texts.add(format!("parameter {}", given.name), text);
        Self { given, source }
    }

    fn at(&self, offset: usize) -> Mark {
        Mark { source: self.source, offset: u32::try_from(offset).unwrap_or(u32::MAX) }
    }

    fn mark(&self) -> Mark {
        self.at(0)
    }

    fn wrong_form(&self, wanted: &str) -> Diagnostics {
        let form = match self.given.value {
            Setting::Text(_) => "`string`",
            Setting::List(_) => "`array`",
            Setting::Map(_) => "`map`",
        };
        let message = format!("the parameter `{}` must be {wanted}, but this is {form}", self.given.name);
        Diagnostic::error(Code::PluginParameter, message).at(self.mark()).into()
    }

    fn text(&self) -> Result<Spanned<String>> {
        match &self.given.value {
            Setting::Text(text) => Ok(Spanned::at(text.trim().to_owned(), self.mark())),
            _ => Err(self.wrong_form("`string`")),
        }
    }

    fn boolean(&self) -> Result<bool> {
        match self.text()?.value.as_str() {
            "true" => Ok(true),
            "false" | "" => Ok(false),
            other => {
                let message = format!("the parameter `{}` has a wrong value: `{other}`", self.given.name);
                let error = Diagnostic::error(Code::PluginParameter, message).at(self.mark());
                Err(error.help("expected `true` or `false`").into())
            }
        }
    }

    /// The items of an `array`, or those of a `string` that commas separate.
    fn list(&self) -> Result<Vec<Spanned<String>>> {
        let items: Vec<&str> = match &self.given.value {
            Setting::Text(text) if text.trim().is_empty() => Vec::new(),
            Setting::Text(text) => text.split(',').collect(),
            Setting::List(items) => items.iter().map(String::as_str).collect(),
            Setting::Map(_) => return Err(self.wrong_form("`array`")),
        };
        let offsets = offsets(&items);
        let spanned = |(item, at): (&&str, usize)| Spanned::at(item.trim().to_owned(), self.at(at));
        Ok(items.iter().zip(offsets).map(spanned).collect())
    }

    /// Puts it into a field of the stack, or among its parameters.
    fn put(&self, stack: &mut Stack, catalogue: &Catalogue) -> Result<()> {
        let name = self.given.name.as_str();
        match name {
            "platform" => stack.platform = self.text()?,
            "components" => {
                let names = self.list()?;
                if names.is_empty() {
                    let message = "the parameter `components` is empty: the bundle would be, too";
                    let error = Diagnostic::error(Code::PluginParameter, message).at(self.mark());
                    return Err(error.help("remove it to have the components of the stack").into());
                }
                stack.components = Some(names);
            }
            "present" => stack.present = self.list()?,
            "without" => stack.without = self.list()?,
            "facts" => self.put_facts(stack, catalogue)?,
            _ => {
                let (component, parameter) = name.split_once('.').unwrap_or(("", name));
                let declared = declared(catalogue, component).iter().find(|p| p.name.value == parameter);
                let Some(declared) = declared else {
                    let names = all_names(catalogue);
                    return Err(self.unknown(names.iter().map(String::as_str), false));
                };
                let value = self.typed(&declared.schema)?;
                put(&mut stack.parameters, component, parameter, value);
            }
        }
        Ok(())
    }

    fn put_facts(&self, stack: &mut Stack, catalogue: &Catalogue) -> Result<()> {
        let Setting::Map(map) = &self.given.value else { return Err(self.wrong_form("`map`")) };
        let declared = catalogue.layers.get(DEFAULTS).map_or(&[][..], |layer| &layer.declares);
        let mut errors = Diagnostics::default();
        let mut offset = 0;
        for (name, text) in map {
            let schema = declared.iter().find(|fact| fact.name.value == *name).map(|fact| &fact.schema);
            let at = offset + name.len() + 2;
            let value = errors.collect(self.scalar(text, schema.unwrap_or(&Value::Null), at));
            if let (Some(value), Some(facts)) = (value, stack.facts.as_map_mut()) {
                // A dotted name is the same as nesting, and the last one counts.
                facts.remove(name);
                facts.push(Entry { key: Key::new(name, self.at(offset)), value });
            }
            offset = at + text.len() + 1;
        }
        errors.into_result(())
    }

    /// The value, in the type that a schema wants. A value that does not fit stays text, which the schema then refuses.
    fn typed(&self, schema: &Value) -> Result<Node> {
        let mut errors = Diagnostics::default();
        let value = match &self.given.value {
            Setting::Text(text) => return self.scalar(text, schema, 0),
            Setting::List(items) => {
                let schema = schema.get("items").unwrap_or(&Value::Null);
                let items: Vec<&str> = items.iter().map(String::as_str).collect();
                let typed = items.iter().zip(offsets(&items));
                let typed = typed.filter_map(|(item, at)| errors.collect(self.scalar(item, schema, at)));
                Node::seq(typed.collect(), self.mark())
            }
            Setting::Map(map) => {
                let mut offset = 0;
                let mut typed = Map::new();
                for (key, text) in map {
                    let schema = schema.get("properties").and_then(|properties| properties.get(key));
                    let schema =
                        schema.or_else(|| schema?.get("additionalProperties")).unwrap_or(&Value::Null);
                    let at = offset + key.len() + 2;
                    if let Some(value) = errors.collect(self.scalar(text, schema, at)) {
                        typed.push(Entry { key: Key::new(key, self.at(offset)), value });
                    }
                    offset = at + text.len() + 1;
                }
                Node::map(typed, self.mark())
            }
        };
        errors.into_result(value)
    }

    /// One text in the type that a schema wants: itself when that may be a string, else what it is as YAML.
    fn scalar(&self, text: &str, schema: &Value, at: usize) -> Result<Node> {
        if may_be_text(schema) {
            return Ok(Node::string(text, self.at(at)));
        }
        // Spaces before it keep all locations as in the source.
        let padded = format!("{}{text}", " ".repeat(at));
        let node = parse::parse(&padded, self.source)?.pop();
        Ok(node.unwrap_or_else(|| Node::string("", self.at(at))))
    }

    fn unknown<'n>(&self, names: impl Iterator<Item = &'n str>, is_root: bool) -> Diagnostics {
        let name = self.given.name.as_str();
        let message = if is_root {
            format!(
                "the parameter `{name}` does not exist: a kustomization root has only `{ANNOTATIONS}` and `{VALIDATE}`"
            )
        } else {
            format!("the parameter `{name}` does not exist")
        };
        let error = Diagnostic::error(Code::PluginParameter, message);
        match nearest(name, names) {
            Some(near) => error.help(format!("did you mean `{near}`?")),
            None if is_root => error.help("a directory with a `kfc.yaml` has those of its stack"),
            None => error.help("`kfc list parameters` shows all"),
        }
        .into()
    }
}

/// Where each line starts when they are joined.
fn offsets(lines: &[&str]) -> Vec<usize> {
    lines
        .iter()
        .scan(0, |offset, line| {
            let at = *offset;
            *offset += line.len() + 1;
            Some(at)
        })
        .collect()
}

fn may_be_text(schema: &Value) -> bool {
    match schema.get("type") {
        Some(Value::String(name)) => name == "string",
        Some(Value::Array(names)) => names.iter().any(|name| name == "string"),
        _ => {
            let choices = schema.get("enum").and_then(Value::as_array);
            choices.is_none_or(|choices| choices.iter().any(Value::is_string))
        }
    }
}

/// The parameters that a component declares; the global ones when its name is empty.
fn declared<'c>(catalogue: &'c Catalogue, component: &str) -> &'c [Parameter] {
    match component {
        "" => catalogue.global_parameters(),
        _ => catalogue.components.get(component).map_or(&[][..], |component| &component.parameters),
    }
}

/// The names of all parameters there are.
fn all_names(catalogue: &Catalogue) -> Vec<String> {
    let own = FIELDS.into_iter().chain([ENVIRONMENT, CLUSTER, ANNOTATIONS, VALIDATE]).map(str::to_owned);
    let global = declared(catalogue, "").iter().map(|parameter| parameter.name.value.clone());
    let of_components = catalogue.components.values().flat_map(|component| {
        component.parameters.iter().map(|p| format!("{}.{}", component.name.value, p.name.value))
    });
    own.chain(global).chain(of_components).collect()
}

fn put(parameters: &mut Node, component: &str, name: &str, value: Node) {
    let mark = value.mark;
    let map = match component {
        "" => parameters,
        _ => match parameters.as_map_mut() {
            Some(map) => map.get_or_insert_map(component, mark),
            None => return,
        },
    };
    if map.as_map().is_none() {
        *map = Node::map(Map::new(), mark);
    }
    if let Some(map) = map.as_map_mut() {
        map.set(name, value);
    }
}
