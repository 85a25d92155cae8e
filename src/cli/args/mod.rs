//! Groups of flags that several commands have.

#[cfg(feature = "cluster")]
mod cluster;
mod duration;
mod environment;
mod format;
mod functions;
mod global;
#[cfg(feature = "cluster")]
mod how;
#[cfg(feature = "cluster")]
mod kinds;
mod named;
mod own_catalogue;
mod remote;
mod report;
mod restrictor;
#[cfg(feature = "cluster")]
mod several;
mod stack;

#[cfg(feature = "cluster")]
pub(super) use cluster::{ClusterArgs, InventoryArgs, LockArgs, inventory_id, inventory_name, proxies};
pub(super) use duration::duration;
pub(super) use environment::EnvironmentArgs;
pub(super) use format::{ListFormat, ListFormatArgs, ResultFormat, ResultFormatArgs};
pub(super) use functions::{CallArgs, FunctionArgs};
pub(super) use global::GlobalArgs;
#[cfg(feature = "cluster")]
pub(super) use how::{CascadeFlag, DryRun, HowArgs};
#[cfg(feature = "cluster")]
pub(super) use kinds::KindArgs;
pub(super) use named::NamedArgs;
#[cfg(feature = "cluster")]
pub(super) use named::NamespaceArgs;
pub(super) use own_catalogue::OwnCatalogueArgs;
pub(super) use remote::RemoteArgs;
pub(super) use report::{ReportArgs, format_parser};
pub(super) use restrictor::RestrictorFlag;
#[cfg(feature = "cluster")]
pub(super) use several::{Parallel, ParallelArgs, SeveralArgs};
pub(super) use stack::StackArgs;
