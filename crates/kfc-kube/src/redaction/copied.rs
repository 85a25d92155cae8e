//! Objects as comparisons and explanations show them: without the values of a Secret, those that were copied out of one,
//! and credentials in addresses.

use super::is_secret;
use super::object::{cover_credentials, has_credentials, hide};
use crate::object::Object;
use crate::traced::Traced;
use kfc_diagnostics::{credential, token};
use kfc_yaml::{Entry, Node, Value};
use std::borrow::Cow;
use std::collections::HashSet;

/// An object without a history: its kind alone tells that it is a Secret.
impl Traced for Object {
    fn object(&self) -> &Object {
        self
    }

    fn was_secret(&self) -> bool {
        is_secret(self.kind())
    }
}

/// An object as it may be compared: tokens replace what is hidden, and credentials of addresses in everything else.
#[must_use]
pub fn shown(traced: &dyn Traced) -> Cow<'_, Node> {
    let mut node = Cow::Borrowed(&traced.object().node);
    if traced.was_secret() {
        hide(node.to_mut(), &mut Vec::new(), &mut token);
    } else if has_credentials(&node) {
        cover_credentials(node.to_mut(), &mut credential);
    }
    node
}

/// As [`shown`], without what is known to have come out of Secrets.
#[must_use]
pub fn shown_without<'r>(traced: &'r dyn Traced, copied: &Copied) -> Cow<'r, Node> {
    if copied.is_empty() || traced.was_secret() {
        return shown(traced);
    }
    let mut node = traced.object().node.clone();
    hide_values(&mut node, copied);
    cover_credentials(&mut node, &mut credential);
    Cow::Owned(node)
}

/// What objects have that came out of Secrets.
#[derive(Debug, Default)]
pub struct Copied {
    /// Single values.
    pub values: HashSet<String>,
    /// Keys of mappings.
    pub keys: HashSet<String>,
}

impl Copied {
    /// What these objects have.
    pub fn of<'r>(objects: impl Iterator<Item = &'r dyn Traced>) -> Self {
        let mut copied = Self::default();
        for traced in objects.filter(|traced| traced.has_copied()) {
            copied.gather(traced, &traced.object().node);
        }
        copied
    }

    fn is_empty(&self) -> bool {
        self.values.is_empty() && self.keys.is_empty()
    }

    fn gather(&mut self, traced: &dyn Traced, node: &Node) {
        match &node.value {
            Value::Map(map) => {
                for entry in map {
                    if traced.is_copied_key(entry) {
                        self.keys.insert(entry.key.text.to_string());
                    }
                    self.gather(traced, &entry.value);
                }
            }
            Value::Seq(items) => items.iter().for_each(|item| self.gather(traced, item)),
            Value::Scalar(scalar) => {
                if traced.is_copied_value(node) {
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
#[expect(clippy::implicit_hasher, reason = "the keys are those of `Copied`")]
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

/// Replaces the values of a node that came out of Secrets, and the keys.
pub fn hide_copied(traced: &dyn Traced, node: &mut Node, stand_in: &mut dyn FnMut(&[u8]) -> String) {
    match &mut node.value {
        Value::Map(map) => {
            for entry in map.iter_mut() {
                if traced.is_copied_key(entry) {
                    entry.key.text = stand_in(entry.key.text.as_bytes()).into();
                }
                hide_copied(traced, &mut entry.value, stand_in);
            }
        }
        Value::Seq(items) => items.iter_mut().for_each(|item| hide_copied(traced, item, stand_in)),
        Value::Scalar(_) => {
            if traced.is_copied_value(node) {
                let text = stand_in(node.as_text().unwrap_or_default().as_bytes());
                *node = Node::string(&text, node.mark);
            }
        }
    }
}

/// Whether something in a node of an object came out of a Secret.
#[must_use]
pub fn is_copied(traced: &dyn Traced, node: &Node) -> bool {
    traced.has_copied() && contains_copied(traced, node)
}

fn contains_copied(traced: &dyn Traced, node: &Node) -> bool {
    match &node.value {
        Value::Map(map) => {
            map.iter().any(|entry| traced.is_copied_key(entry) || contains_copied(traced, &entry.value))
        }
        Value::Seq(items) => items.iter().any(|item| contains_copied(traced, item)),
        Value::Scalar(_) => traced.is_copied_value(node),
    }
}

/// A part of the identity of an object, `["metadata", "name"]`, or what replaces it when it came out of a Secret.
#[must_use]
pub fn identity<'r>(traced: &'r dyn Traced, path: &[&str], text: &'r str) -> Cow<'r, str> {
    let is_copied = |node: &Node| node.as_scalar().is_some() && traced.is_copied_value(node);
    if traced.has_copied() && traced.object().node.at(path).is_some_and(is_copied) {
        Cow::Owned(token(text.as_bytes()))
    } else {
        Cow::Borrowed(text)
    }
}

/// The name of an object, or what replaces it.
#[must_use]
pub fn name(traced: &dyn Traced) -> Cow<'_, str> {
    identity(traced, &["metadata", "name"], traced.object().name())
}

/// The namespace of an object, or what replaces it.
#[must_use]
pub fn namespace(traced: &dyn Traced) -> Cow<'_, str> {
    identity(traced, &["metadata", "namespace"], traced.object().namespace())
}

/// The kind of an object, or what replaces it.
#[must_use]
pub fn kind(traced: &dyn Traced) -> Cow<'_, str> {
    identity(traced, &["kind"], traced.object().kind())
}

#[cfg(test)]
mod tests {
    use super::shown;
    use crate::object::Object;
    use kfc_diagnostics::{Numbers, SourceId};
    use kfc_yaml::{emit, parse::parse};

    fn written(text: &str) -> String {
        let node = parse(text, SourceId::NONE).unwrap().remove(0);
        let mut out = Vec::new();
        emit::emit(&shown(&Object::new(node, false)), &mut out).unwrap();
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
        let (one, other) = (Object::new(one, false), Object::new(other, false));
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
