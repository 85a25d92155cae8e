//! JSON patches (RFC 6902): for each resource that changed, the operations that make the old object the new one.

use super::failure::failure;
use crate::apply::Objects;
use crate::model::Report;
use ::json_patch::{AddOperation, Patch, PatchOperation, ReplaceOperation, diff};
use kfc_diagnostics::{Result, SourceId};
use kfc_kube::ObjectId;
use kfc_yaml::parse::parse;
use kfc_yaml::value::to_json;
use serde_json::{Value, json};

/// A list with an entry for each changed resource: `change`, the old and new `object`, and `patch`. An added resource is the
/// operation `add` at the path of the whole document, a removed one `replace` with null.
pub(super) fn json_patch(report: &Report, texts: Option<(&str, &str)>, folded: bool) -> Result<String> {
    let Some((before, after)) = texts else {
        return Err(failure(&"JSON patches need the texts of both bundles").into());
    };
    let (before, after) = (objects(before)?, objects(after)?);
    let mut entries = Vec::new();
    for change in report.changes.iter().filter(|change| folded || !change.is_folded()) {
        let old = change.previous.as_ref().unwrap_or(&change.identity);
        let patch = match (before.get(old), after.get(&change.identity)) {
            (Some(before), Some(after)) => diff(before, after),
            (None, Some(after)) => {
                whole(PatchOperation::Add(AddOperation { path: top(), value: after.clone() }))
            }
            (Some(_), None) => {
                whole(PatchOperation::Replace(ReplaceOperation { path: top(), value: Value::Null }))
            }
            (None, None) => continue,
        };
        let mut entry = json!({"change": change.kind, "object": named(&change.identity), "patch": patch});
        if let Some(previous) = &change.previous {
            entry["previous"] = named(previous);
        }
        entries.push(entry);
    }
    let text = serde_json::to_string_pretty(&entries).map_err(|error| failure(&error))?;
    Ok(text + "\n")
}

fn top() -> ::json_patch::jsonptr::PointerBuf {
    ::json_patch::jsonptr::PointerBuf::root()
}

fn whole(operation: PatchOperation) -> Patch {
    Patch(vec![operation])
}

fn named(identity: &ObjectId) -> Value {
    let mut object =
        json!({"apiVersion": identity.api_version(), "kind": identity.kind, "name": identity.name});
    if !identity.namespace.is_empty() {
        object["namespace"] = Value::from(identity.namespace.as_str());
    }
    object
}

/// The objects of a bundle's text.
fn objects(text: &str) -> Result<Objects> {
    let objects = parse(text, SourceId::NONE)?.iter().map(to_json).collect::<Vec<_>>();
    Ok(objects.into_iter().filter_map(|object| Some((ObjectId::of_json(&object)?, object))).collect())
}
