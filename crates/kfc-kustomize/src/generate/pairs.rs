//! The keys and values of config maps and secrets: from env files, files and literals, in this order, as in kustomize.

use crate::kustomization::model::{GeneratorOptions, KvSources};
use crate::resource::{Behavior, Resource};
use base64::Engine as _;
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Mark, Result};
use kfc_source::{Data, FileUse, Loader};
use kfc_yaml::{Map, Node, Spanned};
use rustc_hash::FxHashMap;

/// A key with its value, which may be binary.
#[derive(Debug)]
pub(super) struct Pair {
    pub key: String,
    pub value: Vec<u8>,
    pub mark: Option<Mark>,
    /// Whether its file was decrypted.
    pub is_decrypted: bool,
}

/// Loads the pairs of a generator.
///
/// # Errors
/// Files that cannot be read, entries that cannot be split, keys that are not valid or defined more than once.
pub(super) fn load(sources: &KvSources, loader: &Loader) -> Result<Vec<Pair>> {
    let mut errors = Diagnostics::default();
    let mut pairs = Vec::new();
    for env in &sources.envs {
        pairs.extend(errors.collect(env_file(env, loader)).unwrap_or_default());
    }
    for file in &sources.files {
        pairs.extend(errors.collect(one_file(file, loader)));
    }
    for literal in &sources.literals {
        pairs.extend(errors.collect(literal_pair(literal).map_err(Diagnostics::from)));
    }
    errors.collect(check_keys(&pairs));
    errors.into_result(pairs)
}

fn literal_pair(literal: &Spanned<String>) -> std::result::Result<Pair, Diagnostic> {
    match literal.value.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok(Pair {
            key: key.to_owned(),
            value: without_quotes(value).as_bytes().to_vec(),
            mark: literal.mark,
            is_decrypted: false,
        }),
        _ => Err(Diagnostic::error(Code::Generator, "a literal is written `key=value`").at(literal.mark)),
    }
}

/// The text without the quotes around it, when both ends have the same.
fn without_quotes(text: &str) -> &str {
    let inner = |quote| text.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
    inner('"').or_else(|| inner('\'')).unwrap_or(text)
}

/// `path`, with the file's name as the key, or `key=path`.
fn one_file(file: &Spanned<String>, loader: &Loader) -> Result<Pair> {
    let parts: Vec<&str> = file.value.split('=').collect();
    let (key, path) = match parts.as_slice() {
        [path] => (path.rsplit('/').next().unwrap_or(path), *path),
        [key, path] if !key.is_empty() && !path.is_empty() => (*key, *path),
        [_, _] => return Err(wrong_file(file, "a key and a path are needed on both sides of `=`").into()),
        _ => return Err(wrong_file(file, "neither the key nor the path may contain `=`").into()),
    };
    let Data { bytes, is_decrypted } = loader.load_data(path, FileUse::Data(key), file.mark)?;
    Ok(Pair { key: key.to_owned(), value: bytes, mark: file.mark, is_decrypted })
}

fn wrong_file(file: &Spanned<String>, why: &str) -> Diagnostic {
    Diagnostic::error(Code::Generator, format!("`{}` is not a file entry: {why}", file.value)).at(file.mark)
}

/// The bytes of a line of an env file from which on kustomize reads no further, without a word.
const LONGEST_LINE: usize = 64 << 10;

/// The keys and values of an env file.
///
/// # Errors
/// A file that cannot be read or is not text, and keys that are defined more than once.
pub fn env_pairs(env: &Spanned<String>, loader: &Loader) -> Result<Vec<(String, Vec<u8>)>> {
    let pairs = env_file(env, loader)?;
    check_keys(&pairs)?;
    Ok(pairs.into_iter().map(|pair| (pair.key, pair.value)).collect())
}

