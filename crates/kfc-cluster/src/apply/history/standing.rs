//! Which of some objects still exist.

use super::super::session::Session;
use super::super::snapshot::{Seen, Snapshot};
use kfc_kube::ObjectId;

/// The objects that do not exist any more, or of which that cannot be found out, each with which of the two it is.
pub async fn lacking(session: &Session<'_>, objects: &[ObjectId]) -> Vec<(ObjectId, &'static str)> {
    let snapshot = Snapshot::take(session, objects.iter()).await;
    let why = |object: &ObjectId| match snapshot.seen(object) {
        Seen::Exists(_) => None,
        Seen::Absent => Some((object.clone(), "it does not exist any more")),
        Seen::Unknown => Some((object.clone(), "it cannot be read")),
    };
    objects.iter().filter_map(why).collect()
}
