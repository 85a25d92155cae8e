//! Finds what a step changed, by comparing a tree with its earlier copy.
//!
//! A node that a step leaves alone keeps its mark, wherever it is moved to, so items of lists are distinguished by their
//! marks. A value that replaces an equal one does not count: the field keeps its earlier origin.

use super::Writes;
use super::history::Log;
use kfc_diagnostics::Mark;
use kfc_yaml::{Entry, Map, Node, Value};
use rustc_hash::{FxHashMap, FxHashSet};

/// Mappings and lists of this many children are indexed.
const LARGE: usize = 24;

impl Log {
    /// Keeps what a step changed in a node, of which `before` is an earlier copy.
    pub(crate) fn compare(&mut self, before: Node, after: &mut Node) {
        let mark = before.mark;
        match (before.value, &mut after.value) {
            (Value::Map(old), Value::Map(new)) => {
                self.compare_maps(old, new, mark);
                after.mark = self.moved(mark, after.mark);
            }
            (Value::Seq(old), Value::Seq(new)) => {
                if self.are_in_place(&old, new) {
                    for (old, new) in old.into_iter().zip(new) {
                        self.compare(old, new);
                    }
                    after.mark = self.moved(mark, after.mark);
                } else if self.keeps_items(&old, new) {
                    self.compare_items(old, new, mark);
                    after.mark = self.moved(mark, after.mark);
                } else if old == *new {
                    self.keep_provenance(&Node { value: Value::Seq(old), mark }, after);
                } else {
                    self.changed(Node { value: Value::Seq(old), mark }, after);
                }
            }
            (Value::Scalar(old), Value::Scalar(new)) if old == *new => {
                after.mark = self.moved(mark, after.mark);
            }
            (old, _) => self.changed(Node { value: old, mark }, after),
        }
    }

    /// Gives a tree the provenance of an equal one.
    fn keep_provenance(&mut self, old: &Node, new: &mut Node) {
        new.mark = self.moved(old.mark, new.mark);
        match (&old.value, &mut new.value) {
            (Value::Map(old), Value::Map(new)) => {
                for (at, entry) in new.iter_mut().enumerate() {
                    let same = old.iter().nth(at).filter(|before| before.key.text == entry.key.text);
                    let Some(before) = same.or_else(|| old.entry(&entry.key.text)) else { continue };
                    entry.key.mark = self.moved(before.key.mark, entry.key.mark);
                    self.keep_provenance(&before.value, &mut entry.value);
                }
            }
            (Value::Seq(old), Value::Seq(new)) => {
                old.iter().zip(new).for_each(|(old, new)| self.keep_provenance(old, new));
            }
            _ => {}
        }
    }

    /// Marks a node that is new.
    pub(crate) fn created(&mut self, node: &mut Node) {
        self.brought_in();
        let made = self.resolve(node.mark);
        let mark = self.keep(self.place_of(node.mark), node.mark, None, None);
        self.mark_made(node, made, mark);
    }

    /// Marks what was made together with a node: it has the mark of what it was made in, as the node has.
    fn mark_made(&mut self, node: &mut Node, made: Mark, mark: Mark) {
        if self.resolve(node.mark) != made {
            return;
        }
        node.mark = self.moved(mark, node.mark);
        match &mut node.value {
            Value::Map(map) => {
                map.iter_mut().for_each(|entry| self.mark_made(&mut entry.value, made, mark));
            }
            Value::Seq(items) => items.iter_mut().for_each(|item| self.mark_made(item, made, mark)),
            Value::Scalar(_) => {}
        }
    }

    /// The line that brought a value in: its own, unless a patch moved or copied it from elsewhere in the resource.
    fn place_of(&self, mark: Mark) -> Option<Mark> {
        let mark = self.resolve(mark);
        let is_written = match self.step.writes {
            Writes::NoMarks => false,
            Writes::MarksOf(text) => mark.source == text,
            Writes::AllMarks => true,
        };
        if is_written { mark.known() } else { self.step.place }
    }

    fn changed(&mut self, before: Node, after: &mut Node) {
        let place = self.place_of(after.mark);
        self.brought_in();
        after.mark = self.keep(place, after.mark, before.mark.known(), Some(before));
    }

