//! Deletes objects of a cluster, the last wave first, and waits until they are gone.

use super::inventory::{self, Inventory};
use super::session::Session;
use super::{Event, MANAGER, PRUNE_ANNOTATION, ready};
use crate::cluster::{Body, Failure, ObjectRef};
use crate::diagnostics::{Code, Diagnostic, Diagnostics, Result};
use futures::stream::{self, StreamExt};
use http::Method;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::{Instant, sleep};

const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(3);

/// What a deletion did.
#[derive(Clone, Debug, Default)]
pub struct Deletion {
    /// What is gone.
    pub gone: Vec<ObjectRef>,
    /// What was not there to begin with.
    pub absent: Vec<ObjectRef>,
    /// What stays, as its annotation says.
    pub spared: Vec<ObjectRef>,
    /// What could not be deleted.
    pub errors: Diagnostics,
}

/// How to delete.
#[derive(Clone, Copy, Debug)]
pub(super) struct Removal {
    /// Whether to wait until things are gone.
    pub(super) wait: bool,
    pub(super) deadline: Instant,
}

/// Deletes everything that an inventory names, then the inventory itself. What is gone is taken out of the inventory wave
/// by wave, so that a run that stops is completed by the next.
///
/// # Errors
/// What could not be deleted in time and why; the inventory then still names it.
pub async fn delete(
    session: &Session<'_>,
    inventory: &mut Inventory,
    timeout: Duration,
    wait: bool,
) -> Result<Deletion> {
    let mut all = Deletion::default();
    let mut objects: Vec<(ObjectRef, usize)> =
        inventory.objects().map(|(object, wave)| (object.clone(), wave)).collect();
    objects.sort_by_key(|(object, wave)| rank(object, *wave));
    for wave in objects.chunk_by(|a, b| a.1 == b.1) {
        let removal = Removal { wait, deadline: Instant::now() + timeout };
        let done = remove(session, wave.to_vec(), removal).await;
        for object in done.gone.iter().chain(&done.absent).chain(&done.spared) {
            inventory.remove(object);
        }
        all.gone.extend(done.gone);
        all.absent.extend(done.absent);
        all.spared.extend(done.spared);
        let is_stuck = !done.errors.is_empty();
        all.errors.extend(done.errors);
        if is_stuck {
            break;
        }
        if !inventory.is_empty() {
            inventory.write(session).await?;
        }
    }
    if all.errors.is_empty() {
        inventory.delete(session).await?;
        return Ok(all);
    }
    inventory.write(session).await?;
    Err(all.errors)
}

/// Deletes objects with their waves, the last wave first, whoever applied them. What is gone is taken out of every inventory
/// that we may see.
///
/// # Errors
/// What could not be deleted in time and why.
pub async fn delete_objects(
    session: &Session<'_>,
    mut objects: Vec<(ObjectRef, usize)>,
    timeout: Duration,
    wait: bool,
) -> Result<Deletion> {
    objects.sort_by_key(|(object, wave)| rank(object, *wave));
    let mut all = Deletion::default();
    for wave in objects.chunk_by(|a, b| a.1 == b.1) {
        let removal = Removal { wait, deadline: Instant::now() + timeout };
        let done = remove(session, wave.to_vec(), removal).await;
        all.gone.extend(done.gone);
        all.absent.extend(done.absent);
        all.spared.extend(done.spared);
        all.errors.extend(done.errors);
        if !all.errors.is_empty() {
            break;
        }
    }
    let away: Vec<ObjectRef> = all.gone.iter().chain(&all.absent).cloned().collect();
    inventory::forget(session, &away).await?;
    match all.errors.is_empty() {
        true => Ok(all),
        false => Err(all.errors),
    }
}

/// Deletes objects in the order of [`rank`], each rank in parallel, and waits for each rank.
pub(super) async fn remove(
    session: &Session<'_>,
    mut objects: Vec<(ObjectRef, usize)>,
    removal: Removal,
) -> Deletion {
    objects.sort_by_key(|(object, wave)| rank(object, *wave));
    let mut done = Deletion::default();
    for rank in objects.chunk_by(|a, b| rank(&a.0, a.1) == rank(&b.0, b.1)) {
        let each = stream::iter(rank)
            .map(|(object, _)| async move { (object, remove_one(session, object, removal).await) });
        let each: Vec<_> = each.buffered(session.concurrency).collect().await;
        for (object, result) in each {
            match result {
                Ok(End::Gone) => done.gone.push(object.clone()),
                Ok(End::Absent) => done.absent.push(object.clone()),
                Ok(End::Spared) => done.spared.push(object.clone()),
                Err(error) => done.errors.push(*error),
            }
        }
        if !done.errors.is_empty() {
            break;
        }
    }
    done
}

