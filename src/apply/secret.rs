//! Keeps the values of Secrets out of what is said about them.

use serde_json::Value;
use sha2::{Digest, Sha256};

/// Values shorter than this stand in too many other words to be hidden.
const SHORTEST: usize = 4;

/// A text about an object, without the values of the object if it is a Secret.
pub(super) fn hide(text: &str, kind: &str, body: &str) -> String {
    if kind != "Secret" {
        return text.to_owned();
    }
    let object: Value = serde_json::from_str(body).unwrap_or_default();
    let fields = ["data", "stringData"].into_iter().filter_map(|field| object[field].as_object());
    let mut values: Vec<&str> = fields.flat_map(|map| map.values()).filter_map(Value::as_str).collect();
    // The longest first: one value may stand inside another.
    values.sort_by_key(|value| std::cmp::Reverse(value.len()));
    values
        .into_iter()
        .filter(|value| value.len() >= SHORTEST)
        .fold(text.to_owned(), |text, value| text.replace(value, &digest(&Value::from(value))))
}

/// What stands for a secret value: the same for the same value, and nothing that tells it.
pub(super) fn digest(value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let digest = Sha256::digest(text.as_bytes());
    let start: String = digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{start}")
}

#[cfg(test)]
mod tests {
    use super::hide;

    #[test]
    fn values_of_secrets_are_hidden_and_others_not() {
        let body =
            r#"{"data": {"a": "aHVudGVyMg=="}, "stringData": {"b": "hunter2", "c": "hunter2-and-more"}}"#;
        let text = "bad value hunter2-and-more or hunter2 or aHVudGVyMg==";
        let hidden = hide(text, "Secret", body);
        assert!(!hidden.contains("hunter") && !hidden.contains("aHVu"), "{hidden}");
        assert_eq!(hidden.matches("sha256:").count(), 3);
        assert_eq!(hide(text, "ConfigMap", body), text);
    }
}
