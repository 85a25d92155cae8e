//! Ordered sets of resources.

use super::selector::CompiledSelector;
use super::single::Resource;
use crate::provenance::Cause;
use crate::types::Behavior;
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Result};
use kfc_kube::{Object, effective_namespace};
use kfc_yaml::{Entry, Key, Map, Node, ScalarKind, Spanned};
use rustc_hash::FxHashMap;

/// Resources in the order in which they were accumulated. The current identities are unique when resources are added
/// through [`ResourceSet::append`] and [`ResourceSet::absorb`]; transformers see to it themselves.
#[derive(Clone, Debug, Default)]
pub struct ResourceSet {
    /// The resources.
    pub list: Vec<Resource>,
    /// Resources that were removed, when origins are kept.
    pub gone: Vec<Resource>,
}

/// One pass of a transformer over resources, with the step that it is.
pub struct Pass<'s> {
    /// The resources.
    pub set: &'s mut ResourceSet,
    /// The step of every change.
    pub step: &'s dyn Cause,
    /// Resources that a transformer of names or namespaces leaves alone.
    pub exempt: &'s [CompiledSelector],
}

impl<'s> Pass<'s> {
    /// The same pass, which leaves the selected resources alone.
    #[must_use]
    pub fn except(self, exempt: &'s [CompiledSelector]) -> Self {
        Self { exempt, ..self }
    }

    /// The same pass, for one of several parts of a transformer.
    pub fn again(&mut self) -> Pass<'_> {
        Pass { set: &mut *self.set, step: self.step, exempt: self.exempt }
    }
}

/// The current identity of a resource, borrowed, as kustomize compares it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct IdRef<'a> {
    /// `apiVersion`.
    pub api_version: &'a str,
    /// Kind.
    pub kind: &'a str,
    /// Name.
    pub name: &'a str,
    /// The namespace that counts; see [`kfc_kube::ResId::effective_namespace`].
    pub namespace: &'a str,
}

impl<'a> IdRef<'a> {
    /// The identity that a resource has now.
    #[must_use]
    pub fn of(resource: &'a Resource) -> Self {
        let namespace = effective_namespace(resource.namespace(), resource.cluster_scoped);
        Self { api_version: resource.api_version(), kind: resource.kind(), name: resource.name(), namespace }
    }
}

impl ResourceSet {
    /// A set of these resources, whose identities the caller knows to be unique.
    #[must_use]
    pub fn new(list: Vec<Resource>) -> Self {
        Self { list, gone: Vec::new() }
    }

    /// The set as a transformer works on it, under a step.
    pub fn pass<'s>(&'s mut self, step: &'s dyn Cause) -> Pass<'s> {
        Pass { set: self, step, exempt: &[] }
    }

    /// Takes out the resources for which `keep` does not hold.
    pub fn retain(&mut self, mut keep: impl FnMut(&Resource) -> bool) {
        if !self.list.iter().any(|resource| resource.history().is_kept()) {
            self.list.retain(keep);
            return;
        }
        let (kept, gone) = std::mem::take(&mut self.list).into_iter().partition(|resource| keep(resource));
        self.list = kept;
        self.gone.extend::<Vec<Resource>>(gone);
    }

    /// Adds resources after the ones that are there.
    ///
    /// # Errors
    /// [`Code::DuplicateId`] for each resource whose current identity already exists.
    pub fn append(&mut self, more: Vec<Resource>) -> Result<()> {
        let first_new = self.list.len();
        self.list.extend(more);
        self.check_unique(first_new)
    }

    /// Refuses duplicate identities, where the second resource is at `first_new` or after it.
    ///
    /// # Errors
    /// [`Code::DuplicateId`] for each of them, with both places.
    pub fn check_unique(&self, first_new: usize) -> Result<()> {
        self.check_unique_listed(first_new, &|_| None)
    }

