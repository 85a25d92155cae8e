//! `patches`, `patchesStrategicMerge` and `patchesJson6902`.

mod index;
mod overwritten;
mod read;
mod target;

pub use read::{LoadedPatch, PatchOptions};

use crate::merge::{json_patch, strategic};
use crate::provenance::{Cause, Step};
use crate::redaction;
use crate::resource::{Behavior, Resource, ResourceSet, make_annotations_texts};
use crate::rules::is_cluster_scoped;
use index::Index;
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Result};
use kfc_kube::Object;
use kfc_kube::schema::Schema;
use kfc_yaml::{Map, Node, ScalarKind, Spelling, Value};
use overwritten::Touched;
use read::Content;
use std::sync::LazyLock;
use target::Target;

/// Applies patches in order. Resources that a patch deletes are removed; a patch whose `target` covers nothing
/// does nothing. Returns warnings about what kustomize does silently: such a patch, and fields that two of them set.
///
/// # Errors
/// Of all patches: [`Code::NoTarget`] for one without a `target` whose resource does not exist, [`Code::Ambiguous`] where
/// there are several, [`Code::DuplicateId`] for resources that a patch gave the identity of others, and the errors of
/// merging.
pub fn apply_patches(set: &mut ResourceSet, patches: &[LoadedPatch], schema: &Schema) -> Result<Diagnostics> {
    let index = Index::new(&set.list, patches.iter().map(LoadedPatch::len).sum());
    let removed = vec![false; set.list.len()];
    let touched = Touched::by(patches.len());
    let mut run = Run { set, schema, index, removed, renamed: false, current: 0, covered: 0, touched };
    let (mut errors, mut warnings) = (Diagnostics::default(), Diagnostics::default());
    for (at, patch) in patches.iter().enumerate() {
        (run.current, run.covered) = (at, 0);
        errors.collect(run.apply(patch));
        if let Some(target) = patch.target.as_ref().filter(|_| run.covered == 0 && !patch.is_empty()) {
            warnings.push(covers_nothing(target, patch));
        }
    }
    errors.into_result(())?;
    warnings.extend(std::mem::take(&mut run.touched).warnings(patches));
    run.finish()?;
    Ok(warnings)
}

fn covers_nothing(target: &Target, patch: &LoadedPatch) -> Diagnostic {
    let message = format!("patch target {} matches nothing", target.description());
    Diagnostic::warning(Code::NoTarget, message)
        .at(patch.mark)
        .help("correct the target, or remove the patch")
}

/// The patches of one call at work.
struct Run<'a> {
    set: &'a mut ResourceSet,
    schema: &'a Schema,
    index: Index,
    /// Which resources are deleted; they are taken out in the end, so that positions stay.
    removed: Vec<bool>,
    /// Whether a patch changed an identity.
    renamed: bool,
    /// The position of the patch that is applied.
    current: usize,
    /// How many resources it changed.
    covered: usize,
    touched: Touched,
}

