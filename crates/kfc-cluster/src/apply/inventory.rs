//! The inventory: the objects that a run applied, listed in config maps of the cluster, so that a later run knows what left
//! the bundle. It is written before anything is applied, with the old and the new objects, and trimmed at the end: when a
//! run stops in between, it lists at least what exists.

use super::config_map::{CONFIG_MAP_BYTES, config_map, config_maps, write_config_map};
use super::inventory_id::InventoryId;
use super::session::Session;
use crate::cluster::{Body, Failure};
use http::Method;
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Result};
use kfc_kube::{GroupVersion, ObjectId};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The label that all config maps of an inventory have, with its name.
pub const LABEL: &str = "kfc.dev/inventory";
const KEY: &str = "objects";

/// The mark of an object that existed before the inventory first listed it, and that no inventory listed.
const FOUND: &str = "found";

/// Group, kind, namespace and name: an object in any version.
pub(super) type Identity = (String, String, String, String);

/// An object that an inventory lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Which object.
    pub object: ObjectId,
    /// The wave that it was applied in.
    pub wave: usize,
    /// Whether it existed before and is not from kfc: then it is applied, but neither pruned nor deleted.
    pub found: bool,
}

/// The objects of a run, with the wave of each.
#[derive(Clone, Debug)]
pub struct Inventory {
    /// Which one it is.
    pub id: InventoryId,
    entries: BTreeMap<Identity, Entry>,
    /// Names and resource versions of the config maps as they were read or written last.
    shards: Vec<(String, String)>,
    /// What the config maps hold.
    written: Vec<String>,
}

impl Inventory {
    /// Reads an inventory; an empty one when it does not exist.
    ///
    /// # Errors
    /// [`Code::Inventory`] when the server refuses, or the texts are not ours.
    pub async fn read(session: &Session<'_>, id: &InventoryId) -> Result<Self> {
        let InventoryId { namespace, name } = id;
        let path = format!("{}?labelSelector={LABEL}%3D{name}", config_maps(namespace));
        let answer = session.connection.get(&path).await.map_err(|failure| {
            trouble(&format!("cannot read the inventory `{name}` in `{namespace}`"), &failure)
        })?;
        let mut inventory = Self::new(id.clone());
        let mut items: Vec<&Value> = answer["items"].as_array().into_iter().flatten().collect();
        items.sort_by_key(|item| shard_number(item));
        for item in items {
            let metadata = |field: &str| item["metadata"][field].as_str().unwrap_or_default().to_owned();
            let text = item["data"][KEY].as_str().unwrap_or_default();
            inventory.shards.push((metadata("name"), metadata("resourceVersion")));
            inventory.written.push(text.to_owned());
            for line in text.lines() {
                let entry = read_line(line).ok_or_else(|| unreadable(id, line))?;
                inventory.entries.insert(identity(&entry.object), entry);
            }
        }
        Ok(inventory)
    }

    /// An inventory that lists nothing yet.
    #[must_use]
    pub fn new(id: InventoryId) -> Self {
        Self { id, entries: BTreeMap::new(), shards: Vec::new(), written: Vec::new() }
    }

    /// Adds an object, or puts it into another wave.
    pub fn add(&mut self, object: ObjectId, wave: usize) {
        let known = self.entries.get(&identity(&object)).is_some_and(|entry| entry.found);
        self.entries.insert(identity(&object), Entry { object, wave, found: known });
    }

    /// Records whether an object existed before and is not from kfc.
    pub fn set_found(&mut self, object: &ObjectId, found: bool) {
        if let Some(entry) = self.entries.get_mut(&identity(object)) {
            entry.found = found;
        }
    }

    /// Removes an object.
    pub fn remove(&mut self, object: &ObjectId) {
        self.entries.remove(&identity(object));
    }

    /// Removes what does not fit.
    pub fn retain(&mut self, fits: impl Fn(&ObjectId) -> bool) {
        self.entries.retain(|_, entry| fits(&entry.object));
    }

    /// Whether it lists an object, in any version.
    #[must_use]
    pub fn has(&self, object: &ObjectId) -> bool {
        self.entries.contains_key(&identity(object))
    }

