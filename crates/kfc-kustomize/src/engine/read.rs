//! From parsed documents to resources.

use crate::resource::{Behavior, PreviousId, Resource};
use crate::rules::is_cluster_scoped;
use crate::types::LOCAL_CONFIG;
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Result};
use kfc_kube::schema::Schema;
use kfc_yaml::{Map, Node, ScalarKind, Value};
use std::collections::VecDeque;

/// Prefix of the annotations that kustomize keeps its own notes in; resources that passed through another tool of the
/// kustomize family may carry them.
const NOTES: &str = "internal.config.kubernetes.io/";

/// Annotations that never reach the output, with and without [`NOTES`] in front.
const DROPPED: [&str; 20] = [
    "internal.config.kubernetes.io/previousKinds",
    "internal.config.kubernetes.io/previousNames",
    "internal.config.kubernetes.io/previousNamespaces",
    "internal.config.kubernetes.io/prefixes",
    "internal.config.kubernetes.io/suffixes",
    "internal.config.kubernetes.io/allowNameChange",
    "internal.config.kubernetes.io/allowKindChange",
    "internal.config.kubernetes.io/refBy",
    "internal.config.kubernetes.io/generatorBehavior",
    "internal.config.kubernetes.io/needsHashSuffix",
    "internal.config.kubernetes.io/helm-generated",
    "internal.config.kubernetes.io/index",
    "internal.config.kubernetes.io/path",
    "internal.config.kubernetes.io/id",
    "internal.config.kubernetes.io/seqindent",
    "internal.config.kubernetes.io/annotations-migration-resource-id",
    "config.kubernetes.io/index",
    "config.kubernetes.io/path",
    "config.k8s.io/id",
    "internal.config.kubernetes.io/original-resource-id",
];

/// Annotations that only `buildMetadata` writes.
pub(crate) const ORIGIN: &str = "config.kubernetes.io/origin";
/// See [`ORIGIN`].
pub(crate) const TRANSFORMATIONS: &str = "alpha.config.kubernetes.io/transformations";

/// Reads the documents of one file as resources, as kustomize's resource factory does: documents that hold nothing are
/// ignored, a document whose kind ends in `List` and that has `items` gives its items, after all other documents.
///
/// # Errors
/// [`Code::NotAResource`] for each document that has no kind, or neither a name nor `generateName`.
pub fn resources(documents: Vec<Node>, schema: &Schema) -> Result<Vec<Resource>> {
    let mut queue = VecDeque::from(documents);
    let mut list = Vec::with_capacity(queue.len());
    let mut errors = Diagnostics::default();
    while let Some(document) = queue.pop_front() {
        if is_empty(&document) {
            continue;
        }
        match list_items(document) {
            Ok(Expanded::Items(items)) => queue.extend(items),
            Ok(Expanded::One(document)) => {
                if let Some(resource) = errors.collect(resource(document, schema)) {
                    list.push(resource);
                }
            }
            Err(error) => errors.push(error),
        }
    }
    errors.into_result(list)
}

fn is_empty(document: &Node) -> bool {
    match &document.value {
        Value::Map(map) => map.is_empty(),
        Value::Seq(items) => items.is_empty(),
        Value::Scalar(scalar) => scalar.kind == ScalarKind::Null,
    }
}

enum Expanded {
    One(Node),
    Items(Vec<Node>),
}

fn list_items(mut document: Node) -> std::result::Result<Expanded, Diagnostic> {
    let is_list = document.get("kind").and_then(Node::as_text).is_some_and(|kind| kind.ends_with("List"));
    if !is_list {
        return Ok(Expanded::One(document));
    }
    match document.get_mut("items") {
        None => Ok(Expanded::One(document)),
        Some(items) if items.is_null() => Ok(Expanded::Items(Vec::new())),
        Some(items) => match &mut items.value {
            Value::Seq(items) => Ok(Expanded::Items(std::mem::take(items))),
            _ => Err(Diagnostic::error(
                Code::NotAResource,
                format!("`items` of a list must be a sequence, but it is {}", items.describe()),
            )
            .at(items.mark)),
        },
    }
}

/// Reads one document as a resource.
///
/// # Errors
/// [`Code::NotAResource`] when it has no kind, or neither a name nor `generateName`.
pub fn resource(mut node: Node, schema: &Schema) -> Result<Resource> {
    let Some(map) = node.as_map() else {
        return Err(Diagnostic::error(
            Code::NotAResource,
            format!("a Kubernetes resource is a mapping, but this document is {}", node.describe()),
        )
        .at(node.mark)
        .into());
    };
    let text = |key: &str| map.get(key).and_then(Node::as_text).unwrap_or("");
    let (api_version, kind) = (text("apiVersion"), text("kind"));
    if kind.is_empty() {
        return Err(missing(
            &node,
            "kind",
            "a Kubernetes resource needs `apiVersion`, `kind` and `metadata.name`",
        ));
    }
    let cluster_scoped = is_cluster_scoped(schema, api_version, kind);
    let has =
        |field| node.at(&["metadata", field]).and_then(Node::as_text).is_some_and(|text| !text.is_empty());
    if !has("name") && !has("generateName") && !kind.ends_with("List") {
        return Err(missing(&node, "metadata.name", "add a name below `metadata`"));
    }
    tidy_annotations(&mut node)?;
    let mut resource = Resource::new(node, cluster_scoped);
    take_notes(&mut resource);
    Ok(resource)
}

