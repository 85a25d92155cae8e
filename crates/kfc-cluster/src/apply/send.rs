//! Sends the resources of a wave in parallel, and tries again where the failure is temporary.

use super::conflict;
use super::desired;
use super::equality::is_surely_equal;
use super::event::Event;
use super::foreseen::{Foreseen, Preview};
use super::gone::delete_object;
use super::how::How;
use super::inventory_id::{InventoryId, OLD_MANAGER};
use super::outcome::Outcome;
use super::owner::{self, Former};
use super::recreate;
use super::rights;
use super::session::Session;
use super::settings::Settings;
use super::snapshot::Seen;
use super::survey::Survey;
use super::wait;
use crate::cluster::{ApiResource, Body, Failure, without_server_fields};
use futures::stream::{self, StreamExt};
use http::Method;
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Result};
use kfc_kube::ObjectId;
use kfc_kube::redaction::message;
use kfc_kube::wave::{Item, Phase, Wave};
use serde_json::Value;
use std::collections::HashSet;
use std::time::Duration;
use tokio::time::{Instant, sleep};

const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// How long kfc waits for a kind or namespace that neither the server knows nor the bundle has.
const GRACE: Duration = Duration::from_secs(3);
/// Failures that are over within this time are not reported.
const UNREPORTED: Duration = Duration::from_secs(1);
/// More errors of one wave than these are counted, not reported.
const MOST_ERRORS: usize = 50;

/// Kinds, API groups and namespaces that the bundle creates, so that the server may know them later in the run.
#[derive(Debug, Default)]
pub(super) struct Known {
    kinds: HashSet<(String, String)>,
    groups: HashSet<String>,
    namespaces: HashSet<String>,
    /// Whether it has programs, which may define kinds when they run.
    has_workloads: bool,
}

impl Known {
    pub(super) fn of(waves: &[Wave]) -> Self {
        let mut known = Self::default();
        for item in waves.iter().flat_map(|wave| &wave.items) {
            match item.object.kind.as_str() {
                "CustomResourceDefinition" => {
                    let value: Value = serde_json::from_str(&item.body).unwrap_or_default();
                    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
                    let spec = &value["spec"];
                    known.kinds.insert((text(&spec["group"]), text(&spec["names"]["kind"])));
                }
                "APIService" => {
                    let group = item.object.name.split_once('.').map_or("", |(_, group)| group);
                    known.groups.insert(group.to_owned());
                }
                "Deployment" | "StatefulSet" | "DaemonSet" | "Job" => known.has_workloads = true,
                "Namespace" => {
                    known.namespaces.insert(item.object.name.clone());
                }
                _ => {}
            }
        }
        known
    }

    /// Whether the bundle creates the kind or namespace that an object needs and the server does not have yet.
    pub(super) fn brings_lacking(&self, object: &ObjectId, failure: &Failure) -> bool {
        failure.is_not_found() && (self.brings_kind_of(object) || self.brings_namespace_of(object))
    }

    fn brings_kind_of(&self, object: &ObjectId) -> bool {
        self.groups.contains(&object.group)
            || self.kinds.contains(&(object.group.clone(), object.kind.clone()))
    }

    fn brings_namespace_of(&self, object: &ObjectId) -> bool {
        self.namespaces.contains(&object.namespace)
    }
}

/// Sends resources until a deadline.
#[derive(Debug)]
pub(super) struct Sender<'s> {
    pub(super) session: &'s Session<'s>,
    pub(super) settings: &'s Settings,
    pub(super) survey: &'s Survey,
    /// What is known to change; nothing while that is found out.
    pub(super) preview: Option<&'s Preview>,
    pub(super) bundle: &'s Known,
    pub(super) deadline: Instant,
    /// The field manager of the inventory.
    pub(super) manager: &'s str,
}

/// What became of a wave.
#[derive(Debug, Default)]
pub(super) struct Sent {
    pub(super) outcomes: Vec<(ObjectId, Outcome)>,
    /// Objects that may exist: no answer said whether they do.
    pub(super) uncertain: Vec<ObjectId>,
    pub(super) errors: Diagnostics,
    /// Whether a right was missing: then others are missing too.
    pub(super) is_forbidden: bool,
}