/// The order of deletion: later waves first; in a wave objects of kinds that others define, then what watches over the
/// others, then definitions while their controllers still run, then the controllers, then what they stand on, namespaces last.
fn rank(object: &ObjectRef, wave: usize) -> (std::cmp::Reverse<usize>, u8) {
    let place = match (super::wave::phase(&object.kind, &object.group), object.kind.as_str()) {
        (3, _) => 1,
        (_, "CustomResourceDefinition") => 2,
        (2, _) if !is_built_in(&object.group) => 0,
        (2, _) => 3,
        (1, _) => 4,
        (_, "Namespace") => 6,
        _ => 5,
    };
    (std::cmp::Reverse(wave), place)
}

fn is_built_in(group: &str) -> bool {
    !group.contains('.') || group.ends_with(".k8s.io")
}

/// How the deletion of one object ended.
enum End {
    Gone,
    /// It was not there.
    Absent,
    /// It is to stay.
    Spared,
}

/// Deletes one object.
async fn remove_one(
    session: &Session<'_>,
    object: &ObjectRef,
    removal: Removal,
) -> std::result::Result<End, Box<Diagnostic>> {
    let refused = |failure: &Failure| {
        let message = format!("{object} cannot be deleted: {}", failure.message);
        Box::new(Diagnostic::error(Code::NotDeleted, message))
    };
    let mut pause = FIRST_PAUSE;
    let mut is_told = false;
    let mut is_seen = false;
    loop {
        let live = match session.read(object).await {
            Ok(Some(live)) => live,
            Ok(None) if !is_seen => return Ok(End::Absent),
            Ok(None) => {
                session.tell(&Event::Deleted { object });
                return Ok(End::Gone);
            }
            Err(failure) => return Err(refused(&failure)),
        };
        is_seen = true;
        if live["metadata"]["annotations"][PRUNE_ANNOTATION] == "disabled" {
            session.tell(&Event::Kept { object, why: "its annotation says so" });
            return Ok(End::Spared);
        }
        if live["metadata"]["deletionTimestamp"].is_null() {
            match request(session, object, &live).await {
                Ok(()) => {}
                Err(failure) if failure.is_not_found() => continue,
                // It changed in between, or a webhook is on its way up or out.
                Err(failure) if failure.status == 409 || failure.is_of_webhook() => {
                    if Instant::now() > removal.deadline {
                        return Err(refused(&failure));
                    }
                    sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                    continue;
                }
                Err(failure) => return Err(refused(&failure)),
            }
        }
        if !is_told {
            session.tell(&Event::Deleting { object });
            is_told = true;
        }
        if !removal.wait {
            return Ok(End::Gone);
        }
        let why = blocked(&live);
        if Instant::now() > removal.deadline {
            return Err(Box::new(stuck(object, &live, &why)));
        }
        session.tell(&Event::Waiting { pending: &[(object.clone(), why)] });
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Asks for the deletion of this very object, with what it owns going first.
async fn request(
    session: &Session<'_>,
    object: &ObjectRef,
    live: &Value,
) -> std::result::Result<(), Failure> {
    let Some(kind) = session.any_version(object).await else { return Ok(()) };
    let body = json!({
        "apiVersion": "v1",
        "kind": "DeleteOptions",
        "propagationPolicy": "Foreground",
        "preconditions": {"uid": live["metadata"]["uid"]},
    });
    let path = format!("{}?fieldManager={MANAGER}", kind.path_of(object));
    let body = body.to_string();
    session.connection.send(Method::DELETE, &path, "application/json", Body::Json(&body)).await.map(|_| ())
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

fn stuck(object: &ObjectRef, live: &Value, why: &str) -> Diagnostic {
    let error = Diagnostic::error(Code::NotDeleted, format!("{object} is not gone in time: {why}"));
    if live["metadata"]["finalizers"].as_array().is_some_and(|list| !list.is_empty()) {
        return error.help(
            "a finalizer is taken off by the controller that set it: is that controller still running? Run again once it is",
        );
    }
    error.help("run again to go on")
}
