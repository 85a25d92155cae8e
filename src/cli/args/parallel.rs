//! How many clusters are worked on at the same time.

use std::num::NonZeroUsize;
use std::str::FromStr;

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
