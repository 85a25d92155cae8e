//! Strategic merge patches, with the habits of the merge in kustomize 5.5 (kyaml's `merge2`, new items first).

use crate::diagnostics::{Code, Diagnostic, Result};
use crate::schema::TypeRef;
use crate::yaml::{Entry, Map, Node, Value};

/// The key that tells how a mapping or list of a patch is meant.
const DIRECTIVE: &str = "$patch";

/// What is left of the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was changed, or stayed as it was.
    Merged,
    /// The patch deletes it.
    Deleted,
}

/// Merges a patch into a target. Lists merge by the keys of the schema; without one they are replaced.
///
/// Some habits that differ from what one might expect: items of the patch come first, in the patch's order; nulls remove
/// fields and never get into the result; an empty mapping or an empty list that merges changes nothing; `$retainKeys`,
/// `$setElementOrder` and `$deleteFromPrimitiveList` are fields like any other.
///
/// # Errors
/// [`Code::Merge`] where a mapping, list or scalar meets one of another sort, with both places.
pub fn apply(target: &mut Node, patch: &Node, schema: Option<TypeRef<'_>>) -> Result<Outcome> {
    match merge(target, patch, schema)? {
        true => Ok(Outcome::Merged),
        false => Ok(Outcome::Deleted),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Directive {
    Merge,
    Replace,
    Delete,
}

/// The directive of a mapping; an unknown one is an error where it would be obeyed.
fn directive(map: &Map) -> std::result::Result<Directive, Diagnostic> {
    match map.get(DIRECTIVE) {
        None => Ok(Directive::Merge),
        Some(node) => match node.as_text() {
            Some("merge") => Ok(Directive::Merge),
            Some("replace") => Ok(Directive::Replace),
            Some("delete") => Ok(Directive::Delete),
            _ => Err(Diagnostic::error(Code::Merge, "this `$patch` directive is not known")
                .at(node.mark)
                .help("it is `delete`, `replace` or `merge`")),
        },
    }
}

/// The directive that one item of a list holds for the whole list.
fn list_directive(items: &[Node]) -> std::result::Result<Directive, Diagnostic> {
    let holds_only =
        |item: &&Node| item.as_map().is_some_and(|map| map.len() == 1 && map.contains(DIRECTIVE));
    items.iter().find(holds_only).and_then(Node::as_map).map_or(Ok(Directive::Merge), directive)
}

/// Merges; false when the target is to be removed.
fn merge(target: &mut Node, patch: &Node, schema: Option<TypeRef<'_>>) -> Result<bool> {
    if patch.is_null() {
        return Ok(false);
    }
    if target.is_null() {
        return Ok(match added(patch, schema)? {
            Some(node) => {
                *target = node;
                true
            }
            None => false,
        });
    }
    match (&mut target.value, &patch.value) {
        (Value::Map(into), Value::Map(from)) => match directive(from)? {
            Directive::Delete => Ok(false),
            Directive::Replace => match added(patch, schema)? {
                Some(node) => {
                    *target = node;
                    Ok(true)
                }
                None => Ok(false),
            },
            Directive::Merge => merge_maps(into, from, schema).map(|()| true),
        },
        (Value::Seq(into), Value::Seq(from)) => {
            match schema.and_then(|s| s.merge_keys().map(|keys| (s, keys))) {
                Some((schema, keys)) => merge_lists(into, from, schema.element(), keys),
                None => {
                    *target = patch.clone();
                    Ok(true)
                }
            }
        }
        (Value::Scalar(_), Value::Scalar(_)) => {
            *target = patch.clone();
            Ok(true)
        }
        _ => Err(mismatch(target, patch).into()),
    }
}

fn mismatch(target: &Node, patch: &Node) -> Diagnostic {
    Diagnostic::error(
        Code::Merge,
        format!("the patch has {} where the target has {}", patch.describe(), target.describe()),
    )
    .at(patch.mark)
    .label(target.mark, "the target's is here")
    .help("to put something of another sort there, remove the field with a JSON patch first")
}

fn merge_maps(into: &mut Map, from: &Map, schema: Option<TypeRef<'_>>) -> Result<()> {
    into.retain(|entry| {
        let untouched = !from.contains(&entry.key.text);
        if untouched {
            sweep(&mut entry.value, schema.and_then(|s| s.field(&entry.key.text)));
        }
        !(untouched && is_implicit_null(&entry.value))
    });
    for entry in from {
        let name = entry.key.text.as_str();
        if name == DIRECTIVE {
            continue;
        }
        let schema = schema.and_then(|s| s.field(name));
        match into.position(name) {
            Some(at) => {
                let keep = into
                    .iter_mut()
                    .nth(at)
                    .map_or(Ok(true), |old| merge(&mut old.value, &entry.value, schema))?;
                if !keep {
                    into.remove(name);
                }
            }
            None => {
                if let Some(value) = added(&entry.value, schema)? {
                    into.push(Entry { key: entry.key.clone(), value });
                }
            }
        }
    }
    Ok(())
}

/// A value of the patch that the target lacks: without nulls and directives; nothing when it is to be deleted.
fn added(patch: &Node, schema: Option<TypeRef<'_>>) -> Result<Option<Node>> {
    match &patch.value {
        Value::Scalar(_) => Ok((!patch.is_null()).then(|| patch.clone())),
        Value::Map(from) => {
            let known = directive(from);
            if known == Ok(Directive::Delete) {
                return Ok(None);
            }
            let mut map = Map::with_capacity(from.len());
            for entry in from.iter().filter(|entry| known.is_err() || entry.key.text != DIRECTIVE) {
                let schema = schema.and_then(|s| s.field(&entry.key.text));
                if let Some(value) = added(&entry.value, schema)? {
                    map.push(Entry { key: entry.key.clone(), value });
                }
            }
            Ok(Some(Node::map(map, patch.mark)))
        }
        Value::Seq(from) => {
            let Some((schema, keys)) = schema.and_then(|s| s.merge_keys().map(|keys| (s, keys))) else {
                return Ok(Some(patch.clone()));
            };
            let rest: Vec<Node> = from
                .iter()
                .filter(|item| item.get(DIRECTIVE).is_none_or(|_| has_key(item, keys)))
                .cloned()
                .collect();
            let mut items = rest.clone();
            merge_lists(&mut items, &rest, schema.element(), keys)?;
            Ok(Some(Node::seq(items, patch.mark)))
        }
    }
}

/// Merges a list by keys. False when a directive removes it.
fn merge_lists(into: &mut Vec<Node>, from: &[Node], schema: TypeRef<'_>, keys: &[String]) -> Result<bool> {
    match list_directive(from)? {
        Directive::Delete => return Ok(false),
        Directive::Replace => {
            into.clear();
            let rest: Vec<Node> = from.iter().filter(|item| item.get(DIRECTIVE).is_none()).cloned().collect();
            return merge_lists(into, &rest, schema, keys);
        }
        Directive::Merge => {}
    }
    if keys.is_empty() {
        merge_values(into, from);
        return Ok(true);
    }
    let used: Vec<&str> = used_keys(keys, into, from);
    match used.as_slice() {
        [key] => merge_by_key(into, from, schema, key)?,
        several => merge_by_keys(into, from, schema, several)?,
    }
    Ok(true)
}

/// Plain values: those of the patch first, then the others.
fn merge_values(into: &mut Vec<Node>, from: &[Node]) {
    let mut joined: Vec<Node> = Vec::with_capacity(into.len() + from.len());
    for value in from.iter().cloned().chain(std::mem::take(into)) {
        let known = |other: &Node| other.as_scalar().map(|s| &s.text) == value.as_scalar().map(|s| &s.text);
        if !joined.iter().any(known) {
            joined.push(value);
        }
    }
    *into = joined;
}

fn key_value<'n>(item: &'n Node, key: &str) -> Option<&'n str> {
    item.get(key).and_then(Node::as_text).filter(|text| !text.is_empty())
}

