//! The two sides as a whole, and what differs in the objects that belong to each component.

use crate::parity::form::Schemas;
use crate::parity::table::{Line, Only, Table, Tables};
use crate::parity::{form, grants, trees};
use kfc_diff::model::{ChangeKind, Path as FieldPath, ResourceChange, Step};
use kfc_diff::{Input, Member, compare};
use kfc_kube::Gvk;
use kfc_kube::Object;
use kfc_kube::schema::Schema;
use kfc_yaml::value::from_json;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

/// A field, or the whole object, that one side has in another way.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Difference {
    pub(crate) object: String,
    /// Nothing when one side has no such object.
    pub(crate) field: Option<String>,
    pub(crate) is_only_upstream: bool,
    /// The values, upstream's first, for messages.
    values: String,
}

impl Difference {
    fn is(&self, line: &Line) -> bool {
        let only = if self.is_only_upstream { Only::Upstream } else { Only::Ours };
        self.object == line.object
            && self.field == line.field
            && (self.field.is_some() || line.only == Some(only))
    }

    /// The line that would name it.
    fn as_line(&self) -> String {
        let quoted = |text: &str| serde_json::to_string(text).unwrap();
        let what = match (&self.field, self.is_only_upstream) {
            (Some(field), _) => format!("field: {}", quoted(field)),
            (None, true) => "only: upstream".to_owned(),
            (None, false) => "only: ours".to_owned(),
        };
        format!("- object: {}\n  {what}\n  reason: # {}\n", quoted(&self.object), self.values)
    }
}

/// What was found in one component.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Objects that both sides have.
    pub(crate) common: usize,
    pub(crate) differences: BTreeSet<Difference>,
    /// Differences that no line names.
    unnamed: Vec<Difference>,
    /// Lines without a difference.
    stale: Vec<String>,
}

impl Found {
    /// Objects that are the same on both sides.
    pub(crate) fn equal(&self) -> usize {
        let differ = self.differences.iter().filter(|one| one.field.is_some()).map(|one| &one.object);
        self.common - differ.collect::<BTreeSet<_>>().len()
    }

    /// What is not as our base and its table say: objects, each with what differs. Reasons that no longer apply come last.
    pub(crate) fn facts(&self) -> Vec<(String, String)> {
        let what = |one: &Difference| match (&one.field, one.is_only_upstream) {
            (Some(field), _) => format!("{field}: {}", one.values),
            (None, true) => "only upstream has it".to_owned(),
            (None, false) => "only our base has it".to_owned(),
        };
        let stale = self
            .stale
            .iter()
            .map(|line| (line.trim().to_owned(), "the reason in its table can go".to_owned()));
        self.unnamed.iter().map(|one| (one.object.clone(), what(one))).chain(stale).collect()
    }

    /// What nobody gave a reason for.
    pub(crate) fn unexplained(&self) -> Option<String> {
        let mut text = String::new();
        if !self.unnamed.is_empty() {
            writeln!(text, "{} differences without a reason, upstream → ours:", self.unnamed.len()).unwrap();
            self.unnamed.iter().for_each(|one| text += &one.as_line());
        }
        if !self.stale.is_empty() {
            writeln!(text, "{} reasons without a difference:", self.stale.len()).unwrap();
            self.stale.iter().for_each(|one| writeln!(text, "- {one}").unwrap());
        }
        (!text.is_empty()).then_some(text)
    }
}

/// What was found in all components.
#[derive(Debug)]
pub(crate) struct Compared {
    pub(crate) components: BTreeMap<String, Found>,
    /// The recorded digest of each source, and that of the tree.
    pub(crate) digests: BTreeMap<String, (Option<String>, String)>,
}

/// How a server keeps objects of a kind that a definition adds.
struct Kept {
    api_version: String,
    is_cluster_scoped: bool,
}

/// By group and kind.
type Kinds = BTreeMap<(String, String), Kept>;

fn kinds(definitions: &[Value]) -> Kinds {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let entry = |one: &Value| {
        let spec = &one["spec"];
        let versions = spec["versions"].as_array().into_iter().flatten();
        let stored =
            versions.filter(|version| version["storage"] == true).map(|version| text(&version["name"]));
        let api_version = format!("{}/{}", text(&spec["group"]), stored.collect::<String>());
        let kept = Kept { api_version, is_cluster_scoped: spec["scope"] == "Cluster" };
        ((text(&spec["group"]), text(&spec["names"]["kind"])), kept)
    };
    definitions.iter().map(entry).collect()
}

/// One side: its objects, and the component that each belongs to.
#[derive(Default)]
struct Side {
    objects: Vec<Value>,
    definitions: Vec<Value>,
    unowned: Vec<(String, Vec<Value>)>,
    owners: BTreeMap<String, String>,
}

impl Side {
    fn add(&mut self, component: &str, objects: Vec<Value>) {
        let (definitions, objects) =
            objects.into_iter().partition(|object| object["kind"] == "CustomResourceDefinition");
        self.definitions.extend::<Vec<Value>>(definitions);
        self.unowned.push((component.to_owned(), objects));
    }

