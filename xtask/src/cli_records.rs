//! What the command line of the real kustomize is, and what calls of it give: `cargo test --test kustomize_cli` with the program
//! records both in tests/kustomize-cli, or compares.

use crate::program::{Finished, line, passed, skipped, succeed};
use crate::records::{VERSION, kustomize};
use clap::Args;

#[derive(Args)]
pub(crate) struct Options {
    /// Write nothing; fail where a record is not what kustomize gives
    #[arg(long)]
    check: bool,
}

pub(crate) fn run(options: &Options) -> Finished {
    let Some(kustomize) = kustomize()? else { return skipped("there is no go to compile kustomize with") };
    let what = if options.check { "compare" } else { "write" };
    let mut test = line("cargo test --quiet --locked --test kustomize_cli");
    succeed(test.env("KFC_KUSTOMIZE", kustomize).env("KFC_RECORD", what))?;
    let done = if options.check { "compared with" } else { "recorded from" };
    passed(format!("commands and calls {done} kustomize {VERSION}"))
}

/// Compares all records.
pub(crate) fn check() -> Finished {
    run(&Options { check: true })
}
