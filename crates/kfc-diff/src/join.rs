//! Joins reports into one: those of several goldens.

use super::model::{Report, Side, Summary};

/// One report of several, each with a name that goes before the names of its components.
#[must_use]
pub fn join(label: (&str, &str), reports: Vec<(String, Report)>) -> Report {
    let mut joined = Report {
        before: Side { label: label.0.to_owned(), resources: 0 },
        after: Side { label: label.1.to_owned(), resources: 0 },
        ..Report::default()
    };
    for (name, report) in reports {
        joined.before.resources += report.before.resources;
        joined.after.resources += report.after.resources;
        add(&mut joined.summary, &report.summary, &name);
        joined.changes.extend(report.changes.into_iter().map(|mut change| {
            change.component = Some(below(&name, &change.component.unwrap_or_default()));
            change
        }));
    }
    joined
}

fn below(name: &str, component: &str) -> String {
    if component.is_empty() { name.to_owned() } else { format!("{name}/{component}") }
}

fn add(sum: &mut Summary, one: &Summary, name: &str) {
    sum.added += one.added;
    sum.removed += one.removed;
    sum.changed += one.changed;
    sum.renamed += one.renamed;
    sum.moved += one.moved;
    sum.unchanged += one.unchanged;
    sum.fields += one.fields;
    sum.folded += one.folded;
    for (class, count) in &one.classes {
        *sum.classes.entry(*class).or_default() += count;
    }
    for (severity, count) in &one.severities {
        *sum.severities.entry(*severity).or_default() += count;
    }
    for (component, count) in &one.components {
        *sum.components.entry(below(name, component)).or_default() += count;
    }
}
