//! Flags that say which kinds may be deleted.

use clap::Args;
use kfc_cluster::apply::Kinds;

/// Kinds that stay unless they are requested. The same for the prune set and for deletions; the names that start with
/// `--prune-` are those of earlier versions.
#[derive(Clone, Copy, Debug, Default, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(in crate::cli) struct KindArgs {
    /// Delete namespaces too, with everything in them.
    #[arg(long, alias = "prune-namespaces")]
    delete_namespaces: bool,
    /// Delete CRDs too when objects of their kind exist, with all these objects.
    #[arg(long, alias = "prune-crds")]
    delete_crds: bool,
    /// Delete PVCs too, with their data.
    #[arg(long, alias = "prune-pvcs")]
    delete_pvcs: bool,
    /// Delete PVs too, with their data.
    #[arg(long, alias = "prune-pvs")]
    delete_pvs: bool,
    /// Delete everything: namespaces, CRDs, PVCs and PVs too.
    #[arg(long, alias = "prune-all")]
    delete_all: bool,
}

impl KindArgs {
    pub(in crate::cli) fn kinds(self) -> Kinds {
        if self.delete_all {
            return Kinds::ALL;
        }
        Kinds {
            namespaces: self.delete_namespaces,
            crds: self.delete_crds,
            pvcs: self.delete_pvcs,
            pvs: self.delete_pvs,
        }
    }
}
