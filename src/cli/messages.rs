//! Errors, warnings and notes for programs: a JSON object in each line, or one SARIF log of the run.

use kfc_diagnostics::text::{for_message, json_document};
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Label, Mark, Severity, Sources};
use kfc_diff::report::{self, Entry, Level, Place, Rule};
use serde_json::{Value, json};
use std::sync::{Mutex, PoisonError};

/// The version of the JSON that kfc prints.
pub(super) const API_VERSION: &str = "kfc.dev/v1alpha1";

/// The entries of the run, for its log.
static LOG: Mutex<Vec<Entry>> = Mutex::new(Vec::new());

/// File, line and column of a mark.
pub(super) fn place(mark: Mark, sources: &Sources) -> Option<(String, u32, u32)> {
    let source = sources.get(mark.source)?;
    let position = source.position(mark.offset);
    Some((source.name.clone(), position.line, position.column))
}

/// A place as an object; null when it is not known.
pub(super) fn place_json(mark: Option<Mark>, sources: &Sources) -> Value {
    let place = mark.and_then(|mark| place(mark, sources));
    place.map_or(Value::Null, |(file, line, column)| json!({"file": file, "line": line, "column": column}))
}

/// The message of a diagnostic, in one line. What it quotes of Secrets is redacted before.
fn message_json(diagnostic: &Diagnostic, sources: &Sources) -> String {
    let label =
        |Label { mark, text, .. }: &Label| json!({"text": text, "place": place_json(Some(*mark), sources)});
    line(&json!({
        "apiVersion": API_VERSION,
        "kind": "Message",
        "severity": diagnostic.severity.word(),
        "code": diagnostic.code.as_str(),
        "message": diagnostic.message,
        "place": place_json(diagnostic.mark, sources),
        "labels": diagnostic.labels.iter().map(label).collect::<Value>(),
        "notes": diagnostic.notes,
        "help": diagnostic.help,
    }))
}

/// A line of progress as a message without a code.
pub(super) fn note_json(text: &str) -> String {
    line(&json!({
        "apiVersion": API_VERSION, "kind": "Message", "severity": Severity::Note.word(), "message": for_message(text),
    }))
}

fn line(message: &Value) -> String {
    json_document(format!("{message}\n"))
}

/// The messages of diagnostics, one in a line.
pub(super) fn lines(diagnostics: &Diagnostics, sources: &Sources) -> String {
    diagnostics.0.iter().map(|diagnostic| message_json(diagnostic, sources)).collect()
}

/// Keeps diagnostics for the log of the run.
pub(super) fn keep(diagnostics: &Diagnostics, sources: &Sources) {
    let entry = |diagnostic: &Diagnostic| {
        let more = diagnostic.notes.iter().chain(&diagnostic.help).map(|text| format!("; {text}"));
        let place = diagnostic.mark.and_then(|mark| place(mark, sources));
        Entry {
            rule: diagnostic.code.as_str().to_owned(),
            level: match diagnostic.severity {
                Severity::Error => Level::Error,
                Severity::Warning => Level::Warning,
                Severity::Note => Level::Note,
            },
            message: diagnostic.message.clone() + &more.collect::<String>(),
            subject: diagnostic.message.clone(),
            place: match place {
                Some((file, line, column)) => Place { file, line, column: Some(column) },
                None => Place { file: ".".to_owned(), line: 1, column: None },
            },
        }
    };
    LOG.lock().unwrap_or_else(PoisonError::into_inner).extend(diagnostics.0.iter().map(entry));
}

/// The SARIF log of what was kept.
pub(super) fn log() -> String {
    sarif(&std::mem::take(&mut *LOG.lock().unwrap_or_else(PoisonError::into_inner)))
}

/// A SARIF log of entries, with a rule for each code.
pub(super) fn sarif(entries: &[Entry]) -> String {
    let mut codes: Vec<&str> = entries.iter().map(|entry| entry.rule.as_str()).collect();
    codes.sort_unstable();
    codes.dedup();
    let rule = |code: &str| Rule {
        id: code.to_owned(),
        description: Code::parse(code).map(Code::title).unwrap_or_default().to_owned(),
        help: format!("`kfc explain {code}` prints the cause, an example and the fix."),
    };
    json_document(report::sarif(&codes.into_iter().map(rule).collect::<Vec<_>>(), entries))
}
