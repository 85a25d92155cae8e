//! Finds for every resource of one bundle the one of the other that it was.

use super::compare::{hash, leaves, likeness};
use crate::input::Member;
use kfc_kube::redaction::copied::{self, Copied};
use kfc_kube::redaction::object;
use kfc_kube::{ObjectId, Traced};
use kfc_yaml::Node;
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

/// Share of equal leaves from which a resource of another name counts as the same.
const ALIKE: f64 = 0.6;

/// Up to this many pairs of one kind, every resource is compared with every other.
const MOST_PAIRS: usize = 40_000;

/// A resource in the form that is compared.
pub(super) struct Compared<'a> {
    pub(super) traced: &'a dyn Traced,
    pub(super) component: Option<&'a str>,
    pub(super) identity: ObjectId,
    /// Its object, tokens for values of secrets.
    pub(super) node: Cow<'a, Node>,
}

impl<'a> Compared<'a> {
    pub(super) fn of(member: &'a Member, copied: &Copied) -> Self {
        let traced = &*member.traced;
        let object = traced.object();
        // The namespace as it is written, even of a kind that has none.
        let namespace = object.namespace().to_owned();
        let identity = ObjectId { namespace, ..ObjectId::of(object, "") };
        let mut node = copied::shown(traced);
        if !copied.keys.is_empty() {
            copied::hide_keys(node.to_mut(), &copied.keys);
        }
        Self { traced, component: member.component.as_deref(), identity, node }
    }

    /// Hides the parts of the identity that came out of a secret, and gives them as they were.
    pub(super) fn hide_identity(&mut self) -> Vec<String> {
        let mut known = Vec::new();
        let parts = [
            (&["kind"][..], &mut self.identity.kind),
            (&["metadata", "namespace"], &mut self.identity.namespace),
            (&["metadata", "name"], &mut self.identity.name),
        ];
        for (path, part) in parts {
            if let Cow::Owned(token) = copied::identity(self.traced, path, part) {
                known.push(std::mem::replace(part, token));
            }
        }
        known
    }

    /// Hides the parts of the identity that are known to have come out of a secret.
    pub(super) fn hide_identity_as(&mut self, known: &[String]) {
        let ObjectId { kind, namespace, name, .. } = &mut self.identity;
        for part in [kind, namespace, name].into_iter().filter(|part| known.contains(part)) {
            *part = object::token_of_bytes(part.as_bytes());
        }
    }
}

/// Which resources belong together.
#[derive(Debug, Default)]
pub(super) struct Matches {
    /// For each new resource its index in the old bundle.
    pub(super) before_of: Vec<Option<usize>>,
    /// The old resources that the new bundle does not have.
    pub(super) gone: Vec<usize>,
}

/// Matches by identity; what is left by identity without the API group, by the name without a content hash, then by
/// content: the same name in another namespace, or another name.
pub(super) fn matches(old: &[Compared<'_>], new: &[Compared<'_>]) -> Matches {
    let mut open = Open { old, new, taken: vec![false; old.len()], before_of: vec![None; new.len()] };
    open.by(|identity| (identity.group.clone(), identity.kind.clone(), place(identity)));
    open.by(|identity| (String::new(), identity.kind.clone(), place(identity)));
    open.by(|identity| {
        let name = without_hash(&identity.name).unwrap_or(&identity.name).to_owned();
        (identity.group.clone(), identity.kind.clone(), (identity.namespace.clone(), name))
    });
    open.by_content();
    let gone = (0..old.len()).filter(|at| !open.taken[*at]).collect();
    Matches { before_of: open.before_of, gone }
}

fn place(identity: &ObjectId) -> (String, String) {
    (identity.namespace.clone(), identity.name.clone())
}

/// A name without the content hash that kustomize appends to generated names: ten of these letters and digits.
pub(super) fn without_hash(name: &str) -> Option<&str> {
    let (base, hash) = name.rsplit_once('-')?;
    let is_hash = hash.len() == 10 && hash.chars().all(|c| "bcdfghkmt2456789".contains(c));
    is_hash.then_some(base)
}

