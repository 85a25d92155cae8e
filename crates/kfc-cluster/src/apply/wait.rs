//! Waits until what was applied is ready.

use super::diagnose;
use super::event::Event;
use super::session::Session;
use crate::cluster::Failure;
use futures::stream::{self, StreamExt};
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Result};
use kfc_kube::ObjectId;
use kfc_kube::hook::Hook;
use kfc_kube::ready::{State, ended_pod, state, takes_time};
use kfc_kube::wave::{Gate, Item, Wave};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, sleep};

const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(3);
/// From this many objects of a kind in a namespace on, one request lists them all.
const LIST_FROM: usize = 4;
/// How many objects that are not ready are diagnosed.
const DIAGNOSED: usize = 20;

/// What is waited for after a wave.
pub(super) struct Waiting<'w> {
    pub(super) session: &'w Session<'w>,
    pub(super) waves: &'w [Wave],
    /// The wave.
    pub(super) at: usize,
    /// Wait until everything is ready, not only what the next wave cannot be sent without.
    pub(super) everything: bool,
    pub(super) deadline: Instant,
    /// Objects that did not change, as they were before the run: those that were ready need not be asked for.
    pub(super) unchanged: HashMap<&'w ObjectId, &'w Value>,
}

/// Waits for what must hold after a wave.
pub(super) async fn for_wave(waiting: &Waiting<'_>) -> Result<()> {
    let Waiting { session, waves, at, everything, deadline, ref unchanged } = *waiting;
    let Some(wave) = waves.get(at) else { return Ok(()) };
    let is_last = at + 1 == waves.len();
    let gate = if everything { wave.gate } else { Gate::Definitions };
    // The last wave also waits for what the earlier ones did not wait for.
    let of_waves = if is_last && everything { waves } else { std::slice::from_ref(wave) };
    let is_due = |item: &&Item| {
        let object = &item.object;
        (gate == Gate::All || is_definition(object))
            && (takes_time(&object.group, &object.kind) || session.has_own_state(item))
    };
    let objects = of_waves.iter().flat_map(|wave| &wave.items).filter(is_due).map(|item| &item.object);
    let awaited = wave.awaited.iter().filter(|_| everything);
    let due: BTreeSet<ObjectId> = objects.chain(awaited).cloned().collect();
    let slices = Slices::default();
    let mut pending = BTreeSet::new();
    for object in due {
        let state = match unchanged.get(&object) {
            Some(live) => judge(session, &object, Some(live), &slices).await,
            None => State::Waiting(String::new()),
        };
        match state {
            State::Ready => session.notify(&Event::Ready { object: &object }),
            State::Waiting(_) | State::Failed(_) => drop(pending.insert(object)),
        }
    }
    until_ready(session, pending, deadline).await
}

/// Waits until one object is ready, which for a hook means that it has ended.
pub(super) async fn for_object(session: &Session<'_>, object: &ObjectId, deadline: Instant) -> Result<()> {
    until_ready(session, BTreeSet::from([object.clone()]), deadline).await
}

/// Waits until those of the objects that others need before they can be sent are ready.
pub(super) async fn for_definitions(
    session: &Session<'_>,
    objects: impl Iterator<Item = ObjectId>,
    deadline: Instant,
) -> Result<()> {
    until_ready(session, objects.filter(is_definition).collect(), deadline).await
}

/// Other resources need these before they can be sent.
fn is_definition(object: &ObjectId) -> bool {
    matches!(object.kind.as_str(), "Namespace" | "CustomResourceDefinition" | "APIService")
}

