//! Deletes objects of a cluster, the last wave first, and waits until they are gone.

use super::claims::Claims;
use super::event::Event;
use super::forget::forget;
use super::history::InventoryHistory;
use super::hook_due::DueHook;
use super::hook_record::HookRecord;
use super::hook_run::Runner;
use super::inventory::{Entry, Inventory};
use super::inventory_id::InventoryId;
use super::owner;
use super::removal::{self, Kinds, PRUNE_ANNOTATION, RemovalPlan, Rules, Stay};
use super::session::Session;
use super::snapshot;
use crate::cluster::{ApiResource, Body, Failure};
use futures::stream::{self, StreamExt};
use http::Method;
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Result};
use kfc_kube::ObjectId;
use kfc_kube::hook::Moment;
use kfc_kube::ready;
use kfc_kube::wave::{Phase, phase};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, sleep};

const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(3);
/// Objects that are named when many hold back a deletion.
const NAMED: usize = 5;

/// What a deletion did.
#[derive(Clone, Debug, Default)]
pub struct Deletion {
    /// What is gone.
    pub gone: Vec<ObjectId>,
    /// What did not exist to begin with.
    pub absent: Vec<ObjectId>,
    /// What stays, and why.
    pub staying: Vec<Stay>,
    /// What could not be deleted.
    pub errors: Diagnostics,
}

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

/// Deletes by some rules until a deadline.
pub(super) struct Remover<'r> {
    pub(super) session: &'r Session<'r>,
    pub(super) rules: &'r Rules<'r>,
    /// Whether to wait until things are gone.
    pub(super) wait: bool,
    pub(super) deadline: Instant,
    /// What stays, as far as it is known: it must not be deleted with its namespace or CRD.
    pub(super) stayed: &'r Stayed,
}

/// Objects that stay, of all waves of a deletion.
#[derive(Debug, Default)]
pub(super) struct Stayed(Mutex<Vec<ObjectId>>);

impl Stayed {
    pub(super) fn of(staying: &[Stay]) -> Self {
        Self(Mutex::new(staying.iter().map(|stay| stay.object.clone()).collect()))
    }

    fn add(&self, object: &ObjectId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(object.clone());
    }

