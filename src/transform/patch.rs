//! `patches`, `patchesStrategicMerge` and `patchesJson6902`.

use crate::diagnostics::{Code, Diagnostic, Diagnostics, Mark, Result, SourceId, nearest};
use crate::kustomization::model::Patch;
use crate::merge::{json_patch, strategic};
use crate::resource::{CompiledSelector, Gvk, ResId, Resource, ResourceSet, Selector};
use crate::schema::Schema;
use crate::yaml::{Node, Value, parse};
use rustc_hash::FxHashMap;

/// What a patch may change besides content.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PatchOptions {
    /// The name.
    pub allow_name_change: bool,
    /// The kind.
    pub allow_kind_change: bool,
}

impl PatchOptions {
    /// The options of an entry.
    #[must_use]
    pub fn of(patch: &Patch) -> Self {
        Self { allow_name_change: patch.allow_name_change, allow_kind_change: patch.allow_kind_change }
    }
}

/// The text of a patch, read.
#[derive(Clone, Debug)]
enum Content {
    /// Documents that look like the resource.
    Strategic(Vec<Node>),
    /// Operations.
    Json(Vec<json_patch::Operation>),
}

/// One patch, ready to be applied.
#[derive(Clone, Debug)]
pub struct LoadedPatch {
    content: Content,
    target: Option<CompiledSelector>,
    options: PatchOptions,
    /// Where the entry stands in the kustomization.
    mark: Mark,
}

impl LoadedPatch {
    /// Reads the text of a patch: a list of operations is a JSON patch, everything else a strategic merge patch.
    ///
    /// # Errors
    /// [`Code::BadPatch`] for a text that is neither, and for a target that does not fit it.
    pub fn read(
        text: &str,
        source: SourceId,
        mark: Mark,
        target: Option<&Selector>,
        options: PatchOptions,
    ) -> Result<Self> {
        let documents = parse::parse(text, source)?;
        let start = Mark { source, offset: 0 };
        let target = target.map(Selector::compile).transpose()?;
        let content = content(documents, target.is_some(), start)?;
        Ok(Self { content, target, options, mark })
    }
}

fn content(documents: Vec<Node>, has_target: bool, start: Mark) -> Result<Content> {
    let refuse = |mark: Mark, message: &str, help: &str| -> Diagnostics {
        Diagnostic::error(Code::BadPatch, message).at(mark).help(help).into()
    };
    let Some(first) = documents.first() else {
        return Err(refuse(start, "this patch is empty", "remove it, or say what it is to change"));
    };
    if let Value::Seq(_) = first.value {
        if !has_target {
            return Err(refuse(first.mark, "a JSON patch needs a `target`", "name the kind and the name of the resource"));
        }
        return Ok(Content::Json(json_patch::read(first)?));
    }
    if has_target && documents.len() > 1 {
        let message = "a patch with a `target` holds one document, but this has several";
        return Err(refuse(start, message, "remove the target, or make an entry of each document"));
    }
    for document in &documents {
        let text = |path: &[&str]| document.at(path).and_then(Node::as_text).unwrap_or("");
        if text(&["kind"]).is_empty() || text(&["metadata", "name"]).is_empty() {
            let message = "a strategic merge patch needs `kind` and `metadata.name`";
            let help = "with a `target` they may be any; a JSON patch is a list of operations";
            return Err(refuse(document.mark, message, help));
        }
    }
    Ok(Content::Strategic(documents))
}

/// Applies patches in order. Resources that a patch deletes are gone afterwards.
///
/// # Errors
/// [`Code::NoTarget`] for a patch without a target whose resource is not there, and the errors of merging; of all patches.
pub fn apply_patches(set: &mut ResourceSet, patches: &[LoadedPatch], schema: &Schema) -> Result<()> {
    let mut errors = Diagnostics::default();
    let mut index = Index::default();
    for patch in patches {
        let before = set.list.len();
        let result = match (&patch.content, &patch.target) {
            (Content::Json(operations), Some(target)) => apply_json(set, operations, target, schema),
            (Content::Json(_), None) => Ok(()),
            (Content::Strategic(documents), Some(target)) => {
                documents.iter().try_for_each(|document| apply_to_selected(set, document, target, patch, schema))
            }
            (Content::Strategic(documents), None) => apply_by_id(set, documents, patch, &mut index, schema),
        };
        errors.collect(result);
        if patch.target.is_some() || set.list.len() != before {
            index = Index::default();
        }
    }
    errors.into_result(())
}