    /// Finds whose each object is. Custom resources count as one object in all versions, as the server stores them.
    fn settle(&mut self, kinds: &Kinds) {
        for (component, objects) in std::mem::take(&mut self.unowned) {
            for mut object in objects {
                let gvk = Gvk::new(object["apiVersion"].as_str().unwrap(), object["kind"].as_str().unwrap());
                if let Some(kept) = kinds.get(&(gvk.group, gvk.kind)) {
                    object["apiVersion"] = kept.api_version.as_str().into();
                    if kept.is_cluster_scoped {
                        object["metadata"].as_object_mut().unwrap().remove("namespace");
                    }
                }
                if let Entry::Vacant(entry) = self.owners.entry(form::identity(&object)) {
                    entry.insert(component.clone());
                    self.objects.push(object);
                }
            }
        }
    }

    /// Adds what service accounts may do; it belongs to the component of the account, or of `otherwise`.
    fn add_permissions(&mut self, otherwise: &str) {
        for object in grants::of_accounts(&self.objects) {
            let id = form::identity(&object);
            let account = id.replacen("Permissions", "ServiceAccount", 1);
            let owner = self.owners.get(&account).map_or(otherwise, String::as_str).to_owned();
            self.owners.insert(id, owner);
            self.objects.push(object);
        }
    }

    /// As the input of a comparison: objects that the other side has too, and the definitions that say how lists are keyed.
    fn input(&self, label: &str, common: &BTreeSet<&String>, definitions: &[Value]) -> Input {
        let shared = self.objects.iter().filter(|object| common.contains(&form::identity(object)));
        let schemas = Schemas::of_definitions(definitions);
        let normal = form::normalised(shared.cloned().collect(), &schemas)
            .into_iter()
            .chain(definitions.iter().cloned());
        let resources =
            normal.map(|object| Member::new(Object::new(from_json(&object, None), false))).collect();
        Input { label: label.to_owned(), resources, ..Input::default() }
    }
}

/// Compares all components that upstream has.
pub(crate) fn compare_all(tables: &Tables, directory: &Path) -> Compared {
    let (mut upstream, mut ours) = (Side::default(), Side::default());
    let mut texts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, table) in tables.components.iter().filter(|(_, table)| table.why.is_none()) {
        for root in &table.upstream {
            let objects = trees::upstream(directory, &tables.sources[&root.source], root);
            texts.entry(root.source.clone()).or_default().extend(objects.iter().map(Value::to_string));
            upstream.add(name, form::named(objects));
        }
        ours.add(name, form::named(trees::ours(name)));
    }
    settle(&mut upstream, &mut ours);
    let digests = texts.into_iter().map(|(source, texts)| {
        let due = tables.sources[&source].digest.clone();
        (source, (due, digest(texts)))
    });
    let digests = digests.collect();
    Compared { components: found(tables, &upstream, &ours), digests }
}

/// Brings both sides into one form, and adds what service accounts may do in the end.
fn settle(upstream: &mut Side, ours: &mut Side) {
    let kinds = kinds(&upstream.definitions);
    for side in [upstream, ours] {
        side.settle(&kinds);
        side.add_permissions("kubeflow-roles");
    }
}

/// Compares the bases of the components that a release of upstream has with what it has for them.
pub(crate) fn compare_release(
    tables: &Tables,
    release: &BTreeMap<String, Vec<Value>>,
) -> BTreeMap<String, Found> {
    let (mut upstream, mut ours) = (Side::default(), Side::default());
    for (name, objects) in release {
        upstream.add(name, form::named(objects.clone()));
        ours.add(name, form::named(trees::ours(name)));
    }
    settle(&mut upstream, &mut ours);
    let mut found = found(tables, &upstream, &ours);
    found.retain(|name, _| release.contains_key(name));
    found
}

/// The CRDs whose versions differ, each with upstream's and ours.
pub(crate) fn versions_that_differ(upstream: &[Value], ours: &[Value]) -> Vec<(String, String)> {
    let of = |objects: &[Value]| -> BTreeMap<String, String> {
        let definitions = objects.iter().filter(|object| object["kind"] == "CustomResourceDefinition");
        definitions
            .map(|one| (one["metadata"]["name"].as_str().unwrap_or_default().to_owned(), shown_versions(one)))
            .collect()
    };
    let (upstream, ours) = (of(upstream), of(ours));
    let names: BTreeSet<&String> = upstream.keys().chain(ours.keys()).collect();
    let differs = |name: &&&String| upstream.get(**name) != ours.get(**name);
    let side = |side: &BTreeMap<String, String>, name: &String| {
        side.get(name).cloned().unwrap_or_else(|| "nothing".to_owned())
    };
    let line = |name: &String| {
        let versions = format!("versions {} → {}", side(&upstream, name), side(&ours, name));
        (format!("CustomResourceDefinition {name}"), versions)
    };
    names.iter().filter(differs).map(|name| line(name)).collect()
}

