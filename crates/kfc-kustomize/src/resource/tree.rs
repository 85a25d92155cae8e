//! The tree of a resource with its history: one value, so that nothing changes the tree unknown to the history.

use super::field::Field;
use super::shared::SharedScalars;
use crate::provenance::{Cause, History, Log, Step};
use kfc_diagnostics::{Diagnostic, Diagnostics, Mark};
use kfc_kube::Object;
use kfc_yaml::{Node, Value};
use std::borrow::Cow;
use std::convert::Infallible;
use std::ops::{Deref, DerefMut};

/// An object with what belongs to its tree.
#[derive(Clone, Debug)]
pub(super) struct Tree {
    pub(super) object: Object,
    pub(super) shared: SharedScalars,
    history: History,
}

impl Tree {
    pub(super) fn new(object: Object) -> Self {
        Self { object, shared: SharedScalars::default(), history: History::default() }
    }

    pub(super) fn history(&self) -> &History {
        &self.history
    }

    pub(super) fn history_mut(&mut self) -> &mut History {
        &mut self.history
    }

    /// Begins a history, of an object that `base` made.
    pub(super) fn keep_history(&mut self, base: Step) {
        self.history = History::kept(base);
    }

    pub(super) fn edit(&mut self, step: &dyn Cause) -> Editor<'_> {
        let Self { object, shared, history } = self;
        let mut log = history.log();
        if let Some(log) = &mut log {
            log.enter(step.step());
        }
        Editor { object, shared, log }
    }

    /// See [`Resource::respell`](super::Resource::respell).
    pub(super) fn respell<T, E: Locate>(
        &mut self,
        change: impl FnOnce(&mut Node) -> Result<T, E>,
    ) -> Result<T, E> {
        let result = change(&mut self.object.node);
        result.map_err(|errors| errors.located(&|mark| self.history.location(mark)))
    }

    /// The tree with the locations of a build without histories.
    pub(super) fn located(&self) -> Cow<'_, Node> {
        let mut node = Cow::Borrowed(&self.object.node);
        if self.history.is_kept() {
            each_mark(node.to_mut(), &mut |mark| *mark = self.history.location(*mark));
        }
        node
    }
}

/// Calls `change` on the marks of a tree, those of keys too.
fn each_mark(node: &mut Node, change: &mut dyn FnMut(&mut Mark)) {
    change(&mut node.mark);
    match &mut node.value {
        Value::Map(map) => {
            for entry in map.iter_mut() {
                change(&mut entry.key.mark);
                each_mark(&mut entry.value, change);
            }
        }
        Value::Seq(items) => items.iter_mut().for_each(|item| each_mark(item, change)),
        Value::Scalar(_) => {}
    }
}

/// The right to change the tree of a resource, under one step. All changes of trees go through it: the history, where one is
/// kept, records what the step changed.
#[derive(Debug)]
pub struct Editor<'r> {
    object: &'r mut Object,
    shared: &'r mut SharedScalars,
    log: Option<&'r mut Log>,
}

/// Reads the object.
impl Deref for Editor<'_> {
    type Target = Object;

    fn deref(&self) -> &Object {
        self.object
    }
}

