//! Reads mappings strictly, field by field, and collects every error.
//!
//! kustomize decodes its files through JSON with Go's encoding/json: field names match whatever their case, null counts
//! as absent, unknown fields and values of another type are errors.

use crate::through_json::{old_boolean, truth};
use crate::{Entry, Node, Scalar, ScalarKind, Spanned, emit};
use compact_str::CompactString;
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Mark, Severity, nearest};
use std::cell::{Cell, RefCell};

/// Where readers leave what they find.
#[derive(Debug)]
pub struct Errors {
    found: RefCell<Diagnostics>,
    /// Whether an unknown field is an error, or only a warning.
    strict: bool,
    /// How values become texts and booleans.
    typing: Typing,
}

/// What a value may be where a text or a boolean is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Typing {
    /// A kustomization, which kustomize reads with the words of YAML 1.1: unquoted `y`, `on` and their like are
    /// booleans, and never texts.
    Kustomization,
    /// Files that kustomize decodes into structs with sigs.k8s.io/yaml: numbers and booleans become texts where a text
    /// is wanted, but for the fields of embedded structs.
    Decoded,
    /// The same after a turn through kyaml, which has no booleans but `true` and `false`.
    Configuration,
}

impl Errors {
    /// For kustomizations: unknown fields are errors.
    #[must_use]
    pub fn kustomization() -> Self {
        Self { found: RefCell::default(), strict: true, typing: Typing::Kustomization }
    }

    /// For files of replacements: unknown fields are warnings, numbers and booleans become texts.
    #[must_use]
    pub fn replacements() -> Self {
        Self { found: RefCell::default(), strict: false, typing: Typing::Decoded }
    }

    /// For files of `configurations`: unknown fields are errors, numbers and booleans become texts.
    #[must_use]
    pub fn field_specs() -> Self {
        Self { found: RefCell::default(), strict: true, typing: Typing::Decoded }
    }

    /// For the configurations of plug-ins: unknown fields are warnings, numbers and booleans become texts.
    #[must_use]
    pub fn plugin() -> Self {
        Self { found: RefCell::default(), strict: false, typing: Typing::Configuration }
    }

    fn is_boolean(&self, scalar: &Scalar) -> bool {
        match self.typing {
            Typing::Configuration => scalar.kind == ScalarKind::Bool,
            _ => scalar.kind == ScalarKind::Bool || old_boolean(scalar).is_some(),
        }
    }

    /// A scalar as text, if it may be one here. `converts` is false in embedded structs.
    fn text(&self, scalar: &Scalar, converts: bool) -> Option<CompactString> {
        let is_text = match scalar.kind {
            ScalarKind::Str if matches!(self.typing, Typing::Kustomization | Typing::Decoded) => {
                old_boolean(scalar).is_none()
            }
            // An unquoted date is a string for the library that reads kustomization files.
            ScalarKind::Str | ScalarKind::Timestamp => true,
            _ => false,
        };
        if is_text {
            return Some(scalar.text.clone());
        }
        let decoded = converts && matches!(self.typing, Typing::Decoded | Typing::Configuration);
        match scalar.kind {
            _ if !decoded => None,
            ScalarKind::Int | ScalarKind::Float => emit::integer(&scalar.text)
                .or_else(|| emit::float(&scalar.text))
                .map(|text| CompactString::new(&text)),
            ScalarKind::Bool | ScalarKind::Str => truth(&scalar.text).map(|truth| truth.to_string().into()),
            _ => None,
        }
    }

    /// Adds one.
    pub fn push(&self, diagnostic: Diagnostic) {
        self.found.borrow_mut().push(diagnostic);
    }

    /// All that was found, in the order of the source.
    pub fn into_inner(self) -> Diagnostics {
        let mut found = self.found.into_inner();
        found.0.sort_by_key(|found| found.mark.map_or(0, |mark| mark.offset));
        found
    }

    /// The errors and the warnings.
    pub fn split(self) -> (Diagnostics, Diagnostics) {
        let (errors, warnings) =
            self.into_inner().0.into_iter().partition(|found| found.severity == Severity::Error);
        (Diagnostics(errors), Diagnostics(warnings))
    }
}

/// The fields of one mapping. Every getter takes note of its field's name, so that [`Fields::finish`] knows the rest.
pub struct Fields<'a> {
    what: &'static str,
    entries: &'a [Entry],
    known: RefCell<Vec<&'static str>>,
    /// Whether these are the fields of an embedded struct, whose values do not become texts.
    embedded: Cell<bool>,
    errors: &'a Errors,
}