async fn until_ready(session: &Session<'_>, due: BTreeSet<ObjectId>, deadline: Instant) -> Result<()> {
    let mut pending: Vec<(ObjectId, String)> =
        due.into_iter().map(|object| (object, "its state is not known yet".to_owned())).collect();
    let mut pause = FIRST_PAUSE;
    loop {
        let mut failed = Vec::new();
        let objects = pending.drain(..).map(|(object, _)| object).collect();
        for (object, state) in look(session, objects).await {
            match state {
                State::Ready => session.notify(&Event::Ready { object: &object }),
                State::Waiting(why) => pending.push((object, why)),
                State::Failed(why) => failed.push((object, why)),
            }
        }
        if !failed.is_empty() {
            return Err(errors(session, failed, &pending, Code::FailedInCluster).await);
        }
        if pending.is_empty() {
            return Ok(());
        }
        session.notify(&Event::Waiting { pending: &pending });
        if Instant::now() + pause > deadline {
            return Err(errors(session, std::mem::take(&mut pending), &[], Code::NotReady).await);
        }
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// The state of each object, in order.
async fn look(session: &Session<'_>, objects: Vec<ObjectId>) -> Vec<(ObjectId, State)> {
    let mut groups: BTreeMap<(String, String, String), Vec<ObjectId>> = BTreeMap::new();
    for object in objects {
        let group = (object.group.clone(), object.kind.clone(), object.namespace.clone());
        groups.entry(group).or_default().push(object);
    }
    let slices = &Slices::default();
    let all = stream::iter(groups.into_values()).map(|group| look_at_group(session, group, slices));
    let all: Vec<Vec<(ObjectId, State)>> = all.buffered(session.concurrency).collect().await;
    all.into_iter().flatten().collect()
}

async fn look_at_group(
    session: &Session<'_>,
    objects: Vec<ObjectId>,
    slices: &Slices,
) -> Vec<(ObjectId, State)> {
    let listed = if objects.len() < LIST_FROM { None } else { list(session, &objects[0]).await };
    if let Some(items) = listed {
        let by_name: BTreeMap<&str, &Value> =
            items.iter().filter_map(|item| Some((item["metadata"]["name"].as_str()?, item))).collect();
        let mut states = Vec::with_capacity(objects.len());
        for object in objects {
            let state = judge(session, &object, by_name.get(object.name.as_str()).copied(), slices).await;
            states.push((object, state));
        }
        return states;
    }
    let each = stream::iter(objects).map(|object| async move {
        let state = match session.read(&object).await {
            Ok(live) => judge(session, &object, live.as_ref(), slices).await,
            Err(failure) => of_failure(&failure),
        };
        (object, state)
    });
    each.buffered(LIST_FROM).collect().await
}

/// All objects of the kind in the namespace of `one`; items of lists do not name their kind, so it is added.
async fn list(session: &Session<'_>, one: &ObjectId) -> Option<Vec<Value>> {
    let kind = session.any_version(one).await?;
    let answer = session.connection.get(&kind.path(&one.namespace)).await.ok()?;
    let mut items: Vec<Value> =
        answer["items"].as_array()?.iter().filter(|item| item.is_object()).cloned().collect();
    for item in &mut items {
        item["apiVersion"] = Value::from(one.api_version());
        item["kind"] = Value::from(one.kind.as_str());
    }
    Some(items)
}

fn of_failure(failure: &Failure) -> State {
    match failure.status {
        // We may apply it but not read it: its state cannot be awaited.
        403 => State::Ready,
        _ => State::Waiting(format!("it cannot be read: {}", failure.message)),
    }
}

pub(super) async fn judge(
    session: &Session<'_>,
    object: &ObjectId,
    live: Option<&Value>,
    slices: &Slices,
) -> State {
    let Some(live) = live else { return State::Waiting("it does not exist".to_owned()) };
    if let Some(state) = session.own_state(object, live) {
        return state;
    }
    if object.kind == "Pod" && Hook::of_json(live).is_some() {
        return ended_pod(live);
    }
    match (object.kind.as_str(), state(live)) {
        ("PersistentVolumeClaim", State::Waiting(_)) => unbound(session, live).await,
        ("CustomResourceDefinition", State::Ready) => served(session, live).await,
        ("MutatingWebhookConfiguration" | "ValidatingWebhookConfiguration", State::Ready) => {
            webhooks(session, live, slices).await
        }
        (_, state) => state,
    }
}

/// A definition is of use once the server lists its kind in each version, which takes it some seconds more: a controller
/// that starts before finds no such kind, and ends.
async fn served(session: &Session<'_>, definition: &Value) -> State {
    let spec = &definition["spec"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let versions = spec["versions"].as_array().into_iter().flatten();
    for version in versions.filter(|version| version["served"] == true) {
        let object = ObjectId {
            group: text(&spec["group"]),
            version: text(&version["name"]),
            kind: text(&spec["names"]["kind"]),
            namespace: String::new(),
            name: String::new(),
        };
        if session.kind(&object).await.is_none() {
            let (version, kind) = (object.api_version(), &object.kind);
            return State::Waiting(format!("the API server does not list {kind} of {version} yet"));
        }
    }
    State::Ready
}

/// A PVC that is not bound is ready when its storage class binds it only once a pod uses it.
async fn unbound(session: &Session<'_>, claim: &Value) -> State {
    const CLASSES: &str = "/apis/storage.k8s.io/v1/storageclasses";
    let waiting = |why: String| State::Waiting(why);
    let late = |class: &Value| class["volumeBindingMode"] == "WaitForFirstConsumer";
    let unbound = || waiting("it is not bound to a volume yet".to_owned());
    match claim["spec"]["storageClassName"].as_str() {
        Some("") => unbound(),
        Some(name) => match session.connection.get(&format!("{CLASSES}/{name}")).await {
            Ok(class) if late(&class) => State::Ready,
            Err(failure) if failure.is_not_found() => {
                waiting(format!("the storage class `{name}` does not exist"))
            }
            _ => unbound(),
        },
        None => {
            let Ok(classes) = session.connection.get(CLASSES).await else { return unbound() };
            let marked = "storageclass.kubernetes.io/is-default-class";
            let is_default = |class: &&Value| class["metadata"]["annotations"][marked] == "true";
            match classes["items"].as_array().into_iter().flatten().find(is_default) {
                Some(class) if late(class) => State::Ready,
                Some(_) => unbound(),
                None => waiting("it has no storage class, and the cluster has no default one".to_owned()),
            }
        }
    }
}

/// Whether the services of a webhook configuration have ready pods, and the server has a certificate to verify them.
async fn webhooks(session: &Session<'_>, live: &Value, slices: &Slices) -> State {
    let hooks: Vec<&Value> = live["webhooks"].as_array().into_iter().flatten().collect();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let annotations = live["metadata"]["annotations"].as_object();
    let is_injected =
        annotations.is_some_and(|map| map.keys().any(|key| key.starts_with("cert-manager.io/inject-ca-")));
    let mut services = BTreeSet::new();
    for hook in hooks {
        let client = &hook["clientConfig"];
        if is_injected && client["caBundle"].as_str().unwrap_or_default().is_empty() {
            return State::Waiting(format!("the webhook {} has no certificate yet", text(&hook["name"])));
        }
        if client["service"].is_object() {
            services.insert((text(&client["service"]["namespace"]), text(&client["service"]["name"])));
        }
    }
    for (namespace, name) in services {
        match slices.of(session, &namespace).await {
            Ok(slices) if answers(&slices, &name) => {}
            Ok(_) => {
                return State::Waiting(format!("no pod of the service {namespace}/{name} is ready"));
            }
            Err(failure) if failure.status == 403 => {}
            Err(failure) => return of_failure(&failure),
        }
    }
    State::Ready
}

/// The endpoint slices of namespaces, each read once.
#[derive(Default)]
pub(super) struct Slices(Mutex<HashMap<String, Arc<Vec<Value>>>>);

impl Slices {
    async fn of(
        &self,
        session: &Session<'_>,
        namespace: &str,
    ) -> std::result::Result<Arc<Vec<Value>>, Failure> {
        let known = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slices) = known().get(namespace) {
            return Ok(Arc::clone(slices));
        }
        let path = format!("/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices");
        let mut answer = session.connection.get(&path).await?;
        let items = match answer["items"].take() {
            Value::Array(items) => items,
            _ => Vec::new(),
        };
        let slices = Arc::new(items);
        known().insert(namespace.to_owned(), Arc::clone(&slices));
        Ok(slices)
    }
}

/// Whether a pod of a service is ready.
fn answers(slices: &[Value], service: &str) -> bool {
    let slices =
        slices.iter().filter(|slice| slice["metadata"]["labels"]["kubernetes.io/service-name"] == service);
    let mut endpoints = slices.flat_map(|slice| slice["endpoints"].as_array().into_iter().flatten());
    endpoints.any(|endpoint| endpoint["conditions"]["ready"] != false)
}

/// One error for each object, with what is known about the cause.
async fn errors(
    session: &Session<'_>,
    objects: Vec<(ObjectId, String)>,
    waiting: &[(ObjectId, String)],
    code: Code,
) -> Diagnostics {
    let facts =
        stream::iter(objects.iter().take(DIAGNOSED)).map(|(object, _)| diagnose::diagnose(session, object));
    let facts: Vec<Vec<String>> = facts.buffered(session.concurrency).collect().await;
    let mut facts = facts.into_iter();
    let mut errors = Diagnostics::default();
    for (object, why) in objects {
        let message = match code {
            Code::FailedInCluster => format!("{object} failed: {why}"),
            _ => format!("{object} was not ready in time: {why}"),
        };
        let error = Diagnostic::error(code, message);
        errors.push(facts.next().unwrap_or_default().into_iter().fold(error, Diagnostic::note));
    }
    if let Some(last) = errors.0.last_mut() {
        let others = waiting.iter().map(|(object, why)| format!("also not ready: {object}: {why}"));
        last.notes.extend(others.take(DIAGNOSED));
        last.help = Some("what is applied stays; run again when the cause is fixed".to_owned());
    }
    errors
}
