//! How a bundle is applied.

use super::generate::Generation;
use super::inventory_id::InventoryId;
use super::recreate::Recreate;
use super::removal::Kinds;
use kfc_kube::ObjectId;
use kfc_kube::ignore::IgnoreRule;
use std::time::Duration;

/// How to apply.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is requested on its own")]
pub struct Settings {
    /// The inventory, whose field manager owns the fields that are applied.
    pub inventory: InventoryId,
    /// Take over fields that belong to others.
    pub force_conflicts: bool,
    /// Take over objects that other inventories list, or that existed before.
    pub adopt: bool,
    /// How long a wave may take.
    pub timeout: Duration,
    /// Whether to wait until things are ready.
    pub wait: bool,
    /// Whether to delete what left the bundle.
    pub prune: bool,
    /// The kinds, of those that are deleted only on request, that may be deleted.
    pub kinds: Kinds,
    /// Fields that are left to others.
    pub ignore: Vec<IgnoreRule>,
    /// What may be deleted and created again.
    pub recreate: Recreate,
    /// Objects that stay as they are, although the waves lack them: their values are not known.
    pub kept: Vec<ObjectId>,
    /// Objects whose values come from elsewhere now: they stay, and the inventory no longer lists them.
    pub released: Vec<ObjectId>,
    /// The Secrets that are made when they do not exist.
    pub generation: Option<Generation>,
    /// Whether the waves are a part of the bundle only: then nothing has left it.
    pub partial: bool,
    /// Run all hooks, also when the bundle changes nothing.
    pub run_hooks: bool,
    /// Only ask the server what would happen.
    pub dry_run: bool,
}