    /// The objects with their waves.
    pub fn objects(&self) -> impl Iterator<Item = (&ObjectId, usize)> {
        self.entries().map(|entry| (&entry.object, entry.wave))
    }

    /// What it lists.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values()
    }

    /// How many objects there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether it exists in the cluster.
    #[must_use]
    pub fn exists(&self) -> bool {
        !self.shards.is_empty()
    }

    /// Writes the config maps that changed. Those that are no longer needed are deleted last.
    ///
    /// # Errors
    /// [`Code::Inventory`] when the server refuses, as it does when another run has written in the meantime.
    pub async fn write(&mut self, session: &Session<'_>) -> Result<()> {
        let texts = self.texts();
        for at in writing_order(&self.written, &texts) {
            let text = &texts[at];
            if self.written.get(at) == Some(text) {
                continue;
            }
            let shard =
                self.write_shard(session, at, text).await.map_err(|failure| self.unwritten(&failure))?;
            if at < self.shards.len() {
                self.shards[at] = shard;
                self.written[at].clone_from(text);
            } else {
                self.shards.push(shard);
                self.written.push(text.clone());
            }
        }
        while self.shards.len() > texts.len() {
            let Some((name, _)) = self.shards.last() else { break };
            delete(session, &self.id.namespace, name).await.map_err(|failure| self.unwritten(&failure))?;
            self.shards.pop();
            self.written.pop();
        }
        Ok(())
    }

    /// Deletes all config maps.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub async fn delete(&mut self, session: &Session<'_>) -> Result<()> {
        self.entries.clear();
        while let Some((name, _)) = self.shards.last() {
            delete(session, &self.id.namespace, name).await.map_err(|failure| self.unwritten(&failure))?;
            self.shards.pop();
            self.written.pop();
        }
        Ok(())
    }

    /// The contents of the config maps. One is written even for an empty inventory, so that it can be found.
    fn texts(&self) -> Vec<String> {
        let mut texts = vec![String::new()];
        for entry in self.entries.values() {
            let line = write_line(entry);
            if let Some(last) = texts.last_mut() {
                if last.len() + line.len() > CONFIG_MAP_BYTES {
                    texts.push(line);
                } else {
                    last.push_str(&line);
                }
            }
        }
        texts
    }

    async fn write_shard(
        &self,
        session: &Session<'_>,
        at: usize,
        text: &str,
    ) -> std::result::Result<(String, String), Failure> {
        let known = self.shards.get(at);
        let name = known.map_or_else(|| shard_name(&self.id.name, at), |(name, _)| name.clone());
        let object = config_map(&self.id, (LABEL, &name), ("data", json!({KEY: text})));
        let version = write_config_map(session, object, known.map(|(_, version)| version.as_str())).await?;
        Ok((name, version))
    }

    fn unwritten(&self, failure: &Failure) -> Diagnostics {
        let what = format!("cannot write the inventory `{}` in `{}`", self.id.name, self.id.namespace);
        trouble(&what, failure)
    }
}

/// The order in which config maps are written, so that no entry is in none of them when a run stops in between. Entries that
/// are added push others into later config maps, which are written before the earlier ones lose them. Entries that are
/// removed pull others into earlier ones.
fn writing_order(written: &[String], texts: &[String]) -> Vec<usize> {
    let bytes = |texts: &[String]| texts.iter().map(String::len).sum::<usize>();
    let new = written.len()..texts.len();
    let known = 0..written.len().min(texts.len());
    if bytes(texts) > bytes(written) { new.chain(known.rev()).collect() } else { known.chain(new).collect() }
}

/// A config map of an inventory, with what it lists.
pub(super) struct Shard {
    pub(super) id: InventoryId,
    pub(super) objects: Vec<ObjectId>,
}

