//! JUnit XML: a suite for each component, a test case for each resource that differs. A case fails when it has a class
//! that the caller wants to fail on.

use crate::diff::model::{Class, Report, ResourceChange};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The report as test results.
pub(super) fn junit(report: &Report, fail_on: &[Class]) -> String {
    let mut suites: BTreeMap<&str, Vec<&ResourceChange>> = BTreeMap::new();
    for change in &report.changes {
        suites.entry(change.component.as_deref().unwrap_or("no component")).or_default().push(change);
    }
    let failures =
        |changes: &[&ResourceChange]| changes.iter().filter(|change| fails(change, fail_on)).count();
    let all: Vec<&ResourceChange> = report.changes.iter().collect();
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"0\">\n",
        escaped(&format!("{} → {}", report.before.label, report.after.label)),
        all.len(),
        failures(&all)
    );
    for (name, changes) in &suites {
        let _ = writeln!(
            out,
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"0\">",
            escaped(name),
            changes.len(),
            failures(changes)
        );
        for change in changes {
            case(change, name, fail_on, &mut out);
        }
        out.push_str("  </testsuite>\n");
    }
    out.push_str("</testsuites>\n");
    out
}

fn fails(change: &ResourceChange, fail_on: &[Class]) -> bool {
    change.classes().any(|class| fail_on.contains(&class))
}

fn case(change: &ResourceChange, suite: &str, fail_on: &[Class], out: &mut String) {
    let _ = writeln!(
        out,
        "    <testcase classname=\"{}\" name=\"{}\">",
        escaped(suite),
        escaped(&change.identity.to_string())
    );
    let mut classes: Vec<Class> = change.classes().filter(|class| fail_on.contains(class)).collect();
    classes.sort();
    classes.dedup();
    if !classes.is_empty() {
        let names: Vec<&str> = classes.iter().map(|class| class.name()).collect();
        let names = names.join(", ");
        let _ = writeln!(
            out,
            "      <failure type=\"{names}\" message=\"{}\">{}</failure>",
            escaped(&format!("{} ({names})", change.kind.name())),
            escaped(&detail(change, |class| fail_on.contains(&class)))
        );
    }
    let _ = writeln!(out, "      <system-out>{}</system-out>", escaped(&detail(change, |_| true)));
    out.push_str("    </testcase>\n");
}

/// A line for each finding and each changed field of the classes.
fn detail(change: &ResourceChange, wanted: impl Fn(Class) -> bool) -> String {
    let mut lines = Vec::new();
    for finding in change.findings.iter().filter(|finding| wanted(finding.class)) {
        lines.push(format!("{} {}: {}", finding.severity, finding.class, finding.message));
    }
    for field in change.fields.iter().filter(|field| field.folded.is_none() && wanted(field.class)) {
        let origin = field.after_origin.as_ref().or(field.before_origin.as_ref());
        let origin = origin.map_or(String::new(), |origin| format!(" ({origin})"));
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
    lines.join("\n")
}

/// Text for XML: markup escaped, characters that XML does not know replaced.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(c),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => {
                out.push(char::REPLACEMENT_CHARACTER)
            }
            c => out.push(c),
        }
    }
    out
}
