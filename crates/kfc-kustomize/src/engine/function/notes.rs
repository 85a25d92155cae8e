//! What kustomize writes into the annotations of resources that functions and plug-ins get, and reads out of those that they
//! print.

use crate::boolean::parse_boolean;
use crate::engine::origin;
use crate::resource::Resource;
use crate::types::Behavior;
use kfc_diagnostics::{Code, Diagnostic, Result};
use kfc_yaml::{Map, Node, emit};

/// Tells resources apart: their identity.
const ID: &str = "kustomize.config.k8s.io/id";
/// Whether a generated resource gets a hash after its name.
const NEEDS_HASH: &str = "kustomize.config.k8s.io/needs-hash";
/// What a generated resource does to one of the same identity.
const BEHAVIOR: &str = "kustomize.config.k8s.io/behavior";
/// How kustomize calls the namespace of what has none.
const NO_NAMESPACE: &str = "_non_namespaceable_";

/// Sets an annotation of an object.
pub(super) fn set_annotation(object: &mut Node, key: &str, value: &str) {
    let mark = object.mark;
    let Some(root) = object.as_map_mut() else { return };
    let metadata = root.get_or_insert_map("metadata", mark);
    let Some(metadata) = metadata.as_map_mut() else { return };
    let annotations = metadata.get_or_insert_map("annotations", mark);
    if let Some(annotations) = annotations.as_map_mut() {
        annotations.set(key, Node::string(value, mark));
    }
}

fn remove_annotation(object: &mut Node, key: &str) -> Option<Node> {
    let metadata = object.get_mut("metadata")?.as_map_mut()?;
    let annotations = metadata.get_mut("annotations")?.as_map_mut()?;
    let removed = annotations.remove(key);
    if annotations.is_empty() {
        metadata.remove("annotations");
    }
    removed
}

/// A resource as functions and plug-ins get it: with its identity and the notes of the build.
pub(super) fn annotated(resource: &Resource) -> Result<Node> {
    let mut node = resource.node.clone();
    for (name, value) in of_build(resource) {
        set_annotation(&mut node, &format!("internal.config.kubernetes.io/{name}"), &value);
    }
    for (key, text) in origin::annotations(resource)? {
        set_annotation(&mut node, key, &text);
    }
    set_annotation(&mut node, ID, &id_text(resource)?);
    Ok(node)
}

/// The notes of the build about a resource, by the last part of their annotation.
fn of_build(resource: &Resource) -> Vec<(&'static str, String)> {
    let mut notes = Vec::new();
    let joined = |texts: &[String]| texts.join(",");
    if !resource.previous.is_empty() {
        let list = |text: &dyn Fn(&crate::resource::PreviousId) -> String| -> Vec<String> {
            resource.previous.iter().map(text).collect()
        };
        notes.push(("previousKinds", joined(&list(&|previous| previous.kind.to_string()))));
        notes.push(("previousNames", joined(&list(&|previous| previous.name.to_string()))));
        let namespace = |namespace: &str| match (resource.cluster_scoped, namespace) {
            (true, _) => NO_NAMESPACE.to_owned(),
            (false, "") => "default".to_owned(),
            (false, namespace) => namespace.to_owned(),
        };
        notes.push(("previousNamespaces", joined(&list(&|previous| namespace(&previous.namespace)))));
    }
    let lists = [("prefixes", &resource.prefixes), ("suffixes", &resource.suffixes)];
    notes.extend(
        lists.into_iter().filter(|(_, list)| !list.is_empty()).map(|(name, list)| (name, joined(list))),
    );
    let switches = [
        ("allowNameChange", resource.allow_name_change),
        ("allowKindChange", resource.allow_kind_change),
        ("needsHashSuffix", resource.needs_hash),
    ];
    notes.extend(switches.into_iter().filter(|(_, on)| *on).map(|(name, _)| (name, "enabled".to_owned())));
    if resource.helm_generated {
        notes.push(("helm-generated", "true".to_owned()));
    }
    if resource.needs_hash || resource.behavior != Behavior::Unspecified {
        notes.push(("generatorBehavior", word(resource.behavior).to_owned()));
    }
    notes
}

fn word(behavior: Behavior) -> &'static str {
    match behavior {
        Behavior::Unspecified => "unspecified",
        Behavior::Create => "create",
        Behavior::Merge => "merge",
        Behavior::Replace => "replace",
    }
}

/// The identity of a resource, as YAML.
fn id_text(resource: &Resource) -> Result<String> {
    let gvk = resource.gvk();
    let mut map = Map::new();
    for (key, value) in [
        ("group", gvk.group.as_str()),
        ("version", &gvk.version),
        ("kind", &gvk.kind),
        ("name", resource.name()),
        ("namespace", resource.namespace()),
    ] {
        if !value.is_empty() {
            map.set(key, Node::string(value, None));
        }
    }
    let mut text = Vec::new();
    emit::emit(&Node::map(map, None), &mut text)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// Gives an item of a `ResourceList` the annotations by which the runtime of kustomize finds it again.
pub(super) fn number(item: &mut Node, at: usize) {
    let (index, id) = (at.to_string(), (at + 1).to_string());
    for (key, value) in [
        ("config.kubernetes.io/index", &index),
        ("internal.config.kubernetes.io/index", &index),
        ("internal.config.kubernetes.io/annotations-migration-resource-id", &index),
        ("internal.config.kubernetes.io/id", &id),
        ("config.k8s.io/id", &id),
    ] {
        set_annotation(item, key, value);
    }
}

/// Takes the annotations of a generator out of a resource that it printed.
///
/// # Errors
/// A word that is neither true nor false.
pub(super) fn take_generator_options(resource: &mut Resource) -> Result<()> {
    let (mut hash, mut behavior) = (None, None);
    resource.respell(|object| {
        hash = remove_annotation(object, NEEDS_HASH);
        behavior = remove_annotation(object, BEHAVIOR);
        Ok(())
    })?;
    if let Some(hash) = hash {
        let word = hash.as_scalar().map_or("", |scalar| scalar.text.as_str());
        resource.needs_hash |= parse_boolean(word).ok_or_else(|| {
            let message = format!("the annotation `{NEEDS_HASH}` is neither `true` nor `false`");
            Diagnostic::error(Code::BadValue, message).at(hash.mark)
        })?;
    }
    resource.behavior = match behavior.as_ref().and_then(Node::as_text) {
        Some("create") => Behavior::Create,
        Some("merge") => Behavior::Merge,
        Some("replace") => Behavior::Replace,
        _ => Behavior::Unspecified,
    };
    Ok(())
}

/// Takes the identity out of a resource that a transformer printed, and the notes, which the resource has beside its tree.
pub(super) fn clean(resource: &mut Resource) -> Result<()> {
    resource.respell(|object| {
        remove_annotation(object, ID);
        crate::engine::read::drop_notes(object);
        crate::engine::read::tidy_annotations(object)
    })
}

/// Whether two resources have the same notes.
pub(super) fn are_same(left: &Resource, right: &Resource) -> bool {
    of_build(left) == of_build(right)
}