impl Run<'_> {
    fn apply(&mut self, patch: &LoadedPatch) -> Result<()> {
        match (&patch.content, &patch.target) {
            (Content::Json(operations), Some(target)) => {
                self.for_each_covered(target, |run, at| run.apply_operations(at, operations, patch))
            }
            // Refused when it was read, unless it is empty.
            (Content::Json(_), None) => Ok(()),
            (Content::Strategic(documents), Some(target)) => self.for_each_covered(target, |run, at| {
                documents
                    .iter()
                    .try_for_each(|document| run.merge(at, document, patch.options, &patch.step()))
            }),
            (Content::Strategic(documents), None) => {
                let mut errors = Diagnostics::default();
                for document in documents {
                    errors.collect(self.merge_by_id(document, patch));
                }
                errors.into_result(())
            }
        }
    }

    fn for_each_covered(
        &mut self,
        target: &Target,
        mut change: impl FnMut(&mut Self, usize) -> Result<()>,
    ) -> Result<()> {
        let mut errors = Diagnostics::default();
        let places = match target.plain_name() {
            Some(name) => self.index.positions(&self.set.list, name),
            None => (0..self.set.list.len()).collect(),
        };
        for at in places {
            if !self.removed[at] && target.covers(&self.set.list[at]) {
                errors.collect(self.guarded(at, &mut change));
            }
        }
        errors.into_result(())
    }

    /// Changes a resource; what goes wrong with a Secret is reported without its values.
    fn guarded(&mut self, at: usize, change: &mut dyn FnMut(&mut Self, usize) -> Result<()>) -> Result<()> {
        let was_secret = redaction::was_secret(&self.set.list[at]);
        self.covered += 1;
        self.touched.add(at, self.current);
        change(self, at).map_err(|errors| redaction::redacted_errors(errors, &self.set.list[at], was_secret))
    }

    fn merge_by_id(&mut self, document: &Node, patch: &LoadedPatch) -> Result<()> {
        let id = target::id_of(document, self.schema);
        let mut found = self.index.positions(&self.set.list, &id.name);
        found.retain(|&at| !self.removed[at] && target::has_or_had(&self.set.list[at], &id));
        match found.as_slice() {
            [at] => self.guarded(*at, &mut |run, at| run.merge(at, document, patch.options, &patch.step())),
            [] => {
                let left =
                    self.set.list.iter().zip(&self.removed).filter(|(_, removed)| !**removed).map(|(r, _)| r);
                Err(target::not_there(left, &id, document, patch.mark).into())
            }
            several => {
                let found = several.iter().map(|&at| &self.set.list[at]);
                Err(target::several(found, &id, document).into())
            }
        }
    }

    fn merge(&mut self, at: usize, document: &Node, options: PatchOptions, step: &Step) -> Result<()> {
        let step = LazyLock::new(|| step.clone().with_text(document.mark));
        match merge_into((&mut self.set.list[at], &step), document, options, self.schema)? {
            strategic::Outcome::Removed => self.removed[at] = true,
            strategic::Outcome::Kept if options.keep_identity() => {}
            strategic::Outcome::Kept => self.note_identity(at),
        }
        Ok(())
    }

    /// A resource that a JSON patch is applied to remembers its identity, whether the patch changes it or not.
    fn apply_operations(
        &mut self,
        at: usize,
        operations: &[json_patch::Operation],
        patch: &LoadedPatch,
    ) -> Result<()> {
        let resource = &mut self.set.list[at];
        let before = resource.id();
        if patch.remembers {
            resource.remember_id();
        }
        let has_notes = has_notes(resource);
        let step = LazyLock::new(|| match operations.first() {
            Some(first) => patch.step().with_text(first.mark()),
            None => patch.step(),
        });
        resource.edit(&step).change(|object| {
            if has_notes {
                create_annotations(object);
            }
            json_patch::apply(&mut object.node, operations)?;
            make_annotations_texts(&mut object.node);
            object.shared.separate();
            drop_empty_annotations(object);
            Ok::<_, Diagnostics>(())
        })?;
        if operations.iter().any(json_patch::Operation::replaces_annotations) {
            // kustomize keeps these among the annotations, and they go with them.
            resource.origin = None;
            resource.transformations.clear();
        }
        check_identity(resource, self.schema)?;
        if self.set.list[at].id() != before {
            self.note_identity(at);
        }
        Ok(())
    }

    fn note_identity(&mut self, at: usize) {
        self.renamed = true;
        self.index.add(self.set.list[at].name(), at);
    }

    fn finish(self) -> Result<()> {
        if self.removed.contains(&true) {
            let mut removed = self.removed.into_iter();
            self.set.retain(|_| !removed.next().unwrap_or(false));
        }
        if self.renamed { self.set.check_unique(0) } else { Ok(()) }
    }
}

