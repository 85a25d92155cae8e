//! Deletes what has left the bundle since the last run, the last wave first.

use super::delete::{Removal, remove};
use super::inventory::{self, Inventory};
use super::session::Session;
use super::wave::Wave;
use super::{Event, Report, Settings};
use crate::cluster::ObjectRef;
use crate::diagnostics::Result;
use std::collections::HashSet;
use tokio::time::Instant;

/// What to delete of that which left the bundle.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Prune {
    /// Nothing at all stays undeleted but what the flags below speak of.
    pub enabled: bool,
    /// Namespaces, with everything in them.
    pub namespaces: bool,
    /// Definitions of kinds, with all their objects.
    pub definitions: bool,
    /// Volume claims, with their data.
    pub volumes: bool,
}

impl Prune {
    /// Why an object of a kind stays; `None` when it goes.
    fn spares(self, kind: &str) -> Option<&'static str> {
        match kind {
            _ if !self.enabled => Some("pruning is off"),
            "Namespace" if !self.namespaces => {
                Some("namespaces are deleted only with `--prune-namespaces` or `--prune-all`")
            }
            "CustomResourceDefinition" if !self.definitions => {
                Some("definitions are deleted only with `--prune-crds` or `--prune-all`")
            }
            "PersistentVolumeClaim" if !self.volumes => {
                Some("volume claims are deleted only with `--prune-pvcs` or `--prune-all`")
            }
            _ => None,
        }
    }
}

/// The objects of the last run that the bundle has no more, with their waves.
#[derive(Debug)]
pub(super) struct Leavers(Vec<(ObjectRef, usize)>);

impl Leavers {
    pub(super) fn of(inventory: &Inventory, waves: &[Wave]) -> Self {
        let items = waves.iter().flat_map(|wave| &wave.items);
        let staying: HashSet<_> = items.map(|item| item.object.identity()).collect();
        let left = inventory.objects().filter(|(object, _)| !staying.contains(&object.identity()));
        Self(left.map(|(object, wave)| (object.clone(), wave)).collect())
    }
}

/// Deletes the leavers, and takes out of the inventory what is gone.
pub(super) async fn prune(
    session: &Session<'_>,
    leavers: &Leavers,
    inventory: &mut Inventory,
    settings: &Settings,
    report: &mut Report,
) -> Result<()> {
    if leavers.0.is_empty() {
        return Ok(());
    }
    let claimed = claimed_by_others(session, inventory).await;
    let mut going = Vec::new();
    for (object, wave) in &leavers.0 {
        if claimed.contains(&object.identity()) {
            let why = "another inventory has it";
            session.tell(&Event::Kept { object, why });
            report.kept.push((object.clone(), why.to_owned()));
            inventory.remove(object);
        } else if let Some(why) = settings.prune.spares(&object.kind) {
            session.tell(&Event::Kept { object, why });
            report.kept.push((object.clone(), why.to_owned()));
        } else {
            going.push((object.clone(), *wave));
        }
    }
    if settings.dry_run {
        report.pruned.extend(going.into_iter().map(|(object, _)| object));
        return Ok(());
    }
    let deadline = Instant::now() + settings.timeout;
    let removal = Removal { wait: settings.wait, deadline };
    let done = remove(session, going, removal).await;
    for object in done.gone.iter().chain(&done.absent) {
        inventory.remove(object);
    }
    for object in &done.spared {
        inventory.remove(object);
        let why = format!("its annotation `{}` says so", super::PRUNE_ANNOTATION);
        report.kept.push((object.clone(), why));
    }
    report.pruned.extend(done.gone);
    if !done.errors.is_empty() {
        // What is gone is gone, also for the next run.
        inventory.write(session).await?;
    }
    done.errors.into_result(())
}

/// What other inventories of the cluster have: it may have moved from one stack to another.
async fn claimed_by_others(session: &Session<'_>, own: &Inventory) -> OtherObjects {
    let mut all = inventory::all(session, "").await;
    if all.is_empty() {
        all = inventory::all(session, &own.namespace).await;
    }
    let others =
        all.into_iter().filter(|(namespace, name, _)| (namespace, name) != (&own.namespace, &own.name));
    OtherObjects(others.flat_map(|(_, _, objects)| objects).collect())
}

struct OtherObjects(Vec<ObjectRef>);

impl OtherObjects {
    fn contains(&self, identity: &(&str, &str, &str, &str)) -> bool {
        self.0.iter().any(|object| object.identity() == *identity)
    }
}