    /// As [`Self::check_unique`]; `listed` tells the entry of a list that the resource at a position is from.
    ///
    /// # Errors
    /// [`Code::DuplicateId`] for each of them, with both resources and both entries.
    pub fn check_unique_listed<'l>(
        &self,
        first_new: usize,
        listed: &dyn Fn(usize) -> Option<&'l Spanned<String>>,
    ) -> Result<()> {
        let mut seen: FxHashMap<IdRef<'_>, usize> = FxHashMap::default();
        seen.reserve(self.list.len());
        let mut errors = Diagnostics::default();
        // Those without a name of their own never meet in a cluster.
        for (index, resource) in self.list.iter().enumerate().filter(|(_, resource)| resource.is_named()) {
            match seen.entry(IdRef::of(resource)) {
                std::collections::hash_map::Entry::Vacant(slot) => {
                    slot.insert(index);
                }
                std::collections::hash_map::Entry::Occupied(slot) if index >= first_new => {
                    let first = *slot.get();
                    let entries = (listed(first), listed(index));
                    errors.push(duplicate(&self.list[first], resource, entries));
                }
                std::collections::hash_map::Entry::Occupied(_) => {}
            }
        }
        errors.into_result(())
    }

    /// Takes in what generators made: appended, or replacing or merged into the resource that has the same identity now
    /// or had it before, as each one's behaviour says.
    ///
    /// # Errors
    /// [`Code::Generator`] when the behaviour does not fit what is there.
    pub fn absorb(&mut self, generated: Vec<Resource>) -> Result<()> {
        let mut by_name = NameIndex::of(&self.list);
        let mut errors = Diagnostics::default();
        for new in generated {
            let matches = by_name.matching(&self.list, &new);
            match (matches.as_slice(), new.behavior) {
                ([], Behavior::Merge | Behavior::Replace) => errors.push(nothing_to_change(&new, &self.list)),
                ([], _) => {
                    by_name.add(new.name(), self.list.len());
                    self.list.push(new);
                }
                (&[at], Behavior::Merge | Behavior::Replace) => combine(&mut self.list[at], new),
                (&[at], _) => errors.push(already_exists(&self.list[at], &new)),
                (several, _) => errors.push(several_match(&new, &self.list, several)),
            }
        }
        errors.into_result(())
    }
}

/// Positions of resources by every name they have or had.
struct NameIndex {
    positions: FxHashMap<String, Vec<usize>>,
}

impl NameIndex {
    fn of(list: &[Resource]) -> Self {
        let mut index = Self { positions: FxHashMap::default() };
        for (at, resource) in list.iter().enumerate() {
            index.add(resource.name(), at);
            for previous in &resource.previous {
                index.add(&previous.name, at);
            }
        }
        index
    }

    fn add(&mut self, name: &str, at: usize) {
        let positions = self.positions.entry(name.to_owned()).or_default();
        if positions.last() != Some(&at) {
            positions.push(at);
        }
    }

    /// Positions of resources that have or had the identity of `new`, each once.
    fn matching(&self, list: &[Resource], new: &Resource) -> Vec<usize> {
        let id = new.id();
        let Some(positions) = self.positions.get(new.name()) else { return Vec::new() };
        let mut found: Vec<usize> = positions
            .iter()
            .copied()
            .filter(|&at| list[at].id().same(&id) || list[at].previous_ids().any(|p| p.same(&id)))
            .collect();
        found.dedup();
        found
    }
}

fn already_exists(old: &Resource, new: &Resource) -> Diagnostic {
    let message = format!("{} `{}` already exists", new.kind(), new.name());
    let error = Diagnostic::error(Code::Generator, message).at(new.mark()).label(old.mark(), "it is here");
    error.help("set `behavior: merge` or `behavior: replace`")
}

/// Replaces a resource by a generated one, which takes over its identity, labels and annotations (its own win) and, to merge,
/// its data.
fn combine(old: &mut Resource, mut new: Resource) {
    let step = new.history().base().cloned().unwrap_or_default();
    let merges = new.behavior == Behavior::Merge;
    if !merges {
        old.origin = new.origin.take();
    }
    if !new.transformations.is_empty() {
        old.transformations = std::mem::take(&mut new.transformations);
    }
    old.needs_hash &= new.needs_hash;
    old.is_decrypted |= new.is_decrypted;
    let node = combined(old, new.into_node(), merges);
    old.edit(&step).replace(node);
}

