//! Compares two objects field by field. Items of lists are paired by keys where the schema or the items have some, else by
//! content with the fewest edits, never by index alone.

use super::fold::fold;
use super::keys::{ItemKey, Type};
use super::model::{Fold, Path, Step};
use kfc_yaml::{Map, Node, Value};
use std::collections::{HashMap, HashSet};
use std::hash::{Hash, Hasher};

/// A field that differs.
#[derive(Clone, Debug)]
pub(super) struct Difference<'n> {
    pub(super) path: Path,
    pub(super) before: Option<&'n Node>,
    pub(super) after: Option<&'n Node>,
    /// The order of a list's items, when nothing but that differs.
    pub(super) order: Option<Vec<usize>>,
    pub(super) folded: Option<Fold>,
}

/// Share of equal leaves from which two items count as one that changed.
const ALIKE: f64 = 0.5;

/// Up to this many pairs, every item is compared with every other to find those that are alike.
const MOST_PAIRS: usize = 10_000;

/// Everything in which two objects differ, in the order of the new one, what goes after what stays.
pub(super) fn compare<'n>(before: &'n Node, after: &'n Node, of: Type<'_>) -> Vec<Difference<'n>> {
    let mut comparison = Comparison { path: Vec::new(), found: Vec::new() };
    comparison.node(before, after, of);
    comparison.found
}

/// Whether two trees are the same; quick when their keys have the same order, as in bundles.
pub(super) fn same(a: &Node, b: &Node) -> bool {
    match (&a.value, &b.value) {
        (Value::Scalar(a), Value::Scalar(b)) => a == b,
        (Value::Seq(a), Value::Seq(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Map(a), Value::Map(b)) if a.is_same_text(b) => true,
        (Value::Map(a), Value::Map(b)) => {
            let in_step = |(at, entry): (usize, &kfc_yaml::Entry)| {
                let beside = b.as_slice().get(at).filter(|other| other.key.text == entry.key.text);
                let other = beside.map(|other| &other.value).or_else(|| b.get(&entry.key.text));
                other.is_some_and(|other| same(&entry.value, other))
            };
            a.len() == b.len() && a.iter().enumerate().all(in_step)
        }
        _ => false,
    }
}

struct Comparison<'n> {
    path: Vec<Step>,
    found: Vec<Difference<'n>>,
}

impl<'n> Comparison<'n> {
    fn node(&mut self, before: &'n Node, after: &'n Node, of: Type<'_>) {
        if same(before, after) {
            return;
        }
        match (&before.value, &after.value) {
            (Value::Map(old), Value::Map(new)) => self.map(old, new, of),
            (Value::Seq(old), Value::Seq(new)) => self.list(old, new, of),
            _ => self.note(Some(before), Some(after)),
        }
    }

    /// Records a difference at the current path.
    fn note(&mut self, before: Option<&'n Node>, after: Option<&'n Node>) {
        let path = Path(self.path.clone());
        let folded = fold(&path, before, after);
        self.found.push(Difference { path, before, after, order: None, folded });
    }

    fn below(&mut self, step: Step, compare: impl FnOnce(&mut Self)) {
        self.path.push(step);
        compare(self);
        self.path.pop();
    }

    fn map(&mut self, old: &'n Map, new: &'n Map, of: Type<'_>) {
        for entry in new {
            let key = entry.key.text.as_str();
            self.below(Step::Key(key.to_owned()), |this| match old.get(key) {
                Some(before) => this.node(before, &entry.value, of.field(key)),
                None => this.note(None, Some(&entry.value)),
            });
        }
        for entry in old.iter().filter(|entry| !new.contains(&entry.key.text)) {
            self.below(Step::Key(entry.key.text.to_string()), |this| this.note(Some(&entry.value), None));
        }
    }

    fn list(&mut self, old: &'n [Node], new: &'n [Node], of: Type<'_>) {
        let keyed = match of.item_key() {
            ItemKey::Fields(keys) => by_keys(old, new, &keys),
            ItemKey::Unknown => NAMES.iter().find_map(|name| by_keys(old, new, &[name])),
            ItemKey::Content => None,
        };
        let pairing = keyed.unwrap_or_else(|| by_content(old, new));
        self.paired(old, new, &pairing, of.item());
    }

