//! The state before a run: the objects of some kinds as they are, so that the run knows what it has to send, what it changed,
//! what others own, and what no longer exists. One request lists all objects of a kind.

use super::outcome::Outcome;
use super::owner;
use super::session::Session;
use crate::cluster::{ApiResource, Body, Failure, without_server_fields};
use futures::stream::{self, StreamExt};
use http::Method;
use kfc_kube::ObjectId;
use kfc_kube::wave::Wave;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// Only metadata, in tables that the server can give for every kind.
pub(super) const METADATA: &str =
    "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json";
const PAGE: usize = 500;

/// Which part of the objects is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Detail {
    /// Only metadata.
    Metadata,
    /// Everything.
    Whole,
}

/// Objects of a cluster, by their identity.
#[derive(Debug, Default)]
pub(super) struct Snapshot {
    objects: HashMap<ObjectId, Value>,
    /// Objects that could not be read: they may exist.
    unseen: HashSet<ObjectId>,
    /// Whether some of it was forbidden.
    restricted: bool,
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
    /// Reads all objects of a bundle.
    pub(super) async fn of_waves(session: &Session<'_>, waves: &[Wave]) -> Self {
        let items = waves.iter().flat_map(|wave| &wave.items);
        Self::read(session, items.map(|item| &item.object), Detail::Whole).await
    }

    /// Reads some objects.
    pub(super) async fn of_objects<'o>(
        session: &Session<'_>,
        objects: impl Iterator<Item = &'o ObjectId>,
    ) -> Self {
        Self::read(session, objects, Detail::Whole).await
    }

    /// Reads the metadata of some objects.
    pub(super) async fn take<'o>(session: &Session<'_>, objects: impl Iterator<Item = &'o ObjectId>) -> Self {
        Self::read(session, objects, Detail::Metadata).await
    }

    async fn read<'o>(
        session: &Session<'_>,
        objects: impl Iterator<Item = &'o ObjectId>,
        detail: Detail,
    ) -> Self {
        let discovery = session.discovery();
        let mut by_kind: BTreeMap<(&str, &str, &str), Vec<&ObjectId>> = BTreeMap::new();
        for object in objects {
            // Whole objects are compared with those of a bundle, in the version of the bundle.
            let version = if detail == Detail::Whole { object.version.as_str() } else { "" };
            by_kind.entry((&object.group, version, &object.kind)).or_default().push(object);
        }
        let mut snapshot = Self::default();
        let mut kinds = Vec::new();
        for ((group, _, kind), objects) in by_kind {
            let known = match detail {
                Detail::Metadata => discovery.of_kind(group, kind).first(),
                Detail::Whole => objects.first().and_then(|object| discovery.find(object)),
            };
            match known {
                Some(known) => kinds.push((known.clone(), objects)),
                // An aggregated API may be down: its objects may exist all the same.
                None if discovery.may_have(group, kind) => {
                    snapshot.unseen.extend(objects.into_iter().map(unversioned));
                }
                None => {}
            }
        }
        let lists = stream::iter(kinds).map(|(kind, objects)| of_kind(session, kind, objects, detail));
        let lists: Vec<Self> = lists.buffer_unordered(session.concurrency).collect().await;
        for list in lists {
            snapshot.objects.extend(list.objects);
            snapshot.unseen.extend(list.unseen);
            snapshot.restricted |= list.restricted;
        }
        snapshot
    }

    /// Reads each of some objects.
    async fn look_closer(&mut self, session: &Session<'_>, objects: &[&ObjectId]) {
        let each = stream::iter(objects).map(|object| async move { (*object, session.read(object).await) });
        let each: Vec<_> = each.buffered(session.concurrency).collect().await;
        for (object, read) in each {
            match read {
                Ok(Some(live)) => drop(self.objects.insert(unversioned(object), live)),
                Ok(None) => {}
                Err(failure) => {
                    self.restricted |= failure.is_forbidden();
                    self.unseen.insert(unversioned(object));
                }
            }
        }
    }

    /// What is known about an object.
    pub(super) fn seen(&self, object: &ObjectId) -> Seen<'_> {
        let key = unversioned(object);
        match self.objects.get(&key) {
            Some(live) => Seen::Exists(&live["metadata"]),
            None if self.unseen.contains(&key) => Seen::Unknown,
            None => Seen::Absent,
        }
    }

    /// Whether rights end somewhere.
    pub(super) fn is_restricted(&self) -> bool {
        self.restricted
    }

    /// The object as it was read.
    pub(super) fn live(&self, object: &ObjectId) -> Option<&Value> {
        self.objects.get(&unversioned(object))
    }

    /// Records the metadata of an object as it is now.
    pub(super) fn note(&mut self, object: &ObjectId, metadata: Value) {
        let live = self.objects.entry(unversioned(object)).or_insert_with(|| json!({}));
        live["metadata"] = metadata;
    }

    /// What an apply of a manager did, by the status of its answer and the object in it.
    pub(super) fn outcome(&self, object: &ObjectId, status: u16, after: &Value, manager: &str) -> Outcome {
        if status == 201 {
            return Outcome::Created;
        }
        let before = match self.live(object) {
            Some(live) => live,
            None if matches!(self.seen(object), Seen::Unknown) => return Outcome::Applied,
            None => return Outcome::Created,
        };
        let (old, new) = (&before["metadata"], &after["metadata"]);
        if old["resourceVersion"] == new["resourceVersion"] {
            return Outcome::Unchanged;
        }
        // Controllers change the version too: ours is a change of the specification or of the fields that we own.
        let same_generation = old["generation"] == new["generation"] && !new["generation"].is_null();
        let (owned, owns) = (owner::applied_by(old, manager), owner::applied_by(new, manager));
        if (same_generation || owns.is_none()) && owned == owns {
            return Outcome::Unchanged;
        }
        if without_server_fields(before.clone()) == without_server_fields(after.clone()) {
            return Outcome::Unchanged;
        }
        Outcome::Changed
    }
}

