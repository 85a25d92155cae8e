//! SARIF 2.1.0 for code scanning: a rule for each class, a result for each finding and each changed field.

use super::view::place;
use crate::diff::model::{Class, FieldChange, Origin, Report, ResourceChange, Severity};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// Digits of a fingerprint.
const FINGERPRINT: usize = 16;

/// The report as one run.
pub(super) fn sarif(report: &Report) -> String {
    let rules: Vec<Value> = Class::ALL.into_iter().map(rule).collect();
    let results: Vec<Value> = report.changes.iter().flat_map(|change| results(change, report)).collect();
    let document = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {"name": "kfc", "semanticVersion": env!("CARGO_PKG_VERSION"), "rules": rules}},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    format!("{document:#}\n")
}

fn rule(class: Class) -> Value {
    json!({
        "id": class.name(),
        "name": class.name(),
        "shortDescription": {"text": description(class)},
        "properties": {"tags": ["kubernetes", class.name()]},
    })
}

/// What a class is about, in words that stand alone.
const fn description(class: Class) -> &'static str {
    match class {
        Class::DataLoss => "Something that holds data is removed",
        Class::Recreate => "A field changes that cannot be changed in place",
        Class::Crd => "A definition of custom resources changes",
        Class::Rbac => "Who may do what changes",
        Class::Exposure => "What can be reached from where changes",
        Class::Webhook => "An admission webhook changes",
        Class::Security => "What pods may do on their nodes changes",
        Class::Storage => "Volumes, claims or storage classes change",
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

fn results(change: &ResourceChange, report: &Report) -> Vec<Value> {
    let path_of = |field: &FieldChange| field.path.to_string();
    let shown: Vec<&FieldChange> = change.fields.iter().filter(|field| field.folded.is_none()).collect();
    let mut results = Vec::new();
    for finding in &change.findings {
        let field =
            change.fields.iter().find(|field| !finding.path.is_empty() && path_of(field) == finding.path);
        let origin = field.and_then(origin_of).or(change.origin.as_ref());
        results.push(result(
            change,
            finding.class,
            finding.severity,
            &finding.path,
            &finding.message,
            origin,
            report,
        ));
    }
    for field in shown {
        let path = path_of(field);
        if change.findings.iter().any(|finding| finding.path == path && finding.class == field.class) {
            continue;
        }
        let message = format!("{path} is {}", field.change.name());
        results.push(result(change, field.class, field.severity, &path, &message, origin_of(field), report));
    }
    results
}

fn origin_of(field: &FieldChange) -> Option<&Origin> {
    field.after_origin.as_ref().or(field.before_origin.as_ref())
}

fn result(
    change: &ResourceChange,
    class: Class,
    severity: Severity,
    path: &str,
    message: &str,
    origin: Option<&Origin>,
    report: &Report,
) -> Value {
    let resource = change.identity.to_string();
    let qualified = if path.is_empty() { resource.clone() } else { format!("{resource} {path}") };
    let physical = match origin {
        Some(origin) => json!({
            "artifactLocation": {"uri": uri(&origin.file)},
            "region": {"startLine": origin.line.max(1), "startColumn": origin.column.max(1)},
        }),
        // Code scanning refuses a result without a file: it gets the bundle.
        None => json!({"artifactLocation": {"uri": uri(&report.after.label)}, "region": {"startLine": 1}}),
    };
    let text = match origin {
        Some(origin) => format!("{resource}: {message} ({})", place(origin)),
        None => format!("{resource}: {message}"),
    };
    json!({
        "ruleId": class.name(),
        "ruleIndex": Class::ALL.iter().position(|known| *known == class),
        "level": level(severity),
        "message": {"text": text},
        "locations": [{
            "physicalLocation": physical,
            "logicalLocations": [{"fullyQualifiedName": qualified, "kind": "resource"}],
        }],
        "partialFingerprints": {"change/v1": fingerprint(class, &qualified)},
    })
}

const fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low => "note",
    }
}

/// The same change has the same fingerprint in every run.
fn fingerprint(class: Class, qualified: &str) -> String {
    let hash = Sha256::digest(format!("{class} {qualified}"));
    hash.iter().take(FINGERPRINT / 2).map(|byte| format!("{byte:02x}")).collect()
}

/// A path as a relative reference: what would have a meaning in an address is written in percent.
fn uri(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' | b'~' | b'+' => {
                out.push(char::from(byte))
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}