/// The tree that replaces the one of `old`.
fn combined(old: &Resource, new: Node, merges: bool) -> Node {
    let mut new = Object::new(new, old.cluster_scoped);
    merge_text_map(&mut new.node, old, &["metadata", "labels"]);
    merge_text_map(&mut new.node, old, &["metadata", "annotations"]);
    if merges {
        for field in ["data", "binaryData"] {
            merge_text_map(&mut new.node, old, &[field]);
            // kustomize sets the joined mapping again, and none where it is empty.
            let is_empty = new.node.get(field).and_then(Node::as_map).is_some_and(Map::is_empty);
            if let Some(map) = new.node.as_map_mut().filter(|_| is_empty) {
                drop(map.remove(field));
            }
        }
    }
    new.set_name(old.name());
    match old.namespace() {
        "" => drop(new.metadata_mut().and_then(|metadata| metadata.remove("namespace"))),
        namespace => new.set_namespace(namespace),
    }
    new.node
}

/// Fills the mapping at `path` of `new` with the entries of `old` that it lacks. kustomize reads both as maps of strings,
/// so numbers and booleans of the old one become strings.
fn merge_text_map(new: &mut Node, old: &Resource, path: &[&str]) {
    let Some(from) = old.node.at(path).and_then(Node::as_map).filter(|m| !m.is_empty()) else { return };
    let mark = new.mark;
    let mut node = new;
    for key in path {
        if node.as_map().is_none_or(|m| m.get(key).is_none_or(|n| n.as_map().is_none())) {
            let Some(map) = node.as_map_mut() else { return };
            map.set(key, Node::map(Map::new(), mark));
        }
        let Some(child) = node.get_mut(key) else { return };
        node = child;
    }
    let Some(into) = node.as_map_mut() else { return };
    for entry in from.iter().filter(|e| !into.contains(&e.key.text)).cloned().collect::<Vec<_>>() {
        into.push(as_text_entry(entry));
    }
}

fn as_text_entry(entry: Entry) -> Entry {
    let mark = entry.value.mark;
    let value = match entry.value.as_scalar() {
        Some(scalar) if scalar.kind == ScalarKind::Null => Node::string("", mark),
        Some(scalar) => Node::string(&scalar.text, mark),
        None => entry.value,
    };
    Entry { key: Key::new(&entry.key.text, entry.key.mark), value }
}

fn duplicate(
    first: &Resource,
    resource: &Resource,
    entries: (Option<&Spanned<String>>, Option<&Spanned<String>>),
) -> Diagnostic {
    let namespace = match resource.namespace() {
        "" => String::new(),
        namespace => format!(" in namespace `{namespace}`"),
    };
    let message = format!("{} `{}`{namespace} is defined more than once", resource.kind(), resource.name());
    let error = Diagnostic::error(Code::DuplicateId, message);
    let help = "remove one of them, or change the first with a patch instead of listing it again";
    let error = match entries {
        (Some(one), Some(other)) if one.value == other.value => error
            .at(other.mark)
            .label(one.mark, "it is listed here, too")
            .label(resource.mark().known(), "this is the resource"),
        (Some(one), Some(other)) if one.mark != other.mark => error
            .at(resource.mark())
            .label(first.mark().known(), "the first one is here")
            .label(one.mark, "this entry has the first one")
            .label(other.mark, "this entry has it again"),
        _ => error.at(resource.mark()).label(first.mark().known(), "the first one is here"),
    };
    error.help(help)
}

fn nothing_to_change(new: &Resource, list: &[Resource]) -> Diagnostic {
    let verb = if new.behavior == Behavior::Merge { "merge into" } else { "replace" };
    let error =
        Diagnostic::error(Code::Generator, format!("there is no {} `{}` to {verb}", new.kind(), new.name()))
            .at(new.mark())
            .help("use `behavior: create`, or list the base that has it under `resources`");
    match list.iter().find(|r| r.kind() == new.kind() && r.name() == new.name()) {
        Some(near) => error.label(near.mark(), "this one is in another namespace"),
        None => error,
    }
}

fn several_match(new: &Resource, list: &[Resource], positions: &[usize]) -> Diagnostic {
    let error = Diagnostic::error(
        Code::Ambiguous,
        format!("{} resources match the generated {} `{}`", positions.len(), new.kind(), new.name()),
    )
    .at(new.mark());
    positions.iter().fold(error, |error, &at| error.label(list[at].mark(), "this is one of them"))
}
