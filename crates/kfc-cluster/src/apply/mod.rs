//! Brings a bundle into a cluster, wave by wave, and takes it out again.
//!
//! ```text
//! inventory + bundle written ──▶ wave 0 applied ──▶ ready ──▶ wave 1 … ──▶ what left is pruned ──▶ inventory trimmed
//! ```
//!
//! A run may end at any of these points: the inventory then names all that is there, and the next run goes on from what it
//! finds. Nothing is remembered anywhere but in the cluster.

mod claims;
mod conflict;
mod delete;
mod diagnose;
mod forecast;
mod inventory;
mod lease;
mod moving;
mod owner;
mod prune;
mod removal;
mod scope;
mod send;
mod session;
mod snapshot;
mod survey;
mod wait;

pub use claims::Claims;
pub use conflict::way_across;
pub use delete::{Deleting, Deletion, delete, delete_objects, plan, plan_objects};
pub use forecast::{Forecast, Leaving, forecast};
pub use inventory::{Entry, Inventory, LABEL};
pub use lease::{Lock, LockTerms, Locked};
pub use moving::move_inventory;
pub use owner::{DEFAULT_NAMESPACE, InventoryId, OLD_MANAGER};
pub use prune::Leavers;
pub use removal::{Kinds, RemovalPlan, Stay};
pub use scope::settle_scopes;
pub use session::Session;
pub use snapshot::Outcome;
pub use survey::{Survey, survey};

use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Result};
use kfc_kube::ObjectRef;
use kfc_kube::wave::Wave;
use std::collections::{BTreeMap, HashSet};
use std::time::Duration;
use tokio::time::Instant;

/// With the value `disabled`, an object stays when it leaves the bundle, and when everything is deleted.
pub const PRUNE_ANNOTATION: &str = "kfc.dev/prune";

/// How to apply.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The inventory, whose field manager the server notes for every field.
    pub inventory: InventoryId,
    /// Take over fields that belong to others.
    pub force_conflicts: bool,
    /// Take over objects that other inventories list, or that were there before.
    pub adopt: bool,
    /// How long a wave may take.
    pub timeout: Duration,
    /// Whether to wait until things are ready.
    pub wait: bool,
    /// Whether to delete what left the bundle.
    pub prune: bool,
    /// Kinds that are deleted only when they are asked for, and are.
    pub kinds: Kinds,
    /// Only ask the server what would happen.
    pub dry_run: bool,
}

/// What happens, for whoever shows it.
#[derive(Debug)]
pub enum Event<'e> {
    /// A wave begins.
    Wave {
        /// Which one, from 1.
        at: usize,
        /// Of how many.
        of: usize,
        /// How many resources it has.
        resources: usize,
    },
    /// A resource was applied.
    Applied {
        /// Which object.
        object: &'e ObjectRef,
        /// What that did.
        outcome: Outcome,
    },
    /// A request is tried again.
    Retry {
        /// Which object.
        object: &'e ObjectRef,
        /// Why.
        why: &'e str,
    },
    /// Things are not ready yet.
    Waiting {
        /// What for, and what is missing.
        pending: &'e [(ObjectRef, String)],
    },
    /// Something became ready.
    Ready {
        /// Which object.
        object: &'e ObjectRef,
    },
    /// An object is being deleted.
    Deleting {
        /// Which object.
        object: &'e ObjectRef,
    },
    /// An object is gone.
    Deleted {
        /// Which object.
        object: &'e ObjectRef,
    },
    /// Another run works on the inventory.
    Locked {
        /// Which one.
        inventory: &'e InventoryId,
        /// Who runs it.
        holder: &'e str,
    },
    /// An object that was to be deleted stays.
    Kept {
        /// Which object.
        object: &'e ObjectRef,
        /// Why.
        why: &'e str,
    },
}

/// Sees nothing.
#[derive(Clone, Copy, Debug)]
pub struct Unobserved;

