//! Keeps secrets out of rendered diagnostics.

use crate::diagnostic::Diagnostic;
use crate::source::{Mark, Sources};
use std::borrow::Cow;

/// Knows what is secret in the texts of a run. Rendering calls it for every line and message that it writes.
pub trait Redact {
    /// Replaces the values of secrets in the texts, wherever an error quotes them.
    fn redact_errors(&self, sources: &Sources, errors: &mut [Diagnostic]);

    /// A line of a text, without the values of secrets in it. `mark` is a location in the line.
    fn redact_line<'l>(&self, sources: &Sources, mark: Mark, line: &'l str) -> Cow<'l, str>;
}

/// For texts that cannot hold a secret.
#[derive(Clone, Copy, Debug, Default)]
pub struct NothingSecret;

impl Redact for NothingSecret {
    fn redact_errors(&self, _: &Sources, _: &mut [Diagnostic]) {}

    fn redact_line<'l>(&self, _: &Sources, _: Mark, line: &'l str) -> Cow<'l, str> {
        Cow::Borrowed(line)
    }
}