/// Lines of `key=value`. A key alone has an empty value: kustomize took it from the environment before its version 5.
fn env_file(env: &Spanned<String>, loader: &Loader) -> Result<Vec<Pair>> {
    let Data { bytes, is_decrypted } = loader.load_data(&env.value, FileUse::Env, env.mark)?;
    let Ok(text) = std::str::from_utf8(&bytes) else {
        let message = format!("`{}` is not UTF-8 text, so it cannot be an env file", env.value);
        return Err(Diagnostic::error(Code::NotText, message).at(env.mark).into());
    };
    let mut errors = Diagnostics::default();
    let mut pairs = Vec::new();
    for (index, line) in text.strip_prefix('\u{feff}').unwrap_or(text).split('\n').enumerate() {
        if line.len() >= LONGEST_LINE {
            // The line may be part of a secret.
            let message = format!("line {} of `{}` has 65,536 bytes or more", index + 1, env.value);
            let error = Diagnostic::error(Code::Generator, message).at(env.mark);
            errors.push(error.help("put the value into a file, and list it under `files`"));
        }
        pairs.extend(env_line(line, env.mark).map(|pair| Pair { is_decrypted, ..pair }));
    }
    errors.into_result(pairs)
}

/// The pair of a line; nothing for blanks, a comment, or a line without a key. Any other text is a key, as in kustomize:
/// whether the API server takes it is a question for who validates the bundle.
fn env_line(line: &str, mark: Option<Mark>) -> Option<Pair> {
    let line = line.strip_suffix('\r').unwrap_or(line).trim_start();
    if line.starts_with('#') {
        return None;
    }
    let (key, value) = line.split_once('=').unwrap_or((line, ""));
    (!key.is_empty()).then(|| Pair {
        key: key.to_owned(),
        value: value.as_bytes().to_vec(),
        mark,
        is_decrypted: false,
    })
}

/// Refuses keys that are defined more than once.
fn check_keys(pairs: &[Pair]) -> Result<()> {
    let mut seen: FxHashMap<&str, Option<Mark>> = FxHashMap::default();
    let mut errors = Diagnostics::default();
    for Pair { key, mark, .. } in pairs {
        if let Some(first) = seen.insert(key, *mark) {
            let message = format!("{} is defined more than once", shown_key(key));
            let error = Diagnostic::error(Code::Generator, message);
            errors.push(error.at(*mark).label(first, "the first one comes from here"));
        }
    }
    errors.into_result(())
}

/// A key as a message names it. What Kubernetes does not accept as a key may be a line of a secret text.
fn shown_key(key: &str) -> String {
    let is_key = key.chars().all(|c| c.is_ascii_alphanumeric() || "-._".contains(c));
    if is_key { format!("the key `{key}`") } else { "a key".to_owned() }
}

/// The options of one generator, with the kustomization's options where it has none of its own.
pub(super) fn merge_options(
    local: Option<&GeneratorOptions>,
    global: Option<&GeneratorOptions>,
) -> GeneratorOptions {
    let mut merged = local.cloned().unwrap_or_default();
    let Some(global) = global else { return merged };
    let add = |into: &mut Vec<(String, String)>, from: &[(String, String)]| {
        for pair in from {
            if !into.iter().any(|(key, _)| *key == pair.0) {
                into.push(pair.clone());
            }
        }
    };
    add(&mut merged.labels, &global.labels);
    add(&mut merged.annotations, &global.annotations);
    merged.disable_name_suffix_hash |= global.disable_name_suffix_hash;
    merged.immutable |= global.immutable;
    merged
}

/// The fields of a generated resource without its data.
pub(super) struct Head<'a> {
    pub kind: &'static str,
    pub name: &'a str,
    pub namespace: &'a str,
    pub behavior: Behavior,
    pub options: GeneratorOptions,
    pub mark: Option<Mark>,
}

/// A generated object while it is made.
pub(super) struct Generated {
    fields: Map,
    /// Whether it has what was decrypted.
    is_decrypted: bool,
}

impl Generated {
    /// Sets a field.
    pub(super) fn set(&mut self, field: &str, value: Node) {
        self.fields.set(field, value);
    }

