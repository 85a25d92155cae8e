//! A check of values against shapes: what it knows, and what it has found.

use super::finding::Findings;
use super::path::Path;
use super::shape::Shapes;
use super::table::Table;
use kfc_diagnostics::{Code, Diagnostic, Mark};

/// Checks values against shapes.
#[derive(Debug)]
pub(super) struct Fit<'a> {
    pub(super) shapes: &'a Shapes,
    /// The types of Kubernetes, for `metadata` inside custom resources.
    pub(super) table: &'a Table,
    /// Whether null is the same as no value, as it is for the types of Kubernetes.
    pub(super) null_is_nothing: bool,
    pub(super) found: Findings<'a>,
}

impl Fit<'_> {
    /// A new check with the same shapes, whose findings are its own.
    pub(super) fn apart(&self) -> Self {
        Self { found: self.found.empty(), ..*self }
    }

    /// Adds an error that a limit is passed.
    pub(super) fn beyond(
        &mut self,
        path: &Path<'_>,
        place: Option<Mark>,
        message: String,
    ) -> &mut Diagnostic {
        self.found.error(Code::ValueLimit, path, place, message)
    }
}