/// Refuses resources that have `generateName` instead of a name, as kustomize does.
///
/// # Errors
/// [`Code::NotAResource`] for each of them.
pub(super) fn refuse_generated_names(resources: &[Resource]) -> Result<()> {
    let mut errors = Diagnostics::default();
    for resource in
        resources.iter().filter(|resource| !resource.is_named() && !resource.kind().ends_with("List"))
    {
        let help = "kustomize does not take `generateName`, `kfc build` does; or give it a name";
        errors.extend(missing(&resource.node, "metadata.name", help));
    }
    errors.into_result(())
}

fn missing(node: &Node, field: &str, help: &str) -> Diagnostics {
    Diagnostic::error(Code::NotAResource, format!("this resource has no `{field}`"))
        .at(node.mark)
        .help(help)
        .into()
}

/// Drops an empty `annotations` and makes a missing `metadata`. The annotations keep their types until the build ends
/// ([`crate::resource::make_annotations_texts`]): a JSON patch makes `1` of `01`, and a replacement can copy a mapping.
///
/// # Errors
/// [`Code::NotAResource`] when the annotations are a sequence.
pub(super) fn tidy_annotations(object: &mut Node) -> Result<()> {
    let mark = object.mark;
    let Some(root) = object.as_map_mut() else { return Ok(()) };
    let Some(metadata) = root.get_mut("metadata") else {
        root.set("metadata", Node::map(Map::new(), mark));
        return Ok(());
    };
    let Some(metadata) = metadata.as_map_mut() else { return Ok(()) };
    let Some(annotations) = metadata.get_mut("annotations") else { return Ok(()) };
    if let Value::Seq(_) = annotations.value {
        let error = Diagnostic::error(
            Code::NotAResource,
            "`metadata.annotations` must be a mapping, but it is a sequence",
        );
        return Err(error.at(annotations.mark).help("write `key: value` lines without dashes").into());
    }
    if annotations.as_map().is_none_or(Map::is_empty) {
        metadata.remove("annotations");
    }
    Ok(())
}

/// Reads kustomize's own notes from the annotations of a resource that another tool of the family wrote.
fn take_notes(resource: &mut Resource) {
    if !resource.annotations().is_some_and(|map| map.iter().any(|e| e.key.text.starts_with(NOTES))) {
        return;
    }
    let note = |name: &str| {
        let value =
            resource.annotations().and_then(|map| map.get(&format!("{NOTES}{name}"))).and_then(Node::as_text);
        value.unwrap_or("").to_owned()
    };
    let enabled = |name: &str| note(name) == "enabled";
    let (needs_hash, names, kinds) =
        (enabled("needsHashSuffix"), enabled("allowNameChange"), enabled("allowKindChange"));
    let helm_generated = note("helm-generated") == "true";
    let behavior = match note("generatorBehavior").as_str() {
        "create" => Behavior::Create,
        "merge" => Behavior::Merge,
        "replace" => Behavior::Replace,
        _ => Behavior::Unspecified,
    };
    let split = |name: &str| -> Vec<String> {
        note(name).split(',').filter(|part| !part.is_empty()).map(str::to_owned).collect()
    };
    let previous = (split("previousNames").into_iter())
        .zip(split("previousNamespaces"))
        .zip(split("previousKinds"))
        .map(|((name, namespace), kind)| PreviousId {
            kind: kind.into(),
            name: name.into(),
            namespace: namespace.into(),
        })
        .collect();
    let (prefixes, suffixes) = (split("prefixes"), split("suffixes"));
    resource.needs_hash = needs_hash;
    resource.allow_name_change = names;
    resource.allow_kind_change = kinds;
    resource.helm_generated = helm_generated;
    resource.behavior = behavior;
    resource.previous = previous;
    resource.prefixes = prefixes;
    resource.suffixes = suffixes;
}

/// Whether a resource takes part in the build only: the annotation `config.kubernetes.io/local-config` with any value
/// but `"false"`.
#[must_use]
pub fn is_local_config(resource: &Resource) -> bool {
    resource
        .annotations()
        .and_then(|map| map.get(LOCAL_CONFIG))
        .and_then(Node::as_text)
        .is_some_and(|value| value != "false")
}

/// Drops the annotations that are notes of the build.
pub fn drop_notes(object: &mut Node) {
    let annotations = object.get_mut("metadata").and_then(|metadata| metadata.get_mut("annotations"));
    let Some(annotations) = annotations.and_then(Node::as_map_mut) else { return };
    annotations.retain(|entry| {
        let key = entry.key.text.as_str();
        !DROPPED.contains(&key) && key != ORIGIN && key != TRANSFORMATIONS
    });
}
