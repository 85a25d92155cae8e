//! Turns a report into what the formats show of it.

use super::view::{Field, Finding, Group, Item, Line, View};
use crate::model::{Change, Class, FieldChange, Hunk, Report, ResourceChange, Severity, Sign, urgency};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// What a format shows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    /// Changes that are of form alone too.
    pub(super) folded: bool,
    /// Lines of an outline of values that are mappings or lists; none for one line of JSON.
    pub(super) outline: Option<usize>,
}

/// The report by component; components and their resources in the order of urgency.
pub(super) fn arrange(report: &Report, wanted: Wanted) -> View {
    let mut groups: BTreeMap<(bool, Option<&str>), Vec<Item>> = BTreeMap::new();
    for change in report.changes.iter().filter(|change| wanted.folded || !change.is_folded()) {
        let component = change.component.as_deref();
        groups.entry((component.is_none(), component)).or_default().push(item(change, wanted));
    }
    let group = |((_, component), mut items): ((bool, Option<&str>), Vec<Item>)| {
        items.sort_by_key(|item| item.urgency);
        Group { component: component.map(str::to_owned), items }
    };
    let mut groups: Vec<Group> = groups.into_iter().map(group).collect();
    groups.sort_by_key(|group| group.items.first().map(|item| item.urgency));
    View {
        before: report.before.label.clone(),
        after: report.after.label.clone(),
        groups,
        classes: classes(report),
        folded: if wanted.folded { 0 } else { report.summary.folded },
    }
}

fn classes(report: &Report) -> Vec<(Class, Severity, usize)> {
    let mut worst: BTreeMap<Class, Severity> = BTreeMap::new();
    for change in &report.changes {
        let fields = change.fields.iter().map(|field| (field.class, field.severity));
        for (class, severity) in change.findings.iter().map(|f| (f.class, f.severity)).chain(fields) {
            let entry = worst.entry(class).or_default();
            *entry = severity.max(*entry);
        }
    }
    let severity = |class: &Class| worst.get(class).copied().unwrap_or_default();
    let counted = report.summary.classes.iter().filter(|(_, count)| **count > 0);
    let mut classes: Vec<_> = counted.map(|(class, count)| (*class, severity(class), *count)).collect();
    classes.sort_by_key(|(class, severity, _)| urgency(*class, *severity));
    classes
}

fn item(change: &ResourceChange, wanted: Wanted) -> Item {
    let identity = &change.identity;
    let mut fields: Vec<Field> = change
        .fields
        .iter()
        .filter(|field| wanted.folded || field.folded.is_none())
        .map(|change| field(change, wanted))
        .collect();
    let mut findings = Vec::new();
    for found in &change.findings {
        let finding =
            Finding { class: found.class, severity: found.severity, message: found.message.clone() };
        let at = fields.iter_mut().find(|field| !found.path.is_empty() && field.path == found.path);
        match at {
            Some(field) => explain(field, finding),
            None => findings.push(finding),
        }
    }
    Item {
        happened: change.kind,
        severity: change.severity,
        urgency: change.urgency(),
        kind: identity.kind.clone(),
        namespace: identity.namespace.clone(),
        name: identity.name.clone(),
        was: change.previous.as_ref().map(|previous| match previous.namespace.as_str() {
            "" => previous.name.clone(),
            namespace => format!("{namespace}/{}", previous.name),
        }),
        findings,
        origin: change.origin.clone(),
        fields,
        body: wanted.outline.and_then(|lines| change.value.as_ref().map(|value| outline(value, lines))),
    }
}

/// Puts a finding at the field that it refers to, instead of the bare class of the field.
fn explain(field: &mut Field, finding: Finding) {
    field.findings.retain(|known| !known.message.is_empty() || known.class != finding.class);
    field.findings.push(finding);
    field.findings.sort_by_key(|finding| urgency(finding.class, finding.severity));
}

