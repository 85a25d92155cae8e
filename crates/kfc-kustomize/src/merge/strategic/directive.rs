//! The `$patch` directive: what is to be done with a mapping or a list.

use super::location::Location;
use kfc_diagnostics::{Code, Diagnostic, Result, nearest};
use kfc_yaml::{Map, Node};

/// The key of the directive.
pub(super) const KEY: &str = "$patch";

const WORDS: [&str; 3] = ["delete", "merge", "replace"];

/// What `$patch` asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Directive {
    /// Take it away.
    Delete,
    /// What happens without a directive, too.
    Merge,
    /// Replace it with the patch.
    Replace,
}

/// The directive of a mapping; `None` for one without.
///
/// # Errors
/// [`Code::BadPatch`] for any other word.
pub(super) fn of_map(map: &Map, at: &Location<'_>) -> Result<Option<Directive>> {
    let Some(node) = map.get(KEY) else { return Ok(None) };
    match node.as_text().and_then(parse) {
        Some(directive) => Ok(Some(directive)),
        None => Err(unknown(node, at)),
    }
}

/// The directive of a new mapping; kustomize keeps an unknown one there as a plain field.
pub(super) fn of_new_map(map: &Map) -> Option<Directive> {
    parse(map.get(KEY)?.as_text()?)
}

/// The directive of a list and the position of the item that holds it: the first item with the key, provided that it has
/// no other one.
///
/// # Errors
/// [`Code::BadPatch`] for an unknown word.
pub(super) fn of_list(items: &[Node], at: &Location<'_>) -> Result<Option<(Directive, usize)>> {
    let holder = items.iter().position(|item| item.get(KEY).is_some());
    let Some((index, map)) = holder.and_then(|i| Some((i, items.get(i)?.as_map()?))) else { return Ok(None) };
    if map.len() > 1 {
        return Ok(None);
    }
    Ok(of_map(map, at)?.map(|directive| (directive, index)))
}

/// A copy of a mapping without its directives and those of the mappings inside.
pub(super) fn without(node: &Node) -> Node {
    let mut copy = node.clone();
    remove_from(&mut copy);
    copy
}

fn remove_from(node: &mut Node) {
    if let Some(map) = node.as_map_mut() {
        map.remove(KEY);
        map.iter_mut().for_each(|entry| remove_from(&mut entry.value));
    }
}

fn parse(word: &str) -> Option<Directive> {
    match word {
        "delete" => Some(Directive::Delete),
        "merge" => Some(Directive::Merge),
        "replace" => Some(Directive::Replace),
        _ => None,
    }
}

fn unknown(node: &Node, at: &Location<'_>) -> kfc_diagnostics::Diagnostics {
    let word = node.as_text().unwrap_or(node.describe());
    let place = match at {
        Location::Root => String::new(),
        at => format!(" at `{at}`"),
    };
    let error =
        Diagnostic::error(Code::BadPatch, format!("unknown patch strategy `{word}`{place}")).at(node.mark);
    match nearest(word, WORDS) {
        Some(near) => error.help(format!("did you mean `{near}`?")),
        None => error.help("`$patch` is `delete`, `merge` or `replace`"),
    }
    .into()
}
