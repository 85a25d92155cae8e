//! SARIF 2.1.0, for code scanning.

use super::entry::{Entry, Level, Place, Rule, uri};
use serde_json::{Value, json};

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// Entries as a log of one run.
#[must_use]
pub fn sarif(rules: &[Rule], entries: &[Entry]) -> String {
    let results: Vec<Value> = entries.iter().map(|entry| result(entry, rules)).collect();
    let rules: Vec<Value> = rules.iter().map(rule).collect();
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

fn rule(rule: &Rule) -> Value {
    let mut document = json!({
        "id": rule.id,
        "name": rule.id,
        "properties": {"tags": ["kubernetes", rule.id]},
    });
    if !rule.description.is_empty() {
        document["shortDescription"] = json!({"text": rule.description});
    }
    if !rule.help.is_empty() {
        document["help"] = json!({"text": rule.help});
    }
    document
}

fn result(entry: &Entry, rules: &[Rule]) -> Value {
    json!({
        "ruleId": entry.rule,
        "ruleIndex": rules.iter().position(|rule| rule.id == entry.rule),
        "level": level(entry.level),
        "message": {"text": entry.message},
        "locations": [{
            "physicalLocation": {
                "artifactLocation": {"uri": uri(&entry.place.file)},
                "region": region(&entry.place),
            },
            "logicalLocations": [{"fullyQualifiedName": entry.subject, "kind": "resource"}],
        }],
        "partialFingerprints": {"change/v1": entry.fingerprint()},
    })
}

fn region(place: &Place) -> Value {
    let mut region = json!({"startLine": place.line.max(1)});
    if let Some(column) = place.column {
        region["startColumn"] = json!(column.max(1));
    }
    region
}

const fn level(level: Level) -> &'static str {
    match level {
        Level::Critical | Level::Error => "error",
        Level::Warning => "warning",
        Level::Note => "note",
    }
}