/// Every resource that the selector covers remembers its identity, whether the patch changes it or not.
fn apply_json(
    set: &mut ResourceSet,
    operations: &[json_patch::Operation],
    target: &CompiledSelector,
    schema: &Schema,
) -> Result<()> {
    let mut errors = Diagnostics::default();
    for resource in set.list.iter_mut().filter(|resource| target.matches(resource)) {
        resource.remember_id();
        errors.collect(json_patch::apply(&mut resource.node, operations).and_then(|()| check_identity(resource, schema)));
    }
    errors.into_result(())
}

fn check_identity(resource: &mut Resource, schema: &Schema) -> Result<()> {
    for (value, field) in [(resource.kind(), "kind"), (resource.name(), "metadata.name")] {
        if value.is_empty() {
            let message = format!("this patch takes the `{field}` of a resource away");
            return Err(Diagnostic::error(Code::JsonPatch, message).at(resource.mark()).into());
        }
    }
    resource.cluster_scoped = schema.is_namespaced(resource.api_version(), resource.kind()) == Some(false);
    Ok(())
}

fn apply_to_selected(
    set: &mut ResourceSet,
    document: &Node,
    target: &CompiledSelector,
    patch: &LoadedPatch,
    schema: &Schema,
) -> Result<()> {
    let mut errors = Diagnostics::default();
    set.list.retain_mut(|resource| {
        !target.matches(resource)
            || errors.collect(merge_into(resource, document, patch.options, schema)) != Some(strategic::Outcome::Removed)
    });
    errors.into_result(())
}

/// Positions of resources by every name that they have or had.
#[derive(Default)]
struct Index {
    by_name: Option<FxHashMap<String, Vec<usize>>>,
}

impl Index {
    fn positions(&mut self, set: &ResourceSet, name: &str) -> &[usize] {
        let by_name = self.by_name.get_or_insert_with(|| {
            let mut by_name: FxHashMap<String, Vec<usize>> = FxHashMap::default();
            for (at, resource) in set.list.iter().enumerate() {
                let names = resource.previous.iter().map(|p| p.name.as_str()).chain([resource.name()]);
                for name in names {
                    let positions = by_name.entry(name.to_owned()).or_default();
                    if positions.last() != Some(&at) {
                        positions.push(at);
                    }
                }
            }
            by_name
        });
        by_name.get(name).map_or(&[], Vec::as_slice)
    }
}

/// Applies documents that name their resource themselves: by any identity that it has or had.
fn apply_by_id(
    set: &mut ResourceSet,
    documents: &[Node],
    patch: &LoadedPatch,
    index: &mut Index,
    schema: &Schema,
) -> Result<()> {
    let mut errors = Diagnostics::default();
    for document in documents {
        let id = id_of(document, schema);
        let has = |at: &&usize| {
            let resource = &set.list[**at];
            resource.id().same(&id) || resource.previous_ids().any(|previous| previous.same(&id))
        };
        let found: Vec<usize> = index.positions(set, &id.name).iter().filter(has).copied().collect();
        match found.as_slice() {
            [at] => {
                let merged = errors.collect(merge_into(&mut set.list[*at], document, patch.options, schema));
                if merged == Some(strategic::Outcome::Removed) {
                    set.list.remove(*at);
                    *index = Index::default();
                } else if patch.options != PatchOptions::default() {
                    *index = Index::default();
                }
            }
            [] => errors.push(no_target(set, &id, document, patch.mark)),
            several => errors.push(several_targets(set, &id, document, several)),
        }
    }
    errors.into_result(())
}

