//! The changes of one resource.

use super::{Stage, Step, Writes};
use crate::types::TransformerConfig;
use kfc_diagnostics::{Mark, SourceId};
use kfc_yaml::{Node, Spanned};

/// The source of marks that point at a record of a [`History`]: their offset is its number.
const RECORDS: SourceId = SourceId(u32::MAX - 1);

/// The history of one resource; empty and without cost unless origins are kept.
#[derive(Clone, Debug, Default)]
pub struct History(Option<Box<Log>>);

/// What a mark of a tree with a history stands for.
#[derive(Clone, Debug)]
enum Record {
    /// A change of the value with this mark.
    Change(Change),
    /// The value has the provenance of another mark, but a build without histories has it at another location.
    Moved { of: Mark, location: Mark },
}

/// A change of one field.
#[derive(Clone, Debug)]
struct Change {
    step: Step,
    place: Option<Mark>,
    /// What the field's mark was, if there was a field with one.
    earlier: Option<Mark>,
    /// The mark that a build without histories has after the change.
    location: Mark,
    /// The value before; none when there was no field.
    before: Option<Node>,
}

/// A field that a step removed.
#[derive(Clone, Debug)]
#[non_exhaustive]
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

/// The records of a [`History`]. Only the editor of a tree writes them.
#[derive(Clone, Debug)]
pub(crate) struct Log {
    /// The step that added the resource.
    base: Step,
    /// The step that changes come from now.
    pub(super) step: Step,
    /// What the next steps are a part of.
    stage: Option<Stage>,
    /// The step that added the values of each text.
    texts: Vec<(SourceId, Step)>,
    records: Vec<Record>,
    removals: Vec<Removal>,
}

/// One step in the history of a field.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Link<'t> {
    /// The step.
    pub step: &'t Step,
    /// Location of the new value, if a text holds it.
    pub place: Option<Mark>,
    /// The value before; none for the first step of a field.
    pub before: Option<&'t Node>,
}

/// The step that set the value of a field last.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Last<'t> {
    /// The step.
    pub step: &'t Step,
    /// Location of the new value, if a text holds it.
    pub place: Option<Mark>,
}

/// An entry of a file that asks for a change.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Declared {
    /// The step that it asks for.
    pub step: Step,
    /// What it is, in a few words: "newTag v2 for nginx".
    pub text: String,
}

/// What a build keeps in addition to its resources when it keeps origins.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Origins {
    /// Everything that asked for a change, in the order of the steps.
    pub declared: Vec<Declared>,
    /// The files of `configurations`.
    pub configurations: Vec<Configuration>,
}

impl Declared {
    /// An entry that asks for a step, in a few words.
    #[must_use]
    pub fn new(step: Step, text: impl Into<String>) -> Self {
        Self { step, text: text.into() }
    }
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
#[non_exhaustive]
pub struct Configuration {
    /// The entry that names it.
    pub path: Spanned<String>,
    /// The field specs in it.
    pub config: TransformerConfig,
}

impl History {
    /// A history that is kept, of a resource that `base` added.
    pub(crate) fn kept(base: Step) -> Self {
        let log = Log {
            step: base.clone(),
            base,
            stage: None,
            texts: Vec::new(),
            records: Vec::new(),
            removals: Vec::new(),
        };
        Self(Some(Box::new(log)))
    }

    /// Whether changes are kept.
    #[must_use]
    pub fn is_kept(&self) -> bool {
        self.0.is_some()
    }

    /// The step that added the resource.
    #[must_use]
    pub fn base(&self) -> Option<&Step> {
        self.0.as_ref().map(|log| &log.base)
    }

    /// The records, when they are kept.
    pub(crate) fn log(&mut self) -> Option<&mut Log> {
        self.0.as_deref_mut()
    }

    /// Sets what the next steps are a part of.
    pub(crate) fn enter_stage(&mut self, stage: Option<&Stage>) {
        if let Some(log) = self.log() {
            log.stage = stage.cloned();
        }
    }

    /// Records the stage that added the resource.
    pub(crate) fn came_with(&mut self, stage: &Stage) {
        if let Some(log) = self.log() {
            log.base.stage = Some(stage.clone());
        }
    }

    /// The step that set the field with this mark last; nothing when no history is kept.
    #[must_use]
    pub fn last(&self, mark: Mark) -> Option<Last<'_>> {
        let log = self.0.as_ref()?;
        Some(match log.change(mark) {
            Some(change) => Last { step: &change.step, place: change.place },
            None => log.start(log.resolve(mark).known()),
        })
    }

    /// The line in a source that made the field with this mark what it is.
    #[must_use]
    pub fn place(&self, mark: Mark) -> Option<Mark> {
        self.last(mark).map_or(mark.known(), |last| last.place)
    }

    /// The place that a key with this mark comes from.
    #[must_use]
    pub fn place_of_key(&self, mark: Mark) -> Mark {
        self.0.as_ref().map_or(mark, |log| log.resolve(mark))
    }

    /// The location that a value of the tree has in a build without histories: that of errors.
    #[must_use]
    pub fn location(&self, mark: Mark) -> Mark {
        self.0.as_ref().map_or(mark, |log| log.location(mark))
    }

