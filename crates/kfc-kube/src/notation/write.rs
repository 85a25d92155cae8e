//! Writes schemas in the notation: finds what is used more than once, and names it.

use super::line;
use super::value::{written, written_text};
use super::words::{
    ATTRIBUTES, Attribute, INT_OR_STRING, JUNCTORS, MAP_KEYS, QUANTITY, QUANTITY_PATTERN, RULE_FIELDS, RULES,
    TYPES, Takes,
};
use kfc_yaml::emit::compare_keys;
use kfc_yaml::value::{from_json, to_json};
use kfc_yaml::{Map, Node};
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

/// What of a schema the notation has no form for: descriptions, fields that do not exist, flags that are false.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotRepresentable {
    /// The path of the field in the schema.
    pub path: String,
}

impl fmt::Display for NotRepresentable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the notation has no form for `{}`", self.path)
    }
}

impl std::error::Error for NotRepresentable {}

/// Writes schemas, each as a type with the name next to it. Names contain no space. Whatever is used more than once in any of
/// them becomes a type with a name of its own, made from the fields that have it.
///
/// # Errors
/// The first field that the notation has no form for.
pub fn write<'n>(roots: impl IntoIterator<Item = (String, &'n Node)>) -> Result<String, NotRepresentable> {
    let mut forms = Forms::default();
    let mut path = Vec::new();
    let mut named = Vec::new();
    for (name, schema) in roots {
        path.push(name.clone());
        let id = forms.add(schema, &mut path)?;
        path.pop();
        named.push((name, id));
    }
    let names = forms.names(&named);
    let printer = Printer { forms: &forms, names: &names };
    let mut text = String::new();
    let mut define = |name: &str, printed: Printed| {
        let _ = writeln!(text, "\n{name} {}", printed.head);
        for line in printed.below {
            let _ = writeln!(text, "  {line}");
        }
    };
    for (name, id) in &named {
        define(name, printer.used(*id));
    }
    let types: BTreeMap<&str, usize> = names.iter().map(|(id, name)| (name.as_str(), *id)).collect();
    for (name, id) in types {
        define(name, printer.defined(id));
    }
    Ok(text.trim_start_matches('\n').to_owned())
}

/// A schema whose further schemas are numbers of forms, so that equal ones have the same number.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Form {
    /// Fields with their JSON.
    plain: BTreeMap<String, String>,
    properties: BTreeMap<String, usize>,
    /// `items`, `additionalProperties`, `not`.
    below: BTreeMap<&'static str, usize>,
    lists: BTreeMap<&'static str, Vec<usize>>,
}

impl Form {
    fn plain(&self, field: &str) -> Option<Node> {
        let json = serde_json::from_str(self.plain.get(field)?).ok()?;
        Some(from_json(&json, None))
    }

    fn text(&self, field: &str) -> Option<String> {
        self.plain(field)?.as_str().map(str::to_owned)
    }

    /// Whether it says nothing but that a value is an integer or a string.
    fn is_int_or_string(&self) -> bool {
        let any_of = self.plain.get("anyOf").map(String::as_str);
        any_of.is_some() && self.plain.contains_key("x-kubernetes-int-or-string")
    }

    /// Whether lines below its own belong to it and not to its element.
    fn has_lines(&self) -> bool {
        !self.properties.is_empty()
            || !self.lists.is_empty()
            || self.plain.contains_key(RULES)
            || self.below.contains_key("not")
    }

    /// The element of a list or mapping that is written in brackets.
    fn element(&self) -> Option<(char, char, usize)> {
        if self.has_lines() || self.below.len() != 1 {
            return None;
        }
        match (self.text("type").as_deref(), self.below.get("items"), self.below.get("additionalProperties"))
        {
            (Some("array"), Some(id), _) => Some(('[', ']', *id)),
            (Some("object"), _, Some(id)) => Some(('{', '}', *id)),
            _ => None,
        }
    }
}

#[derive(Default)]
struct Forms {
    list: Vec<Form>,
    ids: FxHashMap<Form, usize>,
}

impl Forms {
    fn add(&mut self, schema: &Node, path: &mut Vec<String>) -> Result<usize, NotRepresentable> {
        let Some(map) = schema.as_map() else { return Err(not_representable(path)) };
        let mut form = Form::default();
        for entry in map {
            let field = entry.key.text.as_str();
            path.push(field.to_owned());
            self.field(field, &entry.value, map, &mut form, path)?;
            path.pop();
        }
        if let Some(id) = self.ids.get(&form) {
            return Ok(*id);
        }
        let id = self.list.len();
        self.list.push(form.clone());
        self.ids.insert(form, id);
        Ok(id)
    }