fn id_of(document: &Node, schema: &Schema) -> ResId {
    let text = |path: &[&str]| document.at(path).and_then(Node::as_text).unwrap_or("");
    let (api_version, kind) = (text(&["apiVersion"]), text(&["kind"]));
    ResId {
        gvk: Gvk::new(api_version, kind),
        name: text(&["metadata", "name"]).to_owned(),
        namespace: text(&["metadata", "namespace"]).to_owned(),
        cluster_scoped: schema.is_namespaced(api_version, kind) == Some(false),
    }
}

/// Merges one document into one resource. Name, namespace and kind stay, unless the options let them change.
fn merge_into(
    resource: &mut Resource,
    document: &Node,
    options: PatchOptions,
    schema: &Schema,
) -> Result<strategic::Outcome> {
    let (name, namespace, kind) =
        (resource.name().to_owned(), resource.namespace().to_owned(), resource.kind().to_owned());
    let api_version = resource.node.get("apiVersion").cloned();
    if options != PatchOptions::default() {
        resource.remember_id();
    }
    let lookup = schema.lookup(resource.api_version(), &kind);
    if strategic::apply(&mut resource.node, document, schema, lookup)? == strategic::Outcome::Removed {
        return Ok(strategic::Outcome::Removed);
    }
    let mark = resource.mark();
    if let (Some(api_version), Some(root)) = (api_version, resource.node.as_map_mut()) {
        root.set("apiVersion", api_version);
    }
    if let Some(root) = resource.node.as_map_mut().filter(|_| !options.allow_kind_change) {
        root.set("kind", Node::string(&kind, mark));
    }
    if !options.allow_name_change {
        resource.set_name(&name);
    }
    match namespace.as_str() {
        "" => drop(resource.metadata_mut().and_then(|metadata| metadata.remove("namespace"))),
        namespace => resource.set_namespace(namespace),
    }
    if options.allow_kind_change {
        resource.cluster_scoped = schema.is_namespaced(resource.api_version(), resource.kind()) == Some(false);
    }
    Ok(strategic::Outcome::Kept)
}

fn no_target(set: &ResourceSet, id: &ResId, document: &Node, entry: Mark) -> Diagnostic {
    let name_mark = document.at(&["metadata", "name"]).map_or(document.mark, |node| node.mark);
    let message = format!("patch target {}/{} matches nothing", id.gvk.kind, id.name);
    let error = Diagnostic::error(Code::NoTarget, message).at(name_mark).label(entry, "the patch is listed here");
    let same_name = set.list.iter().find(|r| r.name() == id.name && r.kind() == id.gvk.kind);
    if let Some(resource) = same_name {
        let what = match resource.gvk() == id.gvk {
            true => format!("this one is in namespace `{}`", resource.id().effective_namespace()),
            false => format!("this one has apiVersion `{}`", resource.api_version()),
        };
        return error.label(resource.mark(), what).help("write the same apiVersion and namespace in the patch");
    }
    let same_kind: Vec<&Resource> = set.list.iter().filter(|r| r.kind() == id.gvk.kind).collect();
    let near = nearest(&id.name, same_kind.iter().map(|r| r.name()));
    match near.and_then(|near| same_kind.iter().find(|r| r.name() == near)).or_else(|| prefixed(&same_kind, &id.name)) {
        Some(resource) => {
            let help = format!("the nearest is {}/{}", resource.kind(), resource.name());
            error.label(resource.mark(), "this one is near").help(help)
        }
        None => error.note(format!("{} resources of kind {} are there", same_kind.len(), id.gvk.kind)),
    }
}

/// A resource whose name begins with the wanted one, or the other way round.
fn prefixed<'a>(candidates: &'a [&'a Resource], name: &str) -> Option<&'a &'a Resource> {
    candidates.iter().find(|r| r.name().starts_with(name) || name.starts_with(r.name()))
}

fn several_targets(set: &ResourceSet, id: &ResId, document: &Node, found: &[usize]) -> Diagnostic {
    let message = format!("patch target {}/{} matches {} resources", id.gvk.kind, id.name, found.len());
    let error = Diagnostic::error(Code::Ambiguous, message)
        .at(document.mark)
        .help("use a `target` to patch all of them, or the name that only one of them has");
    found.iter().fold(error, |error, at| error.label(set.list[*at].mark(), "this is one of them"))
}
