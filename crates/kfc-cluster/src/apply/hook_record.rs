//! What is remembered of hooks: a config map next to those of the inventory, which only bundles with hooks have. It says which
//! hooks are still to run, as the object of a hook may be gone, and has those of a deletion, which knows no bundle.

use super::config_map::{CONFIG_MAP_BYTES, config_map, config_maps, write_config_map};
use super::inventory::{self, Identity, identity};
use super::inventory_id::InventoryId;
use super::session::Session;
use crate::cluster::{Body, Failure};
use base16ct::lower;
use http::Method;
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Result};
use kfc_kube::ObjectId;
use kfc_kube::hook::{Hook, Moment};
use kfc_kube::wave::{HookItem, Item, Wave, phase};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// The label of the config map, with the name of the inventory.
const LABEL: &str = "kfc.dev/hooks";
const KEY: &str = "hooks";

/// A hook as it is remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Remembered {
    pub(super) object: ObjectId,
    pub(super) wave: usize,
    /// The digest of its resource.
    pub(super) digest: String,
    /// Whether it was to run and has not succeeded.
    pub(super) is_due: bool,
    /// The resource, of a hook that runs during a deletion.
    pub(super) body: Option<String>,
}

/// The hooks of an inventory as they are remembered.
#[derive(Clone, Debug)]
pub struct HookRecord {
    id: InventoryId,
    entries: BTreeMap<Identity, Remembered>,
    /// The resource version of the config map; none when it does not exist.
    version: Option<String>,
    /// What the config map has.
    written: Vec<Remembered>,
}

impl HookRecord {
    /// A record without hooks.
    pub(super) fn new(id: InventoryId) -> Self {
        Self { id, entries: BTreeMap::new(), version: None, written: Vec::new() }
    }

    /// Reads the record of an inventory; an empty one when it does not exist or may not be read.
    ///
    /// # Errors
    /// [`Code::Inventory`] when it cannot be read for another reason.
    pub async fn read(session: &Session<'_>, id: &InventoryId) -> Result<Self> {
        let mut record = Self::new(id.clone());
        let found = match session.connection.get(&record.path()).await {
            Ok(found) => found,
            Err(failure) if failure.is_not_found() || failure.is_forbidden() => return Ok(record),
            Err(failure) => return Err(record.trouble("read", &failure)),
        };
        let text = found["data"][KEY].as_str().unwrap_or("[]");
        let list: Vec<Value> = serde_json::from_str(text).map_err(|_| record.unreadable())?;
        for value in &list {
            let entry = read_entry(value).ok_or_else(|| record.unreadable())?;
            record.entries.insert(identity(&entry.object), entry);
        }
        record.version = Some(found["metadata"]["resourceVersion"].as_str().unwrap_or_default().to_owned());
        record.written = record.entries.values().cloned().collect();
        Ok(record)
    }

    /// What is remembered of a hook.
    pub(super) fn of(&self, object: &ObjectId) -> Option<&Remembered> {
        self.entries.get(&identity(object))
    }

    /// Whether an object is that of a hook.
    #[must_use]
    pub fn has(&self, object: &ObjectId) -> bool {
        self.of(object).is_some()
    }

    /// Records the hooks of a bundle before they run: `is_due` says which do. Others are forgotten, unless the waves are a
    /// part of the bundle only.
    pub(super) fn settle(&mut self, waves: &[Wave], is_due: impl Fn(&ObjectId) -> bool, is_partial: bool) {
        let before = std::mem::take(&mut self.entries);
        if is_partial {
            self.entries = before;
        }
        for (wave, hook) in
            waves.iter().enumerate().flat_map(|(at, wave)| wave.hooks.iter().map(move |hook| (at, hook)))
        {
            let HookItem { item, hook } = hook;
            let entry = Remembered {
                object: item.object.clone(),
                wave,
                digest: digest(&item.body),
                is_due: is_due(&item.object),
                body: hook.is_of_deletion().then(|| item.body.clone()),
            };
            self.entries.insert(identity(&item.object), entry);
        }
    }

