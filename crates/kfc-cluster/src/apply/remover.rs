//! Deletes objects rank by rank, and waits until they are gone.

use super::claims::Claims;
use super::event::Event;
use super::removal::{self, Rules, Stay};
use super::session::Session;
use super::snapshot::{self, Seen, Snapshot};
use crate::cluster::{ApiResource, Body, Failure};
use futures::stream::{self, StreamExt};
use http::Method;
use kfc_diagnostics::{Code, Diagnostic, Diagnostics};
use kfc_kube::ObjectId;
use kfc_kube::ready;
use kfc_kube::wave::{Phase, phase};
use serde_json::{Value, json};
use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, sleep};

const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
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

impl Deletion {
    /// Adds what was done after this.
    pub(super) fn add(&mut self, more: Self) {
        self.gone.extend(more.gone);
        self.absent.extend(more.absent);
        self.staying.extend(more.staying);
        self.errors.extend(more.errors);
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

/// The order of deletion: later waves first; in a wave custom resources, then webhooks and the like, then CRDs while their
/// controllers still run, then the controllers, then what these need, namespaces last.
pub(super) fn rank(object: &ObjectId, wave: usize) -> (std::cmp::Reverse<usize>, u8) {
    let place = match (phase(&object.kind, &object.group), object.kind.as_str()) {
        (Phase::Watchers, _) => 1,
        (_, "CustomResourceDefinition") => 2,
        (Phase::Users, _) if is_custom(&object.group) => 0,
        (Phase::Users, _) => 3,
        (Phase::Needs, _) => 4,
        (_, "Namespace") => 6,
        (Phase::Surroundings, _) => 5,
    };
    (std::cmp::Reverse(wave), place)
}

/// Whether the kinds of a group are not Kubernetes' own.
fn is_custom(group: &str) -> bool {
    group.contains('.') && !group.ends_with(".k8s.io")
}

/// How the deletion of one object ended.
enum End {
    Gone,
    /// It did not exist.
    Absent,
    /// It is to stay.
    Stays(Stay),
}

type Ended = Result<End, Box<Diagnostic>>;

/// What one round came to for an object.
enum Step {
    Ended(End),
    /// It still exists: why.
    Waits(String),
}

/// An object that is not gone yet.
struct Pending {
    /// Its place among the others.
    at: usize,
    object: ObjectId,
    /// Whether it was there in an earlier round.
    is_seen: bool,
}

impl Remover<'_> {
    /// Deletes objects in the order of [`rank`], those of a rank at once, and waits for each rank. What another inventory lists
    /// in the meantime stays.
    ///
    /// # Errors
    /// When other inventories cannot be read.
    pub(super) async fn remove(&self, mut objects: Vec<(ObjectId, usize)>) -> Result<Deletion, Diagnostics> {
        objects.sort_by_key(|(object, wave)| rank(object, *wave));
        let mut done = Deletion::default();
        for rank in objects.chunk_by(|a, b| rank(&a.0, a.1) == rank(&b.0, b.1)) {
            let named = rank.iter().map(|(object, _)| object);
            let claims = Claims::read(self.session, self.rules.own, named).await?;
            let claims = &claims.without(self.rules.taken.iter());
            let ends = self.rank(rank, claims).await;
            for ((object, _), end) in rank.iter().zip(ends) {
                match end {
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
    async fn spares(&self, object: &ObjectId, metadata: &Value, claims: &Claims) -> Option<Stay> {
        if let Some(other) = claims.holder(object) {
            return Some(Stay::forgotten(object, format!("the inventory {other} lists it too")));
        }
        if let Some(stay) = self.rules.spares_live(object, metadata, claims) {
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

    /// Deletes the objects of one rank and waits for them, round by round: each begins with one request for all objects of a
    /// kind. Returns how each ended, in their order.
    async fn rank(&self, objects: &[(ObjectId, usize)], claims: &Claims) -> Vec<Ended> {
        let mut ends: Vec<Option<Ended>> = objects.iter().map(|_| None).collect();
        let pending = |(at, (object, _)): (usize, &'_ (ObjectId, usize))| Pending {
            at,
            object: object.clone(),
            is_seen: false,
        };
        let mut left: Vec<Pending> = objects.iter().enumerate().map(pending).collect();
        let mut pause = FIRST_PAUSE;
        loop {
            let snapshot = &Snapshot::take(self.session, left.iter().map(|pending| &pending.object)).await;
            let steps = stream::iter(left).map(|pending| async move {
                let step = self.step(&pending, snapshot, claims).await;
                (pending, step)
            });
            let steps: Vec<_> = steps.buffered(self.session.concurrency).collect().await;
            left = Vec::new();
            let mut waiting = Vec::new();
            for (pending, step) in steps {
                match step {
                    Ok(Step::Ended(end)) => ends[pending.at] = Some(Ok(end)),
                    Ok(Step::Waits(why)) => {
                        waiting.push((pending.object.clone(), why));
                        left.push(Pending { is_seen: true, ..pending });
                    }
                    Err(error) => ends[pending.at] = Some(Err(error)),
                }
            }
            if left.is_empty() {
                return ends.into_iter().flatten().collect();
            }
            self.session.notify(&Event::Waiting { pending: &waiting });
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// One step towards the deletion of an object.
    async fn step(
        &self,
        pending: &Pending,
        snapshot: &Snapshot,
        claims: &Claims,
    ) -> Result<Step, Box<Diagnostic>> {
        let object = &pending.object;
        let refused = |failure: &Failure| {
            let message = format!("{object} cannot be deleted: {}", failure.message);
            Box::new(Diagnostic::error(Code::NotDeleted, message))
        };
        let metadata = match snapshot.seen(object) {
            Seen::Exists(metadata) => Some(metadata.clone()),
            Seen::Absent => None,
            Seen::Unknown => match self.session.read(object).await {
                Ok(live) => live.map(|mut live| live["metadata"].take()),
                Err(failure) if failure.is_forbidden() && !pending.is_seen => {
                    let why = format!("it cannot be read: {}", failure.message);
                    return Ok(Step::Ended(End::Stays(Stay::kept(object, why))));
                }
                Err(failure) => return Err(refused(&failure)),
            },
        };
        let Some(metadata) = metadata else {
            return Ok(if pending.is_seen { self.gone(object) } else { Step::Ended(End::Absent) });
        };
        if metadata["deletionTimestamp"].is_null() {
            if let Some(stay) = self.spares(object, &metadata, claims).await {
                return Ok(Step::Ended(End::Stays(stay)));
            }
            self.session.notify(&Event::Deleting { object });
            match self.request(object, &metadata).await {
                Ok(true) => return Ok(self.gone(object)),
                Ok(false) => {}
                Err(failure) if failure.is_not_found() => return Ok(self.gone(object)),
                // It changed in the meantime, or a webhook is starting or stopping.
                Err(failure) if failure.status == 409 || failure.is_of_webhook() => {
                    let is_late = Instant::now() > self.deadline;
                    return if is_late { Err(refused(&failure)) } else { Ok(Step::Waits(failure.message)) };
                }
                Err(failure) => return Err(refused(&failure)),
            }
        }
        if !self.wait {
            return Ok(Step::Ended(End::Gone));
        }
        let live = match self.being_deleted(object, metadata).await {
            Ok(Some(live)) => live,
            Ok(None) => return Ok(self.gone(object)),
            Err(failure) => return Err(refused(&failure)),
        };
        let why = blocked(&live);
        if Instant::now() > self.deadline {
            let error = stuck(object, &live, &why);
            let instances = self.instances(object).await;
            return Err(Box::new(instances.into_iter().fold(error, Diagnostic::note)));
        }
        Ok(Step::Waits(why))
    }

    fn gone(&self, object: &ObjectId) -> Step {
        self.session.notify(&Event::Deleted { object });
        Step::Ended(End::Gone)
    }

    /// An object that is being deleted, with what tells why that takes time: the conditions of namespaces and CRDs, metadata of
    /// all else. `None` when it is gone.
    async fn being_deleted(&self, object: &ObjectId, metadata: Value) -> Result<Option<Value>, Failure> {
        if removal::is_namespace(object) || removal::is_definition(object) {
            return self.session.read(object).await;
        }
        Ok(Some(json!({"metadata": metadata})))
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

    /// Requests the deletion of exactly this object as it was read: a change since then makes the request a conflict. Workloads
    /// and custom resources go after the objects that they own, such as pods; all else at once, because what it may own does not
    /// matter to what is deleted later. Returns whether it is gone already: the server then answers with a status instead of
    /// the object.
    async fn request(&self, object: &ObjectId, metadata: &Value) -> Result<bool, Failure> {
        let Some(kind) = self.session.any_version(object).await else { return Ok(false) };
        let is_user = matches!(phase(&object.kind, &object.group), Phase::Users);
        let is_owner =
            is_user && (matches!(&*object.group, "" | "apps" | "batch") || is_custom(&object.group));
        let body = json!({
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "propagationPolicy": if is_owner { "Foreground" } else { "Background" },
            "preconditions": {"uid": metadata["uid"], "resourceVersion": metadata["resourceVersion"]},
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
