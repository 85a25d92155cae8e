//! One value that is read: a node, or the empty value where there is no right one.

use super::context::{Context, Shape};
use super::error::Error;
use crate::through_json::{old_boolean, truth};
use crate::{Entry, Map, Node, Scalar, ScalarKind, emit};
use kfc_diagnostics::{Code, Diagnostic, Mark, nearest};

/// One value that is read.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    /// The value; without one, whatever is wanted is empty.
    pub(super) node: Option<&'a Node>,
    /// The location of the value, or of what should have it.
    pub(super) mark: Mark,
    /// The field that has it, for messages.
    field: &'a str,
    pub(super) context: &'a Context,
}

impl<'a> Reader<'a> {
    /// A reader of a document.
    pub(super) fn new(node: &'a Node, context: &'a Context) -> Self {
        Self { node: Some(node), mark: node.mark, field: "", context }
    }

    /// A reader of the value of an entry.
    pub(super) fn of_entry(self, entry: &'a Entry) -> Self {
        Self { node: Some(&entry.value), mark: entry.value.mark, field: &entry.key.text, ..self }
    }

    /// A reader of an item, which messages call by the name of its list.
    pub(super) fn of_item(self, item: &'a Node) -> Self {
        Self { node: Some(item), mark: item.mark, ..self }
    }

    /// A reader of a value that is missing or wrong.
    pub(super) fn empty(self) -> Self {
        Self { node: None, ..self }
    }

    /// The value, unless its type refused it before.
    pub(super) fn node(self) -> Option<&'a Node> {
        self.node.filter(|node| !self.context.is_refused(node))
    }

    /// The name of the field in messages.
    pub(super) fn name(self) -> String {
        if self.field.is_empty() { "this".to_owned() } else { format!("`{}`", self.field) }
    }

    /// The text of a value; an empty one after an error.
    pub(super) fn text(self) -> String {
        let Some(node) = self.node() else { return String::new() };
        let is_text = |scalar: &&Scalar| matches!(scalar.kind, ScalarKind::Str | ScalarKind::Timestamp);
        if let Some(scalar) = node.as_scalar().filter(is_text) {
            return scalar.text.to_string();
        }
        let help = node.as_text().map(|text| format!("put it in quotes: \"{text}\""));
        let error = wrong_type(node, &self.name(), "a string");
        self.context.push(error.helped(help));
        String::new()
    }

    /// A boolean. The words that YAML 1.1 has in addition, such as `yes`, are texts for the editors that check our files.
    pub(super) fn boolean(self) -> bool {
        let Some(node) = self.node() else { return false };
        let word = node.as_scalar().filter(|scalar| scalar.kind == ScalarKind::Bool);
        word.and_then(|word| truth(&word.text)).unwrap_or_else(|| {
            let meant = node.as_scalar().and_then(old_boolean).map(|truth| format!("write it as `{truth}`"));
            self.context.push(wrong_type(node, &self.name(), "`true` or `false`").helped(meant));
            false
        })
    }

    pub(super) fn integer(self) -> i64 {
        let Some(node) = self.node() else { return 0 };
        let number = node.as_scalar().filter(|scalar| scalar.kind == ScalarKind::Int);
        let text = number.and_then(|number| emit::integer(&number.text));
        text.and_then(|text| text.parse().ok()).unwrap_or_else(|| {
            self.context.push(wrong_type(node, &self.name(), "an integer"));
            0
        })
    }

    pub(super) fn number(self) -> f64 {
        let Some(node) = self.node() else { return 0.0 };
        let is_number = |scalar: &&Scalar| matches!(scalar.kind, ScalarKind::Int | ScalarKind::Float);
        let number = node.as_scalar().filter(is_number);
        let text =
            number.and_then(|number| emit::float(&number.text).or_else(|| emit::integer(&number.text)));
        text.and_then(|text| text.parse().ok()).unwrap_or_else(|| {
            self.context.push(wrong_type(node, &self.name(), "a number"));
            0.0
        })
    }

    pub(super) fn items(self) -> &'a [Node] {
        let Some(node) = self.node() else { return &[] };
        node.as_seq().unwrap_or_else(|| {
            let error = wrong_type(node, &self.name(), "a list");
            self.context.push(error.help("start each item with a dash"));
            &[]
        })
    }

    /// The mapping that `what` must be.
    pub(super) fn mapping(self, what: &str) -> Option<&'a Map> {
        let node = self.node()?;
        if node.as_map().is_none() {
            self.context.push(wrong_type(node, what, "a mapping"));
        }
        node.as_map()
    }

    /// The result of a type; what it refuses is noted for the next reading.
    pub(super) fn settled<T>(self, result: Result<T, Error>) -> Result<T, Error> {
        self.settled_as(result, ("", &[]))
    }

    pub(super) fn settled_as<T>(self, result: Result<T, Error>, shape: Shape) -> Result<T, Error> {
        result.map_err(|error| self.context.learn(error, self.node, shape))
    }

    /// The word of a list of words.
    pub(super) fn word(self, name: &str, words: &'static [&'static str]) -> Option<&'static str> {
        let node = self.node()?;
        let Some(text) = node.as_text() else {
            self.context.push(wrong_type(node, &self.name(), "a string"));
            return None;
        };
        let known = words.iter().find(|word| **word == text);
        if known.is_none() {
            let error = Diagnostic::error(Code::BadValue, format!("`{text}` is not {name}")).at(node.mark);
            let help = match nearest(text, words.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("expected one of {}", words.join(", ")),
            };
            self.context.push(error.help(help));
        }
        known.copied()
    }

    /// The one of some keys that a mapping has.
    pub(super) fn key(self, name: &str, keys: &'static [&'static str], map: &Map) -> Option<&'static str> {
        let has = |key: &&&str| map.get(key).is_some_and(|value| !value.is_null());
        let found: Vec<&&'static str> = keys.iter().filter(has).collect();
        if let [key] = found.as_slice() {
            return Some(**key);
        }
        let listed: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
        let message = format!("{name} must have exactly one of {}", listed.join(", "));
        let error = Diagnostic::error(Code::FieldConflict, message).at(self.mark);
        let near = |entry: &Entry| nearest(&entry.key.text, keys.iter().copied());
        let near = if found.is_empty() { map.iter().find_map(near) } else { None };
        let help = near.map(|near| format!("did you mean `{near}`?"));
        self.context.push(error.helped(help));
        None
    }
}

/// The error of a value that is not what it has to be.
fn wrong_type(node: &Node, what: &str, wanted: &str) -> Diagnostic {
    let message = format!("{what} must be {wanted}, but this is {}", node.describe());
    Diagnostic::error(Code::WrongType, message).at(node.mark)
}