    /// Why a namespace or a CRD stays: deleting it would delete an object that stays.
    fn spares(&self, holder: &ObjectId, kind: Option<&ApiResource>) -> Option<Stay> {
        let stayed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_held = |object: &&ObjectId| match kind {
            Some(kind) => object.group == kind.group && object.kind == kind.kind,
            None => removal::is_namespace(holder) && object.namespace == holder.name,
        };
        let held = stayed.iter().find(is_held)?;
        Some(Stay::kept(holder, format!("{held} stays")))
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

impl Deletion {
    fn add(&mut self, more: Self) {
        self.gone.extend(more.gone);
        self.absent.extend(more.absent);
        self.staying.extend(more.staying);
        self.errors.extend(more.errors);
    }
}

/// The order of deletion: later waves first; in a wave custom resources, then webhooks and the like, then CRDs while their
/// controllers still run, then the controllers, then what these need, namespaces last.
fn rank(object: &ObjectId, wave: usize) -> (std::cmp::Reverse<usize>, u8) {
    let place = match (phase(&object.kind, &object.group), object.kind.as_str()) {
        (Phase::Watchers, _) => 1,
        (_, "CustomResourceDefinition") => 2,
        (Phase::Users, _) if !is_built_in(&object.group) => 0,
        (Phase::Users, _) => 3,
        (Phase::Needs, _) => 4,
        (_, "Namespace") => 6,
        (Phase::Surroundings, _) => 5,
    };
    (std::cmp::Reverse(wave), place)
}

fn is_built_in(group: &str) -> bool {
    !group.contains('.') || group.ends_with(".k8s.io")
}

/// How the deletion of one object ended.
enum End {
    Gone,
    /// It did not exist.
    Absent,
    /// It is to stay.
    Stays(Stay),
}

impl Remover<'_> {
    /// Deletes objects in the order of [`rank`], each rank in parallel, and waits for each rank. What another inventory lists
    /// in the meantime stays.
    ///
    /// # Errors
    /// When other inventories cannot be read.
    pub(super) async fn remove(&self, mut objects: Vec<(ObjectId, usize)>) -> Result<Deletion> {
        objects.sort_by_key(|(object, wave)| rank(object, *wave));
        let mut done = Deletion::default();
        for rank in objects.chunk_by(|a, b| rank(&a.0, a.1) == rank(&b.0, b.1)) {
            let named = rank.iter().map(|(object, _)| object);
            let claims = Claims::read(self.session, self.rules.own, named).await?;
            let claims = &claims.without(self.rules.taken.iter());
            let each =
                stream::iter(rank).map(|(object, _)| async move { (object, self.one(object, claims).await) });
            let each: Vec<_> = each.buffered(self.session.concurrency).collect().await;
            for (object, result) in each {
                match result {
                    Ok(End::Gone) => done.gone.push(object.clone()),
                    Ok(End::Absent) => done.absent.push(object.clone()),
                    Ok(End::Stays(stay)) => {
                        self.session.notify(&Event::Kept { object: &stay.object, why: &stay.why });
                        self.stayed.add(&stay.object);
                        done.staying.push(stay);
                    }
                    Err(error) => done.errors.push(*error),
                }
            }
            if !done.errors.is_empty() {
                break;
            }
        }
        Ok(done)
    }

    /// Why an object stays, checked right before it is deleted.
    async fn spares(&self, object: &ObjectId, live: &Value, claims: &Claims) -> Option<Stay> {
        if let Some(other) = claims.holder(object) {
            return Some(Stay::forgotten(object, format!("the inventory {other} lists it too")));
        }
        if let Some(stay) = self.rules.spares_live(object, &live["metadata"], claims) {
            return Some(stay);
        }
        let kind = removal::is_definition(object).then(|| removal::defined_kind(self.session, object));
        let kind = kind.flatten();
        let held = || self.stayed.spares(object, kind.as_ref());
        if let Some(stay) = Rules::spares_holder(object, claims, kind.as_ref()).or_else(held) {
            return Some(stay);
        }
        if removal::is_definition(object) && !self.rules.kinds.crds {
            return removal::spares_definition(self.session, object, &HashSet::new()).await;
        }
        None
    }

    /// Deletes one object.
    async fn one(&self, object: &ObjectId, claims: &Claims) -> std::result::Result<End, Box<Diagnostic>> {
        let refused = |failure: &Failure| {
            let message = format!("{object} cannot be deleted: {}", failure.message);
            Box::new(Diagnostic::error(Code::NotDeleted, message))
        };
        let mut pause = FIRST_PAUSE;
        let mut is_reported = false;
        let mut is_seen = false;
        loop {
            let live = match self.session.read(object).await {
                Ok(Some(live)) => live,
                Ok(None) if !is_seen => return Ok(End::Absent),
                Ok(None) => {
                    self.session.notify(&Event::Deleted { object });
                    return Ok(End::Gone);
                }
                Err(failure) if failure.is_forbidden() && !is_seen => {
                    let why = format!("it cannot be read: {}", failure.message);
                    return Ok(End::Stays(Stay::kept(object, why)));
                }
                Err(failure) => return Err(refused(&failure)),
            };
            is_seen = true;
            if live["metadata"]["deletionTimestamp"].is_null() {
                if let Some(stay) = self.spares(object, &live, claims).await {
                    return Ok(End::Stays(stay));
                }
                match self.request(object, &live).await {
                    Ok(true) => {
                        self.session.notify(&Event::Deleted { object });
                        return Ok(End::Gone);
                    }
                    Ok(false) => {}
                    Err(failure) if failure.is_not_found() => continue,
                    // It changed in the meantime, or a webhook is starting or stopping.
                    Err(failure) if failure.status == 409 || failure.is_of_webhook() => {
                        if Instant::now() > self.deadline {
                            return Err(refused(&failure));
                        }
                        sleep(pause).await;
                        pause = (pause * 2).min(LONGEST_PAUSE);
                        continue;
                    }
                    Err(failure) => return Err(refused(&failure)),
                }
            }
            if !is_reported {
                self.session.notify(&Event::Deleting { object });
                is_reported = true;
            }
            if !self.wait {
                return Ok(End::Gone);
            }
            let why = blocked(&live);
            if Instant::now() > self.deadline {
                let error = stuck(object, &live, &why);
                let instances = self.instances(object).await;
                return Err(Box::new(instances.into_iter().fold(error, Diagnostic::note)));
            }
            self.session.notify(&Event::Waiting { pending: &[(object.clone(), why)] });
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// The objects that hold a CRD back, with what each waits for.
    async fn instances(&self, object: &ObjectId) -> Vec<String> {
        if !removal::is_definition(object) {
            return Vec::new();
        }
        let Some(kind) = removal::defined_kind(self.session, object) else { return Vec::new() };
        let found = snapshot::list(self.session, &kind, "").await.unwrap_or_default();
        let more = found.len().saturating_sub(NAMED);
        let line = |(instance, metadata): &(ObjectId, Value)| {
            format!("{instance} still exists: {}", blocked(&json!({"metadata": metadata})))
        };
        let mut lines: Vec<String> = found.iter().take(NAMED).map(line).collect();
        lines.extend((more > 0).then(|| format!("and {more} more of its kind")));
        lines
    }

    /// Requests the deletion of exactly this object. Workloads and custom resources go after the objects that they own, such as
    /// pods; all else at once, because what it may own does not matter to what is deleted later. Returns whether it is gone
    /// already: the server then answers with a status instead of the object.
    async fn request(&self, object: &ObjectId, live: &Value) -> std::result::Result<bool, Failure> {
        let Some(kind) = self.session.any_version(object).await else { return Ok(false) };
        let is_user = matches!(phase(&object.kind, &object.group), Phase::Users);
        let is_owner =
            is_user && (matches!(&*object.group, "" | "apps" | "batch") || !is_built_in(&object.group));
        let body = json!({
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "propagationPolicy": if is_owner { "Foreground" } else { "Background" },
            "preconditions": {"uid": live["metadata"]["uid"]},
        });
        let body = body.to_string();
        let path = kind.path_of(object);
        let body = Body::Json(&body);
        let (_, answer) =
            self.session.connection.send(Method::DELETE, &path, "application/json", body).await?;
        Ok(answer["kind"] == "Status" && answer["status"] == "Success")
    }
}

/// What an object that is being deleted waits for.
fn blocked(live: &Value) -> String {
    let finalizers = |value: &Value| {
        let names = value.as_array().into_iter().flatten().filter_map(Value::as_str);
        names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
    };
    let own = finalizers(&live["metadata"]["finalizers"]);
    let conditions = live["status"]["conditions"].as_array().into_iter().flatten();
    let remaining = conditions.filter(|condition| {
        let kind = condition["type"].as_str().unwrap_or_default();
        condition["status"] == "True"
            && (kind.starts_with("NamespaceContent") || kind.starts_with("NamespaceFinalizers"))
    });
    let mut why: Vec<String> =
        remaining.filter_map(|condition| Some(condition["message"].as_str()?.to_owned())).collect();
    if let Some(("True", _, message)) =
        ready::condition_of(live, "Terminating").filter(|(_, _, m)| !m.is_empty())
    {
        why.push(message.to_owned());
    }
    if !own.is_empty() {
        why.push(format!("finalizers: {own}"));
    }
    if why.is_empty() { "it is still being deleted".to_owned() } else { why.join("; ") }
}

fn stuck(object: &ObjectId, live: &Value, why: &str) -> Diagnostic {
    let error = Diagnostic::error(Code::NotDeleted, format!("{object} was not deleted in time: {why}"));
    if live["metadata"]["finalizers"].as_array().is_some_and(|list| !list.is_empty()) {
        return error.help(
            "the controller that set a finalizer removes it: check that this controller is running, then run again",
        );
    }
    error.help("run again to continue")
}
