//! The entries of a root that ask for a change, so that entries that change nothing can be reported.

use super::load::Root;
use crate::provenance::{Declared, Step, StepKind};
use crate::reference::replacements;
use crate::transform::{images, replicas};
use crate::types::KeyPlaces;
use kfc_diagnostics::{Diagnostics, Mark};

/// The entries of a root, in the order in which they work.
pub(super) fn of_root(root: &Root) -> Vec<Declared> {
    let kustomization = &root.kustomization;
    let mut list = Vec::new();
    let patches = root.patches_strategic_merge.iter().chain(&root.patches);
    list.extend(patches.map(|patch| entry(patch.step(), patch.subject())));
    let places = &kustomization.places;
    let texts = [
        (StepKind::Namespace, &kustomization.namespace, places.namespace),
        (StepKind::NamePrefix, &kustomization.name_prefix, places.name_prefix),
        (StepKind::NameSuffix, &kustomization.name_suffix, places.name_suffix),
    ];
    let given = texts.into_iter().filter(|(_, text, _)| !text.is_empty());
    list.extend(given.map(|(kind, text, place)| entry(Step::new(kind, place), text.clone())));
    for label in &kustomization.labels {
        list.push(entry(Step::new(StepKind::Labels, label.mark), keys(&label.places)));
    }
    for (kind, places) in [
        (StepKind::CommonLabels, &places.common_labels),
        (StepKind::CommonAnnotations, &places.common_annotations),
    ] {
        list.extend((!places.is_empty()).then(|| entry(Step::of_keys(kind, places), keys(places))));
    }
    list.extend(root.patches_json6902.iter().map(|patch| entry(patch.step(), patch.subject())));
    for replica in &kustomization.replicas {
        list.push(entry(replicas::step(replica), format!("{} for {}", replica.count, replica.name)));
    }
    for image in &kustomization.images {
        let step = images::step(image);
        let change = step.details.as_ref().map_or("", |details| &details.text);
        list.push(entry(step.clone(), format!("{change} for {}", image.name)));
    }
    for replacement in &root.replacements {
        let step = replacements::step(replacement);
        let from = step.details.as_ref().map_or("", |details| &details.text).to_owned();
        list.push(entry(step, from));
    }
    list
}

/// A transformer that a file of `transformers` configures.
pub(super) fn of_transformer(kind: &str, mark: Mark) -> Declared {
    entry(Step::new(StepKind::Transformer, mark), kind)
}

/// Variables that no field uses.
pub(super) fn unused_variables(found: &Diagnostics) -> impl Iterator<Item = Declared> {
    let placed = found.0.iter().filter_map(|unused| Some((unused.mark?, &unused.message)));
    placed.map(|(mark, message)| entry(Step::new(StepKind::Vars, mark), message))
}

fn entry(step: Step, text: impl Into<String>) -> Declared {
    Declared::new(step, text)
}

fn keys(places: &KeyPlaces) -> String {
    let keys: Vec<&str> = places.iter().map(|(key, _)| key.as_str()).collect();
    keys.join(", ")
}
