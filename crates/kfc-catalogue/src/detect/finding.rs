//! What was found in answers, and the error when nothing was.

use kfc_diagnostics::{Code, Diagnostic};
use serde_json::Value;

/// Something that was found out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// A fact by its dotted name, or another word for what is no fact of profiles.
    pub name: String,
    /// Its value.
    pub value: Value,
    /// What in the answers says so.
    pub evidence: String,
}

impl Finding {
    pub(super) fn new(name: &str, value: impl Into<Value>, evidence: impl Into<String>) -> Self {
        Self { name: name.to_owned(), value: value.into(), evidence: evidence.into() }
    }
}

/// Answers from which nothing can be told.
pub(super) fn untold(message: &str) -> Diagnostic {
    Diagnostic::error(Code::UnknownProvider, message)
        .help("`kubectl get nodes,storageclass,crd,apiservices -o json > cluster.json` saves what is needed")
}