/// Merges one document into one resource. apiVersion and namespace stay, and name and kind unless the options let them
/// change.
fn merge_into(
    (resource, step): (&mut Resource, &dyn Cause),
    document: &Node,
    options: PatchOptions,
    schema: &Schema,
) -> Result<strategic::Outcome> {
    if !options.keep_identity() {
        resource.remember_id();
    }
    let patch_kind = document.get("kind").and_then(Node::as_text).unwrap_or("");
    let known = schema
        .lookup(resource.api_version(), resource.kind())
        .or_else(|| schema.lookup(resource.api_version(), patch_kind));
    let outcome = resource.edit(step).change(|object| {
        let identity = Identity::of(object);
        let outcome = strategic::apply(&mut object.node, document, schema, known)?;
        match outcome {
            strategic::Outcome::Removed => object.remove(),
            strategic::Outcome::Kept => {
                object.update_shared();
                identity.put_back(object, options);
            }
        }
        Ok::<_, Diagnostics>(outcome)
    })?;
    if outcome == strategic::Outcome::Removed {
        return Ok(outcome);
    }
    resource.allow_name_change |= options.allow_name_change;
    resource.allow_kind_change |= options.allow_kind_change;
    if options.allow_kind_change {
        set_scope(resource, schema);
    }
    Ok(outcome)
}

fn set_scope(resource: &mut Resource, schema: &Schema) {
    let cluster_scoped = is_cluster_scoped(schema, resource.api_version(), resource.kind());
    resource.set_cluster_scoped(cluster_scoped);
}

/// What a strategic merge patch may not change, unless its options let it.
struct Identity {
    api_version: Option<Node>,
    kind: Option<Node>,
    name: Option<Node>,
    namespace: Option<Node>,
}

impl Identity {
    fn of(object: &Object) -> Self {
        let copy = |path: &[&str]| object.node.at(path).cloned();
        Self {
            api_version: copy(&["apiVersion"]),
            kind: copy(&["kind"]),
            name: copy(&["metadata", "name"]),
            namespace: copy(&["metadata", "namespace"]),
        }
    }

    fn put_back(self, object: &mut Object, options: PatchOptions) {
        if let Some(root) = object.node.as_map_mut() {
            put_back(root, "apiVersion", self.api_version);
            if !options.allow_kind_change {
                put_back(root, "kind", untagged(self.kind));
            }
        }
        if let Some(metadata) = object.metadata_mut() {
            if !options.allow_name_change {
                put_back(metadata, "name", untagged(self.name));
            }
            put_back(metadata, "namespace", untagged(self.namespace));
        }
    }
}

fn put_back(map: &mut Map, key: &str, value: Option<Node>) {
    match value {
        Some(value) => map.set(key, value),
        None => drop(map.remove(key)),
    }
}

/// A value that kustomize sets again, which then has no tag.
fn untagged(value: Option<Node>) -> Option<Node> {
    let mut value = value?;
    if let Value::Scalar(scalar) = &mut value.value
        && scalar.kind == ScalarKind::Str
        && scalar.spelling == Spelling::Plain
    {
        scalar.spelling = Spelling::Untagged;
    }
    Some(value)
}

/// Whether kustomize keeps notes on a resource. It keeps them among the annotations, so that a JSON patch can add an
/// annotation to such a resource even when it has none of its own.
fn has_notes(resource: &Resource) -> bool {
    !resource.previous.is_empty()
        || !resource.prefixes.is_empty()
        || !resource.suffixes.is_empty()
        || !resource.ref_by.is_empty()
        || !resource.transformations.is_empty()
        || resource.origin.is_some()
        || resource.needs_hash
        || resource.behavior != Behavior::Unspecified
        || resource.allow_name_change
        || resource.allow_kind_change
        || resource.helm_generated
}

fn create_annotations(object: &mut Object) {
    let mark = object.node.mark;
    let Some(metadata) = object.metadata_mut() else { return };
    let annotations = metadata.get_or_insert_map("annotations", mark);
    if annotations.is_null() {
        *annotations = Node::map(Map::new(), mark);
    }
}

fn drop_empty_annotations(object: &mut Object) {
    if object.annotations().is_some_and(Map::is_empty) {
        drop(object.metadata_mut().and_then(|metadata| metadata.remove("annotations")));
    }
}

fn check_identity(resource: &mut Resource, schema: &Schema) -> Result<()> {
    for (value, field) in [(resource.kind(), "kind"), (resource.name(), "metadata.name")] {
        if value.is_empty() {
            let message = format!("this patch removes the `{field}` of a resource");
            return Err(Diagnostic::error(Code::JsonPatch, message).at(resource.node.mark).into());
        }
    }
    set_scope(resource, schema);
    Ok(())
}

#[cfg(test)]
mod tests;