fn has_key(item: &Node, keys: &[String]) -> bool {
    keys.iter().any(|key| key_value(item, key).is_some())
}

/// The keys that any item has; all when none has any.
fn used_keys<'k>(keys: &'k [String], into: &[Node], from: &[Node]) -> Vec<&'k str> {
    let is_used = |key: &&String| into.iter().chain(from).any(|item| key_value(item, key).is_some());
    let used: Vec<&str> = keys.iter().filter(is_used).map(String::as_str).collect();
    if used.is_empty() { keys.iter().take(1).map(String::as_str).collect() } else { used }
}

/// Merges by one key, in the way of kustomize: the items of the patch come first, then the others of the target; of several
/// items of a patch with one key the first counts, of several of the target the last. Items without the key are where it
/// is odd: one in either list drops the target's items with a key that do not stand before it in the patch, and one of the
/// target takes the place of every item.
fn merge_by_key(into: &mut Vec<Node>, from: &[Node], schema: TypeRef<'_>, key: &str) -> Result<()> {
    let value_of = |item: &Node| key_value(item, key).unwrap_or("").to_owned();
    let mut order: Vec<String> = Vec::new();
    for value in from.iter().chain(into.iter()).map(value_of) {
        if !order.contains(&value) {
            order.push(value);
        }
    }
    let mut placed: Vec<Option<String>> = Vec::new();
    let mut items: Vec<Node> = Vec::new();
    for value in order {
        if value.is_empty() {
            into.retain(|item| value_of(item).is_empty());
            continue;
        }
        let patch = from.iter().find(|item| value_of(item) == value);
        let merged = match (into.iter_mut().find(|item| value_of(item) == value), patch) {
            (Some(old), Some(patch)) => merge_item(old, patch, schema)?,
            (Some(old), None) => {
                sweep(old, Some(schema));
                Some(old.clone())
            }
            (None, Some(patch)) => added(patch, Some(schema))?,
            (None, None) => None,
        };
        match merged.filter(|node| !is_empty_map(node)) {
            Some(node) => {
                items.push(node);
                placed.push(Some(value));
            }
            None => into.retain(|item| value_of(item) != value),
        }
    }
    for item in std::mem::take(into) {
        let value = Some(value_of(&item)).filter(|value| !value.is_empty());
        match value.is_some().then(|| placed.iter().position(|known| *known == value)).flatten() {
            Some(at) => items[at] = item,
            None => {
                if value.is_none() {
                    items.clear();
                    placed.clear();
                }
                items.push(item);
                placed.push(value);
            }
        }
    }
    *into = items;
    Ok(())
}

