//! Whole objects: values are replaced before anything is compared or written, so that no report can hold them.

use super::numbers::token;
use super::{bytes_at, is_secret};
use crate::origin::{Link, Step, StepKind};
use crate::resource::Resource;
use crate::yaml::{Node, ScalarKind, Value, json};
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

/// The object of a resource as it may be compared: tokens stand for what is hidden.
#[must_use]
pub(crate) fn shown(resource: &Resource) -> Cow<'_, Node> {
    let mut node = Cow::Borrowed(&resource.node);
    if was_secret(resource) {
        hide(node.to_mut(), &mut Vec::new(), &mut token);
    }
    node
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

/// The single values of resources that came out of secrets.
pub(crate) fn copied_values(resources: &[Resource]) -> HashSet<String> {
    let mut values = HashSet::new();
    for resource in resources.iter().filter(|resource| has_copied(resource)) {
        hide_copied(resource, &mut resource.node.clone(), &mut |bytes| {
            values.insert(String::from_utf8_lossy(bytes).into_owned());
            String::new()
        });
    }
    values
}

/// Replaces every single value that is one of these.
pub(crate) fn hide_values(node: &mut Node, values: &HashSet<String>) {
    match &mut node.value {
        Value::Map(map) => map.iter_mut().for_each(|entry| hide_values(&mut entry.value, values)),
        Value::Seq(items) => items.iter_mut().for_each(|item| hide_values(item, values)),
        Value::Scalar(scalar) => {
            if values.contains(scalar.text.as_str()) {
                *node = Node::string(&token(scalar.text.as_bytes()), node.mark);
            }
        }
    }
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

/// Replaces the values of a resource that came out of secrets.
pub(crate) fn hide_copied(resource: &Resource, node: &mut Node, stand_in: &mut dyn FnMut(&[u8]) -> String) {
    match &mut node.value {
        Value::Map(map) => {
            map.iter_mut().for_each(|entry| hide_copied(resource, &mut entry.value, stand_in));
        }
        Value::Seq(items) => items.iter_mut().for_each(|item| hide_copied(resource, item, stand_in)),
        Value::Scalar(scalar) => {
            if scalar.kind != ScalarKind::Null && came_from_secret(&resource.trail.chain(node.mark)) {
                *node = Node::string(&stand_in(scalar.text.as_bytes()), node.mark);
            }
        }
    }
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
