//! Groups of flags that several commands have.

#[cfg(feature = "cluster")]
mod cluster;
#[cfg(feature = "cluster")]
mod duration;
#[cfg(feature = "cluster")]
mod how;
#[cfg(feature = "cluster")]
mod kinds;
mod remote;
mod report;
mod restrictor;
#[cfg(feature = "cluster")]
mod several;
mod stack;

#[cfg(feature = "cluster")]
pub(super) use cluster::{ClusterArgs, InventoryArgs, LockArgs, inventory_id, inventory_name, proxies};
#[cfg(feature = "cluster")]
pub(super) use duration::duration;
#[cfg(feature = "cluster")]
pub(super) use how::{CascadeFlag, DryRun, HowArgs};
#[cfg(feature = "cluster")]
pub(super) use kinds::KindArgs;
pub(super) use remote::RemoteArgs;
pub(super) use report::{Colour, ReportArgs};
pub(super) use restrictor::RestrictorFlag;
#[cfg(feature = "cluster")]
pub(super) use several::{Parallel, ParallelArgs, SeveralArgs};
pub(super) use stack::StackArgs;
