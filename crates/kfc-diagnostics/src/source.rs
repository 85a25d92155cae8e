//! The texts of a run and places in them.

use crate::text::for_message;
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

/// Number of a text in [`Sources`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SourceId(pub u32);

impl SourceId {
    /// The source of values that no text holds: defaults, generated names.
    pub const NONE: Self = Self(u32::MAX);
}

/// A place: a byte offset in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Mark {
    /// The text.
    pub source: SourceId,
    /// The byte offset, from 0.
    pub offset: u32,
}

impl Mark {
    /// A place in the eight bytes that a node of a tree has for it, also when no text holds the value.
    #[must_use]
    pub fn stored(place: impl Into<Option<Self>>) -> Self {
        place.into().unwrap_or(Self { source: SourceId::NONE, offset: 0 })
    }

    /// The place that was [`Self::stored`], if a text holds the value.
    #[must_use]
    pub fn known(self) -> Option<Self> {
        (self.source != SourceId::NONE).then_some(self)
    }
}

/// A place as people count it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

/// A text with the name it is shown under.
#[derive(Debug)]
pub struct Source {
    /// The path for output, relative to the current directory when it is below it.
    pub name: String,
    /// The text.
    pub text: String,
    /// How far the text is below and right of the file's start: a document inside a block scalar of a kustomization
    /// keeps the file's own line and column numbers this way.
    pub shift: Shift,
    /// Where lines start, found when a position is asked for first.
    line_starts: OnceLock<Vec<u32>>,
}

/// Lines and columns to add to a position in a text that is part of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shift {
    /// Lines above the first one of the text.
    pub lines: u32,
    /// Columns left of every line of the text.
    pub columns: u32,
}

impl Source {
    /// Line and column of a byte offset; an offset past the end counts as the end.
    #[must_use]
    pub fn position(&self, offset: u32) -> Position {
        let mut end = (offset as usize).min(self.text.len());
        while !self.text.is_char_boundary(end) {
            end -= 1;
        }
        let starts = self.line_starts.get_or_init(|| self.find_line_starts());
        let line = starts.partition_point(|start| *start as usize <= end);
        let line_start = line.checked_sub(1).map_or(0, |at| starts[at] as usize);
        let column = self.text[line_start..end].chars().count() + 1;
        let add = |count: usize, shift: u32| u32::try_from(count).unwrap_or(u32::MAX).saturating_add(shift);
        Position { line: add(line, self.shift.lines), column: add(column, self.shift.columns) }
    }

    fn find_line_starts(&self) -> Vec<u32> {
        let behind_breaks = memchr::memchr_iter(b'\n', self.text.as_bytes()).map(|at| at + 1);
        std::iter::once(0).chain(behind_breaks).map(|at| u32::try_from(at).unwrap_or(u32::MAX)).collect()
    }
}

/// Every text read in a run. Shared between threads; texts are only ever added.
#[derive(Debug, Default)]
pub struct Sources {
    list: RwLock<Vec<Arc<Source>>>,
    /// What is known of the secrets in them.
    secrets: RwLock<Secrets>,
}

/// What the texts themselves do not say about the secrets in them.
#[derive(Debug, Default)]
struct Secrets {
    /// Patches by the kind that they are for.
    targets: HashMap<SourceId, Target>,
    /// Values that must not be shown.
    marks: HashSet<Mark>,
}

/// What a patch is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// Objects of one kind, which has no secrets.
    Open,
    /// Secrets, perhaps.
    Secret,
}

impl Sources {
    /// Adds a text and gives its number.
    pub fn add(&self, name: impl Into<String>, text: impl Into<String>) -> (SourceId, Arc<Source>) {
        self.insert(Source {
            name: name.into(),
            text: text.into(),
            shift: Shift::default(),
            line_starts: OnceLock::new(),
        })
    }

    /// Adds a text that is a string value at `parent`, so that places in it are shown as places in the file.
    pub fn add_inline(&self, parent: impl Into<Option<Mark>>, text: &str) -> (SourceId, Arc<Source>) {
        let outer = parent.into().and_then(|parent| Some((self.get(parent.source)?, parent.offset)));
        let (name, shift) = outer.map_or_else(
            || ("inline".to_owned(), Shift::default()),
            |(source, offset)| (source.name.clone(), inline_shift(&source, offset)),
        );
        self.insert(Source { name, text: text.to_owned(), shift, line_starts: OnceLock::new() })
    }

