//! Lists of scalars that merge by value, such as finalizers: a union in which the patch's values come first.

use super::item::ListPatch;
use super::location::Location;
use compact_str::CompactString;
use kfc_diagnostics::{Code, Diagnostic, Result};
use kfc_yaml::{Node, Value};
use rustc_hash::FxHashMap;
use std::collections::hash_map::Entry;

/// Joins the values of a patch with those of a list; each stays once, by its text, and nulls go. What both have is
/// where the patch has it. Where values are written in several ways (`"1"` and `1`), the last one of the target stays,
/// then the first one of the patch.
///
/// # Errors
/// [`Code::Merge`] for items that are not scalars.
pub(super) fn merge(target: &mut Vec<Node>, with: ListPatch<'_>, at: &Location<'_>) -> Result<()> {
    check(target, at)?;
    check(with.items(), at)?;
    let mut joined: Vec<Node> = Vec::with_capacity(target.len() + with.items().len());
    let mut places: FxHashMap<CompactString, usize> = FxHashMap::default();
    let from_patch = with.items().len();
    for (number, item) in with.items().iter().cloned().chain(std::mem::take(target)).enumerate() {
        let Some(text) = item.as_text() else { continue };
        match places.entry(CompactString::new(text)) {
            Entry::Occupied(_) if number < from_patch => {}
            Entry::Occupied(place) => joined[*place.get()] = item,
            Entry::Vacant(place) => {
                place.insert(joined.len());
                joined.push(item);
            }
        }
    }
    *target = joined;
    Ok(())
}

fn check(items: &[Node], at: &Location<'_>) -> Result<()> {
    let wrong = items.iter().find(|item| match &item.value {
        Value::Scalar(_) => false,
        Value::Map(map) => !map.is_empty(),
        Value::Seq(_) => true,
    });
    match wrong {
        None => Ok(()),
        Some(item) => {
            let message = format!("the items of `{at}` have to be scalars, but this is {}", item.describe());
            Err(Diagnostic::error(Code::Merge, message).at(item.mark).into())
        }
    }
}
