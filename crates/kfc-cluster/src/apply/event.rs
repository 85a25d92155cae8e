//! What happens while a bundle is applied or deleted, and who sees it.

use super::inventory_id::InventoryId;
use super::outcome::Outcome;
use kfc_kube::ObjectId;
use kfc_kube::hook::Moment;

/// Something that happens during a run.
#[derive(Debug)]
pub enum Event<'e> {
    /// A wave begins.
    Wave {
        /// Which one, from 1.
        at: usize,
        /// Of how many.
        of: usize,
        /// How many resources it has.
        resources: usize,
    },
    /// A resource was applied.
    Applied {
        /// Which object.
        object: &'e ObjectId,
        /// What that did.
        outcome: Outcome,
    },
    /// A request is tried again.
    Retry {
        /// Which object.
        object: &'e ObjectId,
        /// Why.
        why: &'e str,
    },
    /// Objects are not ready yet.
    Waiting {
        /// The objects, each with what it lacks.
        pending: &'e [(ObjectId, String)],
    },
    /// An object became ready.
    Ready {
        /// Which object.
        object: &'e ObjectId,
    },
    /// A hook runs.
    Hook {
        /// Its object.
        object: &'e ObjectId,
        /// When it runs.
        moment: Moment,
    },
    /// An object is being deleted.
    Deleting {
        /// Which object.
        object: &'e ObjectId,
    },
    /// An object is gone.
    Deleted {
        /// Which object.
        object: &'e ObjectId,
    },
    /// A Secret was made.
    Generated {
        /// Which one.
        object: &'e ObjectId,
    },
    /// Another run works on the inventory.
    Locked {
        /// Which one.
        inventory: &'e InventoryId,
        /// Who runs it.
        holder: &'e str,
    },
    /// An object that was to be deleted stays.
    Kept {
        /// Which object.
        object: &'e ObjectId,
        /// Why.
        why: &'e str,
    },
}

/// An observer that ignores every event.
#[derive(Clone, Copy, Debug)]
pub struct Unobserved;

impl Observer for Unobserved {
    fn see(&self, _: &Event<'_>) {}
}

/// What is notified of the events of a run.
pub trait Observer {
    /// Called with each event, in order.
    fn see(&self, event: &Event<'_>);
}