/// Why a resource was not applied, and whether the server said so.
struct Unsent {
    error: Box<Diagnostic>,
    is_certain: bool,
    is_forbidden: bool,
}

/// What to do about a failure.
enum Verdict {
    /// Try again after the pause, for this reason.
    Again(String),
    /// Give up.
    Final,
    /// A dry run that the server cannot answer: what the object needs is in the bundle and does not exist yet.
    Unknown,
}

impl Sender<'_> {
    /// Sends a part of a wave, phase by phase; no phase after one with errors. What is run, or of a kind that the wave defines,
    /// is sent once new definitions are served: a controller that starts before them ends.
    pub(super) async fn phases(&self, items: &[Item], all: &mut Sent) {
        let mut are_served = false;
        for phase in items.chunk_by(|a, b| a.phase == b.phase) {
            let starts = |item: &Item| item.phase >= Phase::Users;
            if phase.iter().any(starts)
                && !std::mem::replace(&mut are_served, true)
                && let Err(errors) = self.definitions(&all.outcomes).await
            {
                all.errors = errors;
                break;
            }
            let sent = stream::iter(phase).map(|item| self.item(item)).buffered(self.session.concurrency);
            let sent: Vec<_> = sent.collect().await;
            for (item, result) in phase.iter().zip(sent) {
                match result {
                    Ok(outcome) => all.outcomes.push((item.object.clone(), outcome)),
                    Err(unsent) => {
                        all.is_forbidden |= unsent.is_forbidden;
                        if !unsent.is_certain {
                            all.uncertain.push(item.object.clone());
                        }
                        all.errors.push(*unsent.error);
                    }
                }
            }
            if !all.errors.is_empty() {
                break;
            }
        }
        shorten(&mut all.errors);
    }

    /// Waits for the definitions that changed.
    pub(super) async fn definitions(&self, outcomes: &[(ObjectId, Outcome)]) -> Result<()> {
        if self.settings.dry_run {
            return Ok(());
        }
        let changed = outcomes.iter().filter(|(_, outcome)| *outcome != Outcome::Unchanged);
        let changed = changed.map(|(object, _)| object.clone());
        wait::for_definitions(self.session, changed, self.deadline).await
    }

    async fn item(&self, item: &Item) -> std::result::Result<Outcome, Unsent> {
        let started = Instant::now();
        let mut pause = FIRST_PAUSE;
        loop {
            let failure = match self.once(item).await {
                Ok(Some(outcome)) => {
                    self.session.notify(&Event::Applied { object: &item.object, outcome });
                    return Ok(outcome);
                }
                Ok(None) => Failure {
                    message: "the existing object is still being deleted".to_owned(),
                    status: 409,
                    reason: "Deleting".to_owned(),
                    ..Failure::default()
                },
                Err(failure) => match self.recreate(item, failure).await {
                    Ok(outcome) => {
                        self.session.notify(&Event::Applied { object: &item.object, outcome });
                        return Ok(outcome);
                    }
                    Err(failure) => failure,
                },
            };
            match self.verdict(item, &failure, started) {
                Verdict::Again(why) if Instant::now() + pause < self.deadline => {
                    if started.elapsed() > UNREPORTED {
                        let why = message::hide(&why, &item.object.kind, &item.body);
                        self.session.notify(&Event::Retry { object: &item.object, why: &why });
                    }
                    sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
                Verdict::Unknown => {
                    let outcome = Outcome::Created;
                    self.session.notify(&Event::Applied { object: &item.object, outcome });
                    return Ok(outcome);
                }
                _ => {
                    let error = Box::new(self.error(item, &failure).await);
                    let is_certain = failure.is_refusal() && failure.reason != "Deleting";
                    let is_forbidden = rights::is_missing_right(&failure);
                    return Err(Unsent { error, is_certain, is_forbidden });
                }
            }
        }
    }

    /// One try; `None` when the server accepted it, but the object is being deleted.
    async fn once(&self, item: &Item) -> std::result::Result<Option<Outcome>, Failure> {
        let object = &item.object;
        let Some(kind) = self.session.kind(object).await else {
            let message = format!("the server does not know {} of {}", object.kind, object.api_version());
            return Err(Failure {
                status: 404,
                message,
                reason: "UnknownKind".to_owned(),
                ..Failure::default()
            });
        };
        let known = self.survey.snapshot.live(object);
        let body = self.body(item, known);
        let is_settled = self.preview.is_some_and(|preview| preview.settled.contains(object));
        if is_settled || known.is_some_and(|live| is_surely_equal(&body, live, self.manager)) {
            return Ok(Some(Outcome::Unchanged));
        }
        let (status, answer) = match self.patch(&kind, object, &body, self.how(known)).await {
            Err(failure) if conflict::is_conflict(&failure) => self.settle(item, &kind, failure).await?,
            sent => sent?,
        };
        if self.settings.dry_run {
            return Ok(Some(match self.survey.snapshot.seen(object) {
                Seen::Unknown => Outcome::Applied,
                Seen::Exists(_) | Seen::Absent => predicted(known, answer),
            }));
        }
        if !answer["metadata"]["deletionTimestamp"].is_null() && object.kind != "Namespace" {
            return Ok(None);
        }
        if object.kind == "Namespace" && answer["status"]["phase"] == "Terminating" {
            return Ok(None);
        }
        Ok(Some(self.survey.snapshot.outcome(object, status, &answer, self.manager)))
    }

    /// What an apply will do, asked by a dry run where the live object does not tell.
    pub(super) async fn foresee(&self, item: &Item) -> std::result::Result<Foreseen, Failure> {
        let object = &item.object;
        let Some(live) = self.survey.snapshot.live(object) else {
            return Ok(match self.survey.snapshot.seen(object) {
                Seen::Unknown => Foreseen::Unknown,
                Seen::Exists(_) | Seen::Absent => Foreseen::Created,
            });
        };
        let body = self.body(item, Some(live));
        if is_surely_equal(&body, live, self.manager) {
            return Ok(Foreseen::Same);
        }
        let discovery = self.session.discovery();
        let Some(kind) = discovery.find_exactly(object) else { return Ok(Foreseen::Unknown) };
        let how = How { dry_run: true, ..self.how(Some(live)) };
        let (_, after) = match self.patch(kind, object, &body, how).await {
            Err(failure) if conflict::is_conflict(&failure) => {
                let forced = How { force: true, ..how };
                let (_, after) = self.patch(kind, object, &body, forced).await?;
                self.of_conflict(failure, live, &after)?;
                (200, after)
            }
            sent => sent?,
        };
        let owned = |object: &Value| owner::applied_by(&object["metadata"], self.manager).cloned();
        let is_owner_same = owned(live).map(|entry| entry["fieldsV1"].clone())
            == owned(&after).map(|entry| entry["fieldsV1"].clone());
        let (before, after) = (without_server_fields(live.clone()), without_server_fields(after));
        Ok(match (before == after, is_owner_same) {
            (true, true) => Foreseen::Same,
            (true, false) => Foreseen::Owner,
            (false, _) => Foreseen::Changed { before, after },
        })
    }

    /// The conflicts of a failure in which a value would change, as an error. Fields of managers that are taken over are not
    /// conflicts.
    fn of_conflict(&self, failure: Failure, live: &Value, after: &Value) -> std::result::Result<(), Failure> {
        let tools = Former { tools: self.settings.adopt, ..Former::default() };
        let stacks = |manager: &str| self.settings.adopt && InventoryId::of_manager(manager).is_some();
        let is_taken = |manager: &str| {
            let owns = |entry: &&Value| entry["manager"] == manager;
            stacks(manager)
                || owner::entries(&live["metadata"]).filter(owns).any(|entry| tools.is_source(entry))
        };
        let mut causes = conflict::differing(failure.causes.clone(), live, after);
        causes.retain(|cause| !is_taken(conflict::manager_in(&cause.message)));
        if causes.is_empty() { Ok(()) } else { Err(Failure { causes, ..failure }) }
    }

    /// What is sent of a resource: without what others own of the live object.
    fn body(&self, item: &Item, live: Option<&Value>) -> Value {
        let mut body = desired::body_of(&item.object, &item.body);
        if let Some(live) = live {
            desired::leave_to_others(&mut body, &item.object, live, self.manager, &self.settings.ignore);
        }
        body
    }

    /// How a resource is sent at first.
    fn how(&self, live: Option<&Value>) -> How<'_> {
        How {
            manager: self.manager_of(live),
            force: self.settings.force_conflicts,
            dry_run: self.settings.dry_run,
        }
    }

    async fn patch(
        &self,
        kind: &ApiResource,
        object: &ObjectId,
        body: &Value,
        how: How<'_>,
    ) -> std::result::Result<(u16, Value), Failure> {
        let path = how.path(kind, object);
        let body = body.to_string();
        self.session.connection.send(Method::PATCH, &path, "application/json", Body::Apply(&body)).await
    }

    /// Answers a conflict: fields that the live object leaves to others by now are left, and fields are taken without a word
    /// where nothing but their owner would change. The conflicts that are left are the error.
    async fn settle(
        &self,
        item: &Item,
        kind: &ApiResource,
        failure: Failure,
    ) -> std::result::Result<(u16, Value), Failure> {
        let object = &item.object;
        let Some(live) = self.session.read(object).await? else { return Err(failure) };
        let mut body = self.body(item, Some(&live));
        let how = self.how(Some(&live));
        let forced = How { force: true, dry_run: true, ..how };
        let (_, predicted) = self.patch(kind, object, &body, forced).await?;
        self.of_conflict(failure, &live, &predicted)?;
        if self.settings.dry_run {
            return Ok((200, predicted));
        }
        // Only this object: not one that somebody changed in the meantime.
        body["metadata"]["resourceVersion"] = live["metadata"]["resourceVersion"].clone();
        self.patch(kind, object, &body, How { force: true, ..how }).await
    }

    /// Who applies an object: our field manager. A dry run has taken nothing over from the manager of earlier versions; as
    /// that one, it has the same result.
    fn manager_of(&self, before: Option<&Value>) -> &str {
        let owns =
            |manager| before.is_some_and(|before| owner::applied_by(&before["metadata"], manager).is_some());
        if owns(OLD_MANAGER) && !owns(self.manager) { OLD_MANAGER } else { self.manager }
    }

    /// Deletes an object with an immutable field that has to change and creates it again, when somebody agreed to that.
    async fn recreate(&self, item: &Item, failure: Failure) -> std::result::Result<Outcome, Failure> {
        let object = &item.object;
        if !is_immutable(&failure) {
            return Err(failure);
        }
        let live = self.session.read(object).await?;
        if recreate::agreed(&self.settings.recreate, object, live.as_ref(), &failure).is_err() {
            return Err(failure);
        }
        if self.settings.dry_run {
            return Ok(Outcome::Recreated);
        }
        let (Some(kind), Some(live)) = (self.session.kind(object).await, live) else { return Err(failure) };
        self.session.notify(&Event::Deleting { object });
        let cascade = self.settings.recreate.cascade.word();
        delete_object(self.session, object, &live, cascade, self.deadline).await?;
        let body = self.body(item, None);
        self.patch(&kind, object, &body, self.how(None)).await.map(|_| Outcome::Recreated)
    }

    fn verdict(&self, item: &Item, failure: &Failure, started: Instant) -> Verdict {
        let is_grace = started.elapsed() < GRACE;
        if self.settings.dry_run {
            let to_come = match failure.reason.as_str() {
                "UnknownKind" => self.bundle.brings_kind_of(&item.object),
                _ => failure.is_not_found() && self.bundle.brings_namespace_of(&item.object),
            };
            return if to_come { Verdict::Unknown } else { Verdict::Final };
        }
        if failure.reason == "Deleting" || failure.is_of_terminating_namespace() {
            return Verdict::Again(failure.message.clone());
        }
        if failure.is_of_webhook() {
            return Verdict::Again(format!("a webhook does not answer: {}", failure.message));
        }
        if failure.is_not_found() {
            let to_come = self.bundle.brings_kind_of(&item.object)
                || (failure.reason != "UnknownKind" && self.bundle.brings_namespace_of(&item.object));
            // An operator of the bundle may define the kind once it runs.
            let by_operator = failure.reason == "UnknownKind"
                && self.bundle.has_workloads
                && item.object.group.contains('.')
                && !item.object.group.ends_with(".k8s.io");
            return if to_come || by_operator || is_grace {
                Verdict::Again(failure.message.clone())
            } else {
                Verdict::Final
            };
        }
        // The schema of a definition that has just changed follows in a moment.
        if failure.is_of_schema() && is_grace {
            return Verdict::Again(failure.message.clone());
        }
        // Somebody else wrote at the same moment, or created the object between our two requests.
        let is_race = failure.status == 409 && !conflict::is_conflict(failure);
        if is_race && started.elapsed() < GRACE * 3 {
            return Verdict::Again(failure.message.clone());
        }
        if failure.is_transient() {
            return Verdict::Again(failure.message.clone());
        }
        Verdict::Final
    }

    pub(super) async fn error(&self, item: &Item, failure: &Failure) -> Diagnostic {
        let object = &item.object;
        if conflict::is_conflict(failure) {
            let live = self.session.read(object).await.ok().flatten();
            let conflict = conflict::Conflict { object, failure, live: live.as_ref(), body: &item.body };
            return conflict.explain(&self.settings.inventory, &self.survey.claims).at(item.mark);
        }
        let hidden = |text: &str| message::hide(text, &object.kind, &item.body);
        let code = if failure.status == 0 { Code::Unreachable } else { Code::Refused };
        let message = format!("{object}: {}", hidden(&failure.message));
        let mut error = Diagnostic::error(code, message);
        if item.mark.is_some() {
            error = error.at(item.mark);
        }
        for cause in failure.causes.iter().filter(|cause| !failure.message.contains(&cause.message)) {
            error = error.note(format!("{}: {}", cause.field, hidden(&cause.message)));
        }
        let live = self.survey.snapshot.live(object);
        let help = if is_immutable(failure) {
            recreate::agreed(&self.settings.recreate, object, live, failure).err()
        } else {
            help(object, failure)
        };
        match help {
            Some(help) => error.help(help),
            None => error,
        }
    }
}