/// All config maps of inventories in a namespace, in all namespaces when it is empty.
///
/// # Errors
/// What the server says when we may not read them. A line that cannot be read is an error too: what it lists would look like
/// an object without an inventory.
pub(super) async fn shards(
    session: &Session<'_>,
    namespace: &str,
) -> std::result::Result<Vec<Shard>, Failure> {
    let path = match namespace {
        "" => format!("/api/v1/configmaps?labelSelector={LABEL}"),
        namespace => format!("{}?labelSelector={LABEL}", config_maps(namespace)),
    };
    let answer = session.connection.get(&path).await?;
    read_shards(answer["items"].as_array().into_iter().flatten()).map_err(|error| {
        let message = error.0.first().map(|error| error.message.clone()).unwrap_or_default();
        Failure { status: 422, message, ..Failure::default() }
    })
}

/// Every inventory that we may see, with the number of objects that it lists.
///
/// # Errors
/// [`Code::Inventory`] when they cannot be read.
pub async fn inventories(session: &Session<'_>, own_namespace: &str) -> Result<BTreeMap<InventoryId, usize>> {
    let shards = match shards(session, "").await {
        Err(failure) if failure.is_forbidden() => shards(session, own_namespace).await,
        shards => shards,
    };
    let shards = shards.map_err(|failure| {
        let message = format!("cannot read the inventories: {}", failure.message);
        Diagnostics::from(Diagnostic::error(Code::Inventory, message))
    })?;
    let mut counts = BTreeMap::new();
    for shard in shards {
        *counts.entry(shard.id).or_default() += shard.objects.len();
    }
    Ok(counts)
}

/// What config maps list that are those of inventories.
///
/// # Errors
/// [`Code::Inventory`] for a line that cannot be read.
pub(super) fn read_shards<'v>(items: impl Iterator<Item = &'v Value>) -> Result<Vec<Shard>> {
    let mut shards = Vec::new();
    for item in items {
        let metadata = &item["metadata"];
        let Some(name) = metadata["labels"][LABEL].as_str() else { continue };
        let id = InventoryId::new(metadata["namespace"].as_str().unwrap_or_default(), name);
        let lines = item["data"][KEY].as_str().unwrap_or_default().lines();
        let object = |line| read_line(line).map(|entry| entry.object).ok_or_else(|| unreadable(&id, line));
        let objects = lines.map(object);
        let objects = objects.collect::<Result<Vec<_>>>()?;
        shards.push(Shard { id, objects });
    }
    Ok(shards)
}

fn unreadable(id: &InventoryId, line: &str) -> Diagnostics {
    let message = format!("the inventory {id} has a line that kfc cannot read: `{line}`");
    let error = Diagnostic::error(Code::Inventory, message);
    error.help("check whether a newer version of kfc wrote it, or somebody edited it").into()
}

pub(super) fn identity(object: &ObjectId) -> Identity {
    let (group, kind, namespace, name) = object.identity();
    (group.to_owned(), kind.to_owned(), namespace.to_owned(), name.to_owned())
}

pub(super) fn trouble(what: &str, failure: &Failure) -> Diagnostics {
    let error = Diagnostic::error(Code::Inventory, format!("{what}: {}", failure.message));
    match failure.status {
        404 => error.help("create the namespace, or name another with `--inventory-namespace`"),
        409 => error.help("another run changed it in the meantime: wait until that run ends, then run again"),
        403 => error.help("name a namespace that you may write config maps in with `--inventory-namespace`"),
        _ => error,
    }
    .into()
}

async fn delete(session: &Session<'_>, namespace: &str, name: &str) -> std::result::Result<(), Failure> {
    let path = format!("{}/{name}", config_maps(namespace));
    match session.connection.send(Method::DELETE, &path, "application/json", Body::None).await {
        Err(failure) if !failure.is_not_found() => Err(failure),
        _ => Ok(()),
    }
}

fn shard_name(name: &str, at: usize) -> String {
    if at == 0 { format!("kfc-inventory-{name}") } else { format!("kfc-inventory-{name}.{at}") }
}

fn shard_number(item: &Value) -> usize {
    let name = item["metadata"]["name"].as_str().unwrap_or_default();
    name.rsplit_once('.').and_then(|(_, at)| at.parse().ok()).unwrap_or(0)
}

/// `3 apps/v1 Deployment kubeflow katib-controller`; `-` for no namespace, and a last word `found` for an object that
/// existed before. None of the parts can contain a space.
fn write_line(entry: &Entry) -> String {
    let Entry { object, wave, found } = entry;
    let namespace = if object.namespace.is_empty() { "-" } else { &object.namespace };
    let found = if *found { format!(" {FOUND}") } else { String::new() };
    format!("{wave} {} {} {namespace} {}{found}\n", object.api_version(), object.kind, object.name)
}