/// Merges one item in its place and gives what it came to; an item that is replaced keeps its old content, as in kustomize.
fn merge_item(old: &mut Node, patch: &Node, schema: TypeRef<'_>) -> Result<Option<Node>> {
    if patch.as_map().map(directive).transpose()? == Some(Directive::Replace) {
        return Ok(Some(old.clone()));
    }
    Ok(merge(old, patch, Some(schema))?.then(|| old.clone()))
}

/// Takes out fields with nothing behind their colon, which kustomize drops wherever a merge passes, in mappings and the
/// items of lists that merge; an explicit `null` stays.
fn sweep(node: &mut Node, schema: Option<TypeRef<'_>>) {
    match &mut node.value {
        Value::Map(map) => map.retain(|entry| {
            sweep(&mut entry.value, schema.and_then(|s| s.field(&entry.key.text)));
            !is_implicit_null(&entry.value)
        }),
        Value::Seq(items) if schema.is_some_and(|s| s.merge_keys().is_some()) => {
            items.iter_mut().for_each(|item| sweep(item, schema.map(|s| s.element())));
        }
        Value::Seq(_) | Value::Scalar(_) => {}
    }
}

fn is_implicit_null(node: &Node) -> bool {
    node.is_null() && node.as_scalar().is_some_and(|scalar| scalar.text.is_empty())
}

fn is_empty_map(node: &Node) -> bool {
    node.as_map().is_some_and(Map::is_empty)
}

/// Merges by several keys (`containerPort` and `protocol`). Items match when all keys are there and equal. Items of the
/// patch that match none come first, unless an item of the target that lacks a key is equal in the others; then the
/// target's items follow in their own order.
fn merge_by_keys(into: &mut Vec<Node>, from: &[Node], schema: TypeRef<'_>, keys: &[&str]) -> Result<()> {
    let values = |item: &Node| -> Vec<Option<String>> {
        keys.iter().map(|key| key_value(item, key).map(str::to_owned)).collect()
    };
    let mut old: Vec<Option<Node>> = std::mem::take(into).into_iter().map(Some).collect();
    let mut first: Vec<Node> = Vec::new();
    let mut seen: Vec<Vec<Option<String>>> = Vec::new();
    for item in from {
        let wanted = values(item);
        if seen.contains(&wanted) {
            continue;
        }
        let complete = wanted.iter().all(Option::is_some);
        let found =
            old.iter_mut().find(|slot| complete && slot.as_ref().is_some_and(|node| values(node) == wanted));
        match found {
            Some(slot) => {
                if let Some(mut node) = slot.take() {
                    *slot = merge_item(&mut node, item, schema)?;
                }
            }
            None => first.extend(added(item, Some(schema))?),
        }
        seen.push(wanted);
    }
    let old: Vec<Node> = old.into_iter().flatten().collect();
    let hides = |old: &Node, new: &Node| {
        let (old, new) = (values(old), values(new));
        let both = || old.iter().zip(&new).filter(|(old, new)| old.is_some() && new.is_some());
        both().next().is_some() && both().all(|(old, new)| old == new)
    };
    first.retain(|new| !old.iter().any(|old| hides(old, new)));
    into.extend(first);
    into.extend(old);
    Ok(())
}
