//! One Kubernetes object with what the build remembers of it.

use super::origin::Origin;
use super::shared::SharedScalars;
use super::tree::{Editor, Excerpt, Locate, Tree};
use crate::provenance::{Cause, History, Stage, Step};
use crate::types::Behavior;
use compact_str::CompactString;
use kfc_diagnostics::{Mark, Result};
use kfc_kube::{Gvk, Object, ResId, effective_namespace};
use kfc_yaml::Node;
use std::borrow::Cow;
use std::ops::Deref;

/// An identity that a resource had before a transformer renamed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreviousId {
    /// Its kind then.
    pub kind: CompactString,
    /// Its name then.
    pub name: CompactString,
    /// Its namespace then; empty for none.
    pub namespace: CompactString,
}

/// One Kubernetes object with what the build has to remember of it. It is read as its [`Object`] is, and changed by an
/// [`Editor`] alone.
///
/// ```compile_fail
/// # use kfc_kustomize::resource::Resource;
/// # fn change(resource: &mut Resource) {
/// resource.node = kfc_yaml::Node::null(resource.mark());
/// # }
/// ```
#[derive(Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an annotation of kustomize, and they are independent"
)]
pub struct Resource {
    /// The object, and where the values of its fields come from, when the build keeps that.
    tree: Tree,
    /// Earlier identities, oldest first.
    pub previous: Vec<PreviousId>,
    /// Prefixes added so far, in the order added.
    pub prefixes: Vec<String>,
    /// Suffixes added so far, in the order added (the content hash is not one of them).
    pub suffixes: Vec<String>,
    /// What its generator said about an existing one.
    pub behavior: Behavior,
    /// Whether the content hash is to be appended to the name.
    pub needs_hash: bool,
    /// Whether a patch may change the name (`options.allowNameChange`).
    pub allow_name_change: bool,
    /// Whether a patch may change the kind (`options.allowKindChange`).
    pub allow_kind_change: bool,
    /// Whether helm rendered it, so that it has the namespace that helm was given, and keeps it.
    pub helm_generated: bool,
    /// Whether values of it were decrypted: then all of them are hidden as those of a Secret are, whatever its kind.
    pub is_decrypted: bool,
    /// Current ids of resources that refer to this one, found by the name reference pass.
    pub ref_by: Vec<ResId>,
    /// Names of the variables used in this resource.
    pub ref_vars: Vec<String>,
    /// Which part of an assembled bundle it belongs to.
    pub owner: Option<u32>,
    /// Where it came from, for `buildMetadata: [originAnnotations]`: the YAML text of the annotation's value.
    pub origin: Option<Origin>,
    /// What changed it, for `buildMetadata: [transformerAnnotations]`.
    pub transformations: Vec<Origin>,
}

/// Writes the objects of resources, in their order. The marks of errors are those of a build without histories.
///
/// # Errors
/// Those of `write`.
pub fn write_objects<T>(resources: &[Resource], write: impl Fn(&[&Node]) -> Result<T>) -> Result<T> {
    let nodes: Vec<&Node> = resources.iter().map(|resource| &resource.node).collect();
    write(&nodes).or_else(|errors| {
        if !resources.iter().any(|resource| resource.history().is_kept()) {
            return Err(errors);
        }
        let nodes: Vec<Cow<'_, Node>> = resources.iter().map(Resource::located_node).collect();
        write(&nodes.iter().map(|node| &**node).collect::<Vec<_>>())
    })
}

/// The objects of resources, in their order.
#[must_use]
pub fn objects(resources: &[Resource]) -> Vec<&Object> {
    resources.iter().map(|resource| &resource.tree.object).collect()
}

/// The objects of resources, in their order, with marks that errors can show.
#[must_use]
pub fn located_objects(resources: &[Resource]) -> Vec<Cow<'_, Object>> {
    let located =
        |resource: &Resource| Object::new(resource.located_node().into_owned(), resource.cluster_scoped);
    let one = |resource| {
        if Resource::history(resource).is_kept() {
            Cow::Owned(located(resource))
        } else {
            Cow::Borrowed(&resource.tree.object)
        }
    };
    resources.iter().map(one).collect()
}

impl Deref for Resource {
    type Target = Object;

    fn deref(&self) -> &Object {
        &self.tree.object
    }
}

impl Resource {
    /// A resource of a mapping node that has `kind` and `metadata.name` (the caller checked).
    #[must_use]
    pub fn new(node: Node, cluster_scoped: bool) -> Self {
        Self {
            tree: Tree::new(Object::new(node, cluster_scoped)),
            previous: Vec::new(),
            prefixes: Vec::new(),
            suffixes: Vec::new(),
            behavior: Behavior::Unspecified,
            needs_hash: false,
            allow_name_change: false,
            allow_kind_change: false,
            helm_generated: false,
            is_decrypted: false,
            ref_by: Vec::new(),
            ref_vars: Vec::new(),
            owner: None,
            origin: None,
            transformations: Vec::new(),
        }
    }

