//! Scalars and JSON in the notation: a word without quotes, or JSON.

use kfc_yaml::parse::resolve_plain;
use kfc_yaml::value::{from_json, to_json};
use kfc_yaml::{Node, ScalarKind};

/// Whether a string is written without quotes: it has no character that ends a word, and is not read as anything else.
fn is_word(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-./:$^*+".contains(&byte);
    !text.is_empty() && text.bytes().all(is_plain) && resolve_plain(text) == ScalarKind::Str
}

/// Writes a value.
pub(super) fn written(node: &Node) -> String {
    match node.as_str() {
        Some(text) if is_word(text) => text.to_owned(),
        _ => to_json(node).to_string(),
    }
}

/// Writes a text that goes up to the end of a line.
pub(super) fn written_text(text: &str) -> String {
    let is_as_it_is =
        !text.is_empty() && !text.starts_with('"') && text.trim() == text && !text.contains('\n');
    if is_as_it_is { text.to_owned() } else { serde_json::Value::from(text).to_string() }
}

/// Reads a text that goes up to the end of a line.
pub(super) fn read_text(text: &str) -> Option<String> {
    if text.starts_with('"') { serde_json::from_str(text).ok() } else { Some(text.to_owned()) }
}

/// Reads a value at the start of a text; what is left of the text comes with it.
pub(super) fn read(text: &str) -> Option<(Node, &str)> {
    let end = match text.bytes().next()? {
        b'"' => end_of_string(text)?,
        b'{' | b'[' => end_of_collection(text)?,
        _ => text.find([' ', '|', ']', '}', ')', ',']).unwrap_or(text.len()),
    };
    let (value, rest) = text.split_at(end);
    if value.is_empty() {
        return None;
    }
    if !value.starts_with(['"', '{', '[']) {
        return Some((word(value), rest));
    }
    let simple = value.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    if let Some(text) = simple.filter(|text| !text.contains('\\')) {
        return Some((Node::string(text, None), rest));
    }
    let json = serde_json::from_str(value).ok()?;
    Some((from_json(&json, None), rest))
}

fn word(text: &str) -> Node {
    match resolve_plain(text) {
        kind @ (ScalarKind::Null | ScalarKind::Bool | ScalarKind::Int | ScalarKind::Float) => {
            Node::scalar(text.into(), kind, None)
        }
        _ => Node::string(text, None),
    }
}

/// Where a JSON string at the start of a text ends.
fn end_of_string(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// Where a JSON object or array at the start of a text ends.
fn end_of_collection(text: &str) -> Option<usize> {
    let (mut depth, mut at) = (0_usize, 0);
    while let Some(byte) = text.as_bytes().get(at) {
        match byte {
            b'"' => at += end_of_string(&text[at..])? - 1,
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            _ => {}
        }
        at += 1;
        if depth == 0 {
            return Some(at);
        }
    }
    None
}
