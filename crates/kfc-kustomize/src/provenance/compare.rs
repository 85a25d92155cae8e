//! Finds what a step changed, by comparing a tree with its earlier copy.
//!
//! A node that a step leaves alone keeps its mark, wherever it is moved to, so items of lists are distinguished by their
//! marks. A value that replaces an equal one does not count: the field keeps its earlier origin.

use super::Writes;
use super::trail::Log;
use kfc_diagnostics::Mark;
use kfc_yaml::{Entry, Map, Node, Value};
use rustc_hash::{FxHashMap, FxHashSet};

/// Mappings and lists of this many children are indexed.
const LARGE: usize = 24;

impl Log {
    pub(super) fn compare(&mut self, before: Node, after: &mut Node) {
        let mark = before.mark;
        match (before.value, &mut after.value) {
            (Value::Map(old), Value::Map(new)) => {
                self.compare_maps(old, new, mark);
                after.mark = mark;
            }
            (Value::Seq(old), Value::Seq(new)) => {
                if are_in_place(&old, new) {
                    for (old, new) in old.into_iter().zip(new) {
                        self.compare(old, new);
                    }
                    after.mark = mark;
                } else if keeps_items(&old, new) {
                    self.compare_items(old, new, mark);
                    after.mark = mark;
                } else if old == *new {
                    *after = Node { value: Value::Seq(old), mark };
                } else {
                    self.changed(Node { value: Value::Seq(old), mark }, after);
                }
            }
            (Value::Scalar(old), Value::Scalar(new)) if old == *new => after.mark = mark,
            (old, _) => self.changed(Node { value: old, mark }, after),
        }
    }

    /// Marks a node that is new.
    pub(super) fn created(&mut self, node: &mut Node) {
        self.brought_in();
        let mark = self.keep(self.place_of(node.mark), Mark::NONE, None);
        mark_made(node, node.mark, mark);
    }

    /// The line that brought a value in: its own, unless a patch moved or copied it from elsewhere in the resource.
    fn place_of(&self, mark: Mark) -> Mark {
        let is_written = match self.step.writes {
            Writes::NoMarks => false,
            Writes::MarksOf(text) => mark.source == text,
            Writes::AllMarks => true,
        };
        if is_written { mark } else { self.step.place }
    }

    fn changed(&mut self, before: Node, after: &mut Node) {
        let place = self.place_of(after.mark);
        self.brought_in();
        after.mark = self.keep(place, before.mark, Some(before));
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
            self.step.place = key.map_or(place, |(_, mark)| *mark);
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
        let mut places: FxHashMap<Mark, Vec<usize>> = FxHashMap::default();
        let mut old: Vec<Option<Node>> = old.into_iter().map(Some).collect();
        if old.len() >= LARGE {
            for (at, item) in old.iter().enumerate().rev() {
                item.iter().for_each(|item| places.entry(item.mark).or_default().push(at));
            }
        }
        let mut position = |old: &[Option<Node>], at: usize, mark: Mark| {
            let is_it = |item: &Option<Node>| item.as_ref().is_some_and(|item| item.mark == mark);
            match old.get(at) {
                Some(item) if is_it(item) => Some(at),
                _ if old.len() >= LARGE => {
                    let places = places.get_mut(&mark)?;
                    std::iter::from_fn(|| places.pop()).find(|at| old[*at].is_some())
                }
                _ => old.iter().position(is_it),
            }
        };
        let mut last = 0;
        for (at, item) in new.iter_mut().enumerate() {
            let from = position(&old, at, item.mark);
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
}

/// Marks what was made together with a node: it has the mark of what it was made in, as the node has.
fn mark_made(node: &mut Node, made: Mark, mark: Mark) {
    if node.mark != made {
        return;
    }
    node.mark = mark;
    match &mut node.value {
        Value::Map(map) => map.iter_mut().for_each(|entry| mark_made(&mut entry.value, made, mark)),
        Value::Seq(items) => items.iter_mut().for_each(|item| mark_made(item, made, mark)),
        Value::Scalar(_) => {}
    }
}

/// Whether each scalar of a list has its old place: none has moved, though some may have a new value.
fn are_in_place(old: &[Node], new: &[Node]) -> bool {
    if old.len() != new.len() || !old.iter().chain(new.iter()).all(|node| node.as_scalar().is_some()) {
        return false;
    }
    let mut moved = old.iter().zip(new).filter(|(old, new)| old.mark != new.mark).peekable();
    if moved.peek().is_none() {
        return true;
    }
    let marks: FxHashSet<Mark> = old.iter().map(|old| old.mark).collect();
    moved.all(|(_, new)| !marks.contains(&new.mark))
}

/// Whether a list is the old one, with some of its items at least; an empty one is never distinguished from a new one.
fn keeps_items(old: &[Node], new: &[Node]) -> bool {
    let same_place = || old.iter().zip(new).any(|(old, new)| old.mark == new.mark);
    let anywhere = || {
        let marks: FxHashSet<Mark> = old.iter().map(|old| old.mark).collect();
        new.iter().any(|new| marks.contains(&new.mark))
    };
    same_place() || anywhere()
}