    fn field(
        &mut self,
        field: &str,
        value: &Node,
        schema: &Map,
        form: &mut Form,
        path: &mut Vec<String>,
    ) -> Result<(), NotRepresentable> {
        if field == "properties" && value.as_map().is_some_and(|map| !map.is_empty()) {
            for property in value.as_map().into_iter().flatten() {
                path.push(property.key.text.to_string());
                let id = self.add(&property.value, path)?;
                path.pop();
                form.properties.insert(property.key.text.to_string(), id);
            }
            return Ok(());
        }
        let below = ["items", "additionalProperties", "not"].into_iter().find(|known| *known == field);
        if let Some(known) = below.filter(|_| value.as_map().is_some()) {
            form.below.insert(known, self.add(value, path)?);
            return Ok(());
        }
        let junctor = JUNCTORS.into_iter().find(|known| *known == field);
        let is_int_or_string = field == "anyOf"
            && schema.contains("x-kubernetes-int-or-string")
            && !schema.contains("type")
            && *value == line::int_or_string();
        if let Some(known) = junctor.filter(|_| !is_int_or_string) {
            let mut all = Vec::new();
            for schema in
                value.as_seq().filter(|all| !all.is_empty()).ok_or_else(|| not_representable(path))?
            {
                all.push(self.add(schema, path)?);
            }
            form.lists.insert(known, all);
            return Ok(());
        }
        if !is_int_or_string && !is_plain(field, value, schema) {
            return Err(not_representable(path));
        }
        form.plain.insert(field.to_owned(), to_json(value).to_string());
        Ok(())
    }

    /// The names of forms that are used more than once and take more than a line.
    fn names(&self, roots: &[(String, usize)]) -> FxHashMap<usize, String> {
        let mut uses = Uses { forms: self, counts: FxHashMap::default(), hints: FxHashMap::default() };
        for (name, id) in roots {
            uses.count(*id, name.split('.').next().unwrap_or_default(), false);
        }
        let mut many: Vec<usize> = uses.counts.iter().filter(|(_, n)| **n > 1).map(|(id, _)| *id).collect();
        // The larger one gets the shorter name.
        many.sort_by_key(|id| (usize::MAX - self.size(*id), *id));
        let mut taken: FxHashSet<String> = roots.iter().map(|(name, _)| name.clone()).collect();
        let mut names = FxHashMap::default();
        for id in many {
            let hint = uses.hint(id);
            let mut name = hint.clone();
            let mut number = 1_usize;
            while taken.contains(&name) {
                number += 1;
                name = format!("{hint}{number}");
            }
            taken.insert(name.clone());
            names.insert(id, name);
        }
        names
    }

    /// The number of fields in a form, each structure counted once.
    fn size(&self, id: usize) -> usize {
        let form = &self.list[id];
        let lists = form.lists.values().flatten();
        let below: usize = form.properties.values().chain(form.below.values()).chain(lists).count();
        form.properties.len() + below + form.plain.len()
    }
}

fn not_representable(path: &[String]) -> NotRepresentable {
    NotRepresentable { path: path.join(".") }
}

/// Whether a field can be written with its value on a line, or as a rule.
fn is_plain(field: &str, value: &Node, schema: &Map) -> bool {
    let is_text = |node: &Node| node.as_str().is_some();
    let all = |is: &dyn Fn(&Node) -> bool| {
        value.as_seq().is_some_and(|items| !items.is_empty() && items.iter().all(is))
    };
    let list_type = schema.get("x-kubernetes-list-type").and_then(Node::as_str);
    if field == "type" {
        return TYPES.iter().any(|sugar| Some(sugar.kind) == value.as_str() && sugar.format.is_none());
    }
    if field == MAP_KEYS {
        return list_type == Some("map")
            && all(&|key| key.as_str().is_some_and(|key| !key.contains([',', ')'])));
    }
    if field == RULES {
        return all(&|rule| {
            let is_known = |entry: &kfc_yaml::Entry| {
                let name = entry.key.text.as_str();
                match name {
                    "rule" => is_text(&entry.value),
                    "optionalOldSelf" => entry.value == line::yes(),
                    _ => RULE_FIELDS.contains(&name) && is_text(&entry.value),
                }
            };
            rule.get("rule").is_some() && rule.as_map().is_some_and(|map| map.iter().all(is_known))
        });
    }
    let Some(attribute) = ATTRIBUTES.iter().find(|attribute| attribute.field == field) else { return false };
    match attribute.takes {
        Takes::Nothing => *value == line::yes(),
        Takes::Value => field == "default" || value.as_scalar().is_some(),
        Takes::Values => all(&|value| field == "enum" || is_text(value)),
        Takes::ListType => is_text(value) && (list_type != Some("map") || schema.contains(MAP_KEYS)),
    }
}

