//! Brings a bundle into a cluster, wave by wave, and takes it out again.
//!
//! ```text
//! inventory + bundle written ──▶ wave 0 applied ──▶ ready ──▶ wave 1 … ──▶ what left is pruned ──▶ inventory trimmed
//! ```
//!
//! A run may end at any of these points: the inventory then names all that is there, and the next run goes on from what it
//! finds. Nothing is remembered anywhere but in the cluster.

mod conflict;
mod delete;
mod diagnose;
mod inventory;
mod prune;
mod ready;
mod send;
mod session;
mod snapshot;
mod wait;
pub mod wave;

pub use delete::{Deletion, delete, delete_objects};
pub use inventory::{Inventory, LABEL};
pub use prune::Prune;
pub use ready::{State, state, takes_time};
pub use session::Session;
pub use snapshot::Outcome;
pub use wave::{Gate, Item, Wave};

use crate::cluster::ObjectRef;
use crate::diagnostics::{Diagnostics, Result};
use prune::Leavers;
use snapshot::Snapshot;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;

/// The name under which the server notes which fields are ours.
pub const MANAGER: &str = "kfc";
/// With the value `disabled`, an object stays when it leaves the bundle, and when everything is deleted.
pub const PRUNE_ANNOTATION: &str = "kfc.dev/prune";

/// How to apply.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Take over fields that belong to others.
    pub force_conflicts: bool,
    /// How long a wave may take.
    pub timeout: Duration,
    /// Whether to wait until things are ready.
    pub wait: bool,
    /// What to delete of that which left the bundle.
    pub prune: Prune,
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
    /// An object left the bundle but stays.
    Kept {
        /// Which object.
        object: &'e ObjectRef,
        /// Why.
        why: &'e str,
    },
}

/// Sees what happens.
pub trait Observer {
    /// Called with each event, in order.
    fn see(&self, event: &Event<'_>);
}

fn brings_kinds(object: &ObjectRef) -> bool {
    matches!(object.kind.as_str(), "CustomResourceDefinition" | "APIService")
}

/// Namespace and name of every inventory that we may see.
pub async fn inventories(session: &Session<'_>) -> Vec<(String, String)> {
    let all = inventory::all(session, "").await;
    let mut names: Vec<_> = all.into_iter().map(|(namespace, name, _)| (namespace, name)).collect();
    names.sort();
    names.dedup();
    names
}

/// What a run did.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// What became of each resource, in the order of waves.
    pub outcomes: Vec<(ObjectRef, Outcome)>,
    /// What left the bundle and was deleted.
    pub pruned: Vec<ObjectRef>,
    /// What left the bundle and stays, with the reason.
    pub kept: Vec<(ObjectRef, String)>,
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

/// Applies waves, waits for each, then deletes what has left since the last run of this inventory.
///
/// # Errors
/// Whatever the server refuses, what does not become ready, all of one wave together. Later waves are not begun then, and
/// nothing is pruned.
pub async fn apply(
    session: &Session<'_>,
    waves: &[Wave],
    inventory: &mut Inventory,
    settings: &Settings,
) -> Result<Report> {
    let leavers = Leavers::of(inventory, waves);
    if !settings.dry_run {
        for (at, wave) in waves.iter().enumerate() {
            for item in &wave.items {
                inventory.add(item.object.clone(), at);
            }
        }
        inventory.write(session).await?;
    }
    let snapshot = Snapshot::take(session, waves).await;
    let bundle = send::Known::of(waves);
    let mut report = Report::default();
    for (at, wave) in waves.iter().enumerate() {
        session.tell(&Event::Wave { at: at + 1, of: waves.len(), resources: wave.items.len() });
        let deadline = Instant::now() + settings.timeout;
        let sender = send::Sender { session, settings, snapshot: &snapshot, bundle: &bundle, deadline };
        report.outcomes.extend(sender.wave(wave).await?);
        let is_last = at + 1 == waves.len();
        if !settings.dry_run && (settings.wait || !is_last) {
            wait::for_wave(session, waves, at, settings.wait, deadline).await?;
        }
        if wave.items.iter().any(|item| brings_kinds(&item.object)) {
            session.renew().await;
        }
    }
    prune::prune(session, &leavers, inventory, settings, &mut report).await?;
    if !settings.dry_run {
        inventory.write(session).await?;
    }
    Ok(report)
}
