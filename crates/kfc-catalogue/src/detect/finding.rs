//! Findings in answers, and the error when nothing was found.

use kfc_diagnostics::{Code, Diagnostic};
use serde_json::Value;

/// Something that was detected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The dotted name of a fact, or another word for what is not a fact of profiles.
    pub name: String,
    /// Its value.
    pub value: Value,
    /// The part of the answers that shows it.
    pub evidence: String,
}

impl Finding {
    pub(super) fn new(name: &str, value: impl Into<Value>, evidence: impl Into<String>) -> Self {
        Self { name: name.to_owned(), value: value.into(), evidence: evidence.into() }
    }
}

/// The error for answers that do not show the provider.
pub(super) fn insufficient_answers(message: &str) -> Diagnostic {
    Diagnostic::error(Code::UnknownProvider, message)
        .help("`kubectl get nodes,storageclass,crd,apiservices -o json > cluster.json` saves what is needed")
}
