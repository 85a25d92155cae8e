//! Source lines are shown with errors: those of secrets without their values. It goes by the text, since what is wrong may
//! be just that the text cannot be read.

use super::is_secret;
use crate::diagnostics::Source;
use std::borrow::Cow;

/// Fields of generators whose values are no secrets.
const OPEN_IN_GENERATORS: [&str; 16] = [
    "apiVersion",
    "kind",
    "metadata",
    "name",
    "namespace",
    "behavior",
    "type",
    "files",
    "envs",
    "env",
    "options",
    "disableNameSuffixHash",
    "immutable",
    "labels",
    "annotations",
    "secretGenerator",
];

/// Fields of the operations of a JSON patch whose values are no secrets.
const OPEN_IN_PATCHES: [&str; 3] = ["op", "path", "from"];

/// A line of a text as people may see it, with as many bytes as it has; what may be the value of a secret is covered.
/// `offset` is a byte of the line.
pub(crate) fn shown<'l>(source: &Source, offset: usize, line: &'l str) -> Cow<'l, str> {
    let text = &source.text;
    let mut at = offset.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    let start = text[..at].rfind('\n').map_or(0, |before| before + 1);
    let document = document(text, at);
    if has_kind(document, is_secret) {
        return Cow::Owned(covered(line, key_end(line)));
    }
    let keys = keys_above(&text[..start], line);
    let own = own_key(line);
    let in_generator = has_kind(document, |kind| kind == "SecretGenerator")
        || keys.contains(&"secretGenerator")
        || line.contains("secretGenerator");
    if in_generator {
        return generator_line(line, &keys, own);
    }
    let is_open = own.is_some_and(|key| OPEN_IN_PATCHES.contains(&key)) && !line.contains(['{', ',']);
    match changes_data(document) && !is_open {
        true => Cow::Owned(covered(line, key_end(line))),
        false => Cow::Borrowed(line),
    }
}

/// A line of a generator of secrets: literals are covered behind their keys.
fn generator_line<'l>(line: &'l str, keys: &[&str], own: Option<&str>) -> Cow<'l, str> {
    if keys.contains(&"literals") {
        let item = line.len() - line.trim_start_matches([' ', '-', '"', '\'']).len();
        let is_item = line.trim_start().starts_with(['-', '"', '\'']);
        // The lines of a text of several lines begin with anything.
        let key = line[item..].find('=').filter(|_| is_item).map_or(item, |at| item + at + 1);
        let is_key = line[item..key].bytes().all(|b| b.is_ascii_alphanumeric() || b"-._=".contains(&b));
        return Cow::Owned(covered(line, if is_key { key } else { item }));
    }
    if let Some(at) = line.find("literals") {
        let key = at + "literals".len();
        let rest = line[key..].trim_start_matches(['"', '\'', ':']);
        return Cow::Owned(covered(line, line.len() - rest.len()));
    }
    let is_listed = own.is_none() && keys.first().is_some_and(|key| ["files", "envs"].contains(key));
    match is_listed || own.is_some_and(|key| OPEN_IN_GENERATORS.contains(&key)) {
        true => Cow::Borrowed(line),
        false => Cow::Owned(covered(line, key_end(line))),
    }
}

/// The line with stars from a byte on.
fn covered(line: &str, from: usize) -> String {
    let (open, hidden) = line.split_at(from.min(line.len()));
    let cover = |c: char| if c.is_whitespace() { c.to_string() } else { "*".repeat(c.len_utf8()) };
    open.chars().map(String::from).chain(hidden.chars().map(cover)).collect()
}

/// The document around a byte of a text.
fn document(text: &str, at: usize) -> &str {
    let start = text[..at].rfind("\n---").unwrap_or(0);
    let end = text[at..].find("\n---").map_or(text.len(), |end| at + end);
    &text[start..end]
}

/// Whether `kind: …` stands anywhere with such a word, also in quotes and in lists.
fn has_kind(document: &str, wanted: impl Fn(&str) -> bool) -> bool {
    let word = |value: &str| value.find(|c: char| !c.is_alphanumeric()).unwrap_or(value.len());
    has_entry(document, "kind", |value| wanted(&value[..word(value)]))
}

