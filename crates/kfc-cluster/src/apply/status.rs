//! The state of everything that an inventory lists.

use super::diagnose;
use super::hook_record::HookRecord;
use super::inventory::Inventory;
use super::session::Session;
use super::snapshot::{Seen, Snapshot};
use super::wait;
use futures::stream::{self, StreamExt};
use kfc_diagnostics::Result;
use kfc_kube::ObjectId;
use kfc_kube::ready::State;

/// How many objects that are not ready are diagnosed.
const DIAGNOSED: usize = 20;

/// The state of one object.
#[derive(Clone, Debug)]
pub struct ObjectStatus {
    /// Which object.
    pub object: ObjectId,
    /// Its state.
    pub state: State,
    /// Whether it is the object of a hook.
    pub is_hook: bool,
    /// What is known about the cause when it is not ready.
    pub facts: Vec<String>,
}

/// Looks at every object of an inventory, in the order of its lines. A hook that succeeded is ready, even when its object is
/// gone.
///
/// # Errors
/// When what is remembered of hooks cannot be read.
pub async fn status(session: &Session<'_>, inventory: &Inventory) -> Result<Vec<ObjectStatus>> {
    let record = HookRecord::read(session, &inventory.id).await?;
    let objects: Vec<&ObjectId> = inventory.entries().map(|entry| &entry.object).collect();
    let snapshot = Snapshot::of_objects(session, objects.iter().copied()).await;
    let slices = wait::Slices::default();
    let judged = stream::iter(&objects).map(|object| {
        let (snapshot, slices) = (&snapshot, &slices);
        let is_due = record.of(object).map(|hook| hook.is_due);
        async move {
            match snapshot.seen(object) {
                Seen::Absent if is_due == Some(false) => State::Ready,
                Seen::Absent if is_due == Some(true) => {
                    State::Waiting("it has not succeeded; the next apply runs it".to_owned())
                }
                Seen::Unknown => State::Waiting("it cannot be read".to_owned()),
                Seen::Absent => State::Failed("it does not exist".to_owned()),
                Seen::Exists(metadata) if !metadata["deletionTimestamp"].is_null() => {
                    State::Waiting("it is being deleted".to_owned())
                }
                Seen::Exists(_) => wait::judge(session, object, snapshot.live(object), slices).await,
            }
        }
    });
    let states: Vec<State> = judged.buffered(session.concurrency).collect().await;
    let mut all: Vec<ObjectStatus> = objects
        .into_iter()
        .zip(states)
        .map(|(object, state)| {
            let is_hook = record.has(object);
            ObjectStatus { object: object.clone(), state, is_hook, facts: Vec::new() }
        })
        .collect();
    let unready = all.iter_mut().filter(|status| status.state != State::Ready).take(DIAGNOSED);
    let facts = stream::iter(unready).map(|status| async move {
        status.facts = diagnose::diagnose(session, &status.object).await;
    });
    facts.buffered(session.concurrency).collect::<Vec<()>>().await;
    Ok(all)
}
