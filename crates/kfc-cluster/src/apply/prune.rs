//! Deletes what has left the bundle since the last run, the last wave first.

use super::claims::Claims;
use super::delete::{Remover, Stayed, release, strike};
use super::inventory::{Entry, Inventory};
use super::removal::{RemovalPlan, Rules};
use super::report::Report;
use super::session::Session;
use super::settings::Settings;
use kfc_diagnostics::Result;
use kfc_kube::wave::Wave;
use std::collections::HashSet;
use tokio::time::Instant;

/// As few objects as these are never most of an inventory.
const HANDFUL: usize = 5;

/// What an inventory lists that the bundle has no more: what of it would be deleted and what stays.
#[derive(Clone, Debug, Default)]
pub struct Leavers {
    /// What goes and what stays.
    pub plan: RemovalPlan,
    /// How many objects the inventory lists.
    pub listed: usize,
}

impl Leavers {
    /// Decides about each object that has left the bundle.
    pub(super) async fn find(
        session: &Session<'_>,
        inventory: &Inventory,
        waves: &[Wave],
        rules: &Rules<'_>,
        claims: &Claims,
    ) -> Self {
        let items = waves.iter().flat_map(|wave| &wave.items);
        let staying: HashSet<_> = items.map(|item| item.object.identity()).collect();
        let left = inventory.entries().filter(|entry| !staying.contains(&entry.object.identity()));
        let left: Vec<Entry> = left.cloned().collect();
        let plan = match left.is_empty() {
            true => RemovalPlan::default(),
            false => RemovalPlan::make(session, left, rules, claims).await,
        };
        Self { plan, listed: inventory.len() }
    }

    /// Whether most of what the inventory lists would go: then the bundle is likely another one than before.
    #[must_use]
    pub fn are_most(&self) -> bool {
        let going = self.plan.going.len();
        going > HANDFUL && going * 2 > self.listed
    }
}

/// Deletes the leavers when that was agreed to, and takes out of the inventory what it lists no longer.
pub(super) async fn prune(
    session: &Session<'_>,
    leavers: Leavers,
    inventory: &mut Inventory,
    settings: &Settings,
    report: &mut Report,
) -> Result<()> {
    let RemovalPlan { going, staying, absent, .. } = leavers.plan;
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
    forgotten.iter().for_each(|stay| inventory.remove(&stay.object));
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
        // What is gone is gone, also for the next run.
        inventory.write(session).await?;
    }
    done.errors.into_result(())
}
