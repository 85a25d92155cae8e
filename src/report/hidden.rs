//! Gives hidden values their numbers, in the order in which a format shows them.

use super::view::{Field, Line, View};
use crate::diff::model::{Change, FieldChange, Report};
use crate::secrecy::Numbers;

/// Numbers what a view shows.
pub(super) fn number_view(view: &mut View) {
    let mut numbers = Numbers::default();
    for item in view.groups.iter_mut().flat_map(|group| &mut group.items) {
        item.findings.iter_mut().for_each(|finding| numbers.show(&mut finding.message));
        item.fields.iter_mut().for_each(|field| number_field(field, &mut numbers));
        item.body.iter_mut().for_each(|body| numbers.show(body));
    }
}

fn number_field(field: &mut Field, numbers: &mut Numbers) {
    field.findings.iter_mut().for_each(|finding| numbers.show(&mut finding.message));
    field.before.iter_mut().chain(&mut field.after).for_each(|value| numbers.show(value));
    for line in &mut field.lines {
        match line {
            Line::Same(text) | Line::Removed(text) | Line::Added(text) => numbers.show(text),
            Line::Gap(_) => {}
        }
    }
}

/// A report with numbers, in the order of its changes.
pub(super) fn numbered(report: &Report) -> Report {
    let mut report = report.clone();
    let mut numbers = Numbers::default();
    for change in &mut report.changes {
        change.findings.iter_mut().for_each(|finding| numbers.show(&mut finding.message));
        change.fields.iter_mut().for_each(|field| number_change(field, &mut numbers));
        change.value.iter_mut().for_each(|value| numbers.show_json(value));
    }
    report
}

fn number_change(field: &mut FieldChange, numbers: &mut Numbers) {
    match &mut field.change {
        Change::Added { after } => numbers.show_json(after),
        Change::Removed { before } => numbers.show_json(before),
        Change::Replaced { before, after } => {
            numbers.show_json(before);
            numbers.show_json(after);
        }
        Change::Reordered { .. } => {}
    }
    let lines = field.lines.iter_mut().flat_map(|hunk| &mut hunk.lines);
    lines.for_each(|line| numbers.show(&mut line.text));
}
