//! Waves: sets of resources that can be applied together once the earlier ones are ready.
//!
//! A component comes after all that it requires. Objects of kinds that the component itself defines come one wave after
//! the rest of it: their CRD must be established, and the component's webhooks must be ready.

use super::secrets::PlannedRecipe;
use crate::resolve::Plan;
use kfc_kustomize::kustomization::model::SortOptions;
use kfc_kustomize::resource::{Resource, ResourceSet};
use kfc_kustomize::transform::order as kinds;
use std::collections::HashSet;

/// Orders resources by wave, then kind, namespace and name; returns the wave of each.
pub(super) fn order(plan: &Plan, recipes: &[PlannedRecipe], set: &mut ResourceSet) -> Vec<usize> {
    kinds::sort(set, &SortOptions::legacy());
    let filled: HashSet<&str> =
        recipes.iter().map(|planned| planned.recipe.object.namespace.as_str()).collect();
    let waves = waves(plan, &filled, &set.list);
    let mut pairs: Vec<(usize, Resource)> = waves.into_iter().zip(std::mem::take(&mut set.list)).collect();
    pairs.sort_by_key(|(wave, _)| *wave);
    let (waves, list): (Vec<usize>, Vec<Resource>) = pairs.into_iter().unzip();
    set.list = list;
    waves
}

fn waves(plan: &Plan, filled: &HashSet<&str>, resources: &[Resource]) -> Vec<usize> {
    let own_kinds = defined_kinds(resources);
    let is_of_own_kind = |resource: &Resource| {
        let owner = resource.owner.unwrap_or(u32::MAX);
        own_kinds.contains(&(owner, resource.group().to_owned(), resource.kind().to_owned()))
    };
    let mut has_two_waves = vec![false; plan.components.len()];
    for resource in resources.iter().filter(|resource| is_of_own_kind(resource)) {
        if let Some(two) = resource.owner.and_then(|owner| has_two_waves.get_mut(owner as usize)) {
            *two = true;
        }
    }
    let starts = starts(plan, &has_two_waves);
    let last = starts.iter().zip(&has_two_waves).map(|(start, two)| start + usize::from(*two)).max();
    let wave = |resource: &Resource| match resource.owner.and_then(|owner| starts.get(owner as usize)) {
        // Secrets are made in it before the components come that read them.
        _ if resource.kind() == "Namespace" && filled.contains(resource.name()) => 0,
        Some(start) => start + usize::from(is_of_own_kind(resource)),
        // What the user's overlays add comes last, except what other resources need, as the namespace that they are in.
        None if matches!(
            resource.kind(),
            "Namespace" | "CustomResourceDefinition" | "PriorityClass" | "StorageClass"
        ) =>
        {
            0
        }
        None => last.unwrap_or(0),
    };
    compact(&resources.iter().map(wave).collect::<Vec<_>>())
}

/// The first wave of each component. The plan has what is required before what requires it.
fn starts(plan: &Plan, has_two_waves: &[bool]) -> Vec<usize> {
    let mut starts = vec![0; plan.components.len()];
    for at in 0..starts.len() {
        let below = plan.edges.iter().filter(|edge| edge.from == at && !plan.components[edge.to].present);
        let after = below.map(|edge| starts[edge.to] + usize::from(has_two_waves[edge.to]) + 1);
        starts[at] = after.max().unwrap_or(0);
    }
    starts
}

/// Owner, group and kind of every CRD.
fn defined_kinds(resources: &[Resource]) -> HashSet<(u32, String, String)> {
    let definitions = resources.iter().filter(|resource| resource.kind() == "CustomResourceDefinition");
    let defined = |resource: &Resource| {
        let text = |path: &[&str]| resource.node.at(path)?.as_text().map(str::to_owned);
        Some((
            resource.owner.unwrap_or(u32::MAX),
            text(&["spec", "group"])?,
            text(&["spec", "names", "kind"])?,
        ))
    };
    definitions.filter_map(defined).collect()
}

/// Numbers without gaps, in the same order.
fn compact(waves: &[usize]) -> Vec<usize> {
    let mut used: Vec<usize> = waves.to_vec();
    used.sort_unstable();
    used.dedup();
    waves.iter().map(|wave| used.binary_search(wave).unwrap_or(0)).collect()
}
