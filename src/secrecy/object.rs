//! Whole objects: values are replaced before anything is compared or written, so that no report can hold them.

use super::numbers::{credential, is_token, token};
use super::{address, bytes_at, is_secret};
use crate::diagnostics::Mark;
use crate::origin::{Link, Step, StepKind};
use crate::resource::Resource;
use crate::yaml::{Entry, Node, Scalar, ScalarKind, Value, json};
use std::borrow::Cow;
use std::collections::HashSet;

/// How much of a place in a Secret is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// A single value is shown.
    Open,
    /// A mapping with its keys, nothing else.
    Keys,
    /// Nothing.
    Hidden,
}

fn place(path: &[&str]) -> Place {
    match path {
        ["apiVersion" | "kind" | "type" | "immutable"]
        | ["metadata", "name" | "namespace" | "generateName"]
        | ["metadata", "labels", _] => Place::Open,
        [] | [_] | ["metadata", "labels" | "annotations"] => Place::Keys,
        _ => Place::Hidden,
    }
}

/// Whether a single value at a path of a Secret may be shown.
#[must_use]
pub(crate) fn is_open(path: &[&str]) -> bool {
    place(path) == Place::Open
}

/// Whether a text at a path of a Secret may be shown: what is not a boolean is no value of `immutable`.
#[must_use]
pub(crate) fn is_open_value(path: &[&str], text: &str) -> bool {
    is_open(path) && (path != ["immutable"] || matches!(text, "true" | "false"))
}

/// Whether the keys of a mapping at a path of a Secret may be shown.
#[must_use]
pub(crate) fn has_open_keys(path: &[&str]) -> bool {
    place(path) == Place::Keys
}

/// Whether a resource is a Secret, or was one before a patch changed its kind.
#[must_use]
pub(crate) fn was_secret(resource: &Resource) -> bool {
    is_secret(resource.kind()) || resource.previous.iter().any(|previous| is_secret(&previous.kind))
}

/// The object of a resource as it may be compared: tokens stand for what is hidden, and for credentials of addresses in
/// everything else.
#[must_use]
pub(crate) fn shown(resource: &Resource) -> Cow<'_, Node> {
    let mut node = Cow::Borrowed(&resource.node);
    if was_secret(resource) {
        hide(node.to_mut(), &mut Vec::new(), &mut token);
    } else if has_credentials(&node) {
        cover_credentials(node.to_mut(), &mut credential);
    }
    node
}

/// As [`shown`], without what is known to have come out of secrets.
#[must_use]
pub(crate) fn shown_without<'r>(resource: &'r Resource, copied: &Copied) -> Cow<'r, Node> {
    if copied.is_empty() || was_secret(resource) {
        return shown(resource);
    }
    let mut node = resource.node.clone();
    hide_values(&mut node, copied);
    cover_credentials(&mut node, &mut credential);
    Cow::Owned(node)
}

/// Whether a text of a node has an address with credentials in it.
fn has_credentials(node: &Node) -> bool {
    let is_one =
        |text: &str| matches!(address::covered(text, &mut |_| address::COVERED.to_owned()), Cow::Owned(_));
    match &node.value {
        Value::Map(map) => map.iter().any(|entry| is_one(&entry.key.text) || has_credentials(&entry.value)),
        Value::Seq(items) => items.iter().any(has_credentials),
        Value::Scalar(scalar) => scalar.kind == ScalarKind::Str && is_one(&scalar.text),
    }
}

/// Replaces the credentials of every address in the texts of a node.
pub(crate) fn cover_credentials(node: &mut Node, stand_in: &mut dyn FnMut(&str) -> String) {
    match &mut node.value {
        Value::Map(map) => map.iter_mut().for_each(|entry| {
            if let Cow::Owned(text) = address::covered(&entry.key.text, stand_in) {
                entry.key.text = text.into();
            }
            cover_credentials(&mut entry.value, stand_in);
        }),
        Value::Seq(items) => items.iter_mut().for_each(|item| cover_credentials(item, stand_in)),
        Value::Scalar(scalar) if scalar.kind == ScalarKind::Str => {
            if let Cow::Owned(text) = address::covered(&scalar.text, stand_in) {
                scalar.text = text.into();
            }
        }
        Value::Scalar(_) => {}
    }
}