/// `v1alpha1, v1 (stored), v2 (not served)`.
fn shown_versions(definition: &Value) -> String {
    let versions = definition["spec"]["versions"].as_array().into_iter().flatten();
    let shown = versions.map(|version| {
        let name = version["name"].as_str().unwrap_or_default();
        let stored = if version["storage"] == true { " (stored)" } else { "" };
        let served = if version["served"] == true { "" } else { " (not served)" };
        format!("{name}{stored}{served}")
    });
    shown.collect::<Vec<_>>().join(", ")
}

fn digest(mut texts: Vec<String>) -> String {
    texts.sort();
    texts.dedup();
    let hash = Sha256::digest(texts.join("\n"));
    hash.iter().take(8).fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

fn found(tables: &Tables, upstream: &Side, ours: &Side) -> BTreeMap<String, Found> {
    let names =
        tables.components.iter().filter(|(_, table)| table.why.is_none()).map(|(name, _)| name.clone());
    let mut found: BTreeMap<String, Found> = names.map(|name| (name, Found::default())).collect();
    let common: BTreeSet<&String> =
        ours.owners.keys().filter(|id| upstream.owners.contains_key(*id)).collect();
    for id in ours.owners.keys().chain(upstream.owners.keys()) {
        let owner = ours.owners.get(id).unwrap_or_else(|| &upstream.owners[id]);
        let component = found.entry(owner.clone()).or_default();
        if !common.contains(id) {
            let is_only_upstream = upstream.owners.contains_key(id);
            let (object, values) = (id.clone(), String::new());
            component.differences.insert(Difference { object, field: None, is_only_upstream, values });
        }
    }
    for id in &common {
        found.get_mut(&ours.owners[*id]).unwrap().common += 1;
    }
    let before = upstream.input("upstream", &common, &upstream.definitions);
    let after = ours.input("ours", &common, &upstream.definitions);
    for change in compare(&before, &after, &Schema::builtin()).changes {
        let id = change.identity.to_string();
        assert_eq!(change.kind, ChangeKind::Changed, "{id} was not paired with itself");
        let component = found.get_mut(&ours.owners[&id]).unwrap();
        component.differences.extend(fields(&change, &id));
    }
    for (name, component) in &mut found {
        let lines = &tables.components[name].differs;
        let is_named = |one: &&Difference| lines.iter().any(|line| one.is(line));
        component.unnamed = component.differences.iter().filter(|one| !is_named(one)).cloned().collect();
        let is_stale = |line: &&Line| !component.differences.iter().any(|one| one.is(line));
        let shown = |line: &Line| format!("{} {}", line.object, line.field.as_deref().unwrap_or_default());
        component.stale = lines.iter().filter(is_stale).map(shown).collect();
    }
    found
}

/// The fields of a resource that differ in more than their form. A list whose items have no key counts as one field.
fn fields(change: &ResourceChange, id: &str) -> BTreeSet<Difference> {
    let mut found: BTreeMap<String, String> = BTreeMap::new();
    for field in change.fields.iter().filter(|field| field.folded.is_none()) {
        let has_key = |step: &&Step| !matches!(step, Step::Item { key, .. } if key.is_empty());
        let steps: Vec<Step> = field.path.0.iter().take_while(has_key).cloned().collect();
        let short = |value: Option<&Value>| {
            let text = value.map_or("nothing".to_owned(), Value::to_string);
            text.chars().take(160).collect::<String>()
        };
        let values = format!("{} → {}", short(field.change.before()), short(field.change.after()));
        let entry = found.entry(FieldPath(steps).to_string()).or_default();
        *entry = if entry.is_empty() { values } else { format!("{entry}; {values}") };
    }
    let difference = |(field, values): (String, String)| Difference {
        object: id.to_owned(),
        field: Some(field),
        is_only_upstream: false,
        values,
    };
    found.into_iter().map(difference).collect()
}

/// The objects and fields that differ between two sets of objects; a whole object has no field.
pub(crate) fn differences(upstream: Vec<Value>, ours: Vec<Value>) -> Vec<(String, Option<String>)> {
    let side = |objects: Vec<Value>| {
        let mut side = Side::default();
        side.add("one", form::named(objects));
        side
    };
    let (mut upstream, mut ours) = (side(upstream), side(ours));
    let kinds = kinds(&upstream.definitions);
    for one in [&mut upstream, &mut ours] {
        one.settle(&kinds);
        one.add_permissions("one");
    }
    let table = Table { upstream: Vec::new(), within: None, why: None, differs: Vec::new() };
    let components = BTreeMap::from([("one".to_owned(), table)]);
    let tables = Tables { sources: BTreeMap::new(), components };
    let found = found(&tables, &upstream, &ours).remove("one").unwrap_or_default();
    found.differences.into_iter().map(|one| (one.object, one.field)).collect()
}
