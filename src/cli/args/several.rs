//! Flags that say how a command works on several clusters.

use clap::Args;
use std::num::NonZeroUsize;
use std::str::FromStr;

/// What becomes of the other clusters of `--context`.
#[derive(Clone, Debug, Default, Args)]
pub(in crate::cli) struct SeveralArgs {
    /// With several contexts in `--context`, go on with the next cluster after a failure.
    #[arg(long)]
    pub(in crate::cli) keep_going: bool,
    #[command(flatten)]
    pub(in crate::cli) at_once: ParallelArgs,
}

/// How many clusters are worked on at the same time, where one does not depend on another.
#[derive(Clone, Copy, Debug, Default, Args)]
pub(in crate::cli) struct ParallelArgs {
    /// With several contexts in `--context`, work on at most N clusters at the same time; on all of them without a number.
    #[arg(long, value_name = "N", num_args = 0..=1, require_equals = true, default_missing_value = "all")]
    pub(in crate::cli) parallel: Option<Parallel>,
}

/// How many clusters are worked on at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Parallel {
    All,
    AtMost(NonZeroUsize),
}

impl FromStr for Parallel {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "all" => Ok(Self::All),
            text => text.parse().map(Self::AtMost).map_err(|_| "expected a number from 1, or `all`"),
        }
    }
}
