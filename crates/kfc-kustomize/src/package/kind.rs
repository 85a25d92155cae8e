//! Nodes of another kind than a step needs.

use kfc_diagnostics::{Code, Diagnostic};
use kfc_yaml::styled::StyledNode;

/// The error for such a node.
pub(super) fn wrong_kind(expected: &str, node: &StyledNode) -> Diagnostic {
    Diagnostic::error(Code::WrongType, format!("expected {expected}, found {}", node.kind()))
}
