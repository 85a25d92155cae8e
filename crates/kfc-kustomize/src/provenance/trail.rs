//! The changes of one resource.

use super::{Overlay, Step, StepKind, Writes};
use crate::types::TransformerConfig;
use kfc_diagnostics::{Mark, SourceId};
use kfc_yaml::fields::Spanned;
use kfc_yaml::{Node, Value};
use std::sync::Arc;

/// The source of marks that point at a change in a [`Trail`]: their offset is its number.
const CHANGES: SourceId = SourceId(u32::MAX - 1);

/// The history of one resource; empty and without cost unless origins are kept.
#[derive(Clone, Debug, Default)]
pub struct Trail(Option<Box<Log>>);

/// A change of one field.
#[derive(Clone, Debug)]
struct Change {
    step: Step,
    place: Mark,
    /// What the field's mark was; [`Mark::NONE`] when there was no field.
    earlier: Mark,
    /// The value before; none when there was no field.
    before: Option<Node>,
}

/// A field that a step removed.
#[derive(Clone, Debug)]
pub struct Removal {
    /// The mark of the mapping or list that had it.
    parent: Mark,
    /// Its key, or its place in the list.
    pub key: String,
    /// The step that removed it.
    pub step: Step,
    /// Its value.
    pub before: Node,
}

#[derive(Clone, Debug)]
pub(super) struct Log {
    /// The step that added the resource.
    base: Step,
    /// The step that changes come from now.
    pub(super) step: Step,
    overlay: Option<Arc<Overlay>>,
    /// The step that added the values of each text.
    texts: Vec<(SourceId, Step)>,
    changes: Vec<Change>,
    removals: Vec<Removal>,
}

/// One step in the history of a field.
#[derive(Clone, Copy, Debug)]
pub struct Link<'t> {
    /// The step.
    pub step: &'t Step,
    /// Location of the new value.
    pub place: Mark,
    /// The value before; none for the first step of a field.
    pub before: Option<&'t Node>,
}

/// The step that set the value of a field last.
#[derive(Clone, Copy, Debug)]
pub struct Last<'t> {
    /// The step.
    pub step: &'t Step,
    /// Location of the new value.
    pub place: Mark,
}

/// An entry of a file that asks for a change.
#[derive(Clone, Debug)]
pub struct Declared {
    /// The step that it asks for.
    pub step: Step,
    /// What it is, in a few words: "newTag v2 for nginx".
    pub text: String,
}

/// What a build keeps in addition to its resources when it keeps origins.
#[derive(Clone, Debug, Default)]
pub struct Origins {
    /// Everything that asked for a change, in the order of the steps.
    pub declared: Vec<Declared>,
    /// The files of `configurations`.
    pub configurations: Vec<Configuration>,
}

impl Origins {
    /// Adds those of another root.
    pub fn take(&mut self, other: Self) {
        self.declared.extend(other.declared);
        self.configurations.extend(other.configurations);
    }
}

/// A file of `configurations`.
#[derive(Clone, Debug)]
pub struct Configuration {
    /// The entry that names it.
    pub path: Spanned,
    /// The field specs in it.
    pub config: TransformerConfig,
}

impl Declared {
    /// An overlay that is selected.
    #[must_use]
    pub fn overlay(overlay: &Arc<Overlay>) -> Self {
        let step = Step { overlay: Some(Arc::clone(overlay)), ..Step::new(StepKind::Overlay, overlay.place) };
        Self { step, text: overlay.name.clone() }
    }
}

impl Trail {
    /// A history that is kept, of a resource that `base` added.
    #[must_use]
    pub fn kept(base: Step) -> Self {
        let log = Log {
            step: base.clone(),
            base,
            overlay: None,
            texts: Vec::new(),
            changes: Vec::new(),
            removals: Vec::new(),
        };
        Self(Some(Box::new(log)))
    }

    /// Whether changes are kept.
    #[must_use]
    pub fn is_kept(&self) -> bool {
        self.0.is_some()
    }

    /// The step that changes come from now.
    #[must_use]
    pub fn step(&self) -> Option<Step> {
        self.0.as_ref().map(|log| log.step.clone())
    }

    /// Sets the step that later changes come from.
    pub fn enter(&mut self, step: impl FnOnce() -> Step) {
        if let Some(log) = &mut self.0 {
            log.step = Step { overlay: log.overlay.clone(), ..step() };
        }
    }

    /// Sets the content hash as the next step: the entry of the resource asks for it.
    pub fn enter_hash(&mut self) {
        if let Some(log) = &mut self.0 {
            log.step = Step::new(StepKind::Hash, log.base.entry);
        }
    }

    /// Sets the overlay that the next steps belong to.
    pub fn enter_overlay(&mut self, overlay: Option<&Arc<Overlay>>) {
        if let Some(log) = &mut self.0 {
            log.overlay = overlay.cloned();
        }
    }

    /// Records the overlay that added the resource.
    pub fn came_with(&mut self, overlay: &Arc<Overlay>) {
        if let Some(log) = &mut self.0 {
            log.base.overlay = Some(Arc::clone(overlay));
        }
    }

    /// Runs a change of a node and keeps what it changed.
    pub fn watch<T>(&mut self, node: &mut Node, change: impl FnOnce(&mut Node) -> T) -> T {
        let before = self.0.is_some().then(|| node.clone());
        let result = change(node);
        self.compare(before, node);
        result
    }

