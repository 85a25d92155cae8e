//! What an apply will do, as it is known before.

use super::recreate::Loss;
use kfc_kube::ObjectId;
use serde_json::Value;
use std::collections::HashSet;

/// An object that changes.
#[derive(Clone, Debug)]
pub struct Change {
    /// Which object.
    pub object: ObjectId,
    /// The object now, without the fields that only the server writes.
    pub before: Value,
    /// What it becomes.
    pub after: Value,
}

/// What an apply will do, as far as it can be known.
#[derive(Clone, Debug, Default)]
pub struct Preview {
    /// Objects that are created.
    pub created: Vec<ObjectId>,
    /// Objects that change.
    pub changed: Vec<Change>,
    /// Objects that are deleted and created again, as immutable fields change.
    pub recreated: Vec<Loss>,
    /// Objects that are as the bundle wants them, or of which only the owner of fields changes.
    pub unchanged: usize,
    /// Objects of which nothing changes, not even an owner: they are not sent.
    pub(super) settled: HashSet<ObjectId>,
}

impl Preview {
    /// Whether the cluster is as the bundle wants it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.created.is_empty() && self.changed.is_empty() && self.recreated.is_empty()
    }

    pub(super) fn add(&mut self, object: &ObjectId, foreseen: Foreseen) {
        match foreseen {
            Foreseen::Created => self.created.push(object.clone()),
            Foreseen::Same => {
                self.unchanged += 1;
                self.settled.insert(object.clone());
            }
            Foreseen::Owner => self.unchanged += 1,
            Foreseen::Changed { before, after } => {
                self.changed.push(Change { object: object.clone(), before, after });
            }
            Foreseen::Unknown => {}
        }
    }
}

/// What an apply of one resource will do.
#[derive(Debug)]
pub(super) enum Foreseen {
    /// The object does not exist.
    Created,
    /// Nothing changes.
    Same,
    /// Only who owns its fields changes.
    Owner,
    /// The object changes.
    Changed { before: Value, after: Value },
    /// The object, or its kind, cannot be seen yet.
    Unknown,
}
