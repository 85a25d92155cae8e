//! What happens while a bundle is applied or deleted, and who sees it.

use super::inventory_id::InventoryId;
use super::outcome::Outcome;
use kfc_kube::ObjectRef;

/// What happens, for whoever shows it.
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
        object: &'e ObjectRef,
        /// What that did.
        outcome: Outcome,
    },
    /// A request is tried again.
    Retry {
        /// Which object.
        object: &'e ObjectRef,
        /// Why.
        why: &'e str,
    },
    /// Things are not ready yet.
    Waiting {
        /// What for, and what is missing.
        pending: &'e [(ObjectRef, String)],
    },
    /// Something became ready.
    Ready {
        /// Which object.
        object: &'e ObjectRef,
    },
    /// An object is being deleted.
    Deleting {
        /// Which object.
        object: &'e ObjectRef,
    },
    /// An object is gone.
    Deleted {
        /// Which object.
        object: &'e ObjectRef,
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
        object: &'e ObjectRef,
        /// Why.
        why: &'e str,
    },
}

/// Sees nothing.
#[derive(Clone, Copy, Debug)]
pub struct Unobserved;

impl Observer for Unobserved {
    fn see(&self, _: &Event<'_>) {}
}

/// Sees what happens.
pub trait Observer {
    /// Called with each event, in order.
    fn see(&self, event: &Event<'_>);
}
