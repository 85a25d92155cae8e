//! Keyed lists whose items cannot be distinguished by their keys: some lack a key, or two have the same.
//!
//! kustomize gives such lists odd results (items vanish, patches get lost) which published trees rely on without
//! knowing, so each of its steps is done here in its order:
//!
//! 1. The tuples of key values are gathered, the patch's first, each once.
//! 2. Tuples that contradict each other nowhere and share a value become one: port 53 without a protocol is port 53/UDP.
//! 3. For each tuple the first item of target and patch with these values are merged and become the result's item for
//!    the tuple; where there is none, or it is to go, items of the target with these values go.
//! 4. The target's items are put over the result's items of the same key.
//!
//! When items are removed or put over others, an empty value stands for any value.

use super::directive;
use super::item::{ListPatch, MergeItem, Merged};
use super::keyed_list::{KeyedList, key_text};
use compact_str::CompactString;
use kfc_diagnostics::Result;
use kfc_yaml::{Node, Value};
use std::borrow::Cow;

/// Merges items into such a list.
///
/// # Errors
/// Those of merging the items.
pub(super) fn merge<'s>(
    list: &KeyedList<'_, 's, impl MergeItem<'s>>,
    target: &mut Vec<Node>,
    with: ListPatch<'_>,
) -> Result<()> {
    let mut tuples = gather(target, with.items(), list.keys);
    reconcile(&mut tuples);
    let keys = keep_used_keys(&mut tuples, list.keys);
    let mut work = Work::start(list, keys, std::mem::take(target));
    for (number, tuple) in tuples.iter().enumerate() {
        // The first visit to an item of the patch uses its directives up.
        let again = tuples[..number].contains(tuple);
        match work.item_for(tuple, with, again)? {
            Some(item) => work.place(item, tuple),
            None => work.remove(tuple),
        }
    }
    *target = work.finish();
    Ok(())
}

/// The values of one item's keys; empty for those that it lacks.
type Tuple = Vec<CompactString>;

fn gather(target: &[Node], with: &[Node], keys: &[CompactString]) -> Vec<Tuple> {
    let mut tuples: Vec<Tuple> = Vec::new();
    for item in with.iter().chain(target) {
        let tuple = keys.iter().map(|key| CompactString::new(key_text(item, key))).collect();
        if !tuples.contains(&tuple) {
            tuples.push(tuple);
        }
    }
    tuples
}

/// Fills the gaps of tuples from others that agree with them.
fn reconcile(tuples: &mut [Tuple]) {
    for i in 0..tuples.len() {
        let first = tuples[i].clone();
        for j in 0..tuples.len() {
            if let Some(both) = agree(&first, &tuples[j]) {
                tuples[i].clone_from(&both);
                tuples[j] = both;
            }
        }
    }
}

/// The union of two tuples that have a value in common (a gap in both is one) and contradict each other nowhere.
fn agree(a: &Tuple, b: &Tuple) -> Option<Tuple> {
    let mut common = false;
    let mut union = Tuple::with_capacity(a.len());
    for (a, b) in a.iter().zip(b) {
        common |= a == b;
        union.push(match (a.is_empty(), b.is_empty()) {
            (false, false) if a != b => return None,
            (true, _) => b.clone(),
            _ => a.clone(),
        });
    }
    common.then_some(union)
}

/// Drops the keys that no tuple has a value for; all stay when there is not one value.
fn keep_used_keys<'k>(tuples: &mut [Tuple], keys: &'k [CompactString]) -> Vec<&'k CompactString> {
    let used: Vec<bool> = (0..keys.len()).map(|k| tuples.iter().any(|t| !t[k].is_empty())).collect();
    if !used.contains(&true) {
        return keys.iter().collect();
    }
    for tuple in tuples {
        let mut used = used.iter();
        tuple.retain(|_| used.next().copied().unwrap_or(true));
    }
    keys.iter().zip(&used).filter(|(_, used)| **used).map(|(key, _)| key).collect()
}

/// Place of an item in [`Work::items`].
type Place = usize;

struct Work<'w, 'a, 's, M> {
    list: &'w KeyedList<'a, 's, M>,
    keys: Vec<&'w CompactString>,
    items: Vec<Node>,
    /// The items of the target that are left.
    target: Vec<Place>,
    /// The result so far; one item may be in it several times.
    result: Vec<Place>,
}

