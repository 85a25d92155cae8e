//! What others say about an object: the answers of an API server may repeat its values.

use super::{digest_at, is_hidden, is_secret};
use serde_json::Value;

/// Values shorter than this stand in too many other words to be hidden.
const SHORTEST: usize = 4;

/// A text about an object, without the values of the object if it is a Secret. `body` is the object as JSON.
pub(crate) fn hide(text: &str, kind: &str, body: &str) -> String {
    if !is_secret(kind) {
        return text.to_owned();
    }
    let object: Value = serde_json::from_str(body).unwrap_or_default();
    let of_field = |field: &'static str| {
        let entries = object[field].as_object().into_iter().flatten();
        entries.filter_map(move |(key, value)| {
            Some((digest_at(&[field, key], value.as_str()?), value.as_str()?))
        })
    };
    let mut values: Vec<(String, &str)> = of_field("data").chain(of_field("stringData")).collect();
    // The longest first: one value may stand inside another.
    values.sort_by_key(|(_, value)| std::cmp::Reverse(value.len()));
    values
        .into_iter()
        .filter(|(_, value)| value.len() >= SHORTEST)
        .fold(text.to_owned(), |text, (digest, value)| text.replace(value, &digest))
}

/// The digest of a value at a path as API servers write it (`.data.password`), when it is hidden.
pub(crate) fn hidden(kind: &str, path: &str, value: &Value) -> Option<String> {
    let names: Vec<&str> = path.trim_start_matches('.').splitn(2, ['.', '[']).collect();
    let is_annotation = path.contains("last-applied-configuration");
    if !is_secret(kind) || !(is_hidden(&names) || is_annotation) {
        return None;
    }
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    Some(digest_at(&names, &text))
}

#[cfg(test)]
mod tests {
    use super::{hidden, hide};
    use serde_json::json;

    #[test]
    fn values_of_secrets_are_hidden_and_others_not() {
        let body =
            r#"{"data": {"a": "aHVudGVyMg=="}, "stringData": {"b": "hunter2", "c": "hunter2-and-more"}}"#;
        let text = "bad value hunter2-and-more or hunter2 or aHVudGVyMg==";
        let shown = hide(text, "Secret", body);
        assert!(!shown.contains("hunter") && !shown.contains("aHVu"), "{shown}");
        assert_eq!(shown.matches("sha256:").count(), 3);
        assert_eq!(hide(text, "ConfigMap", body), text);
    }

    #[test]
    fn fields_of_conflicts_are_hidden() {
        let plain = hidden("Secret", ".stringData.a", &json!("hunter2"));
        assert_eq!(hidden("Secret", ".data.a", &json!("aHVudGVyMg==")), plain);
        assert!(plain.is_some());
        assert_eq!(hidden("Secret", ".type", &json!("Opaque")), None);
        assert_eq!(hidden("ConfigMap", ".data.a", &json!("x")), None);
    }
}
