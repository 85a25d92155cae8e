//! Reads an OpenAPI (Swagger 2) document as kustomize does: `definitions` for types, `paths` for scopes.

use super::builtin;
use super::graph::{Graph, Shape, ShapeId};
use compact_str::{CompactString, format_compact};
use kfc_diagnostics::{Code, Diagnostic, Result};
use kfc_yaml::{Entry, Map, Node};
use rustc_hash::FxHashMap;

const GROUP_VERSION_KIND: &str = "x-kubernetes-group-version-kind";
const DEFINITIONS: &str = "#/definitions/";

/// Which definition of a type counts that both an OpenAPI document and the built-in types define.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Builtin {
    /// The built-in one.
    Wins,
    /// The one of the document.
    Yields,
}

/// The types of `definitions`; those that name their group, version and kind are resources.
///
/// # Errors
/// [`Code::WrongType`] when the document or `definitions` is not a mapping.
pub(super) fn read_definitions(document: &Node) -> Result<Graph> {
    define_all(
        document,
        Reader { graph: Graph::default(), named: FxHashMap::default(), is_crd: false },
        |_| true,
    )
}

/// The types of `definitions` added to the built-in ones.
///
/// # Errors
/// As [`read_definitions`].
pub(super) fn join_definitions(document: &Node, builtin: Builtin) -> Result<Graph> {
    let (graph, named) = builtin::types();
    define_all(document, Reader { graph, named, is_crd: false }, |is_builtin| {
        !is_builtin || builtin == Builtin::Yields
    })
}

/// Adds the types of `definitions`. `counts` says whether one counts that is among the types already, or is not.
fn define_all(document: &Node, mut reader: Reader, counts: impl Fn(bool) -> bool) -> Result<Graph> {
    let root = mapping(document, "an OpenAPI document")?;
    let empty = Map::new();
    let definitions = match root.get("definitions") {
        Some(node) => mapping(node, "`definitions` of an OpenAPI document")?,
        None => &empty,
    };
    let counting: Vec<&Entry> =
        definitions.iter().filter(|entry| counts(reader.named.contains_key(&entry.key.text))).collect();
    for entry in &counting {
        if !reader.named.contains_key(&entry.key.text) {
            let id = reader.graph.add(Shape::default());
            reader.named.insert(entry.key.text.clone(), id);
        }
    }
    for entry in &counting {
        reader.define(&entry.key.text, &entry.value, &counts);
    }
    Ok(reader.graph)
}

/// The types of the CRDs among some objects, added to others.
pub(super) fn join_crds<'n>(graph: Graph, objects: impl Iterator<Item = &'n Node>) -> Graph {
    let mut reader = Reader { graph, named: FxHashMap::default(), is_crd: true };
    let text = |node: &'n Node, path: &[&str]| node.at(path).and_then(Node::as_text);
    for object in objects {
        let is_crd = text(object, &["kind"]) == Some("CustomResourceDefinition")
            && text(object, &["apiVersion"]) == Some("apiextensions.k8s.io/v1");
        let names = text(object, &["spec", "group"]).zip(text(object, &["spec", "names", "kind"]));
        let Some((group, kind)) = names.filter(|_| is_crd) else { continue };
        for version in object.at(&["spec", "versions"]).and_then(Node::as_seq).unwrap_or_default() {
            let schema = version.at(&["schema", "openAPIV3Schema"]);
            let Some((name, schema)) = text(version, &["name"]).zip(schema) else { continue };
            let shape = reader.shape(schema);
            let id = reader.graph.add(shape);
            reader.graph.name_resource(format_compact!("{group}/{name} {kind}"), id);
        }
    }
    reader.graph
}

/// The scopes that `paths` shows: a kind is namespaced when a path reads it below `namespaces/{namespace}`.
pub(super) fn read_scopes(document: &Node) -> FxHashMap<(String, String), bool> {
    let mut scopes = FxHashMap::default();
    for path in document.get("paths").and_then(Node::as_map).into_iter().flatten() {
        let Some(gvk) = path.value.at(&["get", GROUP_VERSION_KIND]) else { continue };
        let Some((api_version, kind)) = api_version_and_kind(gvk) else { continue };
        let namespaced = path.key.text.contains("namespaces/{namespace}");
        let scope = scopes.entry((api_version.to_string(), kind.to_owned())).or_insert(namespaced);
        *scope |= namespaced;
    }
    scopes
}

