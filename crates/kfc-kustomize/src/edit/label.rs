//! Labels and annotations: `commonLabels`, `labels`, `commonAnnotations`.

use super::Document;
use super::document::entry;
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Result, nearest};
use kfc_yaml::{Map, Node, ScalarKind};

/// The field of labels that selectors and templates get, too.
pub const COMMON_LABELS: &str = "commonLabels";
/// The field of annotations.
pub const COMMON_ANNOTATIONS: &str = "commonAnnotations";

/// A key with its value.
pub type Pair = (String, String);

/// Reads `key:value,key:value`; a value may be left out, and may hold colons when it is in quotes.
///
/// # Errors
/// [`Code::Usage`] for empty keys.
pub fn pairs(arguments: &[String]) -> Result<Vec<Pair>> {
    let mut errors = Diagnostics::default();
    let mut pairs = Vec::new();
    for text in arguments.iter().flat_map(|argument| argument.split(',')) {
        let (key, value) = text.split_once(':').unwrap_or((text, ""));
        let value = value.trim_matches(|c| c == '"' || c == '\'');
        if key.is_empty() {
            let error = Diagnostic::error(Code::Usage, format!("`{text}` has no key"));
            errors.push(error.help("write pairs as `key:value,key:value`"));
        }
        pairs.push((key.to_owned(), value.to_owned()));
    }
    errors.into_result(pairs)
}

/// Puts pairs into a mapping field. Those that are there with another value are errors unless `force`.
///
/// # Errors
/// [`Code::EditExists`].
pub fn add(document: &mut Document, field: &str, pairs: &[Pair], force: bool) -> Result<()> {
    let mut map = document.fields().get(field).and_then(Node::as_map).cloned().unwrap_or_default();
    put(&mut map, field, pairs, force)?;
    document.fields_mut().set(field, Node::map(map, None));
    Ok(())
}

/// Puts labels into the entry of `labels` that leaves selectors alone and treats templates as said; a new one is made
/// when there is none.
///
/// # Errors
/// [`Code::EditExists`].
pub fn add_without_selectors(
    document: &mut Document,
    pairs: &[Pair],
    include_templates: bool,
    force: bool,
) -> Result<()> {
    let mut items = document.items("labels").to_vec();
    let is_true = |item: &Node, field: &str| item.get(field).and_then(Node::as_text) == Some("true");
    let is_meant = |item: &Node| {
        !is_true(item, "includeSelectors") && is_true(item, "includeTemplates") == include_templates
    };
    let at = items.iter().position(is_meant).unwrap_or_else(|| {
        let flag = Node::scalar("true".into(), ScalarKind::Bool, None);
        let templates = include_templates.then(|| entry("includeTemplates", flag));
        items.push(Node::map(templates.into_iter().collect(), None));
        items.len() - 1
    });
    if let Some(item) = items[at].as_map_mut() {
        let mut map = item.get("pairs").and_then(Node::as_map).cloned().unwrap_or_default();
        put(&mut map, "labels", pairs, force)?;
        item.set("pairs", Node::map(map, None));
    }
    document.set_items("labels", items);
    Ok(())
}

fn put(map: &mut Map, field: &str, pairs: &[Pair], force: bool) -> Result<()> {
    let mut errors = Diagnostics::default();
    for (key, value) in pairs {
        match map.get(key).filter(|_| !force) {
            Some(old) => {
                let message = format!("`{key}` is already in `{field}`");
                let error = Diagnostic::error(Code::EditExists, message).at(old.mark);
                errors.push(error.help("use `--force` to overwrite it"));
            }
            None => map.set(key, Node::string(value, None)),
        }
    }
    errors.into_result(())
}

/// Takes keys out of a mapping field and, for labels, out of the entries of `labels`.
///
/// # Errors
/// [`Code::EditMissing`] for keys that are nowhere, unless `ignore_missing`.
pub fn remove(document: &mut Document, field: &str, keys: &[String], ignore_missing: bool) -> Result<()> {
    let mut errors = Diagnostics::default();
    for key in keys {
        let mut found = remove_from_field(document, field, key);
        if field == COMMON_LABELS {
            found |= remove_from_labels(document, key);
        }
        if !found && !ignore_missing {
            errors.push(missing(document, field, key));
        }
    }
    errors.into_result(())
}

fn remove_from_field(document: &mut Document, field: &str, key: &str) -> bool {
    let Some(map) = document.fields_mut().get_mut(field).and_then(Node::as_map_mut) else { return false };
    let found = map.remove(key).is_some();
    if map.is_empty() {
        document.fields_mut().remove(field);
    }
    found
}

fn remove_from_labels(document: &mut Document, key: &str) -> bool {
    let mut found = false;
    let mut items = document.items("labels").to_vec();
    for item in &mut items {
        let pairs = item.get_mut("pairs").and_then(Node::as_map_mut);
        found |= pairs.is_some_and(|pairs| pairs.remove(key).is_some());
    }
    if found {
        let has_pairs = |item: &Node| item.get("pairs").and_then(Node::as_map).is_some_and(|m| !m.is_empty());
        items.retain(has_pairs);
        document.set_items("labels", items);
    }
    found
}

fn missing(document: &Document, field: &str, key: &str) -> Diagnostic {
    let error = Diagnostic::error(Code::EditMissing, format!("`{key}` is not in `{field}`"));
    let keys = document.fields().get(field).and_then(Node::as_map).into_iter().flat_map(Map::iter);
    match nearest(key, keys.map(|entry| entry.key.text.as_str())) {
        Some(near) => error.help(format!("did you mean `{near}`?")),
        None => error.help("use `--ignore-non-existence` to ignore it"),
    }
}
