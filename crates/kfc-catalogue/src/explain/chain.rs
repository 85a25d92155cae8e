//! The provenance of one field, step by step.

use super::field::Field;
use super::places::Places;
use super::redaction;
use crate::assemble::AppliedOverlay;
use kfc_diagnostics::Mark;
use kfc_diagnostics::Numbers;
use kfc_diagnostics::text::for_message;
use kfc_kustomize::provenance::{Link, Step};
use kfc_kustomize::resource::Resource;
use kfc_yaml::{Node, json};
use std::fmt::Write as _;

/// Characters of a value that a line shows.
const WIDEST: usize = 100;

/// One step in the history of a field, redacted: values of secrets are numbers.
#[derive(Clone, Debug)]
pub struct ChainStep<'r> {
    /// The step.
    pub step: &'r Step,
    /// The line that caused it.
    pub place: Option<Mark>,
    /// The value after it.
    pub value: Node,
}

/// All changes of a field, oldest first.
#[must_use]
pub fn chain<'r>(resource: &'r Resource, field: &Field<'r>, hidden: &mut Numbers) -> Vec<ChainStep<'r>> {
    let links = resource.history().chain(field.node.mark);
    let after = |at: usize| links.get(at + 1).map_or(Some(field.node), |next: &Link<'_>| next.before);
    let mut redacted = |(at, link): (usize, &Link<'r>)| {
        let value = after(at).unwrap_or(field.node);
        let value = redaction::redacted_after(resource, &field.segments, value, (&links[..=at], hidden));
        ChainStep { step: link.step, place: link.place, value }
    };
    // The value is shown before the steps that led to it: it has the first number.
    let last = links.iter().enumerate().next_back().map(&mut redacted);
    let mut chain: Vec<ChainStep<'r>> =
        links.iter().enumerate().take(links.len().saturating_sub(1)).map(redacted).collect();
    chain.extend(last);
    chain
}

/// The chain as text: the value, then a line for each step with its location and the value after it.
#[must_use]
pub(super) fn text(resource: &Resource, field: &Field<'_>, places: &mut Places<'_>) -> String {
    let chain = chain(resource, field, &mut places.hidden);
    let mut out = String::new();
    let value = chain.last().map(|last| one_line(&last.value)).unwrap_or_default();
    let _ = writeln!(out, "{} = {value}", for_message(&field.to_string()));
    let rows: Vec<[String; 3]> = chain
        .iter()
        .map(|redacted| {
            [redacted.step.kind.to_string(), places.full(redacted.place), one_line(&redacted.value)]
        })
        .collect();
    // Formatting pads to 65,535 columns at most.
    let width =
        |column: usize| rows.iter().map(|row| row[column].chars().count().min(200)).max().unwrap_or(0);
    let (steps, wide) = (width(0).max(8), width(1));
    for (redacted, [step, place, value]) in chain.iter().zip(&rows) {
        let _ = write!(out, "  {step:steps$}  {place:wide$}  {value}");
        let details = redacted.step.details.as_deref();
        if let Some(details) = details.filter(|details| !details.text.is_empty()) {
            let _ = write!(out, "  ({})", for_message(&details.text));
        }
        out.push('\n');
        if let Some(overlay) = AppliedOverlay::of(redacted.step) {
            let when = overlay.when.as_ref().map(|when| format!(", when {when}")).unwrap_or_default();
            let line = format!("in the overlay {}{when}", overlay.name);
            let _ = writeln!(out, "  {:steps$}  {}", "", for_message(&line));
        }
        for input in details.iter().flat_map(|details| &details.inputs) {
            let place = places.full(input.place);
            let by = if place.starts_with("--set") { "--set" } else { &input.by };
            let _ = writeln!(out, "  {:steps$}  {} from {place} ({by})", "", input.name);
        }
    }
    out
}

/// A value in one line: strings in quotes, mappings and lists as JSON, long values shortened.
pub(super) fn one_line(node: &Node) -> String {
    let mut text = String::new();
    match node.as_scalar() {
        Some(scalar) if node.as_str().is_none() => text.push_str(&scalar.text),
        _ if json::write(node, &mut text).is_err() => text.push_str(node.describe()),
        _ => {}
    }
    match text.char_indices().nth(WIDEST) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}