    fn insert(&self, mut source: Source) -> (SourceId, Arc<Source>) {
        // The name of a file or address may be as hostile as what is in it.
        if let Cow::Owned(name) = for_message(&source.name) {
            source.name = name;
        }
        let source = Arc::new(source);
        let mut list = self.list.write().unwrap_or_else(PoisonError::into_inner);
        list.push(Arc::clone(&source));
        let id = u32::try_from(list.len() - 1).unwrap_or(u32::MAX);
        (SourceId(id), source)
    }

    /// The numbers of all texts.
    pub fn ids(&self) -> impl Iterator<Item = SourceId> + use<> {
        let count = self.list.read().unwrap_or_else(PoisonError::into_inner).len();
        (0..u32::try_from(count).unwrap_or(u32::MAX)).map(SourceId)
    }

    /// Takes note of what the objects are that a text is a patch of.
    pub fn note_target(&self, id: SourceId, target: Target) {
        let mut secrets = self.secrets.write().unwrap_or_else(PoisonError::into_inner);
        let known = secrets.targets.entry(id).or_insert(target);
        // One file may patch several kinds.
        if target == Target::Secret {
            *known = target;
        }
    }

    /// What a text is a patch of, if that is known.
    #[must_use]
    pub fn target(&self, id: SourceId) -> Option<Target> {
        self.secrets.read().unwrap_or_else(PoisonError::into_inner).targets.get(&id).copied()
    }

    /// Keeps what is at a place, and below it, out of every line that is shown.
    pub fn hide(&self, mark: Mark) {
        self.secrets.write().unwrap_or_else(PoisonError::into_inner).marks.insert(mark);
    }

    /// Offsets of the values of a text that must not be shown.
    #[must_use]
    pub fn hidden_in(&self, id: SourceId) -> HashSet<u32> {
        let secrets = self.secrets.read().unwrap_or_else(PoisonError::into_inner);
        secrets.marks.iter().filter(|mark| mark.source == id).map(|mark| mark.offset).collect()
    }

    /// The text with this number.
    #[must_use]
    pub fn get(&self, id: SourceId) -> Option<Arc<Source>> {
        self.list.read().unwrap_or_else(PoisonError::into_inner).get(id.0 as usize).map(Arc::clone)
    }

    /// `file:line:column` of a mark, if a text of the list holds it.
    #[must_use]
    pub fn locate(&self, mark: Mark) -> Option<String> {
        let source = self.get(mark.source)?;
        let Position { line, column } = source.position(mark.offset);
        Some(format!("{}:{line}:{column}", source.name))
    }
}

/// Where the first line of a string value is: after the header line for a block scalar, else at the value.
fn inline_shift(source: &Source, offset: u32) -> Shift {
    let at = source.position(offset);
    let rest = source.text.get(offset as usize..).unwrap_or("");
    if !rest.starts_with(['|', '>']) {
        return Shift { lines: at.line.saturating_sub(1), columns: at.column.saturating_sub(1) };
    }
    let first = rest.lines().skip(1).find(|line| !line.trim().is_empty()).unwrap_or("");
    let indent = first.len() - first.trim_start_matches(' ').len();
    Shift { lines: at.line, columns: u32::try_from(indent).unwrap_or(0).saturating_add(source.shift.columns) }
}

#[cfg(test)]
mod tests {
    use super::{Mark, Sources};

    #[test]
    fn places_in_block_scalars_are_places_in_the_file() {
        let sources = Sources::default();
        let text = "patches:\n- patch: |\n    kind: Foo\n    x: 1\n";
        let (file, _) = sources.add("kustomization.yaml", text);
        let (inline, _) = sources.add_inline(Mark { source: file, offset: 18 }, "kind: Foo\nx: 1\n");
        assert_eq!(
            sources.locate(Mark { source: inline, offset: 10 }).as_deref(),
            Some("kustomization.yaml:4:5")
        );
    }
}
