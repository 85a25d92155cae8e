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
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Text,
        Self::Markdown,
        Self::Json,
        Self::Sarif,
        Self::Junit,
        Self::CodeQuality,
        Self::Unified,
        Self::JsonPatch,
        Self::Html,
    ];

    /// Its name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Markdown => "markdown",
            Self::Json => "json",
            Self::Sarif => "sarif",
            Self::Junit => "junit",
            Self::CodeQuality => "codequality",
            Self::Unified => "unified",
            Self::JsonPatch => "json-patch",
            Self::Html => "html",
        }
    }

    /// What it is, for help.
    #[must_use]
    pub const fn describe(self) -> &'static str {
        match self {
            Self::Text => "Text for a terminal",
            Self::Markdown => "Markdown for a comment on a pull request",
            Self::Json => "All of it, for programs; `kfc schema report` describes it",
            Self::Sarif => "SARIF 2.1.0, for code scanning",
            Self::Junit => "JUnit XML: a test case for each resource",
            Self::CodeQuality => "GitLab's code quality report",
            Self::Unified => "A unified diff of the two bundles",
            Self::JsonPatch => "JSON patches (RFC 6902), one for each changed resource",
            Self::Html => "One page for a browser",
        }
    }

    /// The endings of its files, in lowercase; none when another format of the same ending is meant.
    #[must_use]
    pub const fn endings(self) -> &'static [&'static str] {
        match self {
            Self::Text => &["txt"],
            Self::Markdown => &["md", "markdown"],
            Self::Json => &["json"],
            Self::Sarif => &["sarif"],
            Self::Junit => &["xml"],
            Self::Unified => &["diff", "patch"],
            Self::Html => &["html", "htm"],
            Self::CodeQuality | Self::JsonPatch => &[],
        }
    }

    /// The format of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }

    /// The format that the ending of a file's name stands for, or the name that GitLab's own reports have.
    #[must_use]
    pub fn of_file(path: &Path) -> Option<Self> {
        if path.file_name()?.to_str()? == "gl-code-quality-report.json" {
            return Some(Self::CodeQuality);
        }
        let ending = path.extension()?.to_str()?.to_ascii_lowercase();
        Self::ALL.into_iter().find(|format| format.endings().contains(&ending.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::Format;
    use std::path::Path;

    #[test]
    fn names_and_endings_are_read() {
        for format in Format::ALL {
            assert_eq!(Format::named(format.name()), Some(format));
            for ending in format.endings() {
                assert_eq!(Format::of_file(Path::new(&format!("a.{ending}"))), Some(format));
            }
        }
        assert_eq!(Format::named("yaml"), None);
        assert_eq!(Format::of_file(Path::new("a.PATCH")), Some(Format::Unified));
        assert_eq!(Format::of_file(Path::new("gl-code-quality-report.json")), Some(Format::CodeQuality));
        assert_eq!(Format::of_file(Path::new("a")), None);
    }
}
