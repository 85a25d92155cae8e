//! Flags of commands that write into a catalogue of the user.

use clap::Args;
use std::path::PathBuf;

// No documentation comment: it would take the place of what each command says of itself in its help.
#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct OwnCatalogueArgs {
    /// The directory of the catalogue to write into; this one when not given.
    #[arg(
        long = "catalog",
        alias = "catalogue",
        value_name = "DIR",
        default_value = ".",
        hide_default_value = true
    )]
    pub(in crate::cli) catalogue: PathBuf,
    /// Replace existing files.
    #[arg(long)]
    pub(in crate::cli) force: bool,
}
