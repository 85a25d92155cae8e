//! What others say about an object: the answers of an API server may repeat its values.

use super::object::{is_open, is_open_value};
use super::{bytes_at, is_secret};
use kfc_diagnostics::{Diagnostic, Sources, text::for_message, token};
use kfc_yaml::{self as yaml, Node};
use serde_json::Value;

/// Values shorter than this are hidden in quotes only: they are in too many other words.
const SHORTEST: usize = 4;

/// A text about an object, without the values of the object if it is a Secret. `body` is the object as JSON.
#[must_use]
pub fn hide(text: &str, kind: &str, body: &str) -> String {
    if !is_secret(kind) {
        return text.to_owned();
    }
    let object: Value = serde_json::from_str(body).unwrap_or_default();
    let mut values = Values::default();
    values.gather_json(&object, &mut Vec::new());
    values.hide(text)
}

/// A diagnostic about a Secret, without its values.
#[must_use]
pub fn in_secret(mut diagnostic: Diagnostic, secret: &Node) -> Diagnostic {
    let mut values = Values::default();
    values.gather(secret, &mut Vec::new());
    values.hide_in(&mut diagnostic);
    diagnostic
}

/// The values of the secrets in the texts of a run.
pub struct Known(Values);

impl Known {
    /// Those that no message has by chance: a password, but not a word.
    pub fn of(sources: &Sources) -> Self {
        let mut values = Values::default();
        for value in sources.ids().flat_map(|id| super::line::values(sources, id)) {
            if is_telling(&value) {
                values.add(&["stringData".to_owned(), String::new()], &value);
            }
            let plain = bytes_at(&["data"], &value);
            if let Some(plain) = std::str::from_utf8(&plain).ok().filter(|plain| is_telling(plain)) {
                values.add(&["stringData".to_owned(), String::new()], plain);
            }
        }
        Self(values)
    }

    /// Hides them in a diagnostic.
    pub fn hide_in(&self, diagnostic: &mut Diagnostic) {
        if !self.0.forms.is_empty() {
            self.0.hide_in(diagnostic);
        }
    }
}

/// Whether a text is not one that names and words of others are.
fn is_telling(text: &str) -> bool {
    const LONG: usize = 16;
    const ENOUGH: usize = 8;
    let is_odd = |c: char| !(c.is_ascii_lowercase() || matches!(c, '-' | '.' | '/' | ':' | '_' | ' '));
    text.len() >= LONG || (text.len() >= ENOUGH && text.contains(is_odd))
}

/// The hidden values of a Secret, in the forms in which a message may quote them.
#[derive(Default)]
struct Values {
    /// Each with what stands for it.
    forms: Vec<(String, String)>,
}

impl Values {
    fn hide(&self, text: &str) -> String {
        // The longest first: one value may be part of another.
        let mut found: Vec<_> = self.forms.iter().filter(|(form, _)| text.contains(form.as_str())).collect();
        found.sort_by_key(|(form, _)| std::cmp::Reverse(form.len()));
        found.into_iter().fold(text.to_owned(), |text, (form, token)| text.replace(form.as_str(), token))
    }

    fn hide_in(&self, diagnostic: &mut Diagnostic) {
        let labels = diagnostic.labels.iter_mut().map(|label| &mut label.text);
        let texts = std::iter::once(&mut diagnostic.message).chain(labels);
        let texts = texts.chain(&mut diagnostic.notes).chain(&mut diagnostic.help);
        texts.for_each(|text| *text = self.hide(text));
    }