/// Whether the server refused to change an immutable field.
pub(super) fn is_immutable(failure: &Failure) -> bool {
    const WORDS: [&str; 8] = [
        "immutable",
        "updates to statefulset spec for fields",
        "updates to provisioner are forbidden",
        "updates to parameters are forbidden",
        "cannot change roleRef",
        "may not be changed in an update",
        "may not change once set",
        "pod updates may not change fields",
    ];
    matches!(failure.status, 403 | 422) && WORDS.iter().any(|words| failure.message.contains(words))
}

/// What to do about a refusal.
pub(super) fn help(object: &ObjectId, failure: &Failure) -> Option<String> {
    if failure.reason == "UnknownKind" {
        return Some(format!(
            "neither the bundle nor the cluster has a CRD of {}: install it first",
            object.kind
        ));
    }
    if failure.status == 404 {
        return Some(format!("check that the namespace `{}` exists", object.namespace));
    }
    if is_immutable(failure) {
        return Some(
            "the field is immutable: delete the object and run again, or keep the old value".to_owned(),
        );
    }
    rights::is_missing_right(failure).then(|| "`kubectl auth can-i --list` shows your rights".to_owned())
}

/// What a dry run would have done.
fn predicted(before: Option<&Value>, after: Value) -> Outcome {
    let Some(before) = before else { return Outcome::Created };
    if without_server_fields(before.clone()) == without_server_fields(after) {
        Outcome::Unchanged
    } else {
        Outcome::Changed
    }
}

fn shorten(errors: &mut Diagnostics) {
    let more = errors.0.len().saturating_sub(MOST_ERRORS);
    if more > 0 {
        errors.0.truncate(MOST_ERRORS);
        errors.push(Diagnostic::error(Code::Refused, format!("{more} more resources failed")));
    }
}
