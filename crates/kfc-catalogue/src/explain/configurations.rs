//! Files of `configurations` whose field specs changed nothing.

use super::places::Places;
use kfc_kustomize::engine::Bundle;
use kfc_kustomize::provenance::{History, StepKind};
use kfc_kustomize::resource::Resource;
use kfc_kustomize::transform::{FieldSpec, TransformerConfig, split_path};
use kfc_yaml::{Node, Spanned, Value};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The paths of the files that changed nothing, each once.
pub(super) fn configurations<'b>(bundle: &'b Bundle, places: &mut Places<'_>) -> Vec<&'b Spanned<String>> {
    let set = &bundle.resources;
    let resources: Vec<&Resource> = set.list.iter().chain(&set.gone).collect();
    let mut counts: BTreeMap<String, (&Spanned<String>, bool)> = BTreeMap::new();
    for file in bundle.origins.iter().flat_map(|origins| &origins.configurations) {
        let counted = counts.entry(places.full(file.path.mark)).or_insert((&file.path, false));
        counted.1 |= changed(&file.config, &resources);
    }
    counts.into_values().filter(|(_, changed)| !changed).map(|(path, _)| path).collect()
}

fn changed(config: &TransformerConfig, resources: &[&Resource]) -> bool {
    let tables = config.tables();
    let of_tables =
        tables.iter().flat_map(|(specs, table)| specs.iter().map(move |spec| (spec, steps_of(table))));
    let names = config.name_reference.iter().flat_map(|reference| &reference.fields);
    let mut all = of_tables.chain(names.map(|spec| (spec, &[StepKind::NameReference][..])));
    all.any(|(spec, kinds)| resources.iter().any(|resource| changed_at(spec, kinds, resource)))
}

/// The steps that use a table.
fn steps_of(table: &str) -> &'static [StepKind] {
    match table {
        "namePrefix" => &[StepKind::NamePrefix],
        "nameSuffix" => &[StepKind::NameSuffix],
        "namespace" => &[StepKind::Namespace],
        "labels" | "templateLabels" => &[StepKind::Labels],
        "commonLabels" => &[StepKind::CommonLabels, StepKind::Labels],
        "commonAnnotations" => &[StepKind::CommonAnnotations],
        "varReference" => &[StepKind::Vars],
        "images" => &[StepKind::Images],
        "replicas" => &[StepKind::Replicas],
        _ => &[],
    }
}

fn changed_at(spec: &FieldSpec, kinds: &[StepKind], resource: &Resource) -> bool {
    let gvk = resource.gvk();
    let was = resource
        .previous
        .iter()
        .map(|previous| kfc_kube::Gvk { kind: previous.kind.to_string(), ..gvk.clone() });
    if !spec.gvk.selects(&gvk) && !was.into_iter().any(|was| spec.gvk.selects(&was)) {
        return false;
    }
    let path: Vec<Cow<'_, str>> = split_path(&spec.path).collect();
    reaches(&resource.node, &path, kinds, resource.history())
}

/// Whether a step of one of the kinds changed the value at a path, in any item of lists.
fn reaches(node: &Node, path: &[Cow<'_, str>], kinds: &[StepKind], history: &History) -> bool {
    match (&node.value, path.split_first()) {
        (_, None) => was_changed(node, kinds, history),
        (Value::Seq(items), _) => items.iter().any(|item| reaches(item, path, kinds, history)),
        (Value::Map(map), Some((step, rest))) => {
            let step = step.strip_suffix("[]").unwrap_or(step);
            map.get(step).is_some_and(|field| reaches(field, rest, kinds, history))
        }
        (Value::Scalar(_), _) => false,
    }
}

fn was_changed(node: &Node, kinds: &[StepKind], history: &History) -> bool {
    history.chain(node.mark).iter().any(|link| kinds.contains(&link.step.kind))
        || match &node.value {
            Value::Map(map) => map.iter().any(|entry| was_changed(&entry.value, kinds, history)),
            Value::Seq(items) => items.iter().any(|item| was_changed(item, kinds, history)),
            Value::Scalar(_) => false,
        }
}
