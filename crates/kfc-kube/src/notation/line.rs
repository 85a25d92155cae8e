//! One line of the notation: a type and its attributes.

use super::value;
use super::words::{ATTRIBUTES, INT_OR_STRING, MAP_KEYS, QUANTITY, QUANTITY_PATTERN, TYPES, Takes};
use kfc_yaml::{Node, ScalarKind};

/// A schema as one line writes it.
#[derive(Debug, Default)]
pub(super) struct Draft<'t> {
    /// Fields of the schema but those for further schemas.
    pub(super) fields: Vec<(&'static str, Node)>,
    /// The named type that it is.
    pub(super) name: Option<&'t str>,
    /// The schema of its items or other values, with the field for it.
    pub(super) element: Option<(&'static str, Box<Draft<'t>>)>,
}

/// What is wrong with a line, and the text where it is wrong.
pub(super) struct Wrong<'t> {
    pub(super) message: String,
    pub(super) at: &'t str,
}

type Read<'t, T> = Result<T, Wrong<'t>>;

fn wrong(message: impl Into<String>, at: &str) -> Wrong<'_> {
    Wrong { message: message.into(), at }
}

fn string(text: &str) -> Node {
    Node::string(text, None)
}

/// Something that is true.
pub(super) fn yes() -> Node {
    Node::scalar("true".into(), ScalarKind::Bool, None)
}

/// Splits off the first word of a text.
pub(super) fn word(text: &str) -> (&str, &str) {
    let end = text.find([' ', ']', '}']).unwrap_or(text.len());
    text.split_at(end)
}

/// Splits off the name of a field or type: a word, or a JSON string. The rest starts with `!` or a space.
pub(super) fn name(text: &str) -> Read<'_, (std::borrow::Cow<'_, str>, &str)> {
    if text.starts_with('"') {
        let (node, rest) =
            value::read(text).ok_or_else(|| wrong("the quotes of this name do not end", text))?;
        return Ok((node.as_str().unwrap_or_default().to_owned().into(), rest));
    }
    let end = text.find([' ', '!']).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    if name.is_empty() { Err(wrong("expected the name of a field", text)) } else { Ok((name.into(), rest)) }
}

/// Brackets within brackets that are read.
const MOST_BRACKETS: usize = 20;

/// Reads a type with its attributes, up to the end of the text or the bracket that closes it.
pub(super) fn schema(text: &str) -> Read<'_, (Draft<'_>, &str)> {
    schema_within(text, 0)
}

fn schema_within(text: &str, brackets: usize) -> Read<'_, (Draft<'_>, &str)> {
    let (mut draft, mut rest) = kind(text.trim_start_matches(' '), brackets)?;
    loop {
        rest = rest.trim_start_matches(' ');
        if rest.is_empty() || rest.starts_with([']', '}']) {
            return Ok((draft, rest));
        }
        rest = attribute(rest, &mut draft)?;
    }
}

fn kind(text: &str, brackets: usize) -> Read<'_, (Draft<'_>, &str)> {
    let mut draft = Draft::default();
    for (open, close, kind, field) in
        [('[', ']', "array", "items"), ('{', '}', "object", "additionalProperties")]
    {
        let Some(inside) = text.strip_prefix(open) else { continue };
        if brackets == MOST_BRACKETS {
            return Err(wrong("too many brackets within brackets", text));
        }
        let (element, rest) = schema_within(inside, brackets + 1)?;
        let rest = rest
            .strip_prefix(close)
            .ok_or_else(|| wrong(format!("expected `{close}` after the type"), rest))?;
        draft.fields.push(("type", string(kind)));
        draft.element = Some((field, Box::new(element)));
        return Ok((draft, rest));
    }
    let (word, rest) = word(text);
    if let Some(sugar) = TYPES.iter().find(|sugar| sugar.word == word) {
        if !sugar.kind.is_empty() {
            draft.fields.push(("type", string(sugar.kind)));
        }
        draft.fields.extend(sugar.format.map(|format| ("format", string(format))));
    } else if word == INT_OR_STRING || word == QUANTITY {
        draft.fields.push(("anyOf", int_or_string()));
        draft.fields.push(("x-kubernetes-int-or-string", yes()));
        if word == QUANTITY {
            draft.fields.push(("pattern", string(QUANTITY_PATTERN)));
        }
    } else if word.starts_with(|first: char| first.is_ascii_uppercase()) {
        draft.name = Some(word);
    } else {
        return Err(wrong("expected a type: `string`, `int32`, `[string]`, the name of a type", text));
    }
    Ok((draft, rest))
}

/// The schemas that say that a value is an integer or a string.
pub(super) fn int_or_string() -> Node {
    let one = |kind: &str| {
        let mut map = kfc_yaml::Map::new();
        map.set("type", string(kind));
        Node::map(map, None)
    };
    Node::seq(vec![one("integer"), one("string")], None)
}

fn attribute<'t>(text: &'t str, draft: &mut Draft<'t>) -> Read<'t, &'t str> {
    let end = text.find([' ', '=', ']', '}']).unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    let Some(known) = ATTRIBUTES.iter().find(|attribute| attribute.word == word) else {
        return Err(wrong(format!("`{word}` is not an attribute of a type"), text));
    };
    if draft.name.is_some() {
        return Err(wrong("a type that is used by its name has no attributes here", text));
    }
    if known.takes == Takes::Nothing {
        draft.fields.push((known.field, yes()));
        return Ok(rest);
    }
    let value = rest.strip_prefix('=').ok_or_else(|| wrong(format!("expected `=` after `{word}`"), rest))?;
    let read = |text: &'t str| value::read(text).ok_or_else(|| wrong("expected a value", text));
    match known.takes {
        Takes::ListType => list_type(value, draft),
        Takes::Values => {
            let mut values = Vec::new();
            let mut rest = value;
            loop {
                let (value, after) = read(rest)?;
                values.push(value);
                let Some(next) = after.strip_prefix('|') else {
                    draft.fields.push((known.field, Node::seq(values, None)));
                    return Ok(after);
                };
                rest = next;
            }
        }
        Takes::Value | Takes::Nothing => {
            let (value, rest) = read(value)?;
            draft.fields.push((known.field, value));
            Ok(rest)
        }
    }
}

fn list_type<'t>(text: &'t str, draft: &mut Draft<'t>) -> Read<'t, &'t str> {
    let end = text.find([' ', '(', ']', '}']).unwrap_or(text.len());
    let (kind, rest) = text.split_at(end);
    draft.fields.push(("x-kubernetes-list-type", string(kind)));
    let Some(rest) = rest.strip_prefix('(') else { return Ok(rest) };
    let (keys, rest) = rest.split_once(')').ok_or_else(|| wrong("expected `)` after the keys", rest))?;
    draft.fields.push((MAP_KEYS, Node::seq(keys.split(',').map(string).collect(), None)));
    Ok(rest)
}
