//! Gives hidden values their numbers, in the order in which a format shows them.

use super::view::{Field, Line, View};
use crate::model::Step;
use crate::model::{Change, FieldChange, Report};
use kfc_diagnostics::Numbers;
use regex::{Captures, Regex};
use std::collections::HashMap;
use std::sync::LazyLock;

/// Numbers what a view shows.
pub(super) fn number_view(view: &mut View) {
    let mut numbers = Numbers::default();
    for item in view.groups.iter_mut().flat_map(|group| &mut group.items) {
        let names = [&mut item.kind, &mut item.namespace, &mut item.name];
        names.into_iter().chain(&mut item.was).for_each(|name| numbers.show(name));
        item.findings.iter_mut().for_each(|finding| numbers.show(&mut finding.message));
        item.fields.iter_mut().for_each(|field| number_field(field, &mut numbers));
        item.body.iter_mut().for_each(|body| numbers.show(body));
    }
}

fn number_field(field: &mut Field, numbers: &mut Numbers) {
    numbers.show(&mut field.path);
    field.findings.iter_mut().for_each(|finding| numbers.show(&mut finding.message));
    field.before.iter_mut().chain(&mut field.after).for_each(|value| numbers.show(value));
    for line in &mut field.lines {
        match line {
            Line::Same(text) | Line::Removed(text) | Line::Added(text) => numbers.show(text),
            Line::Gap(_) => {}
        }
    }
}

/// A document in which hidden values have other numbers, so that these are in the order in which they are shown: findings
/// are on top, whichever resource they are of.
pub(super) fn in_order(text: &str) -> String {
    static NUMBER: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"(<|&lt;)hidden ([0-9]+)(>|&gt;)").ok());
    let Some(number) = NUMBER.as_ref() else { return text.to_owned() };
    let mut known: HashMap<String, usize> = HashMap::new();
    let renumbered = number.replace_all(text, |found: &Captures<'_>| {
        let next = known.len() + 1;
        let number = *known.entry(found[2].to_owned()).or_insert(next);
        format!("{}hidden {number}{}", &found[1], &found[3])
    });
    renumbered.into_owned()
}

/// A page whose lines do not begin as the commands do that CI systems look for in what is printed.
pub(super) fn without_commands(page: &str) -> String {
    static COMMAND: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"(?m)^([ \t]*)(:|#)(:|#)").ok());
    let Some(command) = COMMAND.as_ref() else { return page.to_owned() };
    let escaped = command.replace_all(page, |found: &Captures<'_>| {
        let code = u32::from(found[2].chars().next().unwrap_or(':'));
        format!("{}&#{code};{}", &found[1], &found[3])
    });
    escaped.into_owned()
}

/// A report with numbers, in the order of its changes.
pub(super) fn numbered(report: &Report) -> Report {
    let mut report = report.clone();
    let mut numbers = Numbers::default();
    for change in &mut report.changes {
        for identity in std::iter::once(&mut change.identity).chain(&mut change.previous) {
            let names = [&mut identity.kind, &mut identity.namespace, &mut identity.name];
            for name in names {
                numbers.show(name);
            }
        }
        for finding in &mut change.findings {
            numbers.show(&mut finding.path);
            numbers.show(&mut finding.message);
        }
        change.fields.iter_mut().for_each(|field| number_change(field, &mut numbers));
        change.value.iter_mut().for_each(|value| numbers.show_json(value));
    }
    report
}

fn number_change(field: &mut FieldChange, numbers: &mut Numbers) {
    for step in &mut field.path.0 {
        match step {
            Step::Key(key) => numbers.show(key),
            Step::Item { key, .. } => key.iter_mut().for_each(|(_, value)| numbers.show(value)),
        }
    }
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
