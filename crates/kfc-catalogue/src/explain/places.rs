//! Locations as `file:line:column`, for many marks: the lines of a text are counted once.

use kfc_diagnostics::Numbers;
use kfc_diagnostics::{Mark, Position, Source, SourceId, Sources};
use std::collections::HashMap;
use std::sync::Arc;

/// Finds locations in the sources of a run.
pub struct Places<'s> {
    sources: &'s Sources,
    known: HashMap<SourceId, Option<Lines>>,
    /// The numbers of redacted values so far.
    pub(super) hidden: Numbers,
}

/// A text with the offset of each line.
struct Lines {
    source: Arc<Source>,
    starts: Vec<usize>,
}

impl<'s> Places<'s> {
    /// Locations in these sources.
    #[must_use]
    pub fn new(sources: &'s Sources) -> Self {
        Self { sources, known: HashMap::new(), hidden: Numbers::default() }
    }

    /// The name of a mark's text and the position in it; `None` for values that no text holds.
    pub fn position(&mut self, mark: impl Into<Option<Mark>>) -> Option<(String, Position)> {
        let mark = mark.into()?;
        let sources = self.sources;
        let known = self.known.entry(mark.source).or_insert_with(|| {
            let source = sources.get(mark.source)?;
            let starts =
                std::iter::once(0).chain(memchr::memchr_iter(b'\n', source.text.as_bytes()).map(|at| at + 1));
            let starts = starts.collect();
            Some(Lines { source, starts })
        });
        let Lines { source, starts } = known.as_ref()?;
        let offset = (mark.offset as usize).min(source.text.len());
        let line = starts.partition_point(|start| *start <= offset).max(1);
        let before = source.text.get(starts[line - 1]..offset).unwrap_or("");
        let add = |count: usize, shift: u32| u32::try_from(count).unwrap_or(u32::MAX).saturating_add(shift);
        let position = Position {
            line: add(line, source.shift.lines),
            column: add(before.chars().count() + 1, source.shift.columns),
        };
        Some((source.name.clone(), position))
    }

    /// `file:line:column`; a dash for values that no text holds.
    pub fn full(&mut self, mark: impl Into<Option<Mark>>) -> String {
        self.position(mark)
            .map_or_else(|| "-".to_owned(), |(name, at)| format!("{name}:{}:{}", at.line, at.column))
    }

    /// `file:line`; a dash for values that no text holds.
    pub fn short(&mut self, mark: impl Into<Option<Mark>>) -> String {
        self.position(mark).map_or_else(|| "-".to_owned(), |(name, at)| format!("{name}:{}", at.line))
    }
}

#[cfg(test)]
mod tests {
    use super::Places;
    use kfc_diagnostics::{Mark, Sources};

    #[test]
    fn places_are_those_that_errors_show() {
        let sources = Sources::default();
        let text = "a: ä\n\nb:\n  - c\n";
        let (id, _) = sources.add("f.yaml", text);
        let mut places = Places::new(&sources);
        for offset in 0..=20 {
            let mark = Mark { source: id, offset };
            if text.is_char_boundary((offset as usize).min(text.len())) {
                assert_eq!(Some(places.full(mark)), sources.locate(mark), "{offset}");
            }
        }
        assert_eq!(places.full(None), "-");
    }
}
