//! Lists of mappings that merge by one key or several, such as containers and ports.
//!
//! The order of the result: with one key the patch's items as the patch orders them, then the rest of the
//! target's; with several keys the patch's new items, then the target's. Keys that no item of either list has do not
//! count. Lists in which every item has all keys that count, and no two items of the target the same ones, merge here in
//! linear time; the others go to `irregular_list`.

use super::item::{ListPatch, MergeItem, Merged};
use super::location::Location;
use compact_str::CompactString;
use kfc_diagnostics::{Code, Diagnostic, Result};
use kfc_kube::schema::TypeRef;
use kfc_yaml::{Node, Value};
use rustc_hash::{FxHashMap, FxHashSet};
use std::borrow::Cow;

/// A list that merges by key.
pub(super) struct KeyedList<'a, 's, M> {
    pub(super) merger: &'a M,
    /// The merge keys, main key first; never empty.
    pub(super) keys: &'a [CompactString],
    /// The type of the items.
    pub(super) element: Option<TypeRef<'s>>,
    /// Where the list is.
    pub(super) at: &'a Location<'a>,
}

/// What became of an item of the target.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// The patch has no such item.
    Untouched,
    /// It was merged, and is in the result already.
    Placed,
    /// It was merged and keeps its place.
    Merged,
    /// It is to go.
    Gone,
}

/// Refuses items that are not mappings; null means an item that does not exist.
///
/// # Errors
/// [`Code::Merge`] for the first one.
pub(super) fn check_items(items: &[Node], at: &Location<'_>) -> Result<()> {
    match items.iter().find(|item| item.as_map().is_none() && !item.is_null()) {
        None => Ok(()),
        Some(item) => {
            let message = format!(
                "the items of `{at}` merge by key and have to be mappings, but this is {}",
                item.describe()
            );
            Err(Diagnostic::error(Code::Merge, message).at(item.mark).into())
        }
    }
}

/// The value of a merge key as text, empty when there is none that counts.
pub(super) fn key_text<'n>(item: &'n Node, key: &str) -> &'n str {
    match item.get(key).map(|node| &node.value) {
        Some(Value::Scalar(_)) => item.get(key).and_then(Node::as_text).unwrap_or(""),
        _ => "",
    }
}

impl<'s, M: MergeItem<'s>> KeyedList<'_, 's, M> {
    /// Merges lists in which the keys distinguish all items. Returns false, with nothing changed, for other lists.
    ///
    /// # Errors
    /// Those of merging the items.
    pub(super) fn merge_regular(&self, target: &mut Vec<Node>, with: ListPatch<'_>) -> Result<bool> {
        let keys = self.keys_that_count(target, with.items());
        let Some(plan) = plan(target, with.items(), &keys) else { return Ok(false) };
        match with {
            ListPatch::Items(items) => self.merge_planned(target, items, &plan, keys.len() > 1)?,
            ListPatch::None => {
                for item in target.iter_mut() {
                    self.tidy_item(item)?;
                }
            }
            ListPatch::Itself => {
                let mut kept = Vec::with_capacity(target.len());
                for mut item in std::mem::take(target) {
                    if self.settle_item(&mut item)? {
                        kept.push(item);
                    }
                }
                *target = kept;
            }
        }
        Ok(true)
    }

    /// The keys that at least one item has.
    fn keys_that_count(&self, target: &[Node], with: &[Node]) -> Vec<&CompactString> {
        let has = |key: &CompactString| target.iter().chain(with).any(|item| !key_text(item, key).is_empty());
        self.keys.iter().filter(|key| has(key)).collect()
    }

