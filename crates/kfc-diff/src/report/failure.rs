//! The error for a report that cannot be written.

use kfc_diagnostics::{Code, Diagnostic};

pub(super) fn failure(error: &dyn std::fmt::Display) -> Diagnostic {
    Diagnostic::error(Code::Report, format!("the report cannot be written: {error}"))
}
