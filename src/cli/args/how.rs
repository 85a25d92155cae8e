//! Flags that say how a bundle is applied.

use super::{KindArgs, ResultFormatArgs, duration};
use clap::{Args, ValueEnum};
use kfc_cluster::apply::{Cascade, InventoryId, Recreate, Settings};
use kfc_kube::ObjectId;
use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum DryRun {
    /// Ask the server what would happen; nothing is written.
    Server,
    /// Print the waves without asking a server.
    Client,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum CascadeFlag {
    /// They are deleted first.
    Foreground,
    /// They stay.
    Orphan,
}

impl From<CascadeFlag> for Cascade {
    fn from(flag: CascadeFlag) -> Self {
        match flag {
            CascadeFlag::Foreground => Self::Foreground,
            CascadeFlag::Orphan => Self::Orphan,
        }
    }
}

/// How a bundle is applied, whether it is built now or was kept.
#[derive(Clone, Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(in crate::cli) struct HowArgs {
    /// Take over fields that have other owners.
    #[arg(long)]
    pub(in crate::cli) force_conflicts: bool,
    /// Take over objects of the bundle that other inventories list, or that existed before: from then on only this
    /// inventory lists them.
    #[arg(long)]
    pub(in crate::cli) adopt: bool,
    /// Delete objects whose immutable fields change, and create them again; not namespaces, CRDs, PVCs and PVs.
    #[arg(long)]
    pub(in crate::cli) recreate: bool,
    /// The same for one object of any kind, named as kfc prints it: `Job shop/migrate`.
    #[arg(long, value_name = "KIND NAME")]
    pub(in crate::cli) recreate_object: Vec<ObjectId>,
    /// What becomes of the pods of a Deployment that is recreated, and of all that an object owns.
    #[arg(long, value_name = "HOW", value_enum, default_value = "foreground")]
    pub(in crate::cli) cascade: CascadeFlag,
    /// How long a wave may take.
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = duration)]
    pub(in crate::cli) timeout: Duration,
    /// Wait only for what the next wave cannot be sent without, not until everything is ready.
    #[arg(long)]
    pub(in crate::cli) no_wait: bool,
    /// Run the hooks of the bundle also when it changes nothing.
    #[arg(long)]
    pub(in crate::cli) run_hooks: bool,
    /// Only report what would happen.
    #[arg(long, value_name = "WHO", value_enum)]
    pub(in crate::cli) dry_run: Option<DryRun>,
    /// Delete what left the bundle without asking.
    #[arg(long, conflicts_with = "no_prune")]
    pub(in crate::cli) prune: bool,
    /// Agree to every question without asking.
    #[arg(short, long)]
    pub(in crate::cli) yes: bool,
    /// Delete what left the bundle even when that is most of what the inventory lists.
    #[arg(long, conflicts_with = "no_prune")]
    pub(in crate::cli) prune_most: bool,
    /// Delete nothing that left the bundle, and do not ask.
    #[arg(long, conflicts_with_all = ["delete_all", "delete_namespaces", "delete_crds", "delete_pvcs", "delete_pvs"])]
    pub(in crate::cli) no_prune: bool,
    #[command(flatten)]
    pub(in crate::cli) kinds: KindArgs,
    /// How many revisions the history of the inventory keeps, and the last one that succeeded; 0 for no history.
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(in crate::cli) keep_revisions: usize,
    #[command(flatten)]
    pub(in crate::cli) form: ResultFormatArgs,
}

impl HowArgs {
    /// The settings of a run for an inventory.
    pub(in crate::cli) fn settings(&self, id: &InventoryId) -> Settings {
        Settings {
            inventory: id.clone(),
            force_conflicts: self.force_conflicts,
            adopt: self.adopt,
            timeout: self.timeout,
            wait: !self.no_wait,
            prune: false,
            kinds: self.kinds.kinds(),
            ignore: Vec::new(),
            recreate: Recreate {
                all: self.recreate,
                named: self.recreate_object.clone(),
                cascade: self.cascade.into(),
            },
            kept: Vec::new(),
            released: Vec::new(),
            generation: None,
            partial: false,
            run_hooks: self.run_hooks,
            dry_run: self.dry_run.is_some(),
        }
    }
}