/// Old and new resources of one kind.
type Indices = (Vec<usize>, Vec<usize>);

struct Open<'a, 'r> {
    old: &'a [Compared<'r>],
    new: &'a [Compared<'r>],
    taken: Vec<bool>,
    before_of: Vec<Option<usize>>,
}

impl Open<'_, '_> {
    fn take(&mut self, before: usize, after: usize) {
        self.taken[before] = true;
        self.before_of[after] = Some(before);
    }

    fn open_old(&self) -> Vec<usize> {
        (0..self.old.len()).filter(|at| !self.taken[*at]).collect()
    }

    fn open_new(&self) -> Vec<usize> {
        (0..self.new.len()).filter(|at| self.before_of[*at].is_none()).collect()
    }

    /// Matches what has the same key, in order when several have it.
    fn by<K: std::hash::Hash + Eq>(&mut self, key: impl Fn(&ObjectId) -> K) {
        let mut index: HashMap<K, Vec<usize>> = HashMap::new();
        for at in self.open_old().into_iter().rev() {
            index.entry(key(&self.old[at].identity)).or_default().push(at);
        }
        for after in self.open_new() {
            let found = index.get_mut(&key(&self.new[after].identity)).and_then(Vec::pop);
            if let Some(before) = found {
                self.take(before, after);
            }
        }
    }

    fn by_content(&mut self) {
        let mut kinds: BTreeMap<(&str, &str), Indices> = BTreeMap::new();
        let (old, new) = (self.old, self.new);
        for at in self.open_old() {
            let identity = &old[at].identity;
            kinds.entry((&identity.group, &identity.kind)).or_default().0.push(at);
        }
        for at in self.open_new() {
            let identity = &new[at].identity;
            kinds.entry((&identity.group, &identity.kind)).or_default().1.push(at);
        }
        for (before, after) in kinds.into_values() {
            self.alike(&before, &after);
        }
    }

    /// Matches resources of one kind, the most alike first.
    fn alike(&mut self, before: &[usize], after: &[usize]) {
        let mut pairs = Vec::new();
        if before.len() * after.len() > MOST_PAIRS {
            let bodies: HashMap<u64, usize> =
                before.iter().rev().map(|at| (body_hash(&self.old[*at].node), *at)).collect();
            let equal =
                after.iter().filter_map(|at| Some((1.0, *bodies.get(&body_hash(&self.new[*at].node))?, *at)));
            pairs.extend(equal);
        } else {
            let old: Vec<_> = before.iter().map(|at| leaves(&self.old[*at].node)).collect();
            for new in after {
                let leaves = leaves(&self.new[*new].node);
                for (at, old) in before.iter().zip(&old) {
                    let same_name = self.old[*at].identity.name == self.new[*new].identity.name;
                    // The same name in another namespace says more than the content.
                    let likeness = likeness(old, &leaves) + if same_name { 0.3 } else { 0.0 };
                    pairs.push((likeness, *at, *new));
                }
            }
        }
        pairs.retain(|(likeness, ..)| *likeness >= ALIKE);
        pairs.sort_by(|a, b| b.0.total_cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2))));
        for (_, before, after) in pairs {
            if !self.taken[before] && self.before_of[after].is_none() {
                self.take(before, after);
            }
        }
    }
}

/// A digest of all but the metadata.
fn body_hash(node: &Node) -> u64 {
    let mut node = node.clone();
    if let Some(map) = node.as_map_mut() {
        map.remove("metadata");
    }
    hash(&node)
}

#[cfg(test)]
mod tests {
    use super::without_hash;

    #[test]
    fn hashes_of_generated_names() {
        assert_eq!(without_hash("settings-2g7m5bd4hk"), Some("settings"));
        assert_eq!(without_hash("settings-controller"), None);
        assert_eq!(without_hash("settings-2g7m5bd4h"), None);
    }
}