impl<'a> Fields<'a> {
    /// The fields of `node`; `what` names the thing in messages ("a patch").
    pub fn of(node: &'a Node, what: &'static str, errors: &'a Errors) -> Option<Self> {
        let entries = match node.as_map() {
            Some(map) => map.as_slice(),
            None if node.is_null() => &[],
            None => {
                errors.push(wrong_type(node, what, "a mapping"));
                return None;
            }
        };
        Some(Self { what, entries, known: RefCell::default(), embedded: Cell::new(false), errors })
    }

    /// What `read` gives, for fields that kustomize has in an embedded struct.
    pub fn embedded<T>(&self, read: impl FnOnce(&Self) -> T) -> T {
        let before = self.embedded.replace(true);
        let value = read(self);
        self.embedded.set(before);
        value
    }

    fn push(&self, error: Diagnostic) {
        self.errors.push(error);
    }

    fn entry(&self, name: &'static str) -> Option<&'a Entry> {
        self.known.borrow_mut().push(name);
        let found = self.entries.iter().rev().find(|entry| entry.key.text.eq_ignore_ascii_case(name));
        found.filter(|entry| !entry.value.is_null())
    }

    /// The place of a field's name, or of its mapping's first field when it is missing.
    pub fn mark(&self, name: &str) -> Option<Mark> {
        let named = self.entries.iter().find(|entry| entry.key.text.eq_ignore_ascii_case(name));
        named.or(self.entries.first()).map(|entry| entry.key.mark)
    }

    /// The place of a field's value, if it is there.
    pub fn place(&self, name: &str) -> Option<Mark> {
        let named = self.entries.iter().rev().find(|entry| entry.key.text.eq_ignore_ascii_case(name));
        named.map(|entry| entry.value.mark)
    }

    /// The places of the keys of a nested mapping.
    pub fn key_places(&self, name: &str) -> Vec<(String, Mark)> {
        let named = self.entries.iter().rev().find(|entry| entry.key.text.eq_ignore_ascii_case(name));
        let map = named.and_then(|entry| entry.value.as_map());
        map.into_iter().flatten().map(|entry| (entry.key.text.to_string(), entry.key.mark)).collect()
    }

    /// A string that must be there and not be empty.
    pub fn required(&self, name: &'static str) -> Spanned<String> {
        let found = self.spanned(name);
        if found.is_none() && self.entry(name).is_none() {
            let error = Diagnostic::error(Code::MissingField, format!("{} needs `{name}`", self.what));
            self.push(error.at(self.mark(name)));
        }
        found.unwrap_or(Spanned { value: String::new(), mark: self.mark(name) })
    }

    /// The value of a field as it is.
    pub fn node(&self, name: &'static str) -> Option<&'a Node> {
        self.entry(name).map(|entry| &entry.value)
    }

    /// A string with its place.
    pub fn spanned(&self, name: &'static str) -> Option<Spanned<String>> {
        self.text_of(self.node(name)?, name)
    }

    /// A string, empty when it is missing.
    pub fn string(&self, name: &'static str) -> String {
        self.spanned(name).map(|spanned| spanned.value).unwrap_or_default()
    }

    fn text_of(&self, node: &Node, name: &str) -> Option<Spanned<String>> {
        if node.is_null() {
            return Some(Spanned::at(String::new(), node.mark));
        }
        let text = node.as_scalar().and_then(|scalar| self.errors.text(scalar, !self.embedded.get()));
        if let Some(text) = text {
            Some(Spanned::at(text.into(), node.mark))
        } else {
            let error = wrong_type(node, &format!("`{name}`"), "a string");
            let help = node.as_text().map(|text| format!("put it in quotes: \"{text}\""));
            let old = node.as_scalar().filter(|scalar| scalar.kind == ScalarKind::Str);
            let message = match old {
                Some(word) => format!("`{name}` must be a string, but `{}` is a boolean here", word.text),
                None => error.message.clone(),
            };
            self.push(Diagnostic::error(error.code, message).at(error.mark).helped(help));
            None
        }
    }

    /// A boolean, in YAML 1.1 notation (`yes`, `on`) too where kustomize reads it so; false when it is missing.
    pub fn boolean(&self, name: &'static str) -> bool {
        let Some(node) = self.node(name) else { return false };
        let word = node.as_scalar().filter(|scalar| self.errors.is_boolean(scalar));
        if let Some(truth) = word.and_then(|word| truth(&word.text)) {
            truth
        } else {
            self.push(wrong_type(node, &format!("`{name}`"), "`true` or `false`"));
            false
        }
    }

    /// An integer, 0 when it is missing.
    pub fn integer(&self, name: &'static str) -> i64 {
        let Some(node) = self.node(name) else { return 0 };
        let number = node.as_scalar().filter(|s| matches!(s.kind, ScalarKind::Int | ScalarKind::Float));
        let normal = number.and_then(|scalar| {
            crate::emit::float(&scalar.text).or_else(|| crate::emit::integer(&scalar.text))
        });
        let integral = number.and_then(|scalar| crate::emit::integer(&scalar.text));
        if let Some(value) = integral.or(normal).and_then(|text| text.parse().ok()) {
            value
        } else {
            self.push(wrong_type(node, &format!("`{name}`"), "an integer"));
            0
        }
    }

    /// A list of anything; `read` gets each item and gives nothing after an error of its own.
    pub fn list<T>(&self, name: &'static str, read: impl Fn(&'a Node) -> Option<T>) -> Vec<T> {
        let Some(node) = self.node(name) else { return Vec::new() };
        if let Some(items) = node.as_seq() {
            items.iter().filter_map(read).collect()
        } else {
            let error = wrong_type(node, &format!("`{name}`"), "a list");
            self.push(error.help("start each item with a dash"));
            Vec::new()
        }
    }

    /// A list of strings.
    pub fn strings(&self, name: &'static str) -> Vec<Spanned<String>> {
        self.list(name, |item| self.text_of(item, name))
    }

    /// A mapping from strings to strings, in source order.
    pub fn pairs(&self, name: &'static str) -> Vec<(String, String)> {
        let Some(node) = self.node(name) else { return Vec::new() };
        let Some(map) = node.as_map() else {
            self.push(wrong_type(node, &format!("`{name}`"), "a mapping of strings"));
            return Vec::new();
        };
        let mut pairs = Vec::with_capacity(map.len());
        for entry in map {
            let value = if entry.value.is_null() {
                Some(String::new())
            } else {
                self.text_of(&entry.value, &entry.key.text).map(|spanned| spanned.value)
            };
            if let Some(value) = value {
                pairs.push((entry.key.text.to_string(), value));
            }
        }
        pairs
    }

    /// A nested mapping.
    pub fn nested(&self, name: &'static str, what: &'static str) -> Option<Fields<'a>> {
        Fields::of(self.node(name)?, what, self.errors)
    }

