//! What was there before: the metadata of all objects of the bundle's kinds, so that a run can tell what it changed.

use super::session::Session;
use super::wave::Wave;
use crate::cluster::{ApiResource, Body, Discovery, ObjectRef};
use futures::stream::{self, StreamExt};
use http::Method;
use serde_json::Value;
use std::collections::{BTreeSet, HashMap};

/// Only metadata, in tables that the server can give for every kind.
const METADATA: &str = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json";
const PAGE: usize = 500;

/// Metadata of objects, by their identity.
#[derive(Debug, Default)]
pub(super) struct Snapshot {
    metadata: HashMap<ObjectRef, Value>,
    /// Kinds that we may not list: nothing is known of their objects.
    unseen: BTreeSet<(String, String)>,
}

/// What an apply did to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Outcome {
    /// It was not there before.
    Created,
    /// It was there and is different now.
    Changed,
    /// It was there just so.
    Unchanged,
    /// It is there now; what it was before could not be seen.
    Applied,
}

impl Outcome {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Changed => "changed",
            Self::Unchanged => "unchanged",
            Self::Applied => "applied",
        }
    }
}

impl Snapshot {
    /// Looks at every kind of the bundle that the server knows.
    pub(super) async fn take(session: &Session<'_>, waves: &[Wave]) -> Self {
        let discovery = session.discovery();
        let kinds = kinds(&discovery, waves);
        let lists = stream::iter(kinds).map(|kind| async move {
            let found = list(session, &kind).await;
            (kind, found)
        });
        let lists: Vec<_> = lists.buffer_unordered(session.concurrency).collect().await;
        let mut snapshot = Self::default();
        for (kind, found) in lists {
            let Some(found) = found else {
                snapshot.unseen.insert((kind.group, kind.kind));
                continue;
            };
            for item in found {
                let text = |field: &str| item["metadata"][field].as_str().unwrap_or_default().to_owned();
                let object = ObjectRef {
                    group: kind.group.clone(),
                    version: String::new(),
                    kind: kind.kind.clone(),
                    namespace: text("namespace"),
                    name: text("name"),
                };
                snapshot.metadata.insert(object, item["metadata"].clone());
            }
        }
        snapshot
    }

    /// What an apply did, by the status of its answer and the object in it.
    pub(super) fn outcome(&self, object: &ObjectRef, status: u16, after: &Value) -> Outcome {
        if status == 201 {
            return Outcome::Created;
        }
        let key = ObjectRef { version: String::new(), ..object.clone() };
        let Some(before) = self.metadata.get(&key) else {
            let is_unseen = self.unseen.contains(&(object.group.clone(), object.kind.clone()));
            return if is_unseen { Outcome::Applied } else { Outcome::Created };
        };
        let after = &after["metadata"];
        if before["resourceVersion"] == after["resourceVersion"] {
            return Outcome::Unchanged;
        }
        // The version changes with every word of a controller, too: ours is a change of the specification or of what we own.
        let same_generation = before["generation"] == after["generation"] && !after["generation"].is_null();
        if same_generation && ours(before) == ours(after) {
            return Outcome::Unchanged;
        }
        Outcome::Changed
    }
}

/// Our entry of the managed fields.
fn ours(metadata: &Value) -> Option<&Value> {
    let entries = metadata["managedFields"].as_array()?;
    entries.iter().find(|entry| entry["manager"] == super::MANAGER && entry["operation"] == "Apply")
}

fn kinds(discovery: &Discovery, waves: &[Wave]) -> Vec<ApiResource> {
    let objects = waves.iter().flat_map(|wave| &wave.items).map(|item| &item.object);
    let named: BTreeSet<(&str, &str)> =
        objects.map(|object| (object.group.as_str(), object.kind.as_str())).collect();
    named.into_iter().filter_map(|(group, kind)| discovery.of_kind(group, kind).first().cloned()).collect()
}

/// All objects of a kind; `None` when we may not see them.
async fn list(session: &Session<'_>, kind: &ApiResource) -> Option<Vec<Value>> {
    let mut found = Vec::new();
    let mut next = String::new();
    loop {
        let path = format!("{}?limit={PAGE}{next}", kind.path(""));
        let (_, mut answer) = session.connection.send(Method::GET, &path, METADATA, Body::None).await.ok()?;
        if let Some(items) = answer.get_mut("items").and_then(Value::as_array_mut) {
            found.append(items);
        }
        match answer["metadata"]["continue"].as_str() {
            Some(token) if !token.is_empty() => next = format!("&continue={}", encoded(token)),
            _ => return Some(found),
        }
    }
}

fn encoded(token: &str) -> String {
    token.replace('%', "%25").replace('+', "%2B").replace('&', "%26").replace('=', "%3D")
}