/// How often each form is used, and by which fields.
struct Uses<'f> {
    forms: &'f Forms,
    counts: FxHashMap<usize, usize>,
    hints: FxHashMap<usize, BTreeMap<String, usize>>,
}

impl Uses<'_> {
    /// Counts a use by a field; `many` if the field has a list or mapping of it.
    fn count(&mut self, id: usize, field: &str, many: bool) {
        let forms = self.forms;
        let form = &forms.list[id];
        if let Some((_, _, element)) = form.element() {
            return self.count(element, field, true);
        }
        if !form.has_lines() {
            return;
        }
        let hint = type_name(field, many);
        *self.hints.entry(id).or_default().entry(hint).or_default() += 1;
        let count = self.counts.entry(id).or_default();
        *count += 1;
        if *count > 1 {
            return;
        }
        for (name, id) in &form.properties {
            self.count(*id, name, false);
        }
        for id in form.below.values().chain(form.lists.values().flatten()) {
            self.count(*id, field, true);
        }
    }

    /// The name that most fields suggest.
    fn hint(&self, id: usize) -> String {
        let hints = self.hints.get(&id).into_iter().flatten();
        let best = hints.max_by(|a, b| a.1.cmp(b.1).then(b.0.cmp(a.0)));
        best.map_or_else(|| "Type".to_owned(), |(hint, _)| hint.clone())
    }
}

/// A name for the type of a field: `initContainers` with many of them becomes `InitContainer`.
fn type_name(field: &str, many: bool) -> String {
    let mut name: String = field.chars().filter(char::is_ascii_alphanumeric).collect();
    if many {
        if let Some(stem) = name.strip_suffix("ies") {
            name = format!("{stem}y");
        } else if name.ends_with('s') && !["ss", "us", "is"].iter().any(|end| name.ends_with(end)) {
            name.pop();
        }
    }
    let mut letters = name.chars();
    match letters.next() {
        Some(first) if first.is_ascii_alphabetic() => {
            format!("{}{}", first.to_ascii_uppercase(), letters.as_str())
        }
        _ => format!("Type{name}"),
    }
}

/// A type: what is on the line, and the lines below it.
#[derive(Default)]
struct Printed {
    head: String,
    below: Vec<String>,
}

struct Printer<'f> {
    forms: &'f Forms,
    names: &'f FxHashMap<usize, String>,
}

