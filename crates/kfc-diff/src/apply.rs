//! Applies a report to the old bundle. That it gives the new one proves that a report leaves nothing out.

use super::model::{Change, ChangeKind, FieldChange, Report, ResourceChange, Step};
use kfc_kube::ObjectId;
use serde_json::Value;
use std::collections::BTreeMap;

/// The objects of a bundle by their identities.
pub type Objects = BTreeMap<ObjectId, Value>;

/// Applies every change of a report, in place.
///
/// # Errors
/// A sentence that names the first change that does not fit.
pub fn apply(report: &Report, objects: &mut Objects) -> Result<(), String> {
    // A renamed resource must not replace one that still has its new name.
    let mut made = Vec::new();
    for change in &report.changes {
        if let Some(object) =
            apply_one(change, objects).map_err(|why| format!("{}: {why}", change.identity))?
        {
            made.push((change.identity.clone(), object));
        }
    }
    objects.extend(made);
    Ok(())
}

fn apply_one(change: &ResourceChange, objects: &mut Objects) -> Result<Option<Value>, String> {
    let before = change.previous.as_ref().unwrap_or(&change.identity);
    match change.kind {
        ChangeKind::Added => Ok(change.value.clone()),
        ChangeKind::Removed => {
            objects.remove(before).map(|_| None).ok_or_else(|| "it does not exist".to_owned())
        }
        ChangeKind::Changed | ChangeKind::Renamed | ChangeKind::Moved => {
            let mut object = objects.remove(before).ok_or("it does not exist")?;
            let fields: Vec<(&[Step], &FieldChange)> =
                change.fields.iter().map(|field| (field.path.0.as_slice(), field)).collect();
            apply_fields(&mut object, &fields)?;
            Ok(Some(object))
        }
    }
}

/// Applies changes below one value, each with the rest of its path.
fn apply_fields(value: &mut Value, fields: &[(&[Step], &FieldChange)]) -> Result<(), String> {
    if let Some((_, field)) = fields
        .iter()
        .find(|(path, field)| path.is_empty() && !matches!(field.change, Change::Reordered { .. }))
    {
        *value = field.change.after().cloned().ok_or("a removed field has no path")?;
        return Ok(());
    }
    match value {
        Value::Object(_) => apply_to_object(value, fields),
        Value::Array(items) => apply_to_list(items, fields),
        _ => Err("a path leads into a scalar".to_owned()),
    }
}

fn apply_to_object(value: &mut Value, fields: &[(&[Step], &FieldChange)]) -> Result<(), String> {
    let Value::Object(map) = value else { return Err("it is not a mapping".to_owned()) };
    let mut groups: BTreeMap<&str, Vec<(&[Step], &FieldChange)>> = BTreeMap::new();
    for (path, field) in fields {
        let [Step::Key(key), rest @ ..] = path else { return Err(format!("{} has no key", field.path)) };
        groups.entry(key).or_default().push((rest, field));
    }
    for (key, group) in groups {
        match group.as_slice() {
            [([], field)] if !matches!(field.change, Change::Reordered { .. }) => {
                match field.change.after() {
                    Some(after) => drop(map.insert(key.to_owned(), after.clone())),
                    None => drop(map.remove(key).ok_or_else(|| format!("{} does not exist", field.path))?),
                }
            }
            group => apply_fields(map.get_mut(key).ok_or_else(|| format!("`{key}` does not exist"))?, group)?,
        }
    }
    Ok(())
}

/// Changes items, removes those that go, orders the rest, then inserts the new ones from the front.
fn apply_to_list(items: &mut Vec<Value>, fields: &[(&[Step], &FieldChange)]) -> Result<(), String> {
    let mut changed: BTreeMap<usize, Vec<(&[Step], &FieldChange)>> = BTreeMap::new();
    let mut removed = Vec::new();
    let mut added = BTreeMap::new();
    let mut order = None;
    for (path, field) in fields {
        match (path, &field.change) {
            ([], Change::Reordered { order: wanted }) => order = Some(wanted),
            ([Step::Item { before: None, after: Some(after), .. }], Change::Added { after: value }) => {
                added.insert(*after, value.clone());
            }
            ([Step::Item { before: Some(before), after: None, .. }], Change::Removed { .. }) => {
                removed.push(*before);
            }
            ([Step::Item { before: Some(before), .. }, rest @ ..], _) => {
                changed.entry(*before).or_default().push((rest, field));
            }
            _ => return Err(format!("{} is not an item", field.path)),
        }
    }
    for (at, group) in changed {
        apply_fields(items.get_mut(at).ok_or("an item does not exist")?, &group)?;
    }
    let stays: Vec<usize> = match order {
        Some(order) => order.clone(),
        None => (0..items.len()).filter(|at| !removed.contains(at)).collect(),
    };
    let mut result: Vec<Value> = stays.iter().filter_map(|at| items.get(*at).cloned()).collect();
    for (at, value) in added {
        result.insert(at.min(result.len()), value);
    }
    *items = result;
    Ok(())
}
