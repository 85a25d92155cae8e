//! Renders diagnostics without the values of secrets.

use super::{is_secret, line, message};
use kfc_diagnostics::{
    self as diagnostics, Diagnostic, Diagnostics, Mark, Redact, SourceId, Sources, Style, Target,
};
use std::borrow::Cow;

/// Keeps the values of Secrets out of rendered diagnostics.
#[derive(Clone, Copy, Debug, Default)]
pub struct Redactor;

impl Redact for Redactor {
    fn redact_errors(&self, sources: &Sources, errors: &mut [Diagnostic]) {
        let known = message::Known::of(sources);
        for error in errors {
            known.hide_in(error);
        }
    }

    fn redact_line<'l>(&self, sources: &Sources, mark: Mark, line: &'l str) -> Cow<'l, str> {
        line::redacted_line(sources, mark, line)
    }
}

/// [`kfc_diagnostics::render`] without the values of secrets.
#[must_use]
pub fn render(diagnostics: &Diagnostics, sources: &Sources, style: Style) -> String {
    diagnostics::render(diagnostics, sources, style, &Redactor)
}

/// [`kfc_diagnostics::render_run`] without the values of secrets.
#[must_use]
pub fn render_run(diagnostics: &Diagnostics, sources: &Sources, style: Style, what: &str) -> String {
    diagnostics::render_run(diagnostics, sources, style, &Redactor, what)
}

/// [`kfc_diagnostics::render_plain`] without the values of secrets.
#[must_use]
pub fn render_plain(diagnostics: &Diagnostics, sources: &Sources, most: usize) -> String {
    diagnostics::render_plain(diagnostics, sources, &Redactor, most)
}

/// [`kfc_diagnostics::redacted`]: diagnostics without the values of secrets, for programs.
#[must_use]
pub fn redacted(diagnostics: &Diagnostics, sources: &Sources) -> Diagnostics {
    diagnostics::redacted(diagnostics, sources, &Redactor)
}

/// Takes note of the kind of the objects that a text is a patch of, as the selector of the patch has it: a regular
/// expression. An empty one is ignored.
pub fn note_target(sources: &Sources, id: SourceId, kind: &str) {
    if kind.is_empty() {
        return;
    }
    let is_plain = kind.chars().all(|c| c.is_ascii_alphanumeric());
    let target = if is_plain && !is_secret(kind) { Target::Open } else { Target::Secret };
    sources.note_target(id, target);
}
