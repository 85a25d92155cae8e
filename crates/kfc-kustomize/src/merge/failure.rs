//! Why an operation of a JSON patch cannot be applied.

use kfc_diagnostics::Mark;

/// Why an operation cannot be applied.
pub(super) struct Failure {
    /// What is wrong.
    pub(super) message: String,
    /// What was looked at, if that is known.
    pub(super) place: Option<Mark>,
    /// What could have been meant.
    pub(super) help: Option<String>,
}

impl Failure {
    pub(super) fn new(message: impl Into<String>, place: impl Into<Option<Mark>>) -> Self {
        Self { message: message.into(), place: place.into(), help: None }
    }
}