fn mapping<'n>(node: &'n Node, what: &str) -> Result<&'n Map> {
    node.as_map().ok_or_else(|| {
        let message = format!("{what} has to be a mapping, but this is {}", node.describe());
        Diagnostic::error(Code::WrongType, message).at(node.mark).into()
    })
}

fn api_version_and_kind(gvk: &Node) -> Option<(CompactString, &str)> {
    let part = |name| gvk.get(name).and_then(Node::as_text);
    let version = part("version").unwrap_or("");
    let api_version = match part("group").unwrap_or("") {
        "" => CompactString::new(version),
        group => format_compact!("{group}/{version}"),
    };
    Some((api_version, part("kind")?))
}

struct Reader {
    graph: Graph,
    named: FxHashMap<CompactString, ShapeId>,
    /// Whether the schemas are those of CRDs.
    is_crd: bool,
}

impl Reader {
    fn define(&mut self, name: &str, schema: &Node, counts: impl Fn(bool) -> bool) {
        let shape = self.shape(schema);
        let Some(&id) = self.named.get(name) else { return };
        *self.graph.shape_mut(id) = shape;
        for gvk in schema.get(GROUP_VERSION_KIND).and_then(Node::as_seq).unwrap_or_default() {
            let Some((api_version, kind)) = api_version_and_kind(gvk) else { continue };
            if counts(self.graph.resource(&api_version, kind).is_some()) {
                self.graph.name_resource(format_compact!("{api_version} {kind}"), id);
            }
        }
    }

    fn shape(&mut self, schema: &Node) -> Shape {
        let mut shape = Shape { merge_keys: merge_keys(schema, self.is_crd), ..Shape::default() };
        for property in schema.get("properties").and_then(Node::as_map).into_iter().flatten() {
            if let Some(id) = self.nested(&property.value) {
                shape.fields.insert(property.key.text.clone(), id);
            }
        }
        shape.other_fields = schema.get("additionalProperties").and_then(|s| self.nested(s));
        if schema.get("type").and_then(Node::as_text) == Some("array") {
            shape.items = schema.get("items").and_then(|s| self.nested(s));
        }
        shape
    }

    /// The type of a schema inside another; nothing for a reference to a type that does not exist. Other fields beside a
    /// reference are ignored, as in kustomize.
    fn nested(&mut self, schema: &Node) -> Option<ShapeId> {
        schema.as_map()?;
        if let Some(reference) = schema.get("$ref").and_then(Node::as_text) {
            let same_as = self.named.get(reference.strip_prefix(DEFINITIONS)?).copied();
            same_as.map(|id| self.graph.add(Shape { same_as: Some(id), ..Shape::default() }))
        } else {
            let shape = self.shape(schema);
            Some(self.graph.add(shape))
        }
    }
}

/// A list merges when its strategy says so; a key alone does nothing. Several keys win over the single one. In a CRD, which has no
/// strategies, lists with the type `map` merge.
fn merge_keys(schema: &Node, is_crd: bool) -> Option<Vec<CompactString>> {
    if is_crd {
        let list_type = schema.get("x-kubernetes-list-type").and_then(Node::as_text);
        let keys = schema.get("x-kubernetes-list-map-keys").and_then(Node::as_seq);
        let keys = keys.filter(|keys| list_type == Some("map") && !keys.is_empty())?;
        return Some(keys.iter().filter_map(Node::as_text).map(CompactString::new).collect());
    }
    let strategy = schema.get("x-kubernetes-patch-strategy")?.as_text()?;
    if !strategy.split(',').any(|s| s == "merge") {
        return None;
    }
    if let Some(keys) = schema.get("x-kubernetes-list-map-keys").and_then(Node::as_seq) {
        return Some(keys.iter().filter_map(Node::as_text).map(CompactString::new).collect());
    }
    let key = schema.get("x-kubernetes-patch-merge-key").and_then(Node::as_text);
    Some(key.into_iter().map(CompactString::new).collect())
}
