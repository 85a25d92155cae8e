//! What differs, for programs: an entry for each finding and each changed field, a test case for each resource.

use super::entry::{Entry, Level, Place, Rule};
use super::junit::{Case, Failure, Suite};
use super::view::place;
use crate::model::{Class, FieldChange, Origin, Report, ResourceChange, Severity, urgency};
use kfc_diagnostics::text::for_message;
use std::collections::BTreeMap;

/// A rule for each class.
pub(super) fn rules() -> Vec<Rule> {
    let rule = |class: Class| Rule {
        id: class.name().to_owned(),
        description: description(class).to_owned(),
        help: String::new(),
    };
    Class::ALL.into_iter().map(rule).collect()
}

/// The description of a class, readable without context.
const fn description(class: Class) -> &'static str {
    match class {
        Class::DataLoss => "Something that holds data is removed",
        Class::Recreate => "An immutable field changes",
        Class::Crd => "A CRD changes",
        Class::Rbac => "Who may do what changes",
        Class::Exposure => "What can be reached from where changes",
        Class::Webhook => "An admission webhook changes",
        Class::Security => "What pods may do on their nodes changes",
        Class::Storage => "Volumes, PVs, PVCs or storage classes change",
        Class::Image => "An image changes",
        Class::Replicas => "The number of copies changes",
        Class::Resources => "Requests or limits change",
        Class::Env => "Environment variables change",
        Class::Config => "Configuration or arguments change",
        Class::Scheduling => "Where pods may run changes",
        Class::Metadata => "Labels or annotations change",
        Class::Resource => "A resource is added, removed, renamed or moved",
        Class::Other => "Another field changes",
    }
}

/// The entries of a report.
pub(super) fn entries(report: &Report) -> Vec<Entry> {
    let mut entries: Vec<_> = report.changes.iter().flat_map(|change| of_resource(change, report)).collect();
    entries.sort_by_key(|(when, _)| *when);
    entries.into_iter().map(|(_, entry)| entry).collect()
}

/// An entry with its urgency.
type Timed = ((u8, u8, Class), Entry);

fn of_resource(change: &ResourceChange, report: &Report) -> Vec<Timed> {
    let path_of = |field: &FieldChange| field.path.to_string();
    let mut entries = Vec::new();
    for finding in &change.findings {
        let field =
            change.fields.iter().find(|field| !finding.path.is_empty() && path_of(field) == finding.path);
        let origin = field.and_then(origin_of).or(change.origin.as_ref());
        let one = (finding.class, finding.severity);
        let entry = entry(change, one, &finding.path, &finding.message, origin, report);
        entries.push((urgency(finding.class, finding.severity), entry));
    }
    for field in change.fields.iter().filter(|field| field.folded.is_none()) {
        let path = path_of(field);
        if change.findings.iter().any(|finding| finding.path == path && finding.class == field.class) {
            continue;
        }
        let message = format!("{path} is {}", field.change.name());
        let entry = entry(change, (field.class, field.severity), &path, &message, origin_of(field), report);
        entries.push((urgency(field.class, field.severity), entry));
    }
    entries
}

fn origin_of(field: &FieldChange) -> Option<&Origin> {
    field.after_origin.as_ref().or(field.before_origin.as_ref())
}

fn entry(
    change: &ResourceChange,
    (class, severity): (Class, Severity),
    path: &str,
    message: &str,
    origin: Option<&Origin>,
    report: &Report,
) -> Entry {
    let resource = change.identity.to_string();
    let message = match origin {
        Some(origin) => format!("{resource}: {message} ({})", place(origin)),
        None => format!("{resource}: {message}"),
    };
    let place = match origin {
        Some(origin) => Place { file: origin.file.clone(), line: origin.line, column: Some(origin.column) },
        None => Place { file: report.after.label.clone(), line: 1, column: None },
    };
    Entry {
        rule: class.name().to_owned(),
        level: level(severity),
        message,
        subject: if path.is_empty() { resource } else { format!("{resource} {path}") },
        place,
    }
}

const fn level(severity: Severity) -> Level {
    match severity {
        Severity::Critical => Level::Critical,
        Severity::High => Level::Error,
        Severity::Medium => Level::Warning,
        Severity::Low => Level::Note,
    }
}

/// A suite for each component, a case for each resource that differs. A case fails when it has one of the classes of
/// `fail_on`.
pub(super) fn suites(report: &Report, fail_on: &[Class]) -> Vec<Suite> {
    // Changes are sorted by urgency, and suites by their first change.
    let mut suites: Vec<Suite> = Vec::new();
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    for change in &report.changes {
        let name = change.component.as_deref().unwrap_or("no component");
        let at = *places.entry(name).or_insert_with(|| {
            suites.push(Suite { name: name.to_owned(), cases: Vec::new() });
            suites.len() - 1
        });
        suites[at].cases.push(case(change, fail_on));
    }
    suites
}

fn case(change: &ResourceChange, fail_on: &[Class]) -> Case {
    let mut classes: Vec<Class> = change.classes().filter(|class| fail_on.contains(class)).collect();
    classes.sort();
    classes.dedup();
    let names: Vec<&str> = classes.iter().map(|class| class.name()).collect();
    let names = names.join(", ");
    let failure = (!classes.is_empty()).then(|| Failure {
        message: format!("{} ({names})", change.kind.name()),
        detail: detail(change, |class| fail_on.contains(&class)),
        kind: names,
    });
    Case {
        name: for_message(&change.identity.to_string()).into_owned(),
        failure,
        output: detail(change, |_| true),
    }
}

/// A line for each finding and each changed field of the classes.
fn detail(change: &ResourceChange, wanted: impl Fn(Class) -> bool) -> String {
    let mut lines = Vec::new();
    for finding in change.findings.iter().filter(|finding| wanted(finding.class)) {
        lines.push(format!("{} {}: {}", finding.severity, finding.class, finding.message));
    }
    for field in change.fields.iter().filter(|field| field.folded.is_none() && wanted(field.class)) {
        let origin = origin_of(field).map_or(String::new(), |origin| format!(" ({origin})"));
        lines.push(format!(
            "{} {}: {} is {}{origin}",
            field.severity,
            field.class,
            field.path,
            field.change.name()
        ));
    }
    if lines.is_empty() {
        lines.push(change.kind.name().to_owned());
    }
    lines.iter().map(|line| for_message(line)).collect::<Vec<_>>().join("\n")
}