    /// The right to change the object, under a step.
    pub fn edit(&mut self, step: &dyn Cause) -> Editor<'_> {
        self.tree.edit(step)
    }

    /// Changes how the object is written, or the notes of the build in it, but nothing that it says: no history records that.
    /// A build does this once, in the end.
    ///
    /// # Errors
    /// Those of the change.
    pub(crate) fn respell(&mut self, change: impl FnOnce(&mut Node) -> Result<()>) -> Result<()> {
        self.tree.respell(change)
    }

    /// Where the values of its fields come from.
    #[must_use]
    pub fn history(&self) -> &History {
        self.tree.history()
    }

    /// Begins a history, of an object that `base` made. Only what makes a resource calls this: earlier changes are forgotten.
    pub(crate) fn keep_history(&mut self, base: Step) {
        self.tree.keep_history(base);
    }

    /// Sets what the next steps are a part of.
    pub(crate) fn enter_stage(&mut self, stage: Option<&Stage>) {
        self.tree.history_mut().enter_stage(stage);
    }

    /// Records the stage that added the resource.
    pub(crate) fn came_with(&mut self, stage: &Stage) {
        self.tree.history_mut().came_with(stage);
    }

    /// Scalars of the object that change together.
    pub(crate) fn shared(&self) -> &SharedScalars {
        &self.tree.shared
    }

    /// Scalars of the object that change together.
    pub(crate) fn shared_mut(&mut self) -> &mut SharedScalars {
        &mut self.tree.shared
    }

    /// The object alone.
    #[must_use]
    pub fn into_node(self) -> Node {
        self.tree.object.node
    }

    /// See [`Object::cluster_scoped`].
    pub fn set_cluster_scoped(&mut self, cluster_scoped: bool) {
        self.tree.object.cluster_scoped = cluster_scoped;
    }

    /// Where the object is, as errors show it.
    #[must_use]
    pub fn mark(&self) -> Mark {
        self.location(self.tree.object.node.mark)
    }

    /// Where a value of the object is, as errors show it: its mark, unless that leads to the history.
    #[must_use]
    pub fn location(&self, mark: Mark) -> Mark {
        self.history().location(mark)
    }

    /// Errors about the object with the places that their marks stand for.
    #[must_use]
    pub fn located<E: Locate>(&self, errors: E) -> E {
        errors.located(&|mark| self.location(mark))
    }

    /// The object with marks that errors can show.
    #[must_use]
    pub fn located_node(&self) -> Cow<'_, Node> {
        self.tree.located()
    }

    /// A value of the object, to be put into others.
    #[must_use]
    pub fn excerpt(&self, value: Node) -> Excerpt {
        Excerpt::new(value, self.history())
    }

    /// The identity it was read with (kustomize's `OrgId`).
    #[must_use]
    pub fn original_id(&self) -> ResId {
        self.previous.first().map_or_else(|| self.id(), |p| self.previous_id(p))
    }

    /// The kind it was read with.
    #[must_use]
    pub fn original_kind(&self) -> &str {
        self.previous.first().map_or_else(|| self.kind(), |p| &p.kind)
    }

    /// The namespace that counted when it was read.
    #[must_use]
    pub fn original_namespace(&self) -> &str {
        let namespace = self.previous.first().map_or_else(|| self.namespace(), |p| &p.namespace);
        effective_namespace(namespace, self.cluster_scoped)
    }

    /// Every earlier identity, oldest first (kustomize's `PrevIds`); the current one is not among them.
    pub fn previous_ids(&self) -> impl Iterator<Item = ResId> + '_ {
        self.previous.iter().map(|p| self.previous_id(p))
    }

    /// Its identities as replacements look at them, the current one first: with the namespace as it is written now, and
    /// with the namespace that counted for each earlier one, which kustomize notes down when the identity changes
    /// (`StorePreviousId`, `MakeResIds`).
    pub fn ids_for_replacements(&self) -> impl Iterator<Item = ResId> + '_ {
        let counted = |id: ResId| ResId { namespace: id.effective_namespace().to_owned(), ..id };
        std::iter::once(self.id()).chain(self.previous_ids().map(counted))
    }

    /// An earlier identity; group and version are the current ones, as in kustomize.
    fn previous_id(&self, previous: &PreviousId) -> ResId {
        ResId {
            gvk: Gvk { kind: previous.kind.to_string(), ..self.gvk() },
            name: previous.name.to_string(),
            namespace: previous.namespace.to_string(),
            cluster_scoped: self.cluster_scoped,
        }
    }

    /// Remembers the current identity as an earlier one; called before a transformer changes name, namespace or kind.
    pub fn remember_id(&mut self) {
        let now = PreviousId {
            kind: self.kind().into(),
            name: self.name().into(),
            namespace: self.namespace().into(),
        };
        self.previous.push(now);
    }
}