    /// Every step that set the field with this mark, oldest first. Empty when no history is kept.
    #[must_use]
    pub fn chain(&self, mark: Mark) -> Vec<Link<'_>> {
        let Some(log) = &self.0 else { return Vec::new() };
        let mut links = Vec::new();
        let mut mark = log.resolve(mark).known();
        while let Some(change) = mark.and_then(|mark| log.change(mark)) {
            links.push(Link { step: &change.step, place: change.place, before: change.before.as_ref() });
            mark = change.earlier;
        }
        let is_made = links.last().is_some_and(|first| first.before.is_none());
        if mark.is_some() && !is_made || links.is_empty() {
            let Last { step, place } = log.start(mark);
            links.push(Link { step, place, before: None });
        }
        links.reverse();
        links
    }

    /// Fields that were removed from the mapping or list with this mark.
    pub fn removals(&self, parent: Mark) -> impl Iterator<Item = &Removal> {
        let log = self.0.as_deref();
        let first = log.map_or(parent, |log| log.resolve(parent));
        let marks: Vec<Mark> = std::iter::successors(Some(first), |mark| {
            log.and_then(|log| log.change(*mark)).and_then(|change| change.earlier)
        })
        .collect();
        let removals = log.map_or(&[][..], |log| &log.removals);
        removals.iter().filter(move |removal| marks.contains(&removal.parent))
    }

    /// Every step that changed something, the one that brought the resource in first; many times over.
    pub fn steps(&self) -> impl Iterator<Item = &Step> {
        self.0.iter().flat_map(|log| {
            let texts = log.texts.iter().map(|(_, step)| step);
            let changes = log.records.iter().filter_map(|record| match record {
                Record::Change(change) => Some(&change.step),
                Record::Moved { .. } => None,
            });
            let removals = log.removals.iter().map(|removal| &removal.step);
            std::iter::once(&log.base).chain(texts).chain(changes).chain(removals)
        })
    }
}

impl Log {
    /// Begins a step: later changes come from it.
    pub(crate) fn enter(&mut self, step: &Step) {
        self.step = Step { stage: self.stage.clone(), ..step.clone() };
    }

    /// The mark that has the provenance of this one.
    pub(super) fn resolve(&self, mark: Mark) -> Mark {
        match self.record(mark) {
            Some(Record::Moved { of, .. }) => *of,
            _ => mark,
        }
    }

    /// See [`History::location`].
    pub(crate) fn location(&self, mark: Mark) -> Mark {
        match self.record(mark) {
            Some(Record::Moved { location, .. } | Record::Change(Change { location, .. })) => *location,
            None => mark,
        }
    }

    /// A mark with the provenance of `of` for a value that a build without histories has at `location`.
    pub(crate) fn moved(&mut self, of: Mark, location: Mark) -> Mark {
        let (of, location) = (self.resolve(of), self.location(location));
        if self.location(of) == location {
            return of;
        }
        self.record_mark(Record::Moved { of, location })
    }

    fn record(&self, mark: Mark) -> Option<&Record> {
        (mark.source == RECORDS).then(|| self.records.get(mark.offset as usize)).flatten()
    }

    fn record_mark(&mut self, record: Record) -> Mark {
        let offset = u32::try_from(self.records.len()).unwrap_or(u32::MAX);
        self.records.push(record);
        Mark { source: RECORDS, offset }
    }

    fn change(&self, mark: Mark) -> Option<&Change> {
        match self.record(self.resolve(mark)) {
            Some(Record::Change(change)) => Some(change),
            _ => None,
        }
    }

    /// The step that added the value at a mark of a text.
    fn source_of(&self, mark: Mark) -> &Step {
        let brought = self.texts.iter().find(|(text, _)| *text == mark.source);
        brought.map_or(&self.base, |(_, step)| step)
    }

    /// How the value at a mark of a text, or without a mark, was added.
    fn start(&self, mark: Option<Mark>) -> Last<'_> {
        let step = mark.map_or(&self.base, |mark| self.source_of(mark));
        Last { step, place: mark.or(step.place) }
    }

    /// Keeps a change of a field, whose mark was `earlier`, to a value with the mark `written`; returns the mark that leads
    /// to the change.
    pub(super) fn keep(
        &mut self,
        place: Option<Mark>,
        written: Mark,
        earlier: Option<Mark>,
        before: Option<Node>,
    ) -> Mark {
        let (earlier, location) = (earlier.map(|mark| self.resolve(mark)), self.location(written));
        self.record_mark(Record::Change(Change { step: self.step.clone(), place, earlier, location, before }))
    }

    pub(super) fn keep_removal(&mut self, parent: Mark, key: String, before: Node) {
        let parent = self.resolve(parent);
        self.removals.push(Removal { parent, key, step: self.step.clone(), before });
    }

    /// Records that the step adds values of its text.
    pub(crate) fn brought_in(&mut self) {
        let Writes::MarksOf(text) = self.step.writes else { return };
        if !self.texts.iter().any(|(known, _)| *known == text) {
            self.texts.push((text, self.step.clone()));
        }
    }
}
