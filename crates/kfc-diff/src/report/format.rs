//! The formats of a report, by name and by the ending of a file.

use std::path::Path;

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
    /// JSON patches (RFC 6902), one for each changed resource.
    JsonPatch,
    /// One page for a browser.
    Html,
}

impl Format {
    /// Every format with its name on the command line and what it is.
    pub const ALL: [(Self, &str, &str); 9] = [
        (Self::Text, "text", "Text for a terminal"),
        (Self::Markdown, "markdown", "Markdown for a comment on a pull request"),
        (Self::Json, "json", "All of it, for programs; `kfc schema report` describes it"),
        (Self::Sarif, "sarif", "SARIF 2.1.0, for code scanning"),
        (Self::Junit, "junit", "JUnit XML: a test case for each resource"),
        (Self::CodeQuality, "codequality", "GitLab's code quality report"),
        (Self::Unified, "unified", "A unified diff of the two bundles"),
        (Self::JsonPatch, "json-patch", "JSON patches (RFC 6902), one for each changed resource"),
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
