//! Source lines are shown with errors: those of secrets without their values.

use super::Source;
use std::borrow::Cow;

/// A line of a text as people may see it, with as many bytes as it has: in a document with a secret in it, all but the key
/// that it starts with is covered. `offset` is a byte of the line.
pub(super) fn shown<'l>(source: &Source, offset: usize, line: &'l str) -> Cow<'l, str> {
    if !has_secret(document(&source.text, offset)) {
        return Cow::Borrowed(line);
    }
    let (key, value) = line.split_at(key_end(line));
    let cover = |c: char| if c.is_whitespace() { c.to_string() } else { "*".repeat(c.len_utf8()) };
    Cow::Owned(key.chars().map(String::from).chain(value.chars().map(cover)).collect())
}

/// The document around a byte of a text.
fn document(text: &str, offset: usize) -> &str {
    let mut at = offset.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    let start = text[..at].rfind("\n---").unwrap_or(0);
    let end = text[at..].find("\n---").map_or(text.len(), |end| at + end);
    &text[start..end]
}

/// Whether `kind: Secret` stands anywhere, also in quotes and in lists.
fn has_secret(document: &str) -> bool {
    document.match_indices("Secret").any(|(at, word)| {
        let is_quote = |c: char| matches!(c, '"' | '\'');
        let before = document[..at].trim_end_matches(is_quote).trim_end();
        let key = before.strip_suffix(':').map(|key| key.trim_end().trim_end_matches(is_quote));
        let after = document[at + word.len()..].chars().next();
        key.is_some_and(|key| key.ends_with("kind")) && !after.is_some_and(char::is_alphanumeric)
    })
}

/// Where the key ends that a line starts with, its colon included; where its text starts when it has none.
fn key_end(line: &str) -> usize {
    let start = line.len() - line.trim_start_matches([' ', '-']).len();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/');
    let length = line[start..].find(|c| !is_plain(c)).unwrap_or(0);
    let rest = &line[start + length..];
    let is_key = length > 0 && rest.starts_with(':') && (rest.len() == 1 || rest[1..].starts_with(' '));
    if is_key { start + length + 1 } else { start }
}

#[cfg(test)]
mod tests {
    use super::shown;
    use crate::diagnostics::Sources;

    fn line(text: &str, word: &str) -> String {
        let (_, source) = Sources::default().add("bundle.yaml", text);
        let at = text.find(word).unwrap();
        let start = text[..at].rfind('\n').map_or(0, |before| before + 1);
        shown(&source, at, text[start..].lines().next().unwrap()).into_owned()
    }

    #[test]
    fn values_of_secrets_are_covered() {
        let secret = "kind: ConfigMap\ndata: {a: open}\n---\nstringData:\n  a: 'plänted'\n  b: |\n    planted too\nkind: Secret\n";
        assert_eq!(line(secret, "plänted"), format!("  a: {}", "*".repeat(10)));
        assert_eq!(line(secret, "too"), "    ******* ***");
        assert_eq!(line(secret, "open"), "data: {a: open}");
        let json = r#"[{"kind": "Secret", "data": {"a": "planted"}}]"#;
        assert!(!line(json, "planted").contains("planted"));
        let other = "kind: SecretProviderClass\nspec: {a: open}\n";
        assert_eq!(line(other, "open"), "spec: {a: open}");
    }
}