    fn compare_maps(&mut self, old: Map, new: &mut Map, parent: Mark) {
        let mut old: Vec<Option<Entry>> = old.into_iter().map(Some).collect();
        let index: FxHashMap<String, usize> = if old.len() >= LARGE {
            let keys = old.iter().flatten().enumerate();
            keys.map(|(at, entry)| (entry.key.text.to_string(), at)).collect()
        } else {
            FxHashMap::default()
        };
        let position = |old: &[Option<Entry>], at: usize, key: &str| {
            let is_it = |entry: &Option<Entry>| entry.as_ref().is_some_and(|entry| entry.key.text == key);
            match old.get(at) {
                Some(entry) if is_it(entry) => Some(at),
                _ if old.len() >= LARGE => index.get(key).copied(),
                _ => old.iter().position(is_it),
            }
        };
        let place = self.step.place;
        let keys = self.step.keys.clone();
        for (at, entry) in new.iter_mut().enumerate() {
            let key = keys.iter().flat_map(|keys| keys.iter()).find(|(key, _)| entry.key.text == *key);
            self.step.place = key.map_or(place, |(_, mark)| Some(*mark));
            match position(&old, at, &entry.key.text).and_then(|at| old[at].take()) {
                Some(before) => self.compare(before.value, &mut entry.value),
                None => self.created(&mut entry.value),
            }
        }
        self.step.place = place;
        for gone in old.into_iter().flatten() {
            self.keep_removal(parent, gone.key.text.to_string(), gone.value);
        }
    }

    fn compare_items(&mut self, old: Vec<Node>, new: &mut [Node], parent: Mark) {
        let marks: Vec<Mark> = old.iter().map(|item| self.resolve(item.mark)).collect();
        let mut places: FxHashMap<Mark, Vec<usize>> = FxHashMap::default();
        let mut old: Vec<Option<Node>> = old.into_iter().map(Some).collect();
        if old.len() >= LARGE {
            for (at, mark) in marks.iter().enumerate().rev() {
                places.entry(*mark).or_default().push(at);
            }
        }
        let mut position = |old: &[Option<Node>], at: usize, mark: Mark| {
            let is_it = |at: &usize| old.get(*at).is_some_and(Option::is_some) && marks[*at] == mark;
            match at {
                at if is_it(&at) => Some(at),
                _ if old.len() >= LARGE => {
                    let places = places.get_mut(&mark)?;
                    std::iter::from_fn(|| places.pop()).find(|at| old[*at].is_some())
                }
                _ => (0..old.len()).find(is_it),
            }
        };
        let mut last = 0;
        for (at, item) in new.iter_mut().enumerate() {
            let from = position(&old, at, self.resolve(item.mark));
            if from.is_some_and(|from| from < last) {
                // Another order is a change, though no field has one.
                self.brought_in();
            }
            last = from.unwrap_or(last);
            match from.and_then(|at| old[at].take()) {
                Some(before) => self.compare(before, item),
                None => self.created(item),
            }
        }
        for (at, gone) in old.into_iter().enumerate() {
            if let Some(gone) = gone {
                self.keep_removal(parent, at.to_string(), gone);
            }
        }
    }

    /// Whether each scalar of a list has its old place: none has moved, though some may have a new value.
    fn are_in_place(&self, old: &[Node], new: &[Node]) -> bool {
        if old.len() != new.len() || !old.iter().chain(new.iter()).all(|node| node.as_scalar().is_some()) {
            return false;
        }
        let differ = |(old, new): &(&Node, &Node)| self.resolve(old.mark) != self.resolve(new.mark);
        let mut moved = old.iter().zip(new).filter(differ).peekable();
        if moved.peek().is_none() {
            return true;
        }
        let marks: FxHashSet<Mark> = old.iter().map(|old| self.resolve(old.mark)).collect();
        moved.all(|(_, new)| !marks.contains(&self.resolve(new.mark)))
    }

    /// Whether a list is the old one, with some of its items at least; an empty one is never distinguished from a new one.
    fn keeps_items(&self, old: &[Node], new: &[Node]) -> bool {
        let is_same = |(old, new): (&Node, &Node)| self.resolve(old.mark) == self.resolve(new.mark);
        let anywhere = || {
            let marks: FxHashSet<Mark> = old.iter().map(|old| self.resolve(old.mark)).collect();
            new.iter().any(|new| marks.contains(&self.resolve(new.mark)))
        };
        old.iter().zip(new).any(is_same) || anywhere()
    }
}
