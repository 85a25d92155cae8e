//! The state of everything that an inventory lists.

use super::diagnose;
use super::inventory::Inventory;
use super::session::Session;
use super::snapshot::{Seen, Snapshot};
use super::wait;
use futures::stream::{self, StreamExt};
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
    /// What is known about the cause when it is not ready.
    pub facts: Vec<String>,
}

/// Looks at every object of an inventory, in the order of its lines.
pub async fn status(session: &Session<'_>, inventory: &Inventory) -> Vec<ObjectStatus> {
    let objects: Vec<&ObjectId> = inventory.entries().map(|entry| &entry.object).collect();
    let snapshot = Snapshot::of_objects(session, objects.iter().copied()).await;
    let slices = wait::Slices::default();
    let judged = stream::iter(&objects).map(|object| {
        let (snapshot, slices) = (&snapshot, &slices);
        async move {
            match snapshot.seen(object) {
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
        .map(|(object, state)| ObjectStatus { object: object.clone(), state, facts: Vec::new() })
        .collect();
    let unready = all.iter_mut().filter(|status| status.state != State::Ready).take(DIAGNOSED);
    let facts = stream::iter(unready).map(|status| async move {
        status.facts = diagnose::diagnose(session, &status.object).await;
    });
    facts.buffered(session.concurrency).collect::<Vec<()>>().await;
    all
}