impl Observer for Unobserved {
    fn see(&self, _: &Event<'_>) {}
}

/// Sees what happens.
pub trait Observer {
    /// Called with each event, in order.
    fn see(&self, event: &Event<'_>);
}

fn brings_kinds(object: &ObjectRef) -> bool {
    matches!(object.kind.as_str(), "CustomResourceDefinition" | "APIService")
}

/// Every inventory that we may see, with the number of objects that it lists.
///
/// # Errors
/// [`Code::Inventory`] when they cannot be read.
pub async fn inventories(session: &Session<'_>, own_namespace: &str) -> Result<BTreeMap<InventoryId, usize>> {
    let shards = match inventory::shards(session, "").await {
        Err(failure) if failure.is_forbidden() => inventory::shards(session, own_namespace).await,
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

/// What a run did.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// What became of each resource, in the order of waves.
    pub outcomes: Vec<(ObjectRef, Outcome)>,
    /// What left the bundle and was deleted.
    pub pruned: Vec<ObjectRef>,
    /// What left the bundle and stays, with the reason.
    pub kept: Vec<Stay>,
    /// What left the bundle and was not deleted, as nobody agreed to it.
    pub unpruned: Vec<ObjectRef>,
    /// What was noticed.
    pub warnings: Diagnostics,
}

impl Report {
    /// How often each outcome came.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<Outcome, usize> {
        let mut counts = BTreeMap::new();
        for (_, outcome) in &self.outcomes {
            *counts.entry(*outcome).or_default() += 1;
        }
        counts
    }
}

/// Applies waves, waits for each, then deletes what has left since the last run of this inventory when that was agreed to.
///
/// # Errors
/// Whatever the server refuses, what does not become ready, all of one wave together. Later waves are not begun then, and
/// nothing is pruned. The inventory then lists what was there before, what was applied, and what may have been.
pub async fn apply(
    session: &Session<'_>,
    waves: &[Wave],
    inventory: &mut Inventory,
    settings: &Settings,
    mut survey: Survey,
) -> Result<Report> {
    let before = inventory.clone();
    if !settings.dry_run {
        survey.list(inventory, waves, settings);
        inventory.write(session).await?;
        survey.take_over(session, waves, &before, settings).await;
    }
    let mut report = Report::default();
    let mut touched = HashSet::new();
    if let Err(errors) = send_waves(session, waves, settings, &survey, &mut touched, &mut report).await {
        if !settings.dry_run {
            // What was refused or not sent was never there: no later run is to look for it.
            inventory.retain(|object| before.has(object) || touched.contains(object));
            // The first errors are the ones that count.
            drop(inventory.write(session).await);
        }
        return Err(errors);
    }
    let taken = if settings.adopt { std::mem::take(&mut survey.shared) } else { BTreeMap::new() };
    prune::prune(session, survey.leavers, inventory, settings, &mut report).await?;
    if !settings.dry_run {
        inventory.write(session).await?;
        for (id, objects) in taken {
            inventory::forget(session, &objects, [id]).await?;
        }
    }
    Ok(report)
}

/// Applies waves and waits for each. `touched` gets every object that is there now, or may be.
async fn send_waves(
    session: &Session<'_>,
    waves: &[Wave],
    settings: &Settings,
    survey: &Survey,
    touched: &mut HashSet<ObjectRef>,
    report: &mut Report,
) -> Result<()> {
    let bundle = send::Known::of(waves);
    let manager = settings.inventory.manager();
    for (at, wave) in waves.iter().enumerate() {
        session.tell(&Event::Wave { at: at + 1, of: waves.len(), resources: wave.items.len() });
        let deadline = Instant::now() + settings.timeout;
        let sender = send::Sender { session, settings, survey, bundle: &bundle, deadline, manager: &manager };
        let sent = sender.wave(wave).await;
        touched.extend(sent.outcomes.iter().map(|(object, _)| object.clone()));
        touched.extend(sent.uncertain);
        report.outcomes.extend(sent.outcomes);
        sent.errors.into_result(())?;
        let is_last = at + 1 == waves.len();
        if !settings.dry_run && (settings.wait || !is_last) {
            wait::for_wave(session, waves, at, settings.wait, deadline).await?;
        }
        if wave.items.iter().any(|item| brings_kinds(&item.object)) {
            session.renew().await;
        }
    }
    Ok(())
}
