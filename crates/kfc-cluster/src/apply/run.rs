//! Applies a bundle wave by wave, from the inventory that is written first to the one that is trimmed last.

use super::event::Event;
use super::foreseen::Preview;
use super::forget::forget;
use super::hook_due::{DueHook, Trigger};
use super::hook_record::HookRecord;
use super::hook_run::{Left, Runner};
use super::inventory::Inventory;
use super::outcome::Outcome;
use super::prune;
use super::removal;
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
use kfc_kube::hook::Moment;
use kfc_kube::secret::SecretRecipe;
use kfc_kube::wave::{Item, Wave};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap, HashSet};
use tokio::time::Instant;

/// Applies waves with their hooks, waits for each, then deletes what left the bundle since the last run of this inventory, when
/// that was agreed to. The report says what was done, also when the run fails.
///
/// # Errors
/// What the server refuses and what does not become ready, all of one wave together. Later waves do not start then, and
/// nothing is pruned. The inventory then lists what it listed before, what was applied, and what may have been.
pub async fn apply(
    session: &Session<'_>,
    waves: &[Wave],
    inventory: &mut Inventory,
    settings: &Settings,
    (mut survey, preview): (Survey, &Preview),
    report: &mut Report,
) -> Result<()> {
    let before = inventory.clone();
    let due = survey.hooks.due(waves, trigger(&survey, preview, settings));
    let mut record = survey.hooks.record.clone();
    runner(session, settings, &survey).check(due.iter().map(DueHook::object)).await?;
    if !settings.dry_run {
        survey.list(inventory, waves, settings);
        for hook in &due {
            inventory.add(hook.object().clone(), hook.wave);
        }
        inventory.write(session).await?;
        record.settle(waves, |object| due.iter().any(|hook| hook.object() == object), settings.partial);
        record.write(session).await?;
        survey.take_over(session, waves, &before, settings).await;
    }
    let runner = runner(session, settings, &survey);
    let mut hooks = Hooks { runner, due, record, is_dry: settings.dry_run, removed: Vec::new() };
    let mut touched = HashSet::new();
    let sent =
        send_waves(session, waves, settings, (&survey, preview), (&mut hooks, &mut touched), report).await;
    let done = match sent {
        Ok(()) => hooks.run((Moment::PostApply, None), &mut touched, report).await,
        Err(errors) => Err(errors),
    };
    if let Err(errors) = done {
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
    hooks.removed.iter().for_each(|object| inventory.remove(object));
    drop(hooks);
    let taken = if settings.adopt { std::mem::take(&mut survey.shared) } else { BTreeMap::new() };
    prune::prune(session, survey.prune_set, inventory, settings, report).await?;
    if !settings.dry_run {
        inventory.write(session).await?;
        for (id, objects) in taken {
            forget(session, &objects, [id]).await?;
        }
    }
    Ok(())
}

/// The wave with a namespace.
fn wave_of_namespace(waves: &[Wave], name: &str) -> Option<usize> {
    let is_it = |object: &ObjectId| removal::is_namespace(object) && object.name == name;
    waves.iter().position(|wave| wave.objects().any(is_it))
}

/// Applies waves and waits for each. `touched` gets every object that exists now, or may exist.
async fn send_waves(
    session: &Session<'_>,
    waves: &[Wave],
    settings: &Settings,
    (survey, preview): (&Survey, &Preview),
    (hooks, touched): (&mut Hooks<'_>, &mut HashSet<ObjectId>),
    report: &mut Report,
) -> Result<()> {
    // Hooks after the apply need everything.
    let waits = settings.wait || hooks.has(Moment::PostApply, None);
    let bundle = send::Known::of(waves);
    let manager = settings.inventory.manager();
    for (at, wave) in waves.iter().enumerate() {
        session.notify(&Event::Wave { at: at + 1, of: waves.len(), resources: wave.items.len() });
        let deadline = Instant::now() + settings.timeout;
        let preview = Some(preview);
        let sender =
            send::Sender { session, settings, survey, preview, bundle: &bundle, deadline, manager: &manager };
        let mut sent = send::Sent::default();
        let (needs, users) = wave.around_hooks();
        sender.phases(needs, &mut sent).await;
        if let Some(generation) = settings.generation.as_ref().filter(|_| !settings.dry_run) {
            // Namespaces that the bundle does not have exist already.
            let is_due =
                |recipe: &SecretRecipe| wave_of_namespace(waves, &recipe.object.namespace).unwrap_or(0) == at;
            if sent.errors.is_empty() {
                let made = generation.run(session, is_due).await;
                sent.errors.extend(made.err().unwrap_or_default());
            }
        }
        if sent.errors.is_empty() && hooks.has(Moment::PreApply, Some(at)) {
            let ran = match sender.definitions(&sent.outcomes).await {
                Ok(()) => hooks.run((Moment::PreApply, Some(at)), touched, report).await,
                Err(errors) => Err(errors),
            };
            sent.errors.extend(ran.err().unwrap_or_default());
        }
        // The time that hooks take is their own.
        let deadline = Instant::now() + settings.timeout;
        let sender = send::Sender { deadline, ..sender };
        if sent.errors.is_empty() {
            sender.phases(users, &mut sent).await;
        }
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
        if !settings.dry_run && (waits || !is_last) {
            let unchanged = unchanged(&report.outcomes, survey, is_last);
            let everything = waits;
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

/// Why hooks run.
fn trigger(survey: &Survey, preview: &Preview, settings: &Settings) -> Trigger {
    let is_pruning = settings.prune && !survey.prune_set.plan.going.is_empty();
    Trigger { changes: is_pruning || !preview.is_empty(), asked: settings.run_hooks }
}

/// What runs the hooks of an apply.
fn runner<'r>(session: &'r Session<'r>, settings: &'r Settings, survey: &'r Survey) -> Runner<'r> {
    Runner {
        session,
        id: &settings.inventory,
        timeout: settings.timeout,
        claims: &survey.claims,
        adopts: settings.adopt,
    }
}

/// The hooks of a run.
struct Hooks<'h> {
    runner: Runner<'h>,
    due: Vec<DueHook<'h>>,
    record: HookRecord,
    is_dry: bool,
    /// The objects that were deleted after they had succeeded.
    removed: Vec<ObjectId>,
}

impl Hooks<'_> {
    /// Whether hooks run at a moment, of one wave or of all.
    fn has(&self, moment: Moment, wave: Option<usize>) -> bool {
        self.due.iter().any(|due| due.moment == moment && wave.is_none_or(|wave| due.wave == wave))
    }

    /// Runs the hooks of a moment one after the other. `touched` gets each object, which may exist then.
    async fn run(
        &mut self,
        (moment, wave): (Moment, Option<usize>),
        touched: &mut HashSet<ObjectId>,
        report: &mut Report,
    ) -> Result<()> {
        let of_moment = |due: &&DueHook<'_>| due.moment == moment && wave.is_none_or(|wave| due.wave == wave);
        for due in self.due.iter().filter(of_moment) {
            let object = due.object();
            report.hooks.push((moment, object.clone()));
            if self.is_dry {
                continue;
            }
            touched.insert(object.clone());
            if self.runner.run(due).await? == Left::Deleted {
                self.removed.push(object.clone());
            }
            let runs_later = self.due.iter().any(|other| other.object() == object && other.moment > moment);
            if !runs_later {
                self.record.finish(object);
                self.record.write(self.runner.session).await?;
            }
        }
        Ok(())
    }
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
