//! One Kubernetes object with what the build remembers of it.

use super::origin::Origin;
use super::shared::SharedScalars;
use crate::provenance::Trail;
use crate::types::Behavior;
use compact_str::CompactString;
use kfc_kube::{Gvk, Object, ResId, effective_namespace};
use kfc_yaml::Node;
use std::ops::{Deref, DerefMut};

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

/// One Kubernetes object with what the build has to remember of it.
#[derive(Clone, Debug)]
pub struct Resource {
    /// The object itself, through which a resource is read.
    pub object: Object,
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
    /// Current ids of resources that refer to this one, found by the name reference pass.
    pub ref_by: Vec<ResId>,
    /// Names of the variables used in this resource.
    pub ref_vars: Vec<String>,
    /// Scalars of the node that change together.
    pub shared: SharedScalars,
    /// Which part of an assembled bundle it belongs to.
    pub owner: Option<u32>,
    /// Where it came from, for `buildMetadata: [originAnnotations]`: the YAML text of the annotation's value.
    pub origin: Option<Origin>,
    /// What changed it, for `buildMetadata: [transformerAnnotations]`.
    pub transformations: Vec<Origin>,
    /// Where the values of its fields come from, when the build keeps that.
    pub trail: Trail,
}

/// The objects of resources, in their order.
#[must_use]
pub fn objects(resources: &[Resource]) -> Vec<&Object> {
    resources.iter().map(|resource| &resource.object).collect()
}

impl Deref for Resource {
    type Target = Object;

    fn deref(&self) -> &Object {
        &self.object
    }
}

impl DerefMut for Resource {
    fn deref_mut(&mut self) -> &mut Object {
        &mut self.object
    }
}

impl Resource {
    /// A resource of a mapping node that has `kind` and `metadata.name` (the caller checked).
    #[must_use]
    pub fn new(node: Node, cluster_scoped: bool) -> Self {
        Self {
            object: Object::new(node, cluster_scoped),
            previous: Vec::new(),
            prefixes: Vec::new(),
            suffixes: Vec::new(),
            behavior: Behavior::Unspecified,
            needs_hash: false,
            allow_name_change: false,
            allow_kind_change: false,
            ref_by: Vec::new(),
            ref_vars: Vec::new(),
            shared: SharedScalars::default(),
            owner: None,
            origin: None,
            transformations: Vec::new(),
            trail: Trail::default(),
        }
    }

    /// Runs a change of a resource that touches nothing but the field at a path, and keeps what it changed there.
    pub fn watch<T>(&mut self, path: &[&str], change: impl FnOnce(&mut Self) -> T) -> T {
        if !self.trail.is_kept() {
            return change(self);
        }
        let before = self.node.at(path).cloned();
        let result = change(self);
        let after = path.iter().try_fold(&mut self.object.node, |node, key| node.get_mut(key));
        match (before, after) {
            (None, Some(after)) => self.trail.created(after),
            (before, Some(after)) => self.trail.compare(before, after),
            (_, None) => {}
        }
        result
    }

    /// The identity it was read with (kustomize's OrgId).
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

    /// Every earlier identity, oldest first (kustomize's PrevIds); the current one is not among them.
    pub fn previous_ids(&self) -> impl Iterator<Item = ResId> + '_ {
        self.previous.iter().map(|p| self.previous_id(p))
    }

    /// An earlier identity; group and version are the current ones, as in kustomize.
    /// Its identities as replacements look at them, the current one first: with the namespace as it is written now, and
    /// with the namespace that counted for each earlier one, which kustomize notes down when the identity changes
    /// (`StorePreviousId`, `MakeResIds`).
    pub fn ids_for_replacements(&self) -> impl Iterator<Item = ResId> + '_ {
        let counted = |id: ResId| ResId { namespace: id.effective_namespace().to_owned(), ..id };
        std::iter::once(self.id()).chain(self.previous_ids().map(counted))
    }

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

    /// After a change of a shared scalar, gives the others that share it the same value.
    pub fn update_shared(&mut self) {
        self.shared.update(&mut self.object.node);
    }
}
