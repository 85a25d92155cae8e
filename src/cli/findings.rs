//! Findings of a validation as documents for other programs: JSON, SARIF, JUnit's XML.

use crate::diagnostics::{Mark, Sources};
use crate::validate::Finding;
use serde_json::{Value, json};
use std::fmt::Write as _;

/// File, line and column of a finding.
fn place(finding: &Finding, sources: &Sources) -> Option<(String, u32, u32)> {
    let mark: Mark = finding.diagnostic.mark?;
    let source = sources.get(mark.source)?;
    let position = source.position(mark.offset);
    Some((source.name.clone(), position.line, position.column))
}

fn level(finding: &Finding) -> &'static str {
    if finding.is_error() { "error" } else { "warning" }
}

fn text(value: &Value) -> String {
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    text
}

/// A JSON list.
pub(super) fn json(found: &[Finding], sources: &Sources) -> String {
    let one = |finding: &Finding| {
        let (diagnostic, subject) = (&finding.diagnostic, &finding.subject);
        let place = place(finding, sources)
            .map(|(file, line, column)| json!({"file": file, "line": line, "column": column}));
        json!({
            "code": diagnostic.code.as_str(),
            "severity": level(finding),
            "message": diagnostic.message,
            "help": diagnostic.help,
            "notes": diagnostic.notes,
            "resource": {
                "apiVersion": subject.api_version, "kind": subject.kind,
                "namespace": subject.namespace, "name": subject.name,
            },
            "path": finding.path,
            "place": place,
        })
    };
    text(&found.iter().map(one).collect())
}

/// What is wrong, where in which resource, and what to do, in one text.
fn sentence(finding: &Finding) -> String {
    let field = if finding.path.is_empty() { String::new() } else { format!(", {}", finding.path) };
    let help = finding.diagnostic.help.as_ref().map(|help| format!(" ({help})")).unwrap_or_default();
    format!("{}{help}: {}{field}", finding.diagnostic.message, finding.subject.title())
}

/// A SARIF 2.1.0 log of one run.
pub(super) fn sarif(found: &[Finding], sources: &Sources) -> String {
    let mut codes: Vec<&str> = found.iter().map(|finding| finding.diagnostic.code.as_str()).collect();
    codes.sort_unstable();
    codes.dedup();
    let result = |finding: &Finding| {
        let location = place(finding, sources).map(|(file, line, column)| {
            json!({"physicalLocation": {
                "artifactLocation": {"uri": file},
                "region": {"startLine": line, "startColumn": column},
            }})
        });
        json!({
            "ruleId": finding.diagnostic.code.as_str(),
            "level": level(finding),
            "message": {"text": sentence(finding)},
            "locations": location.into_iter().collect::<Vec<Value>>(),
        })
    };
    text(&json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "kfc",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": codes.iter().map(|code| json!({"id": code})).collect::<Vec<Value>>(),
            }},
            "results": found.iter().map(result).collect::<Vec<Value>>(),
        }],
    }))
}

/// JUnit's XML: one case a finding, and one for everything that is valid.
pub(super) fn junit(found: &[Finding], count: usize, sources: &Sources) -> String {
    let failures = found.iter().filter(|finding| finding.is_error()).count();
    let tests = found.len() + 1;
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    // Writing into a string cannot fail.
    let _ = writeln!(out, "<testsuite name=\"kfc validate\" tests=\"{tests}\" failures=\"{failures}\">");
    let _ = writeln!(out, "  <testcase classname=\"kfc\" name=\"{count} resources\"/>");
    for finding in found {
        let place = place(finding, sources)
            .map(|(file, line, column)| format!("{file}:{line}:{column}: "))
            .unwrap_or_default();
        let name = xml(&format!("{} {}", finding.subject.title(), finding.path));
        let message = xml(&format!("{place}{}", sentence(finding)));
        let code = finding.diagnostic.code.as_str();
        let inner = match finding.is_error() {
            true => format!("<failure type=\"{code}\" message=\"{message}\"/>"),
            false => format!("<system-out>{code}: {message}</system-out>"),
        };
        let _ = writeln!(out, "  <testcase classname=\"{code}\" name=\"{name}\">{inner}</testcase>");
    }
    out.push_str("</testsuite>\n");
    out
}

/// Text as it stands in an attribute or element.
fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{junit, sarif};
    use crate::build::read;
    use crate::diagnostics::Sources;
    use crate::schema::Schema;
    use crate::validate::{Options, validate};
    use crate::yaml::parse::parse;

    #[test]
    fn documents_say_where_and_what() {
        let sources = Sources::default();
        let (id, source) =
            sources.add("a&b.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndato: {}\n");
        let resources = read::resources(parse(&source.text, id).unwrap(), &Schema::builtin()).unwrap();
        let found = validate(&resources, &[], &Options::default());
        let log: serde_json::Value = serde_json::from_str(&sarif(&found, &sources)).unwrap();
        let result = &log["runs"][0]["results"][0];
        assert_eq!(result["ruleId"], "KFC1505");
        assert_eq!(result["locations"][0]["physicalLocation"]["region"]["startLine"], 4);
        let report = junit(&found, 1, &sources);
        assert!(report.contains("a&amp;b.yaml:4:1: ConfigMap has no field `dato`"), "{report}");
        assert!(report.contains("tests=\"2\" failures=\"1\""));
    }
}
