//! Flags that say how the sides of a comparison are read.

use super::args::FunctionArgs;
#[cfg(feature = "cluster")]
use super::args::{ClusterArgs, InventoryArgs, KindArgs, inventory_name};
use super::side::ClusterSide;
use clap::Args;
use kfc_diagnostics::Result;
use kfc_source::{FunctionOptions, LoadRestrictor};
use std::path::PathBuf;

/// How the sides of a comparison are read.
#[derive(Debug, Args)]
pub(super) struct SidesArgs {
    /// The directory of the goldens.
    #[arg(long, default_value = "golden", value_name = "DIR")]
    pub(super) goldens: PathBuf,
    /// Read files outside of roots too.
    #[arg(long)]
    unrestricted: bool,
    #[command(flatten)]
    functions: FunctionArgs,
    #[cfg(feature = "cluster")]
    #[command(flatten)]
    cluster: ClusterArgs,
    #[cfg(feature = "cluster")]
    #[command(flatten)]
    inventory: InventoryArgs,
    #[cfg(feature = "cluster")]
    #[command(flatten)]
    kinds: KindArgs,
}

impl SidesArgs {
    /// Which files may be read.
    pub(super) fn restrictor(&self) -> LoadRestrictor {
        if self.unrestricted { LoadRestrictor::None } else { LoadRestrictor::RootOnly }
    }

    /// Which programs of the sides may run.
    pub(super) fn functions(&self) -> FunctionOptions {
        self.functions.options()
    }

    /// What is compared of a cluster.
    ///
    /// # Errors
    /// A name that no inventory can have.
    #[cfg(feature = "cluster")]
    pub(super) fn cluster_side(&self) -> Result<ClusterSide> {
        let name = self.inventory.name.as_deref().map(inventory_name).transpose()?;
        let namespace = self.inventory.inventory_namespace.clone();
        Ok(ClusterSide { name, namespace, kinds: self.kinds.kinds(), args: self.cluster.clone() })
    }

    /// Nothing of a cluster.
    #[cfg(not(feature = "cluster"))]
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "as with clusters")]
    pub(super) fn cluster_side(&self) -> Result<ClusterSide> {
        Ok(ClusterSide::default())
    }
}
