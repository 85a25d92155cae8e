//! Deletes what has left the bundle since the last run, the last wave first.

use super::claims::Claims;
use super::delete::{release, strike};
use super::inventory::{Entry, Inventory};
use super::removal::{RemovalPlan, Rules, Stay};
use super::remover::{Remover, Stayed};
use super::report::Report;
use super::session::Session;
use super::settings::Settings;
use kfc_diagnostics::Result;
use kfc_kube::ObjectId;
use kfc_kube::wave::Wave;
use std::collections::HashSet;
use tokio::time::Instant;

/// Up to this many objects never count as most of an inventory.
const HANDFUL: usize = 5;

/// What stays although the bundle does not have it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Spared<'s> {
    /// Objects whose values are not known.
    pub(super) kept: &'s [ObjectId],
    /// Objects whose values come from elsewhere now: the inventory no longer lists them.
    pub(super) released: &'s [ObjectId],
}

/// What an inventory lists and the bundle no longer has: what of it would be deleted and what stays.
#[derive(Clone, Debug, Default)]
pub struct PruneSet {
    /// What is to be deleted and what stays.
    pub plan: RemovalPlan,
    /// How many objects the inventory lists.
    pub listed: usize,
}

impl PruneSet {
    /// Decides about each object that has left the bundle.
    pub(super) async fn find(
        session: &Session<'_>,
        inventory: &Inventory,
        (waves, spared): (&[Wave], Spared<'_>),
        rules: &Rules<'_>,
        claims: &Claims,
    ) -> Self {
        let staying: HashSet<_> =
            waves.iter().flat_map(Wave::objects).chain(spared.kept).map(ObjectId::identity).collect();
        let left = inventory.entries().filter(|entry| !staying.contains(&entry.object.identity()));
        let is_released =
            |entry: &Entry| spared.released.iter().any(|object| object.same_object(&entry.object));
        let (released, left): (Vec<Entry>, Vec<Entry>) = left.cloned().partition(is_released);
        let mut plan = if left.is_empty() {
            RemovalPlan::default()
        } else {
            RemovalPlan::make(session, left, rules, claims).await
        };
        let why = "values come from elsewhere now";
        plan.staying.extend(released.iter().map(|entry| Stay::forgotten(&entry.object, why)));
        Self { plan, listed: inventory.len() }
    }

    /// Whether it is most of what the inventory lists: then the bundle is probably a different one.
    #[must_use]
    pub fn is_most(&self) -> bool {
        let going = self.plan.going.len();
        going > HANDFUL && going * 2 > self.listed
    }
}

/// Deletes the prune set when that was agreed to, and removes from the inventory what it no longer lists.
pub(super) async fn prune(
    session: &Session<'_>,
    prune_set: PruneSet,
    inventory: &mut Inventory,
    settings: &Settings,
    report: &mut Report,
) -> Result<()> {
    let RemovalPlan { going, staying, absent, .. } = prune_set.plan;
    report.kept.extend(staying.iter().cloned());
    let stayed = Stayed::of(&staying);
    if settings.dry_run {
        report.pruned.extend(going.into_iter().map(|(object, _)| object));
        return Ok(());
    }
    for object in &absent {
        inventory.remove(object);
    }
    let forgotten: Vec<_> = staying.into_iter().filter(|stay| stay.forgotten).collect();
    for stay in &forgotten {
        inventory.remove(&stay.object);
    }
    release(session, &forgotten, &settings.inventory).await;
    if !settings.prune || going.is_empty() {
        report.unpruned.extend(going.into_iter().map(|(object, _)| object));
        return Ok(());
    }
    let rules = Rules { own: Some(&settings.inventory), kinds: settings.kinds, taken: &[] };
    let deadline = Instant::now() + settings.timeout;
    let remover = Remover { session, rules: &rules, wait: settings.wait, deadline, stayed: &stayed };
    let done = remover.remove(going).await?;
    strike(inventory, &done);
    release(session, &done.staying, &settings.inventory).await;
    report.kept.extend(done.staying);
    report.pruned.extend(done.gone);
    if !done.errors.is_empty() {
        // The next run must not look for what is deleted.
        inventory.write(session).await?;
    }
    done.errors.into_result(())
}