impl Editor<'_> {
    /// Changes anything in the tree. A history compares the tree with a copy; [`Editor::walk`] is for changes of few fields.
    ///
    /// # Errors
    /// Those of the change, with locations in texts.
    pub fn change<T, E: Locate>(self, change: impl FnOnce(&mut Draft<'_>) -> Result<T, E>) -> Result<T, E> {
        let Self { object, shared, log } = self;
        let mut draft = Draft { object, shared, removed: false };
        let Some(log) = log else { return change(&mut draft) };
        let before = draft.object.node.clone();
        let result = change(&mut draft);
        if draft.removed {
            log.brought_in();
        } else {
            log.compare(before, &mut draft.object.node);
        }
        result.map_err(|errors| errors.located(&|mark| log.location(mark)))
    }

    /// Changes single fields. A history looks at the fields that change, and at no other.
    ///
    /// # Errors
    /// Those of the change, with locations in texts.
    pub fn walk<T, E: Locate>(self, visit: impl FnOnce(&mut Field<'_>) -> Result<T, E>) -> Result<T, E> {
        let Self { object, log, .. } = self;
        let Some(log) = log else { return visit(&mut Field::new(&mut object.node, None)) };
        let result = visit(&mut Field::new(&mut object.node, Some(&mut *log)));
        result.map_err(|errors| errors.located(&|mark| log.location(mark)))
    }

    /// Sets `metadata.name` to a string; the earlier identity is not remembered here.
    pub fn set_name(self, name: &str) {
        self.set_identity("name", name);
    }

    /// Sets `metadata.namespace` to a string; the earlier identity is not remembered here.
    pub fn set_namespace(self, namespace: &str) {
        self.set_identity("namespace", namespace);
    }

    fn set_identity(mut self, key: &str, value: &str) {
        let mark = self.object.node.mark;
        if let Some(mut metadata) = self.root().open_map("metadata", mark) {
            metadata.put(key, Node::string(value, mark));
        }
    }

    /// Sets an annotation to a string.
    pub fn set_annotation(&mut self, key: &str, value: &str) {
        let mark = self.object.node.mark;
        let mut root = self.root();
        let Some(mut metadata) = root.open_map("metadata", mark) else { return };
        if let Some(mut annotations) = metadata.open_map("annotations", mark) {
            annotations.put(key, Node::string(value, mark));
        }
    }

    fn root(&mut self) -> Field<'_> {
        Field::new(&mut self.object.node, self.log.as_deref_mut())
    }

    /// Replaces the tree; no scalars of the new one change together.
    pub fn replace(self, node: Node) {
        let Self { object, shared, log } = self;
        let before = std::mem::replace(&mut object.node, node);
        *shared = SharedScalars::default();
        if let Some(log) = log {
            log.compare(before, &mut object.node);
        }
    }

    /// After a change of a shared scalar, gives the others that share it the same value.
    pub fn update_shared(self) {
        let Self { object, shared, log } = self;
        let before = log.filter(|_| !shared.is_idle()).map(|log| (log, object.node.clone()));
        shared.update(&mut object.node);
        if let Some((log, before)) = before {
            log.compare(before, &mut object.node);
        }
    }

    /// A value of another resource as it may be put into this one: its fields have the provenance that they had there.
    #[must_use]
    pub fn adopt<'v>(&mut self, value: &'v Excerpt) -> Cow<'v, Node> {
        let mut node = Cow::Borrowed(&value.node);
        if let (Some(log), Some(places)) = (&mut self.log, &value.places) {
            let mut places = places.iter();
            each_mark(node.to_mut(), &mut |mark| {
                *mark = places.next().map_or(*mark, |place| log.moved(*place, *mark));
            });
        }
        node
    }
}

/// An object while a step changes it.
#[derive(Debug)]
pub struct Draft<'d> {
    object: &'d mut Object,
    /// Scalars of the object that change together.
    pub shared: &'d mut SharedScalars,
    removed: bool,
}

impl Deref for Draft<'_> {
    type Target = Object;

    fn deref(&self) -> &Object {
        self.object
    }
}

impl DerefMut for Draft<'_> {
    fn deref_mut(&mut self) -> &mut Object {
        self.object
    }
}

impl Draft<'_> {
    /// The step removes the whole object: what is left of its tree does not count.
    pub fn remove(&mut self) {
        self.removed = true;
    }

    /// After a change of a shared scalar, gives the others that share it the same value.
    pub fn update_shared(&mut self) {
        self.shared.update(&mut self.object.node);
    }
}

/// A copy of a value of a resource, to be put into others.
#[derive(Clone, Debug)]
pub struct Excerpt {
    node: Node,
    /// Where the values come from, by the order of marks in the node; none when the resource keeps no history.
    places: Option<Vec<Mark>>,
}

impl Excerpt {
    /// A value of a kustomization.
    #[must_use]
    pub fn written(node: Node) -> Self {
        Self { node, places: None }
    }

    pub(super) fn new(mut node: Node, history: &History) -> Self {
        let places = history.is_kept().then(|| {
            let mut places = Vec::new();
            each_mark(&mut node, &mut |mark| {
                places.push(Mark::stored(history.place(*mark)));
                *mark = history.location(*mark);
            });
            places
        });
        Self { node, places }
    }
}

impl Deref for Excerpt {
    type Target = Node;

    fn deref(&self) -> &Node {
        &self.node
    }
}

/// Errors whose marks are of a tree with a history.
pub trait Locate {
    /// The errors with the locations in texts that their marks stand for.
    #[must_use]
    fn located(self, location: &dyn Fn(Mark) -> Mark) -> Self;
}

impl Locate for Diagnostic {
    fn located(mut self, location: &dyn Fn(Mark) -> Mark) -> Self {
        self.mark = self.mark.map(location).and_then(Mark::known);
        self.labels.iter_mut().for_each(|label| label.mark = location(label.mark));
        self
    }
}

/// A change that cannot fail.
impl Locate for Infallible {
    fn located(self, _: &dyn Fn(Mark) -> Mark) -> Self {
        self
    }
}

impl Locate for Diagnostics {
    fn located(self, location: &dyn Fn(Mark) -> Mark) -> Self {
        Self(self.0.into_iter().map(|error| error.located(location)).collect())
    }
}