impl<'w, 'a, 's, M: MergeItem<'s>> Work<'w, 'a, 's, M> {
    fn start(list: &'w KeyedList<'a, 's, M>, keys: Vec<&'w CompactString>, items: Vec<Node>) -> Self {
        let target = (0..items.len()).collect();
        Self { list, keys, items, target, result: Vec::new() }
    }

    /// Step 3: the merged item of a tuple.
    fn item_for(&mut self, tuple: &Tuple, with: ListPatch<'_>, again: bool) -> Result<Option<Place>> {
        let old = self.target.iter().copied().find(|&place| self.has(&self.items[place], tuple));
        let new = with.items().iter().find(|item| self.has(item, tuple));
        let new =
            new.map(|item| if again { Cow::Owned(directive::without(item)) } else { Cow::Borrowed(item) });
        let merged = match (old, new) {
            (None, None) => Merged::Removed,
            (None, Some(new)) => self.list.adopt_item(&new)?.map_or(Merged::Removed, Merged::Instead),
            (Some(old), Some(new)) => self.list.merge_item(&mut self.items[old], &new)?,
            (Some(old), None) if matches!(with, ListPatch::Itself) => {
                if self.list.settle_item(&mut self.items[old])? { Merged::Kept } else { Merged::Removed }
            }
            (Some(old), None) => {
                self.list.tidy_item(&mut self.items[old])?;
                Merged::Kept
            }
        };
        Ok(match merged {
            Merged::Removed => None,
            Merged::Kept => old,
            Merged::Instead(node) => {
                self.items.push(node);
                Some(self.items.len() - 1)
            }
        })
    }

    /// Whether an item has the values of a tuple; gaps count only in a tuple that is nothing else.
    fn has(&self, item: &Node, tuple: &Tuple) -> bool {
        let all_gaps = tuple.iter().all(CompactString::is_empty);
        self.keys
            .iter()
            .zip(tuple)
            .filter(|(_, value)| all_gaps || !value.is_empty())
            .all(|(key, value)| item.get(key).is_some_and(|node| node_text(node) == value.as_str()))
    }

    /// Replaces the items of the result that an item covers with it, or adds it at the end.
    fn place(&mut self, item: Place, tuple: &Tuple) {
        let mut found = false;
        self.drop_empty();
        for place in 0..self.result.len() {
            if covers(&self.keys, tuple, &self.items[self.result[place]]) {
                self.result[place] = item;
                found = true;
            }
        }
        if !found {
            self.result.push(item);
        }
    }

    /// An empty item is dropped when another one is added.
    fn drop_empty(&mut self) {
        let Self { result, items, .. } = self;
        result.retain(|&place| !is_empty(&items[place]));
    }

    /// Takes the items that a tuple covers, and empty ones, out of the target.
    fn remove(&mut self, tuple: &Tuple) {
        let Self { target, items, keys, .. } = self;
        target.retain(|&place| !is_empty(&items[place]) && !covers(keys, tuple, &items[place]));
    }

    /// Step 4.
    fn finish(mut self) -> Vec<Node> {
        for item in std::mem::take(&mut self.target) {
            let values: Tuple =
                self.keys.iter().filter_map(|key| self.items[item].get(key)).map(node_text).collect();
            // The item is added once more for each key that it lacks.
            self.result.extend(std::iter::repeat_n(item, self.keys.len() - values.len()));
            if values.is_empty() {
                self.result.clear();
                self.result.push(item);
                continue;
            }
            if self.keys.len() > 1 {
                let Self { result, items, keys, .. } = &mut self;
                result.retain(|&place| !covers(keys, &values, &items[place]));
            }
            self.place(item, &values);
        }
        self.result.iter().map(|&place| self.items[place].clone()).collect()
    }
}

/// Whether an item has every key of a tuple (which may be shorter than the keys) with its value; an empty value stands
/// for any.
fn covers(keys: &[&CompactString], tuple: &Tuple, item: &Node) -> bool {
    keys.iter().zip(tuple).all(|(key, value)| {
        item.get(key).is_some_and(|node| value.is_empty() || node_text(node) == value.as_str())
    })
}

fn node_text(node: &Node) -> CompactString {
    node.as_scalar().map_or_else(CompactString::default, |scalar| scalar.text.clone())
}

fn is_empty(item: &Node) -> bool {
    match &item.value {
        Value::Map(map) => map.is_empty(),
        _ => item.is_null(),
    }
}