fn read_line(line: &str) -> Option<Entry> {
    let parts: Vec<&str> = line.split(' ').collect();
    let (parts, found) = match parts.as_slice() {
        [parts @ .., FOUND] if parts.len() == 5 => (parts, true),
        parts => (parts, false),
    };
    let [wave, api_version, kind, namespace, name] = parts else { return None };
    let GroupVersion { group, version } = GroupVersion::parse(api_version);
    let namespace = if *namespace == "-" { "" } else { namespace };
    let [group, version, kind, namespace, name] = [group, version, kind, namespace, name].map(str::to_owned);
    let object = ObjectId { group, version, kind, namespace, name };
    Some(Entry { object, wave: wave.parse().ok()?, found })
}

#[cfg(test)]
mod tests {
    use super::{CONFIG_MAP_BYTES, Entry, Inventory, read_line, write_line, writing_order};
    use crate::apply::InventoryId;
    use kfc_kube::ObjectId;

    fn empty() -> Inventory {
        Inventory::new(InventoryId::new("default", "test"))
    }

    fn object(version: &str, name: &str) -> ObjectId {
        let [group, version, kind, namespace, name] =
            ["apps", version, "Deployment", "n", name].map(str::to_owned);
        ObjectId { group, version, kind, namespace, name }
    }

    #[test]
    fn lines_are_read_as_they_are_written() {
        let cluster_wide = ObjectId { namespace: String::new(), group: String::new(), ..object("v1", "a:b") };
        for (object, found) in
            [(object("v1", "a"), true), (object("v1", "found"), false), (cluster_wide, false)]
        {
            let entry = Entry { object, wave: 7, found };
            assert_eq!(read_line(write_line(&entry).trim_end()), Some(entry));
        }
        for wrong in
            ["", "a b", "x v1 Pod n a", "1 v1 Pod n a b", "1 v1 Pod n a found b", "1 v1 Pod n found found x"]
        {
            assert_eq!(read_line(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn no_entry_is_away_while_config_maps_are_written() {
        let texts = |range: std::ops::Range<usize>| {
            let mut inventory = empty();
            for at in range {
                inventory.add(object("v1", &format!("a-rather-long-name-of-a-deployment-{at:05}")), 1);
            }
            inventory.texts()
        };
        let lines = |texts: &[String]| -> std::collections::HashSet<String> {
            texts.iter().flat_map(|text| text.lines().map(str::to_owned)).collect()
        };
        let (few, many) = (texts(20_000..45_000), texts(0..60_000));
        for (before, after) in [(&few, &many), (&many, &few)] {
            let kept: Vec<String> = lines(before).intersection(&lines(after)).cloned().collect();
            let mut there = before.clone();
            for at in writing_order(before, after) {
                if at < there.len() {
                    there[at].clone_from(&after[at]);
                } else {
                    there.push(after[at].clone());
                }
                let now = lines(&there);
                assert!(kept.iter().all(|line| now.contains(line)));
            }
        }
    }

    #[test]
    fn an_object_in_another_version_is_the_same() {
        let mut inventory = empty();
        inventory.add(object("v1beta1", "a"), 0);
        inventory.add(object("v1", "a"), 2);
        assert_eq!(inventory.len(), 1);
        assert!(inventory.has(&object("v2", "a")));
        inventory.remove(&object("v3", "a"));
        assert!(inventory.is_empty());
    }

    #[test]
    fn many_objects_are_split_and_none_is_lost() {
        let mut inventory = empty();
        for at in 0..30_000 {
            inventory.add(object("v1", &format!("a-rather-long-name-of-a-deployment-{at}")), 1);
        }
        let texts = inventory.texts();
        assert!(texts.len() > 1);
        assert!(texts.iter().all(|text| text.len() <= CONFIG_MAP_BYTES));
        assert_eq!(texts.iter().map(|text| text.lines().count()).sum::<usize>(), 30_000);
    }
}