    fn paired(&mut self, old: &'n [Node], new: &'n [Node], pairing: &Pairing, of: Type<'_>) {
        for (after, item) in new.iter().enumerate() {
            let before = pairing.before_of[after];
            let key = pairing.key(before.map(|at| &old[at]), Some(item));
            let step = Step::Item { key, before, after: Some(after) };
            self.below(step, |this| match before {
                Some(at) => this.node(&old[at], item, of),
                None => this.note(None, Some(item)),
            });
        }
        let stays: Vec<usize> = pairing.before_of.iter().flatten().copied().collect();
        let found: HashSet<usize> = stays.iter().copied().collect();
        for (before, item) in old.iter().enumerate().filter(|(at, _)| !found.contains(at)) {
            let step = Step::Item { key: pairing.key(Some(item), None), before: Some(before), after: None };
            self.below(step, |this| this.note(Some(item), None));
        }
        if !stays.is_sorted() {
            let path = Path(self.path.clone());
            let folded = Some(Fold::Order);
            self.found.push(Difference { path, before: None, after: None, order: Some(stays), folded });
        }
    }
}

/// Which items of two lists belong together.
struct Pairing {
    /// For each new item its index in the old list.
    before_of: Vec<Option<usize>>,
    /// The fields that distinguish items.
    keys: Vec<String>,
}

impl Pairing {
    /// The key of an item, as it is in the new list or else the old one.
    fn key(&self, before: Option<&Node>, after: Option<&Node>) -> Vec<(String, String)> {
        let item = after.or(before);
        let pair = |name: &String| Some((name.clone(), item?.get(name)?.as_text()?.to_owned()));
        self.keys.iter().filter_map(pair).collect()
    }
}

/// Fields that name items where no schema says so.
const NAMES: [&str; 4] = ["name", "mountPath", "key", "id"];

/// The value of a key field, or the default that counts when it is missing.
fn key_text<'n>(item: &'n Node, key: &str) -> Option<&'n str> {
    match (item.get(key).map(Node::as_text), key) {
        (Some(text), _) => text,
        (None, "protocol") => Some("TCP"),
        (None, _) => None,
    }
}

/// Pairs items by keys; `None` when an item lacks a key, or two items have the same one.
fn by_keys(old: &[Node], new: &[Node], keys: &[&str]) -> Option<Pairing> {
    let key_of = |item: &'_ Node| -> Option<Vec<String>> {
        item.as_map()?;
        keys.iter().map(|key| key_text(item, key).map(str::to_owned)).collect()
    };
    let index = |items: &[Node]| -> Option<HashMap<Vec<String>, usize>> {
        let mut found = HashMap::with_capacity(items.len());
        for (at, item) in items.iter().enumerate() {
            if found.insert(key_of(item)?, at).is_some() {
                return None;
            }
        }
        Some(found)
    };
    let old_index = index(old)?;
    index(new)?;
    let mut before_of: Vec<Option<usize>> =
        new.iter().map(|item| key_of(item).and_then(|key| old_index.get(&key).copied())).collect();
    pair_by_name(old, new, &mut before_of);
    Some(Pairing { before_of, keys: keys.iter().map(|key| (*key).to_owned()).collect() })
}

/// Items whose key changed may still have the same name: a port with another number.
fn pair_by_name(old: &[Node], new: &[Node], before_of: &mut [Option<usize>]) {
    let name_of = |item: &'_ Node| item.get("name").and_then(Node::as_text).map(str::to_owned);
    let mut left: Vec<usize> = (0..old.len()).filter(|at| !before_of.contains(&Some(*at))).collect();
    for (after, item) in new.iter().enumerate() {
        let Some(name) = name_of(item).filter(|_| before_of[after].is_none()) else { continue };
        if let Some(found) = left.iter().position(|at| name_of(&old[*at]).as_ref() == Some(&name)) {
            before_of[after] = Some(left.remove(found));
        }
    }
}

/// Pairs equal items with the least edits, then those in between that are alike.
fn by_content(old: &[Node], new: &[Node]) -> Pairing {
    let hashes = |items: &[Node]| items.iter().map(hash).collect::<Vec<u64>>();
    let (old_hashes, new_hashes) = (hashes(old), hashes(new));
    let mut before_of = vec![None; new.len()];
    let (mut from, mut to) = (0, 0);
    let ops = similar::capture_diff_slices(similar::Algorithm::Myers, &old_hashes, &new_hashes);
    for op in ops {
        let (tag, old_range, new_range) = op.as_tag_tuple();
        if tag == similar::DiffTag::Equal {
            pair_gap(old, new, from..old_range.start, to..new_range.start, &mut before_of);
            for (before, after) in old_range.clone().zip(new_range.clone()) {
                before_of[after] = Some(before);
            }
            (from, to) = (old_range.end, new_range.end);
        }
    }
    pair_gap(old, new, from..old.len(), to..new.len(), &mut before_of);
    Pairing { before_of, keys: Vec::new() }
}

