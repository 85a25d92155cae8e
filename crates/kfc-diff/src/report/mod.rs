//! The diff report in every format: text for a terminal, Markdown for a pull request, JSON, SARIF and JUnit for CI, a
//! unified diff, and one HTML page that needs nothing else.
//!
//! [`arrange`] decides what is shown and in which order; the formats for people mark that up. For programs, [`changes`]
//! makes entries of a report; a validation makes its own. SARIF, JUnit's XML and code quality reports are written from those.

mod arrange;
mod changes;
mod code_quality;
mod entry;
mod hidden;
mod html;
mod junit;
mod kinds;
mod markdown;
mod sarif;
mod text;
mod unified;
mod view;
mod words;

#[cfg(test)]
mod tests;

pub use code_quality::code_quality;
pub use entry::{Entry, Level, Place, Rule};
pub use junit::{Case, Failure, Suite, junit};
pub use sarif::sarif;

use crate::model::{Class, Report};
use arrange::{Wanted, arrange};
use kfc_diagnostics::Numbers;
use kfc_diagnostics::text::{document, for_message, json_document};
use kfc_diagnostics::{Code, Diagnostic, Result};
use std::path::Path;

/// The published JSON Schema of the report (`kfc schema report`).
pub const SCHEMA: &str = include_str!("report.json");

/// Bytes that a comment on GitHub may have.
pub const COMMENT: usize = 65_000;

/// Lines of a mapping or list that the page shows.
const OUTLINE: usize = 60;

/// A format of the report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// Text for a terminal.
    #[default]
    Text,
    /// Markdown for a comment on a pull request.
    Markdown,
    /// All of it, for programs; `kfc schema report` describes it.
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// JUnit XML: a test case for each resource.
    Junit,
    /// GitLab's code quality report.
    CodeQuality,
    /// A unified diff of the two bundles.
    Unified,
    /// One page for a browser.
    Html,
}

impl Format {
    /// Every format with its name on the command line and what it is.
    pub const ALL: [(Self, &str, &str); 8] = [
        (Self::Text, "text", "Text for a terminal"),
        (Self::Markdown, "markdown", "Markdown for a comment on a pull request"),
        (Self::Json, "json", "All of it, for programs; `kfc schema report` describes it"),
        (Self::Sarif, "sarif", "SARIF 2.1.0, for code scanning"),
        (Self::Junit, "junit", "JUnit XML: a test case for each resource"),
        (Self::CodeQuality, "codequality", "GitLab's code quality report"),
        (Self::Unified, "unified", "A unified diff of the two bundles"),
        (Self::Html, "html", "One page for a browser"),
    ];

    /// The format of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, own, _)| *own == name).map(|(format, ..)| *format)
    }

    /// The format that the ending of a file's name stands for, or the name that GitLab's own reports have.
    #[must_use]
    pub fn of_file(path: &Path) -> Option<Self> {
        if path.file_name()?.to_str()? == "gl-code-quality-report.json" {
            return Some(Self::CodeQuality);
        }
        Some(match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "txt" => Self::Text,
            "md" | "markdown" => Self::Markdown,
            "json" => Self::Json,
            "sarif" => Self::Sarif,
            "xml" => Self::Junit,
            "diff" | "patch" => Self::Unified,
            "html" | "htm" => Self::Html,
            _ => return None,
        })
    }
}

/// How a report is written.
#[derive(Clone, Debug)]
pub struct Style<'a> {
    /// Text: with the colours of a terminal.
    pub colour: bool,
    /// Text: characters of a line; none for lines of any length.
    pub width: Option<usize>,
    /// Text, Markdown and HTML: changes of form alone too.
    pub folded: bool,
    /// Markdown: the most bytes.
    pub max_bytes: usize,
    /// JUnit: the classes that count as failures.
    pub fail_on: &'a [Class],
    /// Unified: the two bundles, as [`crate::shown_text`] gives them.
    pub texts: Option<(&'a str, &'a str)>,
}

impl Default for Style<'_> {
    fn default() -> Self {
        Self { colour: false, width: None, folded: false, max_bytes: COMMENT, fail_on: &[], texts: None }
    }
}

/// Writes a report.
///
/// # Errors
/// When a value cannot be written as JSON, or a unified diff is asked for without the texts.
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
        Format::Html => html::html(&view(Some(OUTLINE)), report.graph.as_ref())?,
    };
    let text = match format {
        // Every text in it is made safe where it is cut and coloured.
        Format::Text => text,
        // It is to be what `patch` reads.
        Format::Unified => text,
        Format::Json | Format::Sarif | Format::CodeQuality => json_document(text),
        Format::Junit => document(text),
        Format::Markdown => hidden::in_order(&document(text)),
        // Numbers are parted by marks of what changed there: they stay as the view has them.
        Format::Html => hidden::without_commands(&document(text)),
    };
    Ok(text.into_bytes())
}

fn json(report: &Report) -> Result<String> {
    let text = serde_json::to_string_pretty(report).map_err(|error| failure(&error))?;
    Ok(text + "\n")
}

fn failure(error: &dyn std::fmt::Display) -> Diagnostic {
    Diagnostic::error(Code::Report, format!("the report cannot be written: {error}"))
}