fn field(change: &FieldChange, wanted: Wanted) -> Field {
    let value = |value: Option<&Value>| value.map(|value| text(value, wanted));
    let (before, after) = match &change.change {
        Change::Reordered { .. } => (None, None),
        other => (value(other.before()), value(other.after())),
    };
    let mut findings =
        vec![Finding { class: change.class, severity: change.severity, message: String::new() }];
    if matches!(change.change, Change::Reordered { .. }) {
        "the items are in another order".clone_into(&mut findings[0].message);
    }
    Field {
        path: change.path.to_string(),
        findings,
        before,
        after,
        lines: lines(&change.lines),
        before_origin: change.before_origin.clone(),
        after_origin: change.after_origin.clone(),
    }
}

fn lines(hunks: &[Hunk]) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut next = 1;
    for hunk in hunks {
        if hunk.before_start > next {
            lines.push(Line::Gap(hunk.before_start - next));
        }
        next = hunk.before_start + hunk.lines.iter().filter(|line| line.sign != Sign::Added).count();
        lines.extend(hunk.lines.iter().map(|line| match line.sign {
            Sign::Removed => Line::Removed(line.text.clone()),
            Sign::Added => Line::Added(line.text.clone()),
            Sign::Same => Line::Same(line.text.clone()),
        }));
    }
    lines
}

/// A value as text: texts as they are, mappings and lists as JSON or as an outline.
fn text(value: &Value, wanted: Wanted) -> String {
    match (value, wanted.outline) {
        (Value::String(text), _) if text.is_empty() => "\"\"".to_owned(),
        (Value::String(text), _) => text.clone(),
        (Value::Object(_) | Value::Array(_), Some(lines)) => outline(value, lines),
        (other, _) => other.to_string(),
    }
}

/// A value in the look of YAML, at most so many lines of it.
fn outline(value: &Value, most: usize) -> String {
    let mut lines = Vec::new();
    write_outline(value, 0, most, &mut lines);
    if lines.len() > most {
        lines.truncate(most);
        lines.push("…".to_owned());
    }
    lines.join("\n")
}

fn write_outline(value: &Value, indent: usize, most: usize, lines: &mut Vec<String>) {
    // One line more than is shown means that there are more.
    if lines.len() > most {
        return;
    }
    match value {
        Value::Object(map) if !map.is_empty() => {
            for (key, value) in map {
                write_entry(&format!("{key}:"), value, indent, most, lines);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for value in items {
                write_entry("-", value, indent, most, lines);
            }
        }
        leaf => lines.push(format!("{:indent$}{}", "", leaf_text(leaf))),
    }
}

fn write_entry(lead: &str, value: &Value, indent: usize, most: usize, lines: &mut Vec<String>) {
    if lines.len() > most {
        return;
    }
    let is_leaf = match value {
        Value::Object(map) => map.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => true,
    };
    match value {
        Value::String(text) if text.contains('\n') => {
            lines.push(format!("{:indent$}{lead} |", ""));
            lines.extend(text.lines().take(most).map(|line| format!("{:1$}{line}", "", indent + 2)));
        }
        leaf if is_leaf => lines.push(format!("{:indent$}{lead} {}", "", leaf_text(leaf))),
        Value::Object(map) if lead == "-" => {
            // The first entry of a mapping is on the line of its dash.
            let start = lines.len();
            write_outline(&Value::Object(map.clone()), indent + 2, most, lines);
            if let Some(first) = lines.get_mut(start) {
                first.replace_range(indent..indent + 2, "- ");
            }
        }
        deeper => {
            lines.push(format!("{:indent$}{lead}", ""));
            write_outline(deeper, indent + if deeper.is_array() { 0 } else { 2 }, most, lines);
        }
    }
}

fn leaf_text(value: &Value) -> String {
    let mut out = String::new();
    let _ = match value {
        Value::String(text) if !text.is_empty() && text.trim() == text => write!(out, "{text}"),
        other => write!(out, "{other}"),
    };
    out
}
