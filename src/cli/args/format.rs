//! Flags that say in which form a command prints what it found or did.

use clap::{Args, ValueEnum};

/// The forms of a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum ListFormat {
    /// For people, not wider than the terminal.
    #[default]
    Text,
    /// For people, whole.
    Wide,
    /// Only names, one in a line.
    Name,
    /// For programs.
    Json,
    /// For programs, as YAML.
    Yaml,
}

/// The form of a command that only looks: nothing is written, so that `-o` is the format, as for kubectl.
#[derive(Clone, Copy, Debug, Default, Args)]
pub(in crate::cli) struct ListFormatArgs {
    /// Output format.
    #[arg(
        short = 'o',
        long,
        visible_alias = "output",
        value_enum,
        value_name = "FORMAT",
        default_value = "text"
    )]
    pub(in crate::cli) format: ListFormat,
}

/// The forms of what a command did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum ResultFormat {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
}

/// The form of a command that changes something; where it writes files, `-o` names one.
#[derive(Clone, Copy, Debug, Default, Args)]
pub(in crate::cli) struct ResultFormatArgs {
    /// Output format.
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "text")]
    pub(in crate::cli) format: ResultFormat,
}
