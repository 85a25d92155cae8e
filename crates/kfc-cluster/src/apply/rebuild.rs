//! Makes an inventory again that was lost: its field manager is on every object that it applied.

use super::inventory::Inventory;
use super::owner;
use super::session::Session;
use super::snapshot;
use crate::cluster::ApiResource;
use futures::stream::{self, StreamExt};
use kfc_kube::ObjectId;
use kfc_kube::wave;

/// Adds every object that the field manager of an inventory applies and that the inventory does not list. Returns these
/// objects, and the kinds that could not be listed.
pub async fn rebuild(session: &Session<'_>, inventory: &mut Inventory) -> (Vec<ObjectId>, Vec<String>) {
    let manager = inventory.id.manager();
    let discovery = session.discovery();
    let kinds: Vec<ApiResource> = discovery.preferred().cloned().collect();
    let lists = stream::iter(kinds).map(|kind| async move {
        let found = snapshot::list(session, &kind, "").await;
        (kind, found)
    });
    let lists: Vec<_> = lists.buffer_unordered(session.concurrency).collect().await;
    let mut found = Vec::new();
    let mut unseen = Vec::new();
    for (kind, list) in lists {
        match list {
            Ok(objects) => found.extend(objects.into_iter().filter_map(|(object, metadata)| {
                let applied = owner::applied_by(&metadata, &manager)?;
                let version = applied["apiVersion"].as_str().unwrap_or_default();
                let version = version.rsplit('/').next().unwrap_or_default().to_owned();
                Some(ObjectId { version, ..object })
            })),
            // What cannot be listed at all are requests, not objects.
            Err(failure) if matches!(failure.status, 404 | 405) => {}
            Err(_) => unseen.push(format!("{} in {}", kind.kind, kind.api_version())),
        }
    }
    found.retain(|object| !inventory.has(object));
    found.sort();
    for object in &found {
        let at = match wave::phase(&object.kind, &object.group) {
            wave::Phase::Surroundings => 0,
            _ if object.group.contains('.') && !object.group.ends_with(".k8s.io") => 2,
            _ => 1,
        };
        inventory.add(object.clone(), at);
    }
    unseen.sort();
    (found, unseen)
}
