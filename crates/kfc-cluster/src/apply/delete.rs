//! Deletes objects of a cluster, the last wave first, and waits until they are gone.

use super::claims::Claims;
use super::forget::forget;
use super::history::InventoryHistory;
use super::hook_due::DueHook;
use super::hook_record::HookRecord;
use super::hook_run::Runner;
use super::inventory::{Entry, Inventory};
use super::inventory_id::InventoryId;
use super::owner;
use super::removal::{self, Kinds, PRUNE_ANNOTATION, RemovalPlan, Rules, Stay};
use super::remover::{Deletion, Remover, Stayed, rank};
use super::session::Session;
use futures::stream::{self, StreamExt};
use kfc_diagnostics::{Diagnostics, Result};
use kfc_kube::ObjectId;
use kfc_kube::hook::Moment;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;

/// How to delete.
#[derive(Clone, Copy, Debug)]
pub struct Deleting {
    /// The kinds, of those that are deleted only on request, that may be deleted.
    pub kinds: Kinds,
    /// How long the deletion of the objects of a wave may take.
    pub timeout: Duration,
    /// Whether to wait until things are gone.
    pub wait: bool,
    /// Whether to run the hooks of the deletion.
    pub hooks: bool,
}

impl Deleting {
    /// The remover of one wave, whose time begins now.
    fn remover<'r>(self, session: &'r Session<'r>, rules: &'r Rules<'r>, stayed: &'r Stayed) -> Remover<'r> {
        Remover { session, rules, wait: self.wait, deadline: Instant::now() + self.timeout, stayed }
    }
}

/// What a deletion of everything that an inventory lists would do.
///
/// # Errors
/// When other inventories cannot be read.
pub async fn plan(session: &Session<'_>, inventory: &Inventory, kinds: Kinds) -> Result<RemovalPlan> {
    let objects = inventory.entries().map(|entry| &entry.object);
    let claims = Claims::read(session, Some(&inventory.id), objects).await?;
    let rules = Rules { own: Some(&inventory.id), kinds, taken: &[] };
    Ok(RemovalPlan::make(session, inventory.entries().cloned().collect(), &rules, &claims).await)
}

/// The start of a deletion: what is to be deleted, in the order of its waves, what stays, and what of the result is known.
fn begun(plan: RemovalPlan) -> (Vec<(ObjectId, usize)>, Stayed, Deletion) {
    let mut going = plan.going;
    going.sort_by_key(|(object, wave)| rank(object, *wave));
    let stayed = Stayed::of(&plan.staying);
    (going, stayed, Deletion { absent: plan.absent, staying: plan.staying, ..Deletion::default() })
}

/// The hooks that a deletion of an inventory runs, in order.
///
/// # Errors
/// When what is remembered of them cannot be read.
pub async fn deletion_hooks(session: &Session<'_>, inventory: &Inventory) -> Result<Vec<(Moment, ObjectId)>> {
    let record = HookRecord::read(session, &inventory.id).await?;
    let of = |moment| record.of_deletion(moment).into_iter().map(move |(hook, _)| (moment, hook.item.object));
    Ok(of(Moment::PreDelete).chain(of(Moment::PostDelete)).collect())
}

/// Runs the hooks of a moment of a deletion. The inventory lists their objects before they exist. Returns these.
async fn run_hooks(
    session: &Session<'_>,
    inventory: &mut Inventory,
    record: &HookRecord,
    (moment, how): (Moment, Deleting),
) -> Result<Vec<(ObjectId, usize)>> {
    let hooks = if how.hooks { record.of_deletion(moment) } else { Vec::new() };
    if hooks.is_empty() {
        return Ok(Vec::new());
    }
    let id = inventory.id.clone();
    let objects = || hooks.iter().map(|(hook, _)| &hook.item.object);
    let claims = Claims::read(session, Some(&id), objects()).await?;
    let runner = Runner { session, id: &id, timeout: how.timeout, claims: &claims, adopts: false };
    runner.check(objects()).await?;
    for (hook, wave) in &hooks {
        inventory.add(hook.item.object.clone(), *wave);
    }
    inventory.write(session).await?;
    for (hook, wave) in &hooks {
        runner.run(&DueHook { moment, wave: *wave, hook }).await?;
    }
    Ok(hooks.into_iter().map(|(hook, wave)| (hook.item.object, wave)).collect())
}

