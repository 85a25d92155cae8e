//! What has to be known before anything is applied: what exists, who owns it, and what left the bundle.

use super::claims::Claims;
use super::hook_due::KnownHooks;
use super::inventory::{self, Inventory};
use super::inventory_id::{InventoryId, OLD_MANAGER};
use super::owner::{self, Former};
use super::prune::{PruneSet, Spared};
use super::removal::Rules;
use super::session::Session;
use super::settings::Settings;
use super::snapshot::{Seen, Snapshot};
use crate::cluster::Failure;
use futures::stream::{self, StreamExt};
use kfc_diagnostics::Result;
use kfc_kube::ObjectId;
use kfc_kube::wave::Wave;
use serde_json::Value;
use std::collections::{BTreeMap, HashSet};

/// What is known before a run.
#[derive(Debug)]
pub struct Survey {
    pub(super) snapshot: Snapshot,
    /// What other inventories list.
    pub claims: Claims,
    /// What has left the bundle.
    pub prune_set: PruneSet,
    /// Objects of the bundle that other inventories list too.
    pub shared: BTreeMap<InventoryId, Vec<ObjectId>>,
    /// Objects of the bundle that exist and that no inventory lists.
    pub found: Vec<ObjectId>,
    /// What is known of hooks.
    pub hooks: KnownHooks,
}

/// Looks at the cluster before a run.
///
/// # Errors
/// When other inventories cannot be read.
pub async fn survey(
    session: &Session<'_>,
    waves: &[Wave],
    inventory: &Inventory,
    settings: &Settings,
) -> Result<Survey> {
    let objects = || waves.iter().flat_map(|wave| &wave.items).map(|item| &item.object);
    let all = waves.iter().flat_map(Wave::objects);
    let listed = inventory.entries().map(|entry| &entry.object);
    let claims = Claims::read(session, Some(&inventory.id), all.chain(listed)).await?;
    let hooks = KnownHooks::read(session, inventory).await?;
    let snapshot = Snapshot::of_waves(session, waves).await;
    let rules = Rules { own: Some(&inventory.id), kinds: settings.kinds, taken: &[] };
    let prune_set = if settings.partial {
        PruneSet::default()
    } else {
        let spared = Spared { kept: &settings.kept, released: &settings.released };
        PruneSet::find(session, inventory, (waves, spared), &rules, &claims).await
    };
    let shared = claims.shared(objects());
    let known_found: HashSet<_> = inventory
        .entries()
        .filter(|entry| entry.found)
        .map(|entry| inventory::identity(&entry.object))
        .collect();
    let manager = inventory.id.manager();
    let is_found = |object: &&ObjectId| {
        if inventory.has(object) {
            return known_found.contains(&inventory::identity(object));
        }
        claims.holder(object).is_none()
            && match snapshot.seen(object) {
                Seen::Exists(metadata) => !is_ours(metadata, &manager),
                Seen::Absent => false,
                Seen::Unknown => true,
            }
    };
    let found = objects().filter(is_found).cloned().collect();
    Ok(Survey { snapshot, claims, prune_set, shared, found, hooks })
}

/// Whether an inventory that was lost listed an object: its field manager applies it.
fn is_ours(metadata: &Value, manager: &str) -> bool {
    [manager, OLD_MANAGER].iter().any(|manager| owner::applied_by(metadata, manager).is_some())
}

impl Survey {
    /// Puts the bundle into the inventory, before anything is applied.
    pub(super) fn list(&self, inventory: &mut Inventory, waves: &[Wave], settings: &Settings) {
        for (at, wave) in waves.iter().enumerate() {
            for item in &wave.items {
                inventory.add(item.object.clone(), at);
            }
        }
        for object in &self.found {
            inventory.set_found(object, !settings.adopt);
        }
    }

    /// Moves the fields of objects that `before` lists from the manager of earlier versions to that of the inventory, and with
    /// [`Settings::adopt`] those of other inventories too. The apply reports what fails here, as it meets the same failure.
    pub(super) async fn take_over(
        &mut self,
        session: &Session<'_>,
        waves: &[Wave],
        before: &Inventory,
        settings: &Settings,
    ) {
        let manager = settings.inventory.manager();
        let objects: Vec<&ObjectId> =
            waves.iter().flat_map(|wave| &wave.items).map(|item| &item.object).collect();
        let each = stream::iter(objects).map(|object| {
            let from = self.former_managers(object, before, settings);
            let metadata = match self.snapshot.seen(object) {
                Seen::Exists(metadata) if !from.is_nobody() => Some(metadata.clone()),
                _ => None,
            };
            let manager = &manager;
            async move {
                let metadata = metadata?;
                Some((object, take_over(session, object, metadata, &from, manager).await.ok()??))
            }
        });
        let moved: Vec<_> = each.buffered(session.concurrency).collect().await;
        for (object, metadata) in moved.into_iter().flatten() {
            self.snapshot.note(object, metadata);
        }
    }

    /// The managers whose fields are now the inventory's.
    fn former_managers(&self, object: &ObjectId, before: &Inventory, settings: &Settings) -> Former {
        let holders: Vec<&InventoryId> = self.claims.holders(object).collect();
        let is_orphan = holders.is_empty() && self.claims.unseen().is_none();
        let mut from = Former { tools: settings.adopt, ..Former::default() };
        if before.has(object) || is_orphan || settings.adopt {
            from.appliers.push(OLD_MANAGER.to_owned());
        }
        if settings.adopt {
            from.appliers.extend(holders.iter().map(|id| id.manager()));
        }
        from
    }
}

/// Moves the fields of one object; tries a second time when it changes at the same moment. Returns the new metadata when
/// something was moved.
pub(super) async fn take_over(
    session: &Session<'_>,
    object: &ObjectId,
    metadata: Value,
    from: &Former,
    to: &str,
) -> std::result::Result<Option<Value>, Failure> {
    match owner::take_over(session, object, &metadata, from, to).await {
        Err(failure) if failure.status == 409 => match session.read(object).await? {
            Some(live) => owner::take_over(session, object, &live["metadata"], from, to).await,
            None => Ok(None),
        },
        moved => moved,
    }
}
