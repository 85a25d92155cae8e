//! What other inventories list: they own it, so it stays when this one prunes or deletes.

use super::inventory::{self, Identity, identity};
use super::inventory_id::InventoryId;
use super::session::Session;
use crate::cluster::Failure;
use kfc_diagnostics::{Code, Diagnostic, Result};
use kfc_kube::ObjectId;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The objects that other inventories list.
#[derive(Debug, Default)]
pub struct Claims {
    by_object: HashMap<Identity, BTreeSet<InventoryId>>,
    inventories: BTreeSet<InventoryId>,
    /// Why some inventories could not be read.
    unseen: Option<String>,
}

impl Claims {
    /// Reads the inventories of all namespaces but `own`. When we may not read the config maps of all namespaces, those of our own
    /// namespace are read, and those of the namespaces of `objects` where we may.
    ///
    /// # Errors
    /// [`Code::Inventory`] when they cannot be read for another reason, or one of them has lines that cannot be read.
    pub(super) async fn read<'o>(
        session: &Session<'_>,
        own: Option<&InventoryId>,
        objects: impl Iterator<Item = &'o ObjectId>,
    ) -> Result<Self> {
        let mut claims = Self::default();
        match inventory::shards(session, "").await {
            Ok(shards) => claims.add(shards, own),
            Err(failure) if failure.is_forbidden() => {
                let mut namespaces: BTreeSet<&str> =
                    objects.map(|object| object.namespace.as_str()).collect();
                namespaces.extend(own.map(|own| own.namespace.as_str()));
                namespaces.remove("");
                for namespace in namespaces {
                    match inventory::shards(session, namespace).await {
                        Ok(shards) => claims.add(shards, own),
                        Err(failure) if failure.is_forbidden() => {}
                        Err(failure) => return Err(unknown(&failure).into()),
                    }
                }
                claims.unseen = Some(failure.message);
            }
            Err(failure) => return Err(unknown(&failure).into()),
        }
        Ok(claims)
    }

    fn add(&mut self, shards: Vec<inventory::Shard>, own: Option<&InventoryId>) {
        for shard in shards.into_iter().filter(|shard| Some(&shard.id) != own) {
            for object in &shard.objects {
                self.by_object.entry(identity(object)).or_default().insert(shard.id.clone());
            }
            self.inventories.insert(shard.id);
        }
    }

    /// The other inventories that could be read.
    pub fn inventories(&self) -> impl Iterator<Item = &InventoryId> {
        self.inventories.iter()
    }

    /// Why some inventories could not be read; `None` when all were.
    #[must_use]
    pub fn unseen(&self) -> Option<&str> {
        self.unseen.as_deref()
    }

    /// The other inventories that list an object.
    pub fn holders(&self, object: &ObjectId) -> impl Iterator<Item = &InventoryId> {
        self.by_object.get(&identity(object)).into_iter().flatten()
    }

    /// One of the other inventories that list an object.
    #[must_use]
    pub fn holder(&self, object: &ObjectId) -> Option<&InventoryId> {
        self.holders(object).next()
    }

    /// An inventory that is in a namespace, or has an object in it.
    pub(super) fn in_namespace(&self, namespace: &str) -> Option<&InventoryId> {
        let kept_there = self.inventories.iter().find(|id| id.namespace == namespace);
        kept_there.or_else(|| {
            let mut inside = self.by_object.iter().filter(|(object, _)| object.2 == namespace);
            inside.find_map(|(_, holders)| holders.first())
        })
    }

    /// An inventory that lists an object of a kind.
    pub(super) fn of_kind(&self, group: &str, kind: &str) -> Option<&InventoryId> {
        let mut of_kind = self.by_object.iter().filter(|(object, _)| object.0 == group && object.1 == kind);
        of_kind.find_map(|(_, holders)| holders.first())
    }

    /// Without the objects that are deleted although inventories list them.
    pub(super) fn without<'o>(mut self, objects: impl Iterator<Item = &'o ObjectId>) -> Self {
        for object in objects {
            self.by_object.remove(&identity(object));
        }
        let left: BTreeSet<InventoryId> = self.by_object.values().flatten().cloned().collect();
        self.inventories = left;
        self
    }

    /// The objects, out of some, that other inventories list; by inventory.
    #[must_use]
    pub fn shared<'o>(
        &self,
        objects: impl Iterator<Item = &'o ObjectId>,
    ) -> BTreeMap<InventoryId, Vec<ObjectId>> {
        let mut shared: BTreeMap<InventoryId, Vec<ObjectId>> = BTreeMap::new();
        for object in objects {
            for holder in self.holders(object) {
                shared.entry(holder.clone()).or_default().push(object.clone());
            }
        }
        shared
    }
}

fn unknown(failure: &Failure) -> Diagnostic {
    let message = format!("cannot find out what other inventories list: {}", failure.message);
    Diagnostic::error(Code::Inventory, message).help("kfc stops here, as it could delete what they list")
}
