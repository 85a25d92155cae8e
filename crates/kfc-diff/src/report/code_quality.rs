//! GitLab's code quality report: a list of issues, shown in merge requests on the lines that they name.

use super::entry::{Entry, Level, hash};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Entries as a report.
#[must_use]
pub fn code_quality(entries: &[Entry]) -> String {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let issues: Vec<Value> = entries.iter().map(|entry| issue(entry, &mut seen)).collect();
    format!("{:#}\n", Value::from(issues))
}

/// Of issues with one fingerprint GitLab shows the first alone: the next ones are numbered.
fn issue(entry: &Entry, seen: &mut BTreeMap<String, usize>) -> Value {
    let fingerprint = entry.fingerprint();
    let count = seen.entry(fingerprint.clone()).or_default();
    *count += 1;
    let fingerprint = if *count == 1 { fingerprint } else { hash(&format!("{fingerprint} {count}")) };
    json!({
        "description": entry.message,
        "check_name": entry.rule,
        "fingerprint": fingerprint,
        "severity": severity(entry.level),
        "location": {"path": entry.place.file, "lines": {"begin": entry.place.line.max(1)}},
    })
}

const fn severity(level: Level) -> &'static str {
    match level {
        Level::Critical => "critical",
        Level::Error => "major",
        Level::Warning => "minor",
        Level::Note => "info",
    }
}