/// Pairs items that are alike between two equal ones, without crossing.
fn pair_gap(
    old: &[Node],
    new: &[Node],
    old_gap: std::ops::Range<usize>,
    new_gap: std::ops::Range<usize>,
    before_of: &mut [Option<usize>],
) {
    let are_scalars = |items: &[Node]| items.iter().all(|item| item.as_scalar().is_some());
    if are_scalars(&old[old_gap.clone()]) && are_scalars(&new[new_gap.clone()]) {
        if old_gap.len() == new_gap.len() {
            old_gap.zip(new_gap).for_each(|(before, after)| before_of[after] = Some(before));
        }
        return;
    }
    if old_gap.len() * new_gap.len() > MOST_PAIRS {
        return;
    }
    if old_gap.len() == 1 && new_gap.len() == 1 && same_shape(&old[old_gap.start], &new[new_gap.start]) {
        before_of[new_gap.start] = Some(old_gap.start);
        return;
    }
    let mut from = old_gap.start;
    for after in new_gap {
        let likeness = |before: usize| likeness(&leaves(&old[before]), &leaves(&new[after]));
        let best = (from..old_gap.end).map(|before| (likeness(before), before));
        let best = best.max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)));
        if let Some((_, before)) = best.filter(|(likeness, _)| *likeness >= ALIKE) {
            before_of[after] = Some(before);
            from = before + 1;
        }
    }
}

/// Whether two trees differ in nothing but their scalars: one reference and another.
fn same_shape(a: &Node, b: &Node) -> bool {
    match (&a.value, &b.value) {
        (Value::Scalar(_), Value::Scalar(_)) => true,
        (Value::Map(a), Value::Map(b)) => {
            let has = |entry: &kfc_yaml::Entry| {
                b.get(&entry.key.text).is_some_and(|other| same_shape(&entry.value, other))
            };
            a.len() == b.len() && a.iter().all(has)
        }
        _ => false,
    }
}

/// A digest of a tree that does not depend on the order of keys.
pub(super) fn hash(node: &Node) -> u64 {
    let mut hasher = rustc_hash::FxHasher::default();
    match &node.value {
        Value::Scalar(scalar) => (0_u8, &scalar.text, scalar.kind).hash(&mut hasher),
        Value::Seq(items) => (1_u8, items.iter().map(hash).collect::<Vec<_>>()).hash(&mut hasher),
        Value::Map(map) => {
            let entry = |entry: &kfc_yaml::Entry| {
                let mut hasher = rustc_hash::FxHasher::default();
                (&entry.key.text, hash(&entry.value)).hash(&mut hasher);
                hasher.finish()
            };
            (2_u8, map.len(), map.iter().map(entry).fold(0_u64, u64::wrapping_add)).hash(&mut hasher);
        }
    }
    hasher.finish()
}

/// Digests of the leaves of a tree with their paths, sorted. Indices of lists do not count.
pub(super) fn leaves(node: &Node) -> Vec<u64> {
    fn walk(node: &Node, path: u64, into: &mut Vec<u64>) {
        match &node.value {
            Value::Map(map) => {
                for entry in map {
                    let mut hasher = rustc_hash::FxHasher::default();
                    (path, &entry.key.text).hash(&mut hasher);
                    walk(&entry.value, hasher.finish(), into);
                }
            }
            Value::Seq(items) => items.iter().for_each(|item| walk(item, path.wrapping_add(1), into)),
            Value::Scalar(scalar) => {
                let mut hasher = rustc_hash::FxHasher::default();
                (path, &scalar.text).hash(&mut hasher);
                into.push(hasher.finish());
            }
        }
    }
    let mut found = Vec::new();
    walk(node, 0, &mut found);
    found.sort_unstable();
    found
}

/// The share of leaves that two sorted lists have in common, from 0 to 1.
pub(super) fn likeness(a: &[u64], b: &[u64]) -> f64 {
    let (mut i, mut j, mut shared) = (0, 0, 0_u32);
    while i < a.len() && j < b.len() {
        match a[i].cmp(&b[j]) {
            std::cmp::Ordering::Less => i += 1,
            std::cmp::Ordering::Greater => j += 1,
            std::cmp::Ordering::Equal => (i, j, shared) = (i + 1, j + 1, shared + 1),
        }
    }
    let all = u32::try_from(a.len() + b.len()).unwrap_or(u32::MAX) - shared;
    if all == 0 { 1.0 } else { f64::from(shared) / f64::from(all) }
}