    /// Records that a hook succeeded.
    pub(super) fn finish(&mut self, object: &ObjectId) {
        if let Some(entry) = self.entries.get_mut(&identity(object)) {
            entry.is_due = false;
        }
    }

    /// Takes over what another record remembers.
    pub(super) fn absorb(&mut self, other: &Self) {
        for (key, entry) in &other.entries {
            self.entries.entry(key.clone()).or_insert_with(|| entry.clone());
        }
    }

    /// The hooks of a deletion, those of the last wave first.
    #[must_use]
    pub fn of_deletion(&self, moment: Moment) -> Vec<(HookItem, usize)> {
        let read = |entry: &Remembered| {
            let body = entry.body.clone()?;
            let hook = Hook::of_json(&serde_json::from_str(&body).ok()?)?;
            hook.occasion(moment)?;
            let object = entry.object.clone();
            let phase = phase(&object.kind, &object.group);
            Some((HookItem { item: Item { object, body, mark: None, phase }, hook }, entry.wave))
        };
        let mut found: Vec<(HookItem, usize)> = self.entries.values().filter_map(read).collect();
        found.sort_by_key(|(hook, wave)| (std::cmp::Reverse(*wave), hook.hook.weight));
        found
    }

    /// Writes the config map when it differs; deletes it when there are no hooks.
    ///
    /// # Errors
    /// [`Code::Inventory`] when the server refuses, and when the hooks of deletions are too large for a config map.
    pub(super) async fn write(&mut self, session: &Session<'_>) -> Result<()> {
        let now: Vec<Remembered> = self.entries.values().cloned().collect();
        if now == self.written {
            return Ok(());
        }
        if now.is_empty() {
            return self.delete(session).await;
        }
        let text = Value::Array(now.iter().map(write_entry).collect()).to_string();
        if text.len() > CONFIG_MAP_BYTES {
            let message = "the hooks that run during a deletion are larger than a config map can be";
            return Err(Diagnostic::error(Code::Hook, message).into());
        }
        let object = config_map(&self.id, (LABEL, &self.name()), ("data", json!({KEY: text})));
        let written = write_config_map(session, object, self.version.as_deref()).await;
        self.version = Some(written.map_err(|failure| self.trouble("write", &failure))?);
        self.written = now;
        Ok(())
    }

    /// Deletes the config map.
    ///
    /// # Errors
    /// [`Code::Inventory`] when the server refuses.
    pub(super) async fn delete(&mut self, session: &Session<'_>) -> Result<()> {
        self.entries.clear();
        self.written.clear();
        if self.version.take().is_none() {
            return Ok(());
        }
        match session.connection.send(Method::DELETE, &self.path(), "application/json", Body::None).await {
            Err(failure) if !failure.is_not_found() => Err(self.trouble("delete", &failure)),
            _ => Ok(()),
        }
    }

    fn name(&self) -> String {
        format!("kfc-hooks-{}", self.id.name)
    }

    fn path(&self) -> String {
        format!("{}/{}", config_maps(&self.id.namespace), self.name())
    }

    fn trouble(&self, verb: &str, failure: &Failure) -> Diagnostics {
        inventory::trouble(&format!("cannot {verb} the hooks of the inventory {}", self.id), failure)
    }

    fn unreadable(&self) -> Diagnostics {
        let message = format!("the config map of the hooks of the inventory {} cannot be read", self.id);
        let error = Diagnostic::error(Code::Inventory, message);
        error.help("check whether a newer version of kfc wrote it, or somebody edited it").into()
    }
}

fn write_entry(entry: &Remembered) -> Value {
    let object = serde_json::to_value(&entry.object).unwrap_or_default();
    let mut value =
        json!({"object": object, "wave": entry.wave, "digest": entry.digest, "due": entry.is_due});
    if let Some(body) = &entry.body {
        value["body"] = Value::from(body.as_str());
    }
    value
}

