//! Flags that say where remote sources come from.

use crate::cli::trace;
use clap::Args;
use kfc_source::remote::{LockUse, RemoteOptions};

/// Where remote sources come from. With a kfc.lock they are vendored, and nothing is fetched.
#[derive(Clone, Copy, Debug, Args)]
pub(in crate::cli) struct RemoteArgs {
    /// Fetch nothing, even when no kfc.lock pins the remote sources.
    #[arg(long)]
    pub(in crate::cli) offline: bool,
    /// Ignore kfc.lock and fetch everything again.
    #[arg(long, conflicts_with = "offline")]
    pub(in crate::cli) no_lock: bool,
    /// Allow plain http for hosts other than this machine.
    #[arg(long)]
    pub(in crate::cli) allow_plain_http: bool,
}

impl RemoteArgs {
    /// As options of a build.
    pub(in crate::cli) fn options(self) -> RemoteOptions {
        let lock = if self.no_lock { LockUse::Ignore } else { LockUse::Find };
        let mut options = RemoteOptions::using(lock);
        options.offline = self.offline;
        options.plain_http = self.allow_plain_http;
        options.observer = trace::fetches();
        options
    }
}