    /// A list of nested mappings.
    pub fn nested_list(&self, name: &'static str, what: &'static str) -> Vec<Fields<'a>> {
        self.list(name, |item| Fields::of(item, what, self.errors))
    }

    /// Refuses every field that no getter asked for.
    pub fn finish(self) {
        let known = self.known.borrow();
        for entry in self.entries {
            let name = entry.key.text.as_str();
            if known.iter().any(|known| known.eq_ignore_ascii_case(name)) {
                continue;
            }
            let severity = if self.errors.strict { Severity::Error } else { Severity::Warning };
            let message = format!("unknown field `{name}` in {}", self.what);
            let error =
                Diagnostic::error(Code::UnknownField, message).with_severity(severity).at(entry.key.mark);
            let error = match nearest(name, known.iter().copied()) {
                Some(near) => error.help(format!("did you mean `{near}`?")),
                None => error.help(format!("it may have {}", listed(&known))),
            };
            self.errors.push(error);
        }
    }
}

fn wrong_type(node: &Node, what: &str, wanted: &str) -> Diagnostic {
    Diagnostic::error(Code::WrongType, format!("{what} must be {wanted}, but this is {}", node.describe()))
        .at(node.mark)
}

fn listed(names: &[&'static str]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::{Errors, Fields};
    use crate::Node;
    use crate::parse::parse;
    use kfc_diagnostics::{Code, Severity, SourceId};

    fn node(text: &str) -> Node {
        parse(text, SourceId(0)).unwrap().remove(0)
    }

    /// What `read` gives, and the messages of what was found.
    fn read<T>(text: &str, errors: Errors, read: impl Fn(&Fields<'_>) -> T) -> (T, Vec<String>) {
        let node = node(text);
        let fields = Fields::of(&node, "a thing", &errors).unwrap();
        let value = read(&fields);
        fields.finish();
        (value, errors.into_inner().0.into_iter().map(|error| error.message).collect())
    }

    #[test]
    fn values_are_read_by_their_type() {
        let text = "{s: text, b: true, n: 12, f: 3.0, l: [x, z], p: {k: v, e: null}}";
        let (values, found) = read(text, Errors::kustomization(), |fields| {
            let words: Vec<String> = fields.strings("l").into_iter().map(|word| word.value).collect();
            let numbers = (fields.integer("n"), fields.integer("f"), fields.integer("none"));
            (fields.string("s"), fields.boolean("b"), numbers, words, fields.pairs("p"))
        });
        let pairs = [("k", "v"), ("e", "")].map(|(key, value)| (key.to_owned(), value.to_owned())).to_vec();
        let words = vec!["x".to_owned(), "z".to_owned()];
        assert_eq!(values, ("text".to_owned(), true, (12, 3, 0), words, pairs));
        assert_eq!(found, [""; 0]);
    }

    #[test]
    fn wrong_types_are_all_reported_in_the_order_of_the_source() {
        let text = "{s: 1, b: word, n: x, l: text, p: [a], m: x}";
        let (_, found) = read(text, Errors::kustomization(), |fields| {
            fields.nested("m", "an m").is_none()
                && fields.pairs("p").is_empty()
                && fields.strings("l").is_empty()
                && fields.integer("n") == 0
                && !fields.boolean("b")
                && fields.string("s").is_empty()
        });
        assert_eq!(
            found,
            [
                "`s` must be a string, but this is an integer",
                "`b` must be `true` or `false`, but this is a string",
                "`n` must be an integer, but this is a string",
                "`l` must be a list, but this is a string",
                "`p` must be a mapping of strings, but this is a sequence",
                "an m must be a mapping, but this is a string",
            ]
        );
    }

    #[test]
    fn a_field_that_nothing_asked_for_is_unknown_and_has_a_suggestion() {
        let node = node("{name: a, nmae: b}");
        for (errors, severity) in
            [(Errors::kustomization(), Severity::Error), (Errors::plugin(), Severity::Warning)]
        {
            let fields = Fields::of(&node, "a thing", &errors).unwrap();
            fields.string("name");
            fields.finish();
            let found = errors.into_inner().0.remove(0);
            assert_eq!((found.code, found.severity), (Code::UnknownField, severity));
            assert_eq!(found.message, "unknown field `nmae` in a thing");
            assert_eq!(found.help.as_deref(), Some("did you mean `name`?"));
        }
    }

    #[test]
    fn names_match_in_any_case() {
        let name = read("{NAME: a}", Errors::kustomization(), |fields| fields.string("name"));
        assert_eq!(name, ("a".to_owned(), Vec::new()));
    }

    #[test]
    fn words_of_yaml_1_1_are_booleans_where_kustomize_reads_them_so() {
        let text = |errors| read("{s: yes}", errors, |fields| fields.string("s"));
        assert_eq!(text(Errors::plugin()).0, "yes");
        let (_, found) = text(Errors::kustomization());
        assert_eq!(found, ["`s` must be a string, but `yes` is a boolean here"]);
        assert_eq!(text(Errors::field_specs()).0, "true");
        let boolean = |errors| read("{b: on}", errors, |fields| fields.boolean("b"));
        assert!(boolean(Errors::kustomization()).0);
        assert!(!boolean(Errors::plugin()).0);
    }

    #[test]
    fn numbers_become_texts_where_a_struct_is_decoded_but_not_in_an_embedded_one() {
        let text = |errors| read("{s: 0x10}", errors, |fields| fields.string("s"));
        assert_eq!(text(Errors::field_specs()), ("16".to_owned(), Vec::new()));
        let (value, found) =
            read("{s: 16}", Errors::field_specs(), |fields| fields.embedded(|fields| fields.string("s")));
        assert_eq!((value.as_str(), found.len()), ("", 1));
    }

    #[test]
    fn what_is_required_may_not_be_missing_or_null() {
        for text in ["{other: a}", "{name: null, other: a}"] {
            let (name, found) = read(text, Errors::kustomization(), |fields| {
                fields.string("other");
                fields.required("name").value
            });
            assert_eq!((name.as_str(), found), ("", vec!["a thing needs `name`".to_owned()]), "{text}");
        }
    }

    #[test]
    fn null_is_an_empty_mapping() {
        let holder = node("a: null");
        let null = holder.get("a").unwrap();
        assert!(Fields::of(null, "a thing", &Errors::kustomization()).is_some());
    }

    #[test]
    fn the_last_of_several_fields_in_different_case_counts_and_places_are_those_of_values() {
        let node = node("{name: a, Name: b, m: {x: 1, y: 2}}");
        let errors = Errors::kustomization();
        let fields = Fields::of(&node, "a thing", &errors).unwrap();
        assert_eq!(fields.string("name"), "b");
        assert_eq!(fields.place("name").map(|mark| mark.offset), Some(16));
        let offset = |name| fields.mark(name).map(|mark| mark.offset);
        assert_eq!((offset("m"), offset("none")), (Some(19), Some(1)));
        let keys: Vec<(String, u32)> =
            fields.key_places("m").into_iter().map(|(key, mark)| (key, mark.offset)).collect();
        assert_eq!(keys, [("x".to_owned(), 23), ("y".to_owned(), 29)]);
    }
}
