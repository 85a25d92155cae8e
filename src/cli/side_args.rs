//! Flags that say how the sides of a comparison are read.

#[cfg(feature = "cluster")]
use super::args::{ClusterArgs, InventoryArgs, KindArgs, NamespaceArgs, inventory_name};
use super::args::{FunctionArgs, RestrictorFlag};
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
    /// Whether files outside of a kustomization root may be read.
    #[arg(long, value_enum, default_value = "LoadRestrictionsRootOnly", ignore_case = true)]
    load_restrictor: RestrictorFlag,
    /// The same as `--load-restrictor LoadRestrictionsNone`.
    #[arg(long, hide = true)]
    unrestricted: bool,
    #[command(flatten)]
    functions: FunctionArgs,
    #[cfg(feature = "cluster")]
    #[command(flatten)]
    cluster: ClusterArgs,
    #[cfg(feature = "cluster")]
    #[command(flatten)]
    objects: NamespaceArgs,
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
        if self.unrestricted { LoadRestrictor::None } else { self.load_restrictor.into() }
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
        let (args, objects) = (self.cluster.clone(), self.objects.clone());
        let immutable = kfc_cluster::apply::Immutable::default();
        Ok(ClusterSide { name, namespace, kinds: self.kinds.kinds(), args, objects, immutable })
    }

    /// Nothing of a cluster.
    #[cfg(not(feature = "cluster"))]
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "as with clusters")]
    pub(super) fn cluster_side(&self) -> Result<ClusterSide> {
        Ok(ClusterSide::default())
    }
}