/// Whether a document is a JSON patch that changes `data` or `stringData`, of a secret perhaps.
fn changes_data(document: &str) -> bool {
    let is_data = |value: &str| value.starts_with("/data") || value.starts_with("/stringData");
    has_entry(document, "path", is_data) && has_entry(document, "op", |_| true)
}

/// Whether a key stands anywhere with such a value; quotes do not count.
fn has_entry(document: &str, key: &str, wanted: impl Fn(&str) -> bool) -> bool {
    let is_quote = |c: char| matches!(c, '"' | '\'');
    document.match_indices(key).any(|(at, _)| {
        let is_whole = !document[..at].ends_with(char::is_alphanumeric);
        let rest = document[at + key.len()..].trim_start_matches(is_quote).trim_start();
        let value = rest.strip_prefix(':').filter(|_| is_whole);
        value.is_some_and(|value| wanted(value.trim_start().trim_start_matches(is_quote)))
    })
}

/// The keys that a line stands below, the nearest first, by indentation.
fn keys_above<'t>(before: &'t str, line: &str) -> Vec<&'t str> {
    let mut keys = Vec::new();
    let mut column = indent(line);
    let mut is_item = line.trim_start().starts_with('-');
    for above in before.lines().rev() {
        let text = above.trim_start();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        // The items of a list may stand right below its key.
        let dash = text.starts_with('-');
        let key_column = above.len() - text.trim_start_matches(['-', ' ']).len();
        let is_above = indent(above) < column || (is_item && !dash && indent(above) == column);
        if is_above || (dash && key_column < column) {
            keys.extend(own_key(above));
            (column, is_item) = (indent(above), dash);
        }
        if column == 0 && !is_item {
            break;
        }
    }
    keys
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

/// The key that a line starts with, without quotes.
fn own_key(line: &str) -> Option<&str> {
    let text = line.trim_start_matches([' ', '-', '{', '"', '\'']);
    let length = text.find(|c: char| !(c.is_ascii_alphanumeric() || "._-/".contains(c)))?;
    text[length..].trim_start_matches(['"', '\'']).starts_with(':').then(|| &text[..length])
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

    #[test]
    fn literals_of_secret_generators_are_covered() {
        let kustomization = "secretGenerator:\n- name: one # n\n  files:\n  - tls.key=open/file\n  literals:\n  - password=planted\n  - 'a=planted b'\n  - |-\n    name=planted c\n    type: planted d\n  - plantedonly\n  type: Opaque\nconfigMapGenerator:\n- name: two\n  literals: [a=open]\n";
        assert_eq!(line(kustomization, "planted\n"), "  - password=*******");
        assert_eq!(line(kustomization, "planted b"), "  - 'a=******* **");
        for word in ["planted c", "planted d", "plantedonly"] {
            assert!(!line(kustomization, word).contains("planted"), "{}", line(kustomization, word));
        }
        for open in ["  - tls.key=open/file", "- name: one # n", "  type: Opaque", "  literals: [a=open]"] {
            assert_eq!(line(kustomization, open.trim_start()), open);
        }
        let flow = "secretGenerator: [{name: a, literals: [b=planted]}]\n";
        assert!(!line(flow, "planted").contains("planted"));
        assert!(line(flow, "planted").contains("name: a, literals"), "{}", line(flow, "planted"));
        let json = "{\n  \"secretGenerator\": [\n    {\n      \"literals\": [\n        \"a=planted\"\n      ]\n    }\n  ]\n}\n";
        assert_eq!(line(json, "planted"), "        \"a=********");
        let plugin =
            "apiVersion: builtin\nkind: SecretGenerator\nmetadata: {name: x}\nliterals:\n- a=planted\n";
        assert_eq!(line(plugin, "planted"), "- a=*******");
        let unknown = "secretGenerator:\n- name: a\n  literal: b=planted\n";
        assert_eq!(line(unknown, "planted"), "  literal: *********");
    }

    #[test]
    fn patches_of_data_are_covered() {
        let patch = "- op: replace\n  path: /data/a\n  value: planted\n- {op: add, path: /stringData/b, value: planted b}\n";
        assert_eq!(line(patch, "planted\n"), "  value: *******");
        assert_eq!(line(patch, "/data/a"), "  path: /data/a");
        assert!(!line(patch, "planted b").contains("planted"));
        let other = "- op: replace\n  path: /spec/a\n  value: open\n";
        assert_eq!(line(other, "open"), "  value: open");
    }
}