    /// A copy of a node that is about to change, for [`Trail::compare`]; none when nothing is kept.
    #[must_use]
    pub fn copy_of(&self, node: &Node) -> Option<Node> {
        self.0.is_some().then(|| node.clone())
    }

    /// Keeps what a step changed in a node since the copy was made.
    pub fn compare(&mut self, before: Option<Node>, after: &mut Node) {
        if let (Some(log), Some(before)) = (&mut self.0, before) {
            log.compare(before, after);
        }
    }

    /// Marks a field that did not exist before.
    pub fn created(&mut self, node: &mut Node) {
        if let Some(log) = &mut self.0 {
            log.created(node);
        }
    }

    /// Records that the step removes the whole resource.
    pub fn removed_whole(&mut self) {
        if let Some(log) = &mut self.0 {
            log.brought_in();
        }
    }

    /// The step that set the field with this mark last; nothing when no history is kept.
    #[must_use]
    pub fn last(&self, mark: Mark) -> Option<Last<'_>> {
        let log = self.0.as_ref()?;
        Some(match log.change(mark) {
            Some(change) => Last { step: &change.step, place: change.place },
            None => log.start(mark),
        })
    }

    /// The line in a source that made the field with this mark what it is: the mark itself unless it points at a change.
    #[must_use]
    pub fn place(&self, mark: Mark) -> Mark {
        self.last(mark).map_or(mark, |last| last.place)
    }

    /// Every step that set the field with this mark, oldest first. Empty when no history is kept.
    #[must_use]
    pub fn chain(&self, mark: Mark) -> Vec<Link<'_>> {
        let Some(log) = &self.0 else { return Vec::new() };
        let mut links = Vec::new();
        let mut mark = mark;
        while let Some(change) = log.change(mark) {
            links.push(Link { step: &change.step, place: change.place, before: change.before.as_ref() });
            mark = change.earlier;
        }
        let is_made = links.last().is_some_and(|first| first.before.is_none());
        if mark != Mark::NONE && !is_made || links.is_empty() {
            let Last { step, place } = log.start(mark);
            links.push(Link { step, place, before: None });
        }
        links.reverse();
        links
    }

    /// Fields that were removed from the mapping or list with this mark.
    pub fn removals(&self, parent: Mark) -> impl Iterator<Item = &Removal> {
        let log = self.0.as_deref();
        let marks: Vec<Mark> = std::iter::successors(Some(parent), |mark| {
            log.and_then(|log| log.change(*mark)).map(|change| change.earlier)
        })
        .collect();
        let removals = log.map_or(&[][..], |log| &log.removals);
        removals.iter().filter(move |removal| marks.contains(&removal.parent))
    }

    /// Every step that changed something, the one that brought the resource in first; many times over.
    pub fn steps(&self) -> impl Iterator<Item = &Step> {
        self.0.iter().flat_map(|log| {
            let texts = log.texts.iter().map(|(_, step)| step);
            let changes = log.changes.iter().map(|change| &change.step);
            let removals = log.removals.iter().map(|removal| &removal.step);
            std::iter::once(&log.base).chain(texts).chain(changes).chain(removals)
        })
    }

    /// Replaces every mark of a tree that is to be copied into another resource by the place it stands for.
    pub fn forget_changes(&self, node: &mut Node) {
        if self.0.is_none() {
            return;
        }
        node.mark = self.place(node.mark);
        match &mut node.value {
            Value::Map(map) => {
                map.iter_mut().for_each(|entry| self.forget_changes(&mut entry.value));
            }
            Value::Seq(items) => items.iter_mut().for_each(|item| self.forget_changes(item)),
            Value::Scalar(_) => {}
        }
    }
}

impl Log {
    fn change(&self, mark: Mark) -> Option<&Change> {
        (mark.source == CHANGES).then(|| self.changes.get(mark.offset as usize)).flatten()
    }

    /// The step that added the value at a mark of a text.
    fn source_of(&self, mark: Mark) -> &Step {
        let brought = self.texts.iter().find(|(text, _)| *text == mark.source);
        brought.map_or(&self.base, |(_, step)| step)
    }

    /// How the value at a mark of a text, or without a mark, was added.
    fn start(&self, mark: Mark) -> Last<'_> {
        let step = self.source_of(mark);
        Last { step, place: if mark == Mark::NONE { step.place } else { mark } }
    }

    /// Keeps a change; returns the mark that leads to it.
    pub(super) fn keep(&mut self, place: Mark, earlier: Mark, before: Option<Node>) -> Mark {
        let offset = u32::try_from(self.changes.len()).unwrap_or(u32::MAX);
        self.changes.push(Change { step: self.step.clone(), place, earlier, before });
        Mark { source: CHANGES, offset }
    }

    pub(super) fn keep_removal(&mut self, parent: Mark, key: String, before: Node) {
        self.removals.push(Removal { parent, key, step: self.step.clone(), before });
    }

    /// Records that the step adds values of its text.
    pub(super) fn brought_in(&mut self) {
        let Writes::MarksOf(text) = self.step.writes else { return };
        if !self.texts.iter().any(|(known, _)| *known == text) {
            self.texts.push((text, self.step.clone()));
        }
    }
}

/// The step of all values in files of `resources`.
impl Default for Step {
    fn default() -> Self {
        Self::new(StepKind::Base, Mark::NONE)
    }
}