/// A token for bytes.
#[must_use]
pub(crate) fn token_of_bytes(bytes: &[u8]) -> String {
    token(bytes)
}

/// A token for a whole node.
#[must_use]
pub(crate) fn token_of(node: &Node) -> String {
    stand_in_at(&[], node, &mut token)
}

/// Whether something in a node of a resource came out of a secret.
#[must_use]
pub(crate) fn is_copied(resource: &Resource, node: &Node) -> bool {
    has_copied(resource) && {
        let mut found = false;
        hide_copied(resource, &mut node.clone(), &mut |_| {
            found = true;
            String::new()
        });
        found
    }
}

/// What resources have that came out of secrets.
#[derive(Debug, Default)]
pub(crate) struct Copied {
    /// Single values.
    pub(crate) values: HashSet<String>,
    /// Keys of mappings.
    pub(crate) keys: HashSet<String>,
}

impl Copied {
    /// What these resources have.
    pub(crate) fn of<'r>(resources: impl Iterator<Item = &'r Resource>) -> Self {
        let mut copied = Self::default();
        for resource in resources.filter(|resource| has_copied(resource)) {
            copied.gather(resource, &resource.node);
        }
        copied
    }

    fn is_empty(&self) -> bool {
        self.values.is_empty() && self.keys.is_empty()
    }

    fn gather(&mut self, resource: &Resource, node: &Node) {
        match &node.value {
            Value::Map(map) => {
                for entry in map {
                    if is_copied_key(resource, entry) {
                        self.keys.insert(entry.key.text.to_string());
                    }
                    self.gather(resource, &entry.value);
                }
            }
            Value::Seq(items) => items.iter().for_each(|item| self.gather(resource, item)),
            Value::Scalar(scalar) => {
                if is_copied_value(resource, scalar, node.mark) {
                    self.values.insert(scalar.text.to_string());
                }
            }
        }
    }
}

/// Replaces every single value and key that is one of these.
fn hide_values(node: &mut Node, copied: &Copied) {
    match &mut node.value {
        Value::Map(map) => map.iter_mut().for_each(|entry| {
            hide_key(entry, &copied.keys);
            hide_values(&mut entry.value, copied);
        }),
        Value::Seq(items) => items.iter_mut().for_each(|item| hide_values(item, copied)),
        Value::Scalar(scalar) => {
            if copied.values.contains(scalar.text.as_str()) {
                *node = Node::string(&token(scalar.text.as_bytes()), node.mark);
            }
        }
    }
}

/// Replaces every key that is one of these.
pub(crate) fn hide_keys(node: &mut Node, keys: &HashSet<String>) {
    match &mut node.value {
        Value::Map(map) => map.iter_mut().for_each(|entry| {
            hide_key(entry, keys);
            hide_keys(&mut entry.value, keys);
        }),
        Value::Seq(items) => items.iter_mut().for_each(|item| hide_keys(item, keys)),
        Value::Scalar(_) => {}
    }
}

fn hide_key(entry: &mut Entry, keys: &HashSet<String>) {
    if keys.contains(entry.key.text.as_str()) {
        entry.key.text = token(entry.key.text.as_bytes()).into();
    }
}

/// A part of the identity of a resource, `["metadata", "name"]`, or what stands for it when it came out of a secret.
#[must_use]
pub(crate) fn identity<'r>(resource: &'r Resource, path: &[&str], text: &'r str) -> Cow<'r, str> {
    let is_copied =
        |node: &Node| node.as_scalar().is_some_and(|scalar| is_copied_value(resource, scalar, node.mark));
    match has_copied(resource) && resource.node.at(path).is_some_and(is_copied) {
        true => Cow::Owned(token(text.as_bytes())),
        false => Cow::Borrowed(text),
    }
}

