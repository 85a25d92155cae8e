//! Hides the values of a Secret, of a resource that was one before a patch, and of fields copied from one.

use crate::provenance::{Link, Step, StepKind};
use crate::resource::Resource;
use kfc_diagnostics::{Diagnostics, token};
use kfc_kube::redaction::object::hide;
use kfc_kube::redaction::{is_secret, message};
use kfc_yaml::{Node, ScalarKind, Value};
use std::borrow::Cow;
use std::collections::HashSet;

/// Whether a resource is a Secret, or was one before a patch changed its kind.
#[must_use]
pub fn was_secret(resource: &Resource) -> bool {
    is_secret(resource.kind()) || resource.previous.iter().any(|previous| is_secret(&previous.kind))
}

/// The object of a resource as it may be compared: tokens stand for what is hidden.
#[must_use]
pub fn shown(resource: &Resource) -> Cow<'_, Node> {
    let mut node = Cow::Borrowed(&resource.node);
    if was_secret(resource) {
        hide(node.to_mut(), &mut Vec::new(), &mut token);
    }
    node
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

/// The single values of resources that came out of secrets.
pub fn copied_values(resources: &[Resource]) -> HashSet<String> {
    let mut values = HashSet::new();
    for resource in resources.iter().filter(|resource| has_copied(resource)) {
        hide_copied(resource, &mut resource.object.node.clone(), &mut |bytes| {
            values.insert(String::from_utf8_lossy(bytes).into_owned());
            String::new()
        });
    }
    values
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
    resource.trail.steps().any(is_secret_step)
}

/// Replaces the values of a resource that came out of secrets.
pub fn hide_copied(resource: &Resource, node: &mut Node, stand_in: &mut dyn FnMut(&[u8]) -> String) {
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
