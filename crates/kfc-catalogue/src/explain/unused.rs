//! Entries that changed nothing.

use super::configurations::configurations;
use super::places::Places;
use crate::assemble::{AppliedOverlay, OVERLAY, PARAMETER};
use kfc_diagnostics::Mark;
use kfc_diagnostics::text::for_message;
use kfc_kustomize::engine::Bundle;
use kfc_kustomize::provenance::{Declared, Step, StepKind};
use kfc_yaml::Spanned;
use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;

/// An entry that changed nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unused {
    /// What it is: `images`, `patches`, `parameter`, …
    pub what: &'static str,
    /// Its location, if a text holds it.
    pub place: Option<Mark>,
    /// What it asks for.
    pub text: String,
}

/// The entries of a bundle that changed nothing, in the order in which they apply. An entry of a root that is built
/// several times counts as used when it changed something once.
#[must_use]
pub fn unused(bundle: &Bundle, more: &[Declared], places: &mut Places<'_>) -> Vec<Unused> {
    let set = &bundle.resources;
    let steps = || set.list.iter().chain(&set.gone).flat_map(|resource| resource.history().steps());
    let mut used: HashSet<(StepKind, Option<Mark>)> = HashSet::new();
    for step in steps() {
        used.insert((step.kind, step.entry));
        used.extend(AppliedOverlay::of(step).map(|overlay| (OVERLAY, overlay.place)));
        let inputs = step.details.iter().flat_map(|details| &details.inputs);
        used.extend(inputs.map(|input| (PARAMETER, input.entry)));
    }
    let declared = bundle.origins.iter().flat_map(|origins| &origins.declared).chain(more);
    let mut order: Vec<&Declared> = Vec::new();
    let mut counts: BTreeMap<(StepKind, String), bool> = BTreeMap::new();
    for entry in declared {
        let Step { kind, entry: mark, .. } = entry.step;
        let counted = counts.entry((kind, places.full(mark)));
        if matches!(counted, std::collections::btree_map::Entry::Vacant(_)) {
            order.push(entry);
        }
        *counted.or_default() |= used.contains(&(kind, mark));
    }
    let changed = |entry: &Declared, places: &mut Places<'_>| {
        counts.get(&(entry.step.kind, places.full(entry.step.entry))) == Some(&true)
    };
    let idle = order.into_iter().filter(|entry| !changed(entry, places));
    let unused = |entry: &Declared| Unused {
        what: entry.step.kind.as_str(),
        place: entry.step.entry,
        text: entry.text.clone(),
    };
    let mut list: Vec<Unused> = idle.map(unused).collect();
    let of_file = |path: &Spanned<String>| Unused {
        what: StepKind::Configurations.as_str(),
        place: path.mark,
        text: path.value.clone(),
    };
    list.extend(configurations(bundle, places).into_iter().map(of_file));
    list
}

/// The list as text, an entry a line.
#[must_use]
pub fn text(list: &[Unused], places: &mut Places<'_>) -> String {
    let rows: Vec<(&Unused, String)> = list.iter().map(|entry| (entry, places.full(entry.place))).collect();
    let steps = list.iter().map(|entry| entry.what.len()).max().unwrap_or(0);
    // Formatting pads to 65,535 columns at most.
    let wide = rows.iter().map(|(_, place)| place.chars().count().min(200)).max().unwrap_or(0);
    let mut out = String::new();
    for (entry, place) in &rows {
        let line = format!("{:steps$}  {place:wide$}  {}", entry.what, entry.text);
        let _ = writeln!(out, "{}", for_message(line.trim_end()));
    }
    out
}
