//! Findings of a validation as documents for other programs.

use super::listing::{described, pretty};
use super::messages;
use kfc_diagnostics::Numbers;
use kfc_diagnostics::text::{document, for_message, json_document};
use kfc_diagnostics::{Severity, Sources};
use kfc_diff::report::{self, Case, Entry, Failure, Level, Place, Suite};
use kfc_validate::{Finding, Verdict, Version};
use serde_json::{Value, json};

/// One target that was validated.
#[derive(Clone)]
pub(super) struct Checked {
    /// As the user wrote it, or where it was found.
    pub(super) target: String,
    /// The version of Kubernetes that it was validated against.
    pub(super) kubernetes: Version,
    /// What was found.
    pub(super) verdict: Verdict,
}

/// The location of a finding.
fn place(finding: &Finding, sources: &Sources) -> Option<(String, u32, u32)> {
    messages::place(finding.diagnostic.mark?, sources)
}

/// The targets with numbers for the hidden values that their findings quote; equal values share one in all of them.
pub(super) fn numbered(checked: &[Checked]) -> Vec<Checked> {
    let mut numbers = Numbers::default();
    let mut checked = checked.to_vec();
    let findings = checked.iter_mut().flat_map(|checked| &mut checked.verdict.findings);
    findings.for_each(|finding| finding.diagnostic.number(&mut numbers));
    checked
}

/// A JSON object: the targets, each with its counts and findings.
pub(super) fn json(checked: &[Checked], sources: &Sources) -> String {
    let one = |finding: &Finding| {
        let (diagnostic, subject) = (&finding.diagnostic, finding.subject.clone().unwrap_or_default());
        json!({
            "code": diagnostic.code.as_str(),
            "severity": diagnostic.severity.word(),
            "message": diagnostic.message,
            "help": diagnostic.help,
            "notes": diagnostic.notes,
            "resource": {
                "apiVersion": subject.api_version(), "kind": subject.kind,
                "namespace": subject.namespace, "name": subject.name,
            },
            "path": finding.path,
            "place": messages::place_json(diagnostic.mark, sources),
        })
    };
    let target = |checked: &Checked| {
        let verdict = &checked.verdict;
        json!({
            "target": checked.target,
            "kubernetes": checked.kubernetes.to_string(),
            "checked": verdict.checked,
            "unchecked": verdict.unchecked,
            "skipped": verdict.skipped,
            "findings": verdict.findings.iter().map(one).collect::<Value>(),
        })
    };
    pretty(&described("Validation", json!({"targets": checked.iter().map(target).collect::<Value>()})))
}

/// The resource of a finding; empty for what is about the whole bundle.
fn subject_of(finding: &Finding) -> String {
    finding.subject.as_ref().map(ToString::to_string).unwrap_or_default()
}

/// What is wrong, in which field of which resource, and what to do, in one text.
fn sentence(finding: &Finding) -> String {
    let field = if finding.path.is_empty() { String::new() } else { format!(", {}", finding.path) };
    let help = finding.diagnostic.help.as_ref().map(|help| format!(" ({help})")).unwrap_or_default();
    let text = format!("{}{help}: {}{field}", finding.diagnostic.message, subject_of(finding));
    for_message(&text).into_owned()
}

/// The entries of a validation; the location of a finding without one is its target.
fn entries(checked: &[Checked], sources: &Sources) -> Vec<Entry> {
    let entry = |target: &str, finding: &Finding| {
        let place = place(finding, sources);
        let title = subject_of(finding);
        Entry {
            rule: finding.diagnostic.code.as_str().to_owned(),
            level: match finding.diagnostic.severity {
                Severity::Error => Level::Error,
                Severity::Warning => Level::Warning,
                Severity::Note => Level::Note,
            },
            message: sentence(finding),
            subject: if finding.path.is_empty() { title } else { format!("{title} {}", finding.path) },
            place: match place {
                Some((file, line, column)) => Place { file, line, column: Some(column) },
                None => Place { file: target.to_owned(), line: 1, column: None },
            },
        }
    };
    let of = |checked: &Checked| -> Vec<Entry> {
        checked.verdict.findings.iter().map(|finding| entry(&checked.target, finding)).collect()
    };
    checked.iter().flat_map(of).collect()
}

/// A SARIF log.
pub(super) fn sarif(checked: &[Checked], sources: &Sources) -> String {
    messages::sarif(&entries(checked, sources))
}

/// A code quality report.
pub(super) fn code_quality(checked: &[Checked], sources: &Sources) -> String {
    json_document(report::code_quality(&entries(checked, sources)))
}

/// JUnit XML: a suite for each target, with a case for each finding and one for all that was checked.
pub(super) fn junit(checked: &[Checked], sources: &Sources) -> String {
    let case = |finding: &Finding| {
        let place = place(finding, sources)
            .map(|(file, line, column)| format!("{file}:{line}:{column}: "))
            .unwrap_or_default();
        let message = format!("{place}{}", sentence(finding));
        let code = finding.diagnostic.code.as_str().to_owned();
        let name = format!("{code} {} {}", subject_of(finding), finding.path);
        let name = for_message(name.trim_end()).into_owned();
        if finding.is_error() {
            let failure = Failure { kind: code, detail: message.clone(), message };
            Case { name, failure: Some(failure), output: String::new() }
        } else {
            Case { name, failure: None, output: message }
        }
    };
    let suite = |checked: &Checked| {
        let Verdict { findings, checked: count, unchecked, skipped, .. } = &checked.verdict;
        let name = match (unchecked, skipped) {
            (0, 0) => format!("{count} resources"),
            _ => format!("{count} resources ({unchecked} could not be checked, {skipped} skipped)"),
        };
        let whole = Case { name, ..Case::default() };
        let cases = std::iter::once(whole).chain(findings.iter().map(case)).collect();
        Suite { name: checked.target.clone(), cases }
    };
    document(report::junit("kfc validate", &checked.iter().map(suite).collect::<Vec<_>>()))
}

#[cfg(test)]
mod tests {
    use super::{Checked, junit, sarif};
    use kfc_diagnostics::Sources;
    use kfc_kube::schema::Schema;
    use kfc_kustomize::engine::read;
    use kfc_kustomize::resource::objects;
    use kfc_validate::{Options, table, validate};
    use kfc_yaml::parse::parse;

    #[test]
    fn documents_have_the_location_and_the_finding() {
        let sources = Sources::default();
        let (id, source) =
            sources.add("a&b.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndato: {}\n");
        let resources = read::resources(parse(&source.text, id).unwrap(), &Schema::builtin()).unwrap();
        let verdict = validate(&objects(&resources), &[], &Options::default());
        let checked = [Checked { target: "bundle".to_owned(), kubernetes: table::covered().last, verdict }];
        let log: serde_json::Value = serde_json::from_str(&sarif(&checked, &sources)).unwrap();
        let result = &log["runs"][0]["results"][0];
        assert_eq!(result["ruleId"], "KFC1505");
        let rule = &log["runs"][0]["tool"]["driver"]["rules"][0];
        assert_eq!(rule["shortDescription"]["text"], "A field that the type does not have");
        assert!(rule["help"]["text"].as_str().unwrap().contains("kfc explain KFC1505"), "{rule}");
        assert_eq!(result["locations"][0]["physicalLocation"]["region"]["startLine"], 4);
        let report = junit(&checked, &sources);
        assert!(report.contains("a&amp;b.yaml:4:1: ConfigMap has no field `dato`"), "{report}");
        assert!(report.contains("tests=\"2\" failures=\"1\""));
    }
}
