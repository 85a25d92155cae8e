//! Explanations as JSON, for programs.

use super::chain::{ChainStep, chain};
use super::field::{Field, Segment};
use super::places::Places;
use super::redaction;
use super::unused::Unused;
use crate::assemble::AppliedOverlay;
use kfc_diagnostics::Mark;
use kfc_diagnostics::address::without_credentials;
use kfc_kube::redaction::copied as resources;
use kfc_kustomize::resource::Resource;
use kfc_yaml::Value;
use kfc_yaml::value::to_json;
use serde_json::{Value as Json, json};

/// A field, or all values in it, with their chains.
#[must_use]
pub fn of_fields(resource: &Resource, field: &Field<'_>, places: &mut Places<'_>) -> Json {
    let mut fields = Vec::new();
    gather(resource, field, places, &mut fields);
    json!({
        "resource": {
            "apiVersion": resource.api_version(),
            "kind": places.hidden.shown(&resources::kind(resource)),
            "namespace": places.hidden.shown(&resources::namespace(resource)),
            "name": places.hidden.shown(&resources::name(resource)),
        },
        "fields": fields,
    })
}

fn gather(resource: &Resource, field: &Field<'_>, places: &mut Places<'_>, fields: &mut Vec<Json>) {
    let below = |segment: Segment| [field.segments.as_slice(), &[segment]].concat();
    match &field.node.value {
        Value::Map(map) if !map.is_empty() => {
            for entry in map {
                let segments = below(Segment::Key(redaction::key(resource, entry, &mut places.hidden)));
                gather(resource, &Field { segments, node: &entry.value }, places, fields);
            }
        }
        Value::Seq(items) if !items.is_empty() => {
            for (at, item) in items.iter().enumerate() {
                gather(resource, &Field { segments: below(Segment::Index(at)), node: item }, places, fields);
            }
        }
        _ => {
            let chain = chain(resource, field, &mut places.hidden);
            let value = chain.last().map_or(Json::Null, |last| to_json(&last.value));
            let links: Vec<Json> = chain.iter().map(|step| link(step, places)).collect();
            fields.push(json!({
                "path": field.to_string(), "pointer": field.pointer(), "value": value, "chain": links,
            }));
        }
    }
}

fn link(step: &ChainStep<'_>, places: &mut Places<'_>) -> Json {
    let mut link = json!({
        "step": step.step.kind.as_str(),
        "place": place(step.place, places),
        "value": to_json(&step.value),
    });
    if let Some(overlay) = AppliedOverlay::of(step.step) {
        link["overlay"] = json!({"name": overlay.name, "when": overlay.when});
    }
    if let Some(details) = &step.step.details {
        link["details"] = json!(without_credentials(&details.text));
        let inputs = details
            .inputs
            .iter()
            .map(|input| json!({"name": input.name, "by": input.by, "place": place(input.place, places)}));
        link["inputs"] = inputs.collect();
    }
    link
}

/// The entries that changed nothing.
#[must_use]
pub fn of_unused(list: &[Unused], places: &mut Places<'_>) -> Json {
    let entry = |unused: &Unused| json!({"what": unused.what, "text": without_credentials(&unused.text), "place": place(unused.place, places)});
    list.iter().map(entry).collect()
}

fn place(mark: Option<Mark>, places: &mut Places<'_>) -> Json {
    places
        .position(mark)
        .map_or(Json::Null, |(file, at)| json!({"file": file, "line": at.line, "column": at.column}))
}