    fn merge_planned(
        &self,
        target: &mut Vec<Node>,
        with: &[Node],
        plan: &[Step],
        several_keys: bool,
    ) -> Result<()> {
        let mut states = vec![State::Untouched; target.len()];
        let mut result = Vec::with_capacity(target.len() + with.len());
        for (item, step) in with.iter().zip(plan) {
            match *step {
                Step::Skip => {}
                Step::Add => result.extend(self.adopt_item(item)?),
                Step::MergeInto(place) => {
                    states[place] = match self.merge_item(&mut target[place], item)? {
                        Merged::Removed => State::Gone,
                        // An item that is to replace one of the same key does not, in kustomize: the old one wins.
                        Merged::Kept | Merged::Instead(_) if several_keys => State::Merged,
                        Merged::Kept | Merged::Instead(_) => {
                            result.push(std::mem::replace(&mut target[place], Node::null(item.mark)));
                            State::Placed
                        }
                    };
                }
            }
        }
        for (mut item, state) in std::mem::take(target).into_iter().zip(states) {
            match state {
                State::Untouched => {
                    self.tidy_item(&mut item)?;
                    result.push(item);
                }
                State::Merged => result.push(item),
                State::Placed | State::Gone => {}
            }
        }
        *target = result;
        Ok(())
    }

    /// Merges an item of the patch into the target's item of the same key.
    pub(super) fn merge_item(&self, target: &mut Node, patch: &Node) -> Result<Merged> {
        self.merger.merge(target, patch, self.element, &self.location(patch))
    }

    /// An item that only the patch has.
    pub(super) fn adopt_item(&self, patch: &Node) -> Result<Option<Node>> {
        self.merger.adopt(patch, self.element, &self.location(patch))
    }

    /// An item of a new list; false when it is to go.
    pub(super) fn settle_item(&self, item: &mut Node) -> Result<bool> {
        let key = CompactString::new(self.main_value(item));
        self.merger.settle(item, self.element, &Location::Item(self.at, self.main_key(), &key))
    }

    /// An item that the patch does not touch.
    pub(super) fn tidy_item(&self, item: &mut Node) -> Result<()> {
        self.merger.tidy(item, self.element, self.at)
    }

    fn location<'n>(&'n self, item: &'n Node) -> Location<'n> {
        Location::Item(self.at, self.main_key(), self.main_value(item))
    }

    fn main_key(&self) -> &str {
        self.keys.first().map_or("", |key| key)
    }

    fn main_value<'n>(&self, item: &'n Node) -> &'n str {
        self.keys.first().map_or("", |key| key_text(item, key))
    }
}

/// What is to be done with an item of the patch.
#[derive(Clone, Copy)]
enum Step {
    /// Merge it into the target's item at this place.
    MergeInto(usize),
    /// It is new.
    Add,
    /// An earlier item of the patch has the same keys.
    Skip,
}

/// One step for each item of the patch; nothing when the keys do not distinguish an item.
fn plan(target: &[Node], with: &[Node], keys: &[&CompactString]) -> Option<Vec<Step>> {
    if keys.is_empty() && !(target.is_empty() && with.is_empty()) {
        return None;
    }
    let mut places = FxHashMap::default();
    places.reserve(target.len());
    for (place, item) in target.iter().enumerate() {
        if places.insert(identity(item, keys)?, place).is_some() {
            return None;
        }
    }
    let mut seen = FxHashSet::default();
    let step = |item| {
        let identity = identity(item, keys)?;
        let place = places.get(&identity).copied();
        if !seen.insert(identity) {
            return Some(Step::Skip);
        }
        Some(place.map_or(Step::Add, Step::MergeInto))
    };
    with.iter().map(step).collect()
}

/// The values of all keys; nothing when one is missing.
fn identity<'n>(item: &'n Node, keys: &[&CompactString]) -> Option<Cow<'n, str>> {
    let mut texts = keys.iter().map(|key| Some(key_text(item, key)).filter(|text| !text.is_empty()));
    let first = texts.next()??;
    texts.try_fold(Cow::Borrowed(first), |joined, text| Some(Cow::Owned(format!("{joined}\u{1f}{}", text?))))
}
