//! Writes a report in one of its formats.

use super::arrange::{Wanted, arrange};
use super::changes;
use super::code_quality::code_quality;
use super::failure::failure;
use super::format::Format;
use super::hidden;
use super::html;
use super::json_patch::json_patch;
use super::junit::junit;
use super::markdown;
use super::sarif::sarif;
use super::style::Style;
use super::text;
use super::unified;
use crate::model::Report;
use kfc_diagnostics::Numbers;
use kfc_diagnostics::Result;
use kfc_diagnostics::text::{document, for_message, json_document};

/// The published JSON Schema of the report (`kfc schema report`).
pub const SCHEMA: &str = include_str!("report.json");

/// Lines of a mapping or list that the page shows.
const OUTLINE: usize = 60;

/// Writes a report.
///
/// # Errors
/// When a value cannot be written as JSON, or a unified diff or JSON patches are asked for without the texts.
pub fn write(format: Format, report: &Report, style: &Style<'_>) -> Result<Vec<u8>> {
    let view = |outline: Option<usize>| {
        let mut view = arrange(report, Wanted { folded: style.folded, outline });
        hidden::number_view(&mut view);
        view
    };
    let numbered = || hidden::numbered(report);
    let text = match format {
        Format::Text => text::text(&view(None), style),
        Format::Markdown => markdown::markdown(&view(None), style),
        Format::Json => json(&numbered())?,
        Format::Sarif => sarif(&changes::rules(), &changes::entries(&numbered())),
        Format::Junit => {
            let name = format!("{} → {}", report.before.label, report.after.label);
            junit(&for_message(&name), &changes::suites(&numbered(), style.fail_on))
        }
        Format::CodeQuality => code_quality(&changes::entries(&numbered())),
        Format::Unified => Numbers::default().shown(&unified::unified(report, style.texts)?).into_owned(),
        Format::JsonPatch => {
            Numbers::default().shown(&json_patch(report, style.texts, style.folded)?).into_owned()
        }
        Format::Html => html::html(&view(Some(OUTLINE)), report.graph.as_ref())?,
    };
    let text = match format {
        // Every text in the one is escaped where it is cut and coloured; `patch` has to be able to read the other.
        Format::Text | Format::Unified => text,
        Format::Json | Format::JsonPatch | Format::Sarif | Format::CodeQuality => json_document(text),
        Format::Junit => document(text),
        Format::Markdown => hidden::in_order(&document(text)),
        // Marks of what changed may split numbers: they stay as the view has them.
        Format::Html => hidden::without_commands(&document(text)),
    };
    Ok(text.into_bytes())
}

fn json(report: &Report) -> Result<String> {
    /// The report with its kind and the version of its form.
    #[derive(serde::Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Described<'r> {
        api_version: &'static str,
        kind: &'static str,
        #[serde(flatten)]
        report: &'r Report,
    }
    let described = Described { api_version: "kfc.dev/v1alpha1", kind: "Report", report };
    let text = serde_json::to_string_pretty(&described).map_err(|error| failure(&error))?;
    Ok(text + "\n")
}
