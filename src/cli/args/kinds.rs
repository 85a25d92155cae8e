//! Flags that say which kinds may be deleted.

use clap::Args;
use kfc_cluster::apply::Kinds;

/// Kinds that stay unless they are asked for. The same for what left a bundle and for deletions; the names that start with
/// `--prune-` are those of earlier versions.
#[derive(Clone, Copy, Debug, Default, Args)]
pub(in crate::cli) struct KindArgs {
    /// Delete namespaces too, with everything in them.
    #[arg(long, alias = "prune-namespaces")]
    delete_namespaces: bool,
    /// Delete custom resource definitions too that have objects, with all these objects.
    #[arg(long, alias = "prune-crds")]
    delete_crds: bool,
    /// Delete volume claims too, with their data.
    #[arg(long, alias = "prune-pvcs")]
    delete_pvcs: bool,
    /// Delete volumes too, with their data.
    #[arg(long, alias = "prune-pvs")]
    delete_pvs: bool,
    /// Delete everything: namespaces, definitions, volume claims and volumes too.
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
            definitions: self.delete_crds,
            claims: self.delete_pvcs,
            volumes: self.delete_pvs,
        }
    }
}