    fn gather_json(&mut self, value: &Value, path: &mut Vec<String>) {
        match value {
            Value::Object(map) => {
                for (key, value) in map {
                    path.push(key.clone());
                    self.gather_json(value, path);
                    path.pop();
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.gather_json(item, path)),
            Value::String(text) => self.add(path, text),
            Value::Number(number) => self.add(path, &number.to_string()),
            Value::Null | Value::Bool(_) => {}
        }
    }

    fn gather(&mut self, node: &Node, path: &mut Vec<String>) {
        match &node.value {
            yaml::Value::Map(map) => {
                for entry in map {
                    path.push(entry.key.text.to_string());
                    self.gather(&entry.value, path);
                    path.pop();
                }
            }
            yaml::Value::Seq(items) => items.iter().for_each(|item| self.gather(item, path)),
            yaml::Value::Scalar(scalar) => self.add(path, &scalar.text),
        }
    }

    fn add(&mut self, path: &[String], text: &str) {
        let names: Vec<&str> = path.iter().map(String::as_str).collect();
        if is_open_value(&names, text) || text.is_empty() {
            return;
        }
        let bytes = bytes_at(&names, text);
        let token = token(&bytes);
        let quoted = serde_json::to_string(text).unwrap_or_default();
        let said = for_message(text);
        let decoded = std::str::from_utf8(&bytes).ok();
        for form in [Some(text), Some(quoted.trim_matches('"')), Some(&*said), decoded].into_iter().flatten()
        {
            match form.len() >= SHORTEST {
                true => self.forms.push((form.to_owned(), token.clone())),
                false if form.is_empty() => {}
                // In quotes, it is the value.
                false => self.forms.extend(
                    ['`', '"', '\'']
                        .map(|quote| (format!("{quote}{form}{quote}"), format!("{quote}{token}{quote}"))),
                ),
            }
        }
    }
}

/// What stands for a value at a path as API servers write it (`.data.password`), when it is hidden.
pub fn hidden(kind: &str, path: &str, value: &Value) -> Option<String> {
    if !is_secret(kind) {
        return None;
    }
    let names: Vec<&str> = match path.trim_start_matches('.') {
        rest if rest.starts_with("metadata.") => rest.splitn(3, '.').collect(),
        rest => rest.splitn(2, ['.', '[']).collect(),
    };
    let is_single = !value.is_object() && !value.is_array();
    if is_open(&names) && is_single {
        return None;
    }
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    Some(token(&bytes_at(&names, &text)))
}

#[cfg(test)]
mod tests {
    use super::{hidden, hide};
    use kfc_diagnostics::Numbers;
    use serde_json::json;

    #[test]
    fn values_of_secrets_are_hidden_and_others_not() {
        let body = r#"{"metadata": {"name": "shown", "annotations": {"x": "hunter2-noted"}}, "data": {"a": "aHVudGVyMg=="}, "stringData": {"b": "hunter2", "c": "hunter2-and\nmore"}, "extra": ["hunter3"]}"#;
        let text = r#"bad value "hunter2-and\nmore" or hunter2 or aHVudGVyMg== or hunter2-noted or hunter3 of shown"#;
        let message = Numbers::default().shown(&hide(text, "Secret", body)).into_owned();
        assert_eq!(
            message,
            "bad value \"<hidden 1>\" or <hidden 2> or <hidden 2> or <hidden 3> or <hidden 4> of shown"
        );
        assert_eq!(hide(text, "ConfigMap", body), text);
        let short = hide("the value is `ab`, not `x`, about", "Secret", r#"{"data": {"a": "ab", "n": 1}}"#);
        assert_eq!(Numbers::default().shown(&short), "the value is `<hidden 1>`, not `x`, about");
    }

    #[test]
    fn fields_of_conflicts_are_hidden() {
        let plain = hidden("Secret", ".stringData.a", &json!("hunter2"));
        assert_eq!(hidden("Secret", ".data.a", &json!("aHVudGVyMg==")), plain);
        assert!(plain.is_some());
        for open in [".type", ".metadata.labels.a.b/c", ".metadata.name", ".immutable"] {
            assert_eq!(hidden("Secret", open, &json!("Opaque")), None, "{open}");
        }
        for closed in [".metadata.annotations.a", ".metadata.annotations", ".extra", ".data", ".type"] {
            assert!(hidden("Secret", closed, &json!({"a": "b"})).is_some(), "{closed}");
        }
        assert_eq!(hidden("ConfigMap", ".data.a", &json!("x")), None);
    }
}
