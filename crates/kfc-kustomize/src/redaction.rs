//! Hides the values of a Secret, of a resource that was one before a patch, and of fields copied from one.

use crate::provenance::{Link, Step, StepKind};
use crate::resource::Resource;
use kfc_diagnostics::{Diagnostics, Mark, credential, is_token, token};
use kfc_kube::redaction::object::{cover_credentials, has_credentials, hide};
use kfc_kube::redaction::{is_secret, message};
use kfc_yaml::{Entry, Node, Scalar, ScalarKind, Value};
use std::borrow::Cow;
use std::collections::HashSet;

/// Whether a resource is a Secret, or was one before a patch changed its kind.
#[must_use]
pub fn was_secret(resource: &Resource) -> bool {
    is_secret(resource.kind()) || resource.previous.iter().any(|previous| is_secret(&previous.kind))
}

/// The object of a resource as it may be compared: tokens stand for what is hidden, and for credentials of addresses in
/// everything else.
#[must_use]
pub fn shown(resource: &Resource) -> Cow<'_, Node> {
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
pub fn shown_without<'r>(resource: &'r Resource, copied: &Copied) -> Cow<'r, Node> {
    if copied.is_empty() || was_secret(resource) {
        return shown(resource);
    }
    let mut node = resource.node.clone();
    hide_values(&mut node, copied);
    cover_credentials(&mut node, &mut credential);
    Cow::Owned(node)
}

/// As [`message::in_secret`], for what went wrong with a resource, if it is a Secret, or `was_one` before.
#[must_use]
pub fn redacted_errors(errors: Diagnostics, resource: &Resource, was_one: bool) -> Diagnostics {
    if !was_one && !was_secret(resource) {
        return errors;
    }
    Diagnostics(errors.0.into_iter().map(|error| message::in_secret(error, &resource.node)).collect())
}

/// Whether something in a node of a resource came out of a secret.
#[must_use]
pub fn is_copied(resource: &Resource, node: &Node) -> bool {
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
pub struct Copied {
    /// Single values.
    pub values: HashSet<String>,
    /// Keys of mappings.
    pub keys: HashSet<String>,
}

impl Copied {
    /// What these resources have.
    pub fn of<'r>(resources: impl Iterator<Item = &'r Resource>) -> Self {
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
pub fn hide_keys(node: &mut Node, keys: &HashSet<String>) {
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
pub fn identity<'r>(resource: &'r Resource, path: &[&str], text: &'r str) -> Cow<'r, str> {
    let is_copied =
        |node: &Node| node.as_scalar().is_some_and(|scalar| is_copied_value(resource, scalar, node.mark));
    match has_copied(resource) && resource.node.at(path).is_some_and(is_copied) {
        true => Cow::Owned(token(text.as_bytes())),
        false => Cow::Borrowed(text),
    }
}

/// The name of a resource, or what stands for it.
#[must_use]
pub fn name(resource: &Resource) -> Cow<'_, str> {
    identity(resource, &["metadata", "name"], resource.name())
}

/// The namespace of a resource, or what stands for it.
#[must_use]
pub fn namespace(resource: &Resource) -> Cow<'_, str> {
    identity(resource, &["metadata", "namespace"], resource.namespace())
}

/// The kind of a resource, or what stands for it.
#[must_use]
pub fn kind(resource: &Resource) -> Cow<'_, str> {
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

/// Whether a step copied a value from a secret.
#[must_use]
pub fn came_from_secret(links: &[Link<'_>]) -> bool {
    links.iter().any(|link| is_secret_step(link.step))
}

/// Whether a resource that was built with its origins may have values out of secrets.
#[must_use]
pub fn has_copied(resource: &Resource) -> bool {
    resource.history().steps().any(is_secret_step)
}

/// Replaces the values of a resource that came out of secrets, and the keys.
pub fn hide_copied(resource: &Resource, node: &mut Node, stand_in: &mut dyn FnMut(&[u8]) -> String) {
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
    scalar.kind != ScalarKind::Null && came_from_secret(&resource.history().chain(mark))
}

/// Whether an expression with a secret in it made a key: then the key has the place of the expression, as its value has.
pub fn is_copied_key(resource: &Resource, entry: &Entry) -> bool {
    if is_token(&entry.key.text) {
        return false;
    }
    let links = resource.history().chain(entry.value.mark);
    let place = resource.history().place_of_key(entry.key.mark);
    links.iter().any(|link| link.place == place && is_secret_step(link.step))
}

#[cfg(test)]
mod tests {
    use super::shown;
    use crate::resource::Resource;
    use kfc_diagnostics::Numbers;
    use kfc_diagnostics::SourceId;
    use kfc_yaml::{emit, parse::parse};

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
        // The same bytes, in base64 and as text, for any name of the field.
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