/// Deletes what a plan says, then the inventory with its history when it lists nothing more; hooks run before that and after. What is deleted
/// is removed from the inventory wave by wave, so that the next run completes one that stopped. Returns what stays too.
///
/// # Errors
/// What could not be deleted in time and why; the inventory then still names it.
pub async fn delete(
    session: &Session<'_>,
    inventory: &mut Inventory,
    plan: RemovalPlan,
    how: Deleting,
) -> Result<Deletion> {
    let id = inventory.id.clone();
    let rules = Rules { own: Some(&id), kinds: how.kinds, taken: &[] };
    let (mut objects, stayed, mut all) = begun(plan);
    let mut record = HookRecord::read(session, &id).await?;
    let how = Deleting { hooks: how.hooks && !objects.is_empty(), ..how };
    let of_hooks = run_hooks(session, inventory, &record, (Moment::PreDelete, how)).await?;
    add_missing(&mut objects, of_hooks);
    // Hooks after the deletion need their namespaces.
    let is_last = |object: &ObjectId| {
        how.hooks && removal::is_namespace(object) && !record.of_deletion(Moment::PostDelete).is_empty()
    };
    let (last, first): (Vec<_>, Vec<_>) = objects.into_iter().partition(|(object, _)| is_last(object));
    let removal = async |inventory: &mut Inventory, objects: &[(ObjectId, usize)], all: &mut Deletion| {
        for wave in objects.chunk_by(|a, b| a.1 == b.1) {
            let done = how.remover(session, &rules, &stayed).remove(wave.to_vec()).await?;
            strike(inventory, &done);
            let is_stuck = !done.errors.is_empty();
            all.add(done);
            if is_stuck {
                break;
            }
            if !inventory.is_empty() {
                inventory.write(session).await?;
            }
        }
        Ok::<(), Diagnostics>(())
    };
    removal(inventory, &first, &mut all).await?;
    if all.errors.is_empty() {
        let mut last = last;
        let of_hooks = run_hooks(session, inventory, &record, (Moment::PostDelete, how)).await?;
        add_missing(&mut last, of_hooks);
        removal(inventory, &last, &mut all).await?;
    }
    strike(inventory, &all);
    release(session, &all.staying, &id).await;
    if inventory.is_empty() {
        record.delete(session).await?;
        InventoryHistory::delete_of(session, &id).await?;
        inventory.delete(session).await?;
    } else {
        inventory.write(session).await?;
    }
    if all.errors.is_empty() { Ok(all) } else { Err(all.errors) }
}

/// What a deletion of named objects would do, regardless of who applied them, and the inventories that list them. Listed
/// objects are removed from these inventories when they are `taken`, and stay otherwise.
///
/// # Errors
/// When inventories cannot be read.
pub async fn plan_objects(
    session: &Session<'_>,
    objects: &[(ObjectId, usize)],
    kinds: Kinds,
    taken: bool,
) -> Result<(RemovalPlan, BTreeMap<InventoryId, Vec<ObjectId>>)> {
    let named: Vec<ObjectId> = objects.iter().map(|(object, _)| object.clone()).collect();
    let claims = Claims::read(session, None, named.iter()).await?;
    let shared = claims.shared(named.iter());
    let (claims, taken) =
        if taken { (claims.without(named.iter()), named.as_slice()) } else { (claims, [].as_slice()) };
    let rules = Rules { own: None, kinds, taken };
    let entry =
        |(object, wave): &(ObjectId, usize)| Entry { object: object.clone(), wave: *wave, found: false };
    let plan = RemovalPlan::make(session, objects.iter().map(entry).collect(), &rules, &claims).await;
    Ok((plan, shared))
}

/// Deletes what a plan says, and removes what is deleted from the inventories that list it.
///
/// # Errors
/// What could not be deleted in time and why.
pub async fn delete_objects(
    session: &Session<'_>,
    plan: RemovalPlan,
    listed: &BTreeMap<InventoryId, Vec<ObjectId>>,
    how: Deleting,
) -> Result<Deletion> {
    let taken: Vec<ObjectId> = listed.values().flatten().cloned().collect();
    let rules = Rules { own: None, kinds: how.kinds, taken: &taken };
    let (objects, stayed, mut all) = begun(plan);
    for wave in objects.chunk_by(|a, b| a.1 == b.1) {
        all.add(how.remover(session, &rules, &stayed).remove(wave.to_vec()).await?);
        if !all.errors.is_empty() {
            break;
        }
    }
    let away: Vec<ObjectId> = all.gone.iter().chain(&all.absent).cloned().collect();
    let is_away = |object: &ObjectId| away.iter().any(|gone| gone.same_object(object));
    let concerned = listed.iter().filter(|(_, objects)| objects.iter().any(is_away));
    forget(session, &away, concerned.map(|(id, _)| id.clone())).await?;
    if all.errors.is_empty() { Ok(all) } else { Err(all.errors) }
}

/// Adds objects that are not among others yet, in the order of their deletion.
fn add_missing(objects: &mut Vec<(ObjectId, usize)>, more: Vec<(ObjectId, usize)>) {
    for (object, wave) in more {
        if !objects.iter().any(|(known, _)| known.same_object(&object)) {
            objects.push((object, wave));
        }
    }
    objects.sort_by_key(|(object, wave)| rank(object, *wave));
}

/// Removes from an inventory what it no longer lists.
pub(super) fn strike(inventory: &mut Inventory, done: &Deletion) {
    let forgotten = done.staying.iter().filter(|stay| stay.forgotten).map(|stay| &stay.object);
    for object in done.gone.iter().chain(&done.absent).chain(forgotten) {
        inventory.remove(object);
    }
}

/// Gives up the fields of objects that stay and have another owner. A failure is harmless: the object is not listed any more.
pub(super) async fn release(session: &Session<'_>, staying: &[Stay], id: &InventoryId) {
    let manager = id.manager();
    let released = staying.iter().filter(|stay| stay.forgotten && !stay.why.contains(PRUNE_ANNOTATION));
    let each = stream::iter(released).map(|stay| owner::let_go(session, &stay.object, &manager));
    drop(each.buffered(session.concurrency).collect::<Vec<_>>().await);
}
