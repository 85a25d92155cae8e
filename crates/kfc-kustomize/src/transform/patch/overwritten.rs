//! Fields that two patches set: kustomize applies both, and the later one counts. That is reported, never changed.

use super::LoadedPatch;
use super::read::Content;
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Mark};
use kfc_yaml::field_path::{ItemStep, KeyStep};
use kfc_yaml::value::to_json;
use kfc_yaml::{Node, Value};
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::BTreeMap;

/// The keys by which Kubernetes merges lists; an item is known by the first one that it has.
const KEYS: [&str; 6] = ["name", "containerPort", "mountPath", "devicePath", "port", "topologyKey"];

/// Which patches of a list changed which resources, by their positions.
#[derive(Default)]
pub(super) struct Touched {
    /// Whether there is more than one patch: else there is nothing to compare.
    is_needed: bool,
    by_resource: FxHashMap<usize, Vec<usize>>,
    /// Two patches that changed one resource, the earlier one first.
    pairs: FxHashSet<(usize, usize)>,
}

impl Touched {
    /// For a list of this many patches.
    pub(super) fn by(patches: usize) -> Self {
        Self { is_needed: patches > 1, ..Self::default() }
    }

    /// Takes note that a patch changes a resource.
    pub(super) fn add(&mut self, resource: usize, patch: usize) {
        if !self.is_needed {
            return;
        }
        let before = self.by_resource.entry(resource).or_default();
        if before.last() != Some(&patch) {
            self.pairs.extend(before.iter().map(|&earlier| (earlier, patch)));
            before.push(patch);
        }
    }

    /// A warning for each field that two of the patches set to different values.
    pub(super) fn warnings(self, patches: &[LoadedPatch]) -> Diagnostics {
        let mut pairs: Vec<(usize, usize)> = self.pairs.into_iter().collect();
        pairs.sort_unstable();
        let mut set: FxHashMap<usize, Assignments<'_>> = FxHashMap::default();
        let mut warnings = Diagnostics::default();
        for (earlier, later) in pairs {
            for patch in [earlier, later] {
                set.entry(patch).or_insert_with(|| assignments(&patches[patch]));
            }
            for (path, (value, mark)) in &set[&later] {
                let Some((before, place)) = set[&earlier].get(path) else { continue };
                if !is_same(*before, *value) {
                    warnings.push(warning(path, &patches[later], (*mark, *place)));
                }
            }
        }
        warnings
    }
}

fn warning(path: &str, patch: &LoadedPatch, (mark, before): (Mark, Mark)) -> Diagnostic {
    let message = format!("two patches {} set `{path}`; the later one counts", patch.subject());
    Diagnostic::warning(Code::OverwrittenPatch, message)
        .at(mark)
        .label(before.known(), "this value has no effect")
        .help("remove one of them")
}

/// The fields that a patch sets, with the value and its location; a field that is removed has no value.
type Assignments<'p> = BTreeMap<String, (Option<&'p Node>, Mark)>;

fn assignments(patch: &LoadedPatch) -> Assignments<'_> {
    let mut found = BTreeMap::new();
    match &patch.content {
        Content::Strategic(documents) => {
            for document in documents {
                gather(document, "", &mut found);
            }
        }
        Content::Json(operations) => {
            for operation in operations {
                if let Some((steps, value)) = operation.sets() {
                    let path = steps.iter().fold(String::new(), |path, step| path_to(&path, step));
                    found.insert(path, (value, operation.mark()));
                }
            }
        }
    }
    found
}

/// The path of a field below another.
fn path_to(above: &str, key: &str) -> String {
    match key.parse::<usize>() {
        Ok(index) => format!("{above}[{index}]"),
        Err(_) => format!("{above}{}", KeyStep { key, is_first: above.is_empty() }),
    }
}

/// The fields below a node of a strategic merge patch. Lists with directives, and lists that are merged by what Kubernetes
/// knows, are left out: what they set depends on what is there.
fn gather<'p>(node: &'p Node, path: &str, found: &mut Assignments<'p>) {
    match &node.value {
        Value::Map(map) => {
            for entry in map.iter().filter(|entry| !entry.key.text.starts_with('$')) {
                let path = path_to(path, &entry.key.text);
                let is_identity =
                    matches!(path.as_str(), "apiVersion" | "kind" | "metadata.name" | "metadata.namespace");
                if !is_identity {
                    gather(&entry.value, &path, found);
                }
            }
        }
        Value::Seq(_) if path.ends_with(".args") || path.ends_with(".command") => {
            found.insert(path.to_owned(), (Some(node), node.mark));
        }
        Value::Seq(items) => {
            for item in items {
                let key = KEYS.iter().find_map(|key| Some((*key, item.get(key)?.as_text()?)));
                let Some(key) = key else { continue };
                let path = format!("{path}{}", ItemStep(&[key]));
                for entry in item.as_map().into_iter().flatten() {
                    if !entry.key.text.starts_with('$') && entry.key.text != key.0 {
                        gather(&entry.value, &path_to(&path, &entry.key.text), found);
                    }
                }
            }
        }
        Value::Scalar(_) => {
            found.insert(path.to_owned(), (Some(node), node.mark));
        }
    }
}

/// Whether two values are the same, wherever they are.
fn is_same(one: Option<&Node>, other: Option<&Node>) -> bool {
    one.map(to_json) == other.map(to_json)
}
