//! Why a request failed: the server's `Status`, or a failure of the connection.

use kfc_diagnostics::Foreign;
use serde_json::Value;

/// A request that failed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Failure {
    /// The HTTP status; 0 when no answer came.
    pub status: u16,
    /// The server's word for it: `Conflict`, `Forbidden`, ….
    pub reason: String,
    /// In words.
    pub message: String,
    /// What in the request was wrong, field by field.
    pub causes: Vec<Cause>,
    /// Seconds after which the server wants to be asked again.
    pub retry_after: Option<u64>,
}

/// One thing that was wrong with a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cause {
    /// The server's word for it: `FieldManagerConflict`, `FieldValueInvalid`, ….
    pub reason: String,
    /// The path of the field.
    pub field: String,
    /// In words.
    pub message: String,
}

impl Failure {
    /// A request that got no answer.
    pub(super) fn unanswered(message: String) -> Self {
        Self { message, ..Self::default() }
    }

    /// What the body of an answer with a status of 400 or more says.
    pub(super) fn read(status: u16, body: &[u8], retry_after: Option<u64>) -> Self {
        let value: Value = serde_json::from_slice(body).unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let mut message = text(&value["message"]);
        if message.is_empty() {
            message = String::from_utf8_lossy(body).trim().chars().take(300).collect();
        }
        if message.is_empty() {
            message = format!("the server answered with status {status}");
        }
        // A webhook may have written it: it has one line, and no credentials.
        let message = Foreign::new(without_values(&message)).message();
        let causes = value["details"]["causes"].as_array().into_iter().flatten();
        let causes = causes.map(|cause| Cause {
            reason: text(&cause["reason"]),
            field: text(&cause["field"]),
            message: Foreign::new(without_values(&text(&cause["message"]))).message(),
        });
        let retry_after = retry_after.or_else(|| value["details"]["retryAfterSeconds"].as_u64());
        Self { status, reason: text(&value["reason"]), causes: causes.collect(), message, retry_after }
    }

    /// Whether the same request may well succeed in a moment: the server is busy, restarting or cannot be reached.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        let is_internal = self.status == 500 && !self.is_of_webhook() && !self.is_of_schema();
        matches!(self.status, 0 | 429 | 502 | 503 | 504) || is_internal
    }

    /// Whether the object does not have the form that the server knows of its kind, as with a field that does not exist. The
    /// server calls that an internal error.
    #[must_use]
    pub fn is_of_schema(&self) -> bool {
        self.status == 500 && self.message.contains("failed to create typed patch object")
    }

    /// Whether a webhook did not answer.
    #[must_use]
    pub fn is_of_webhook(&self) -> bool {
        self.status >= 500 && self.message.contains("webhook")
    }

    /// Whether the server does not know the object, its kind or its namespace.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.status == 404
    }

    /// Whether we lack the rights. The object may exist or not.
    #[must_use]
    pub fn is_forbidden(&self) -> bool {
        self.status == 403
    }

    /// Whether the server has refused the request, so that it has changed nothing. After other failures it may have.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        (400..500).contains(&self.status) && !self.is_transient()
            || self.is_of_webhook()
            || self.is_of_schema()
    }

    /// Whether the namespace is being deleted, so that nothing can be created in it yet.
    #[must_use]
    pub fn is_of_terminating_namespace(&self) -> bool {
        self.status == 403 && self.causes.iter().any(|cause| cause.reason == "NamespaceTerminating")
            || self.message.contains("is being terminated")
    }
}

/// A message without the value that it quotes when that is long: a refused pod template is kilobytes of a structure of Go.
fn without_values(message: &str) -> String {
    const QUOTE: &str = "Invalid value: ";
    const LONGEST: usize = 400;
    let whole = || message.to_owned();
    let Some((before, value)) = message.split_once(QUOTE).filter(|_| message.len() > LONGEST) else {
        return whole();
    };
    value.rsplit_once("}: ").map_or_else(whole, |(_, why)| format!("{before}{QUOTE}…: {why}"))
}

#[cfg(test)]
mod tests {
    use super::Failure;

    #[test]
    fn a_body_without_a_status_is_reported_as_it_is() {
        assert_eq!(Failure::read(404, b"404 page not found\n", None).message, "404 page not found");
        assert_eq!(Failure::read(502, b"", None).message, "the server answered with status 502");
    }

    #[test]
    fn a_long_value_is_not_quoted() {
        let value = "\"Env\":null,".repeat(50);
        let message =
            format!("Job \"a\" is invalid: spec.template: Invalid value: {{{value}}}: field is immutable");
        let body = serde_json::json!({"kind": "Status", "message": message});
        let failure = Failure::read(422, body.to_string().as_bytes(), None);
        assert_eq!(
            failure.message,
            "Job \"a\" is invalid: spec.template: Invalid value: …: field is immutable"
        );
    }

    #[test]
    fn only_a_failure_of_the_server_itself_is_temporary() {
        let body = br#"{"kind":"Status","message":"Internal error occurred: failed calling webhook \"w\": refused","reason":"InternalError"}"#;
        let failure = Failure::read(500, body, None);
        assert!(failure.is_of_webhook() && !failure.is_transient());
        assert!(Failure::read(500, b"oops", None).is_transient());
        let body = br#"{"kind":"Status","message":"failed to create typed patch object (shop/a; /v1, Kind=ConfigMap): .dta: field not declared in schema"}"#;
        let failure = Failure::read(500, body, None);
        assert!(failure.is_of_schema() && failure.is_refusal() && !failure.is_transient());
        assert!(!Failure::read(403, b"no", None).is_transient());
    }
}
