//! The state before a run: the metadata of all objects of some kinds, so that the run knows what it changed, what others own,
//! and what no longer exists.

use super::outcome::Outcome;
use super::owner;
use super::session::Session;
use crate::cluster::{ApiResource, Body, Failure};
use futures::stream::{self, StreamExt};
use http::Method;
use kfc_kube::ObjectId;
use kfc_kube::wave::Wave;
use serde_json::Value;
use std::collections::{BTreeSet, HashMap, HashSet};

/// Only metadata, in tables that the server can give for every kind.
const METADATA: &str = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json";
const PAGE: usize = 500;

/// Metadata of objects, by their identity.
#[derive(Debug, Default)]
pub(super) struct Snapshot {
    metadata: HashMap<ObjectId, Value>,
    /// Kinds that we may not list: nothing is known about their objects.
    unseen: BTreeSet<(String, String)>,
    /// Objects of such kinds that were requested one by one and do not exist.
    absent: HashSet<ObjectId>,
}

/// What is known about an object.
#[derive(Clone, Copy, Debug)]
pub(super) enum Seen<'s> {
    /// It exists, with this metadata.
    Exists(&'s Value),
    /// It does not exist.
    Absent,
    /// It could not be read.
    Unknown,
}

impl Snapshot {
    /// Looks at every kind of a bundle that the server knows.
    pub(super) async fn of_waves(session: &Session<'_>, waves: &[Wave]) -> Self {
        Self::take(session, waves.iter().flat_map(|wave| &wave.items).map(|item| &item.object)).await
    }

    /// Looks at every kind of these objects that the server knows; where we may not list a kind, at each object.
    pub(super) async fn take<'o>(session: &Session<'_>, objects: impl Iterator<Item = &'o ObjectId>) -> Self {
        let discovery = session.discovery();
        let objects: Vec<&ObjectId> = objects.collect();
        let named: BTreeSet<(&str, &str)> =
            objects.iter().map(|object| (object.group.as_str(), object.kind.as_str())).collect();
        let mut snapshot = Self::default();
        let mut kinds = Vec::new();
        for (group, kind) in named {
            match discovery.of_kind(group, kind).first() {
                Some(known) => kinds.push(known.clone()),
                // An aggregated API may be down: its objects may exist all the same.
                None if discovery.may_have(group, kind) => {
                    snapshot.unseen.insert((group.to_owned(), kind.to_owned()));
                }
                None => {}
            }
        }
        let lists = stream::iter(kinds).map(|kind| async move {
            let found = list(session, &kind, "").await;
            (kind, found)
        });
        let lists: Vec<_> = lists.buffer_unordered(session.concurrency).collect().await;
        for (kind, found) in lists {
            let Ok(found) = found else {
                snapshot.unseen.insert((kind.group, kind.kind));
                continue;
            };
            for (object, metadata) in found {
                snapshot.metadata.insert(object, metadata);
            }
        }
        snapshot.look_closer(session, &objects).await;
        snapshot
    }

    /// Asks for each object whose kind we may not list.
    async fn look_closer(&mut self, session: &Session<'_>, objects: &[&ObjectId]) {
        let unknown = objects.iter().filter(|object| matches!(self.seen(object), Seen::Unknown));
        let unknown: Vec<ObjectId> = unknown.map(|object| (*object).clone()).collect();
        let each = stream::iter(&unknown).map(|object| async move { (object, session.read(object).await) });
        let each: Vec<_> = each.buffered(session.concurrency).collect().await;
        for (object, read) in each {
            match read {
                Ok(Some(mut live)) => self.note(object, live["metadata"].take()),
                Ok(None) => {
                    self.absent.insert(unversioned(object));
                }
                Err(_) => {}
            }
        }
    }

    /// What is known about an object.
    pub(super) fn seen(&self, object: &ObjectId) -> Seen<'_> {
        let key = unversioned(object);
        match self.metadata.get(&key) {
            Some(metadata) => Seen::Exists(metadata),
            None if self.absent.contains(&key) => Seen::Absent,
            None if self.unseen.contains(&(object.group.clone(), object.kind.clone())) => Seen::Unknown,
            None => Seen::Absent,
        }
    }

    /// Records the metadata of an object as it is now.
    pub(super) fn note(&mut self, object: &ObjectId, metadata: Value) {
        self.metadata.insert(unversioned(object), metadata);
    }

    /// What an apply of a manager did, by the status of its answer and the object in it.
    pub(super) fn outcome(&self, object: &ObjectId, status: u16, after: &Value, manager: &str) -> Outcome {
        if status == 201 {
            return Outcome::Created;
        }
        let before = match self.seen(object) {
            Seen::Exists(before) => before,
            Seen::Absent => return Outcome::Created,
            Seen::Unknown => return Outcome::Applied,
        };
        let after = &after["metadata"];
        if before["resourceVersion"] == after["resourceVersion"] {
            return Outcome::Unchanged;
        }
        // Controllers change the version too: ours is a change of the specification or of the fields that we own.
        let same_generation = before["generation"] == after["generation"] && !after["generation"].is_null();
        let (owned, owns) = (owner::applied_by(before, manager), owner::applied_by(after, manager));
        // We never change an object of which we apply only the name.
        if (same_generation || owns.is_none()) && owned == owns {
            return Outcome::Unchanged;
        }
        Outcome::Changed
    }
}

/// The key of an object in any version.
fn unversioned(object: &ObjectId) -> ObjectId {
    ObjectId { version: String::new(), ..object.clone() }
}

/// All objects of a kind with their metadata, in one namespace or in all of them when `namespace` is empty.
///
/// # Errors
/// When we may not list them.
pub(super) async fn list(
    session: &Session<'_>,
    kind: &ApiResource,
    namespace: &str,
) -> Result<Vec<(ObjectId, Value)>, Failure> {
    let mut found = Vec::new();
    let mut next = String::new();
    loop {
        let path = format!("{}?limit={PAGE}{next}", kind.path(namespace));
        let (_, mut answer) = session.connection.send(Method::GET, &path, METADATA, Body::None).await?;
        for item in answer["items"].as_array_mut().into_iter().flatten() {
            let metadata = item["metadata"].take();
            let text = |field: &str| metadata[field].as_str().unwrap_or_default().to_owned();
            let object = ObjectId {
                group: kind.group.clone(),
                version: String::new(),
                kind: kind.kind.clone(),
                namespace: text("namespace"),
                name: text("name"),
            };
            found.push((object, metadata));
        }
        match answer["metadata"]["continue"].as_str() {
            Some(token) if !token.is_empty() => next = format!("&continue={}", encoded(token)),
            _ => return Ok(found),
        }
    }
}

fn encoded(token: &str) -> String {
    token.replace('%', "%25").replace('+', "%2B").replace('&', "%26").replace('=', "%3D")
}
