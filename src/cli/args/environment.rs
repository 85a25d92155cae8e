//! Flags that choose environments and clusters of a stack.

use clap::Args;

/// Which environments of a stack a command works on, and which of its clusters.
#[derive(Clone, Debug, Default, Args)]
pub(in crate::cli) struct EnvironmentArgs {
    /// An environment of the stack, or a pattern (`'prod-*'`, or `'*'` for all); can be repeated.
    #[arg(short, long, value_name = "NAME")]
    pub(in crate::cli) environment: Vec<String>,
    /// Clusters of the stack, by name or pattern, with the lines by which each differs from its environment.
    #[arg(long = "targets", value_name = "CLUSTER,…", value_delimiter = ',')]
    pub(in crate::cli) clusters: Vec<String>,
}

impl EnvironmentArgs {
    /// Whether nothing is chosen.
    pub(in crate::cli) fn is_empty(&self) -> bool {
        self.environment.is_empty() && self.clusters.is_empty()
    }
}
