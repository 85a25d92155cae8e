//! How a report is written.

use crate::model::Class;

/// The most bytes of a comment on GitHub.
pub const COMMENT: usize = 65_000;

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
    /// Unified and JSON patches: the two bundles, as [`crate::redacted_text`] gives them.
    pub texts: Option<(&'a str, &'a str)>,
}

impl Default for Style<'_> {
    fn default() -> Self {
        Self { colour: false, width: None, folded: false, max_bytes: COMMENT, fail_on: &[], texts: None }
    }
}