fn read_entry(value: &Value) -> Option<Remembered> {
    Some(Remembered {
        object: serde_json::from_value(value["object"].clone()).ok()?,
        wave: usize::try_from(value["wave"].as_u64()?).ok()?,
        digest: value["digest"].as_str()?.to_owned(),
        is_due: value["due"].as_bool()?,
        body: value["body"].as_str().map(str::to_owned),
    })
}

/// The digest of a resource, or of other bytes.
pub(super) fn digest(body: impl AsRef<[u8]>) -> String {
    lower::encode_string(&Sha256::digest(body))
}

#[cfg(test)]
pub(super) mod tests {
    use super::{HookRecord, read_entry, write_entry};
    use crate::apply::InventoryId;
    use kfc_diagnostics::SourceId;
    use kfc_kube::Object;
    use kfc_kube::hook::Moment;
    use kfc_kube::wave::{Wave, of_bundle};
    use kfc_yaml::parse::parse;

    /// The waves of Jobs with these names and annotations.
    pub(in crate::apply) fn jobs(list: &[(&str, &str)]) -> Vec<Wave> {
        let text: Vec<String> = list
            .iter()
            .map(|(name, annotations)| {
                format!("{{apiVersion: batch/v1, kind: Job, metadata: {{name: {name}, annotations: {{{annotations}}}}}}}\n")
            })
            .collect();
        let objects: Vec<Object> = parse(&text.join("---\n"), SourceId(0))
            .unwrap()
            .into_iter()
            .map(|node| Object::new(node, false))
            .collect();
        of_bundle(&objects.iter().collect::<Vec<_>>(), "shop").unwrap()
    }

    pub(in crate::apply) fn record(waves: &[Wave], due: &[&str]) -> HookRecord {
        let mut record = HookRecord::new(InventoryId::new("default", "test"));
        record.settle(waves, |object| due.contains(&object.name.as_str()), false);
        record
    }

    #[test]
    fn what_is_written_is_read() {
        let record =
            record(&jobs(&[("a", "kfc.dev/hook: pre-apply"), ("b", "kfc.dev/hook: pre-delete")]), &["a"]);
        let entries: Vec<_> = record.entries.values().collect();
        assert_eq!(
            entries.iter().map(|entry| (entry.is_due, entry.body.is_some())).collect::<Vec<_>>(),
            [(true, false), (false, true)]
        );
        for entry in entries {
            assert_eq!(read_entry(&write_entry(entry)).as_ref(), Some(entry));
        }
    }

    #[test]
    fn hooks_of_a_deletion_are_kept_with_their_order() {
        let waves = jobs(&[
            ("a", "kfc.dev/hook: pre-delete, kfc.dev/hook-weight: '2'"),
            ("b", "'kfc.dev/hook': 'pre-delete,post-delete'"),
            ("c", "kfc.dev/hook: pre-apply"),
        ]);
        let record = record(&waves, &[]);
        let names = |moment| -> Vec<String> {
            record.of_deletion(moment).into_iter().map(|(hook, _)| hook.item.object.name).collect()
        };
        assert_eq!(names(Moment::PreDelete), ["b", "a"]);
        assert_eq!(names(Moment::PostDelete), ["b"]);
    }

    #[test]
    fn what_left_the_bundle_is_forgotten_unless_it_was_a_part() {
        let mut record = record(&jobs(&[("a", "kfc.dev/hook: pre-apply")]), &[]);
        let other = jobs(&[("b", "kfc.dev/hook: pre-apply")]);
        let object = "Job shop/a".parse::<kfc_kube::ObjectId>().unwrap();
        let object = kfc_kube::ObjectId { group: "batch".into(), ..object };
        record.settle(&other, |_| true, true);
        assert!(record.has(&object));
        record.settle(&other, |_| true, false);
        assert!(!record.has(&object));
    }
}
