//! Applies a bundle wave by wave, from the inventory that is written first to the one that is trimmed last.

use super::event::Event;
use super::foreseen::Preview;
use super::inventory::{self, Inventory};
use super::outcome::Outcome;
use super::prune;
use super::report::Report;
use super::rights;
use super::send;
use super::session::Session;
use super::settings::Settings;
use super::snapshot::Seen;
use super::survey::Survey;
use super::wait;
use kfc_diagnostics::Result;
use kfc_kube::ObjectId;
use kfc_kube::wave::{Item, Wave};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap, HashSet};
use tokio::time::Instant;

/// Applies waves, waits for each, then deletes what left the bundle since the last run of this inventory, when that was agreed to.
///
/// # Errors
/// What the server refuses and what does not become ready, all of one wave together. Later waves do not start then, and
/// nothing is pruned. The inventory then lists what it listed before, what was applied, and what may have been.
pub async fn apply(
    session: &Session<'_>,
    waves: &[Wave],
    inventory: &mut Inventory,
    settings: &Settings,
    mut survey: Survey,
    preview: &Preview,
) -> Result<Report> {
    let before = inventory.clone();
    if !settings.dry_run {
        survey.list(inventory, waves, settings);
        inventory.write(session).await?;
        survey.take_over(session, waves, &before, settings).await;
    }
    let mut report = Report::default();
    let mut touched = HashSet::new();
    if let Err(errors) =
        send_waves(session, waves, settings, (&survey, preview), &mut touched, &mut report).await
    {
        if !settings.dry_run {
            // What was refused or not sent never existed: no later run is to look for it.
            inventory.retain(|object| before.has(object) || touched.contains(object));
            // The first errors are the ones that count.
            drop(inventory.write(session).await);
        }
        return Err(errors);
    }
    if !settings.dry_run && settings.wait {
        report.addressless = addressless(session, waves).await;
    }
    let taken = if settings.adopt { std::mem::take(&mut survey.shared) } else { BTreeMap::new() };
    prune::prune(session, survey.prune_set, inventory, settings, &mut report).await?;
    if !settings.dry_run {
        inventory.write(session).await?;
        for (id, objects) in taken {
            inventory::forget(session, &objects, [id]).await?;
        }
    }
    Ok(report)
}

/// Applies waves and waits for each. `touched` gets every object that exists now, or may exist.
async fn send_waves(
    session: &Session<'_>,
    waves: &[Wave],
    settings: &Settings,
    (survey, preview): (&Survey, &Preview),
    touched: &mut HashSet<ObjectId>,
    report: &mut Report,
) -> Result<()> {
    let bundle = send::Known::of(waves);
    let manager = settings.inventory.manager();
    for (at, wave) in waves.iter().enumerate() {
        session.notify(&Event::Wave { at: at + 1, of: waves.len(), resources: wave.items.len() });
        let deadline = Instant::now() + settings.timeout;
        let preview = Some(preview);
        let sender =
            send::Sender { session, settings, survey, preview, bundle: &bundle, deadline, manager: &manager };
        let sent = sender.wave(wave).await;
        touched.extend(sent.outcomes.iter().map(|(object, _)| object.clone()));
        touched.extend(sent.uncertain);
        report.outcomes.extend(sent.outcomes);
        let mut errors = sent.errors;
        if sent.is_forbidden {
            let rest = waves[at..].iter().flat_map(|wave| &wave.items).map(|item| &item.object);
            let rest: Vec<_> = rest.filter(|object| !touched.contains(*object)).collect();
            let rest: Vec<_> = rest
                .into_iter()
                .map(|object| (object, !matches!(survey.snapshot.seen(object), Seen::Exists(_))))
                .collect();
            errors.0.extend(rights::missing(session, &rest).await);
        }
        errors.into_result(())?;
        let is_last = at + 1 == waves.len();
        if !settings.dry_run && (settings.wait || !is_last) {
            let unchanged = unchanged(&report.outcomes, survey, is_last);
            let everything = settings.wait;
            let waiting = wait::Waiting { session, waves, at, everything, deadline, unchanged };
            wait::for_wave(&waiting).await?;
        }
        let is_new =
            |(object, outcome): &&(ObjectId, Outcome)| *outcome != Outcome::Unchanged && brings_kinds(object);
        if report.outcomes.iter().rev().take(wave.items.len()).any(|outcome| is_new(&outcome)) {
            session.renew().await;
        }
    }
    Ok(())
}

/// The Services of load balancers that have no address yet.
async fn addressless(session: &Session<'_>, waves: &[Wave]) -> Vec<ObjectId> {
    let is_balanced = |item: &&Item| {
        item.object.kind == "Service"
            && item.object.group.is_empty()
            && serde_json::from_str::<Value>(&item.body).unwrap_or_default()["spec"]["type"] == "LoadBalancer"
    };
    let mut found = Vec::new();
    for item in waves.iter().flat_map(|wave| &wave.items).filter(is_balanced) {
        if let Ok(Some(live)) = session.read(&item.object).await
            && live["status"]["loadBalancer"]["ingress"].as_array().is_none_or(Vec::is_empty)
        {
            found.push(item.object.clone());
        }
    }
    found
}

/// The objects that did not change, as they were before the run. At the end, what was changed may have changed the state of
/// others: then all of them are asked for.
fn unchanged<'s>(
    outcomes: &'s [(ObjectId, Outcome)],
    survey: &'s Survey,
    is_last: bool,
) -> HashMap<&'s ObjectId, &'s Value> {
    let is_unchanged = |outcome: Outcome| outcome == Outcome::Unchanged;
    if is_last && !outcomes.iter().all(|(_, outcome)| is_unchanged(*outcome)) {
        return HashMap::new();
    }
    let same = outcomes.iter().filter(|(_, outcome)| is_unchanged(*outcome));
    same.filter_map(|(object, _)| Some((object, survey.snapshot.live(object)?))).collect()
}

fn brings_kinds(object: &ObjectId) -> bool {
    matches!(object.kind.as_str(), "CustomResourceDefinition" | "APIService")
}