/// The objects of one kind: all in one request, in the one namespace that they are in or in all namespaces. Where that is
/// forbidden, those of each namespace, and where that is forbidden too, each object.
async fn of_kind(
    session: &Session<'_>,
    kind: ApiResource,
    objects: Vec<&ObjectId>,
    detail: Detail,
) -> Snapshot {
    let mut found = Snapshot::default();
    if let [object] = objects.as_slice() {
        found.look_closer(session, &[*object]).await;
        return found;
    }
    let wanted: HashSet<ObjectId> = objects.iter().map(|object| unversioned(object)).collect();
    let namespaces: BTreeSet<&str> = objects.iter().map(|object| object.namespace.as_str()).collect();
    let everywhere = match namespaces.first() {
        Some(namespace) if namespaces.len() == 1 => namespace,
        _ => "",
    };
    match list_objects(session, &kind, everywhere, detail).await {
        Ok(list) => {
            found.objects.extend(list.into_iter().filter(|(object, _)| wanted.contains(object)));
            return found;
        }
        Err(failure) => found.restricted |= failure.is_forbidden(),
    }
    for namespace in namespaces {
        let inside: Vec<&ObjectId> =
            objects.iter().copied().filter(|object| object.namespace == namespace).collect();
        let list = if namespace == everywhere {
            Err(Failure::default())
        } else {
            list_objects(session, &kind, namespace, detail).await
        };
        match list {
            Ok(list) => found.objects.extend(list.into_iter().filter(|(object, _)| wanted.contains(object))),
            Err(_) => found.look_closer(session, &inside).await,
        }
    }
    found
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
    let listed = list_objects(session, kind, namespace, Detail::Metadata).await?;
    Ok(listed.into_iter().map(|(object, mut live)| (object, live["metadata"].take())).collect())
}

async fn list_objects(
    session: &Session<'_>,
    kind: &ApiResource,
    namespace: &str,
    detail: Detail,
) -> Result<Vec<(ObjectId, Value)>, Failure> {
    let accept = match detail {
        Detail::Metadata => METADATA,
        Detail::Whole => "application/json",
    };
    let api_version = kind.api_version();
    let mut found = Vec::new();
    let mut next = String::new();
    loop {
        let path = format!("{}?limit={PAGE}{next}", kind.path(namespace));
        let (_, mut answer) = session.connection.send(Method::GET, &path, accept, Body::None).await?;
        for item in answer["items"].as_array_mut().into_iter().flatten().filter(|item| item.is_object()) {
            let mut item = item.take();
            // Items of lists do not name their kind.
            item["apiVersion"] = Value::from(api_version.as_str());
            item["kind"] = Value::from(kind.kind.as_str());
            let text = |field: &str| item["metadata"][field].as_str().unwrap_or_default().to_owned();
            let object = ObjectId {
                group: kind.group.clone(),
                version: String::new(),
                kind: kind.kind.clone(),
                namespace: text("namespace"),
                name: text("name"),
            };
            found.push((object, item));
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