    /// Puts the value of a pair into a mapping, as this text.
    pub(super) fn put(&mut self, field: &str, pair: &Pair, value: &str, of_object: Option<Mark>) {
        if let Some(map) = self.fields.get_or_insert_map(field, of_object).as_map_mut() {
            map.set(&pair.key, Node::string(value, pair.mark));
        }
        self.is_decrypted |= pair.is_decrypted;
    }

    /// The finished resource.
    pub(super) fn resource(self, head: &Head<'_>) -> Resource {
        let mut resource = Resource::new(Node::map(self.fields, head.mark), false);
        resource.is_decrypted = self.is_decrypted;
        resource.behavior = head.behavior;
        resource.needs_hash = !head.options.disable_name_suffix_hash;
        resource
    }
}

/// An object with metadata and no data.
///
/// # Errors
/// A generator without a name.
pub(super) fn object(head: &Head<'_>) -> Result<Generated> {
    let mark = head.mark;
    if head.name.is_empty() {
        let error = Diagnostic::error(Code::Generator, format!("a generated {} needs a `name`", head.kind));
        return Err(error.at(mark).into());
    }
    let mut metadata = Map::new();
    metadata.set("name", Node::string(head.name, mark));
    if !head.namespace.is_empty() {
        metadata.set("namespace", Node::string(head.namespace, mark));
    }
    for (field, pairs) in [("labels", &head.options.labels), ("annotations", &head.options.annotations)] {
        if !pairs.is_empty() {
            let mut map = Map::new();
            for (key, value) in pairs {
                map.set(key, Node::string(value, mark));
            }
            metadata.set(field, Node::map(map, mark));
        }
    }
    let mut root = Map::new();
    root.set("apiVersion", Node::string("v1", mark));
    root.set("kind", Node::string(head.kind, mark));
    root.set("metadata", Node::map(metadata, mark));
    if head.options.immutable {
        root.set("immutable", Node::scalar("true".into(), kfc_yaml::ScalarKind::Bool, mark));
    }
    Ok(Generated { fields: root, is_decrypted: false })
}

/// Columns of a line of base64.
const LINE: usize = 70;

/// Base64 as kustomize writes it: text of 70 characters or more in lines of 70, each with a line break after it.
pub(super) fn base64_lines(bytes: &[u8]) -> String {
    let encoded = base64::engine::general_purpose::STANDARD.encode(bytes);
    if encoded.len() < LINE {
        return encoded;
    }
    let mut lines = String::with_capacity(encoded.len() + encoded.len() / LINE + 1);
    for (index, c) in encoded.chars().enumerate() {
        if index > 0 && index % LINE == 0 {
            lines.push('\n');
        }
        lines.push(c);
    }
    lines.push('\n');
    lines
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by a panic")]
    use super::{base64_lines, env_line, without_quotes};

    #[test]
    fn only_matching_quotes_are_taken_off() {
        for (text, expected) in
            [("\"a\"", "a"), ("'a'", "a"), ("\"a'", "\"a'"), ("a\"", "a\""), ("\"", "\""), ("''", "")]
        {
            assert_eq!(without_quotes(text), expected);
        }
    }

    #[test]
    fn lines_of_env_files_are_pairs_of_any_text() {
        let pair = |line: &str| {
            let pair = env_line(line, None)?;
            Some((pair.key, String::from_utf8(pair.value).unwrap()))
        };
        let some = |key: &str, value: &str| Some((key.to_owned(), value.to_owned()));
        assert_eq!(pair("  export A=b # c\r"), some("export A", "b # c"));
        assert_eq!(pair("2FA = x=y"), some("2FA ", " x=y"));
        assert_eq!(pair("HOME"), some("HOME", ""));
        for line in ["", " \t", "# A=b", "  # A=b", "=x", "\r"] {
            assert_eq!(pair(line), None, "{line:?}");
        }
    }

    #[test]
    fn long_base64_is_broken_into_lines() {
        assert!(!base64_lines(&[0; 51]).contains('\n'));
        let lines = base64_lines(&[0; 60]);
        assert_eq!(lines.lines().map(str::len).collect::<Vec<_>>(), [70, 10]);
        assert!(lines.ends_with('\n'));
    }
}