impl Printer<'_> {
    /// A form where it is used.
    fn used(&self, id: usize) -> Printed {
        match self.names.get(&id) {
            Some(name) => Printed { head: name.clone(), below: Vec::new() },
            None => self.defined(id),
        }
    }

    /// A form in full.
    fn defined(&self, id: usize) -> Printed {
        let form = &self.forms.list[id];
        let (mut printed, said) = self.kind(form);
        for attribute in ATTRIBUTES.iter().filter(|attribute| !said.contains(&attribute.field)) {
            printed.head.push_str(&written_attribute(attribute, form));
        }
        for (name, id) in sorted(&form.properties) {
            let sign = if required(form).any(|required| required == *name) { "!" } else { "" };
            self.line(&format!("{}{sign}", written_name(name)), *id, &mut printed.below);
        }
        if form.element().is_none() {
            for (word, field) in [("@items", "items"), ("@values", "additionalProperties"), ("@not", "not")] {
                if let Some(id) = form.below.get(field) {
                    self.line(word, *id, &mut printed.below);
                }
            }
        }
        for (junctor, all) in &form.lists {
            for id in all {
                self.line(&format!("@{junctor}"), *id, &mut printed.below);
            }
        }
        for rule in form.plain(RULES).as_ref().and_then(Node::as_seq).unwrap_or_default() {
            write_rule(rule, &mut printed.below);
        }
        printed
    }

    fn line(&self, start: &str, id: usize, lines: &mut Vec<String>) {
        let printed = self.used(id);
        lines.push(format!("{start} {}", printed.head));
        lines.extend(printed.below.iter().map(|line| format!("  {line}")));
    }

    /// The type, and the fields that it says.
    fn kind(&self, form: &Form) -> (Printed, Vec<&'static str>) {
        if let Some((open, close, id)) = form.element() {
            let element = self.used(id);
            let head = format!("{open}{}{close}", element.head);
            return (Printed { head, below: element.below }, vec![]);
        }
        let said = |word: &str, said: Vec<&'static str>| {
            (Printed { head: word.to_owned(), below: Vec::new() }, said)
        };
        if form.is_int_or_string() {
            return match form.text("pattern").as_deref() {
                Some(QUANTITY_PATTERN) => said(QUANTITY, vec!["x-kubernetes-int-or-string", "pattern"]),
                _ => said(INT_OR_STRING, vec!["x-kubernetes-int-or-string"]),
            };
        }
        let (kind, format) = (form.text("type").unwrap_or_default(), form.text("format"));
        let of_kind = |format: Option<&str>| {
            TYPES.iter().find(|sugar| sugar.kind == kind && sugar.format == format).map(|sugar| sugar.word)
        };
        match format.as_deref().and_then(|format| of_kind(Some(format))) {
            Some(word) => said(word, vec!["format"]),
            None => said(of_kind(None).unwrap_or("any"), vec![]),
        }
    }
}

/// Properties in the order in which the emitter writes them.
fn sorted(properties: &BTreeMap<String, usize>) -> Vec<(&String, &usize)> {
    let mut sorted: Vec<_> = properties.iter().collect();
    sorted.sort_by(|a, b| compare_keys(a.0, b.0));
    sorted
}

fn required(form: &Form) -> impl Iterator<Item = String> {
    let required = form.plain("required");
    let names: Vec<String> = required
        .as_ref()
        .and_then(Node::as_seq)
        .unwrap_or_default()
        .iter()
        .filter_map(|name| name.as_str().map(str::to_owned))
        .collect();
    names.into_iter()
}

fn written_name(name: &str) -> String {
    let is_simple = !name.is_empty()
        && !name.starts_with(['@', '#'])
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.$/@#".contains(&byte));
    if is_simple { name.to_owned() } else { serde_json::Value::from(name).to_string() }
}

/// An attribute of a form, after a space; empty when the form does not have it.
fn written_attribute(attribute: &Attribute, form: &Form) -> String {
    let Some(value) = form.plain(attribute.field) else { return String::new() };
    let word = attribute.word;
    let joined = |values: &mut dyn Iterator<Item = String>| values.collect::<Vec<_>>().join("|");
    match attribute.takes {
        Takes::Nothing => format!(" {word}"),
        Takes::Value => format!(" {word}={}", written(&value)),
        Takes::Values if attribute.field == "required" => {
            let mut others = required(form).filter(|name| !form.properties.contains_key(name));
            let others = joined(&mut others.by_ref().map(|name| written(&Node::string(&name, None))));
            if others.is_empty() { others } else { format!(" {word}={others}") }
        }
        Takes::Values => {
            format!(" {word}={}", joined(&mut value.as_seq().unwrap_or_default().iter().map(written)))
        }
        Takes::ListType => {
            let keys = form.plain(MAP_KEYS);
            let keys = keys.as_ref().and_then(Node::as_seq).unwrap_or_default();
            let keys: Vec<&str> = keys.iter().filter_map(Node::as_str).collect();
            let keys = if keys.is_empty() { String::new() } else { format!("({})", keys.join(",")) };
            format!(" {word}={}{keys}", value.as_str().unwrap_or_default())
        }
    }
}

fn write_rule(rule: &Node, lines: &mut Vec<String>) {
    let text = |field: &str| rule.get(field).and_then(Node::as_text);
    lines.push(format!("@rule {}", written_text(text("rule").unwrap_or_default())));
    for field in RULE_FIELDS {
        match text(field) {
            Some(_) if field == "optionalOldSelf" => lines.push(format!("  {field}")),
            Some(text) => lines.push(format!("  {field} {}", written_text(text))),
            None => {}
        }
    }
}