/// The name of a resource, or what stands for it.
#[must_use]
pub(crate) fn name(resource: &Resource) -> Cow<'_, str> {
    identity(resource, &["metadata", "name"], resource.name())
}

/// The namespace of a resource, or what stands for it.
#[must_use]
pub(crate) fn namespace(resource: &Resource) -> Cow<'_, str> {
    identity(resource, &["metadata", "namespace"], resource.namespace())
}

/// The kind of a resource, or what stands for it.
#[must_use]
pub(crate) fn kind(resource: &Resource) -> Cow<'_, str> {
    identity(resource, &["kind"], resource.kind())
}

/// Whether a step puts a value into other objects that must not be shown: a replacement out of a Secret, a parameter that
/// is `writeOnly`.
fn is_secret_step(step: &Step) -> bool {
    let Some(details) = step.details.as_deref() else { return false };
    let from = details.text.strip_prefix("from ").and_then(|rest| rest.split(' ').next());
    let copies = step.kind == StepKind::Replacements && from.is_some_and(is_secret);
    copies || details.inputs.iter().any(|input| input.secret)
}

/// Whether a value came out of a secret on its way.
#[must_use]
pub(crate) fn came_from_secret(links: &[Link<'_>]) -> bool {
    links.iter().any(|link| is_secret_step(link.step))
}

/// Whether a resource that was built with its origins may have values out of secrets.
#[must_use]
pub(crate) fn has_copied(resource: &Resource) -> bool {
    resource.trail.steps().any(is_secret_step)
}

/// Replaces the values of a resource that came out of secrets, and the keys.
pub(crate) fn hide_copied(resource: &Resource, node: &mut Node, stand_in: &mut dyn FnMut(&[u8]) -> String) {
    match &mut node.value {
        Value::Map(map) => {
            for entry in map.iter_mut() {
                if is_copied_key(resource, entry) {
                    entry.key.text = stand_in(entry.key.text.as_bytes()).into();
                }
                hide_copied(resource, &mut entry.value, stand_in);
            }
        }
        Value::Seq(items) => items.iter_mut().for_each(|item| hide_copied(resource, item, stand_in)),
        Value::Scalar(scalar) => {
            if is_copied_value(resource, scalar, node.mark) {
                *node = Node::string(&stand_in(scalar.text.as_bytes()), node.mark);
            }
        }
    }
}

/// Whether a single value came out of a secret.
fn is_copied_value(resource: &Resource, scalar: &Scalar, mark: Mark) -> bool {
    scalar.kind != ScalarKind::Null && came_from_secret(&resource.trail.chain(mark))
}

/// Whether an expression with a secret in it made a key: then the key stands where the expression does, as its value.
pub(crate) fn is_copied_key(resource: &Resource, entry: &Entry) -> bool {
    if is_token(&entry.key.text) {
        return false;
    }
    let links = resource.trail.chain(entry.value.mark);
    links.iter().any(|link| link.place == entry.key.mark && is_secret_step(link.step))
}

/// Replaces what is hidden of a node at a path of a Secret by what `stand_in` gives for its bytes.
pub(crate) fn hide(node: &mut Node, path: &mut Vec<String>, stand_in: &mut dyn FnMut(&[u8]) -> String) {
    if node.is_null() {
        return;
    }
    let names: Vec<&str> = path.iter().map(String::as_str).collect();
    match (place(&names), &mut node.value) {
        (Place::Open, Value::Scalar(scalar)) if is_open_value(&names, &scalar.text) => {}
        (Place::Keys, Value::Map(map)) => {
            for entry in map.iter_mut() {
                path.push(entry.key.text.to_string());
                hide(&mut entry.value, path, stand_in);
                path.pop();
            }
        }
        _ => *node = Node::string(&stand_in_at(&names, node, stand_in), node.mark),
    }
}

/// What stands for a whole node at a path of a Secret.
pub(crate) fn stand_in_at(path: &[&str], node: &Node, stand_in: &mut dyn FnMut(&[u8]) -> String) -> String {
    match node.as_scalar() {
        Some(scalar) => stand_in(&bytes_at(path, &scalar.text)),
        None => {
            let mut text = String::new();
            drop(json::write(node, &mut text));
            stand_in(text.as_bytes())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::shown;
    use crate::diagnostics::SourceId;
    use crate::resource::Resource;
    use crate::secrecy::Numbers;
    use crate::yaml::{emit, parse::parse};

    fn written(text: &str) -> String {
        let node = parse(text, SourceId::NONE).unwrap().remove(0);
        let mut out = Vec::new();
        emit::emit(&shown(&Resource::new(node, false)), &mut out).unwrap();
        Numbers::default().shown(&String::from_utf8(out).unwrap()).into_owned()
    }

    #[test]
    fn everything_but_names_labels_type_and_immutable_is_hidden() {
        let text = "apiVersion: v1\nkind: Secret\ntype: Opaque\nimmutable: true\nmetadata: {name: s, namespace: apps, labels: {l: open, m: [planted]}, annotations: {kubectl.kubernetes.io/last-applied-configuration: '{\"data\": \"cGxhbnRlZA==\"}', other: planted too}, finalizers: [planted]}\ndata: {a: cGxhbnRlZA==, none: null}\nstringData: {a: planted, l: [planted], m: {planted: x}}\nstringdata: {b: planted}\nDATA: planted\nspec: {c: {planted: d}}\n";
        let out = written(text);
        assert!(!out.contains("planted") && !out.contains("cGxhbnRlZA"), "{out}");
        for open in ["type: Opaque", "immutable: true", "name: s", "namespace: apps", "l: open", "none: null"]
        {
            assert!(out.contains(open), "{open}: {out}");
        }
        // The same bytes, in base64 and as text, whatever the field is called.
        assert!(out.starts_with("DATA: <hidden 1>\n"), "{out}");
        assert_eq!(out.matches("<hidden 1>").count(), 4, "{out}");
    }

    #[test]
    fn credentials_of_addresses_are_covered_in_open_objects() {
        let text = "kind: ConfigMap\ndata:\n  'https://u:planted@k': https://u:planted@h/x?token=planted\n  b: |\n    open https://u:planted@h\n    open\n  c: 'https://h:80/@a/b'\n";
        let out = written(text);
        let expected = "data:\n  b: |\n    open https://***@h\n    open\n  c: https://h:80/@a/b\n  https://***@k: https://***@h/x?token=***\nkind: ConfigMap\n";
        assert_eq!(out, expected);
        let one = parse("a: https://u:one@h", SourceId::NONE).unwrap().remove(0);
        let other = parse("a: https://u:other@h", SourceId::NONE).unwrap().remove(0);
        let (one, other) = (Resource::new(one, false), Resource::new(other, false));
        assert_ne!(shown(&one), shown(&other));
    }

    #[test]
    fn odd_objects_are_hidden_too() {
        for text in [
            "kind: Secret\ndata: [planted]\nstringData: planted\n",
            "kind: secret\ndata: {a: planted}\n",
            "kind: Secrets\nmetadata: planted\n",
            "kind: Secret\nkind2: {a: planted}\nimmutable: {a: planted}\ntype: [planted]\n",
            "kind: Secret\nimmutable: planted\n",
        ] {
            assert!(!written(text).contains("planted"), "{text}");
        }
        assert!(written("kind: SecretProviderClass\nspec: {a: open}\n").contains("open"));
    }
}
