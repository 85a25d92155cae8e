//! `kfc completion` and `kustomize completion`.

use super::output;
use clap::{Args, Command};
use clap_complete::{Shell, generate};

#[derive(Debug, Args)]
pub(super) struct CompletionArgs {
    /// The shell.
    #[arg(value_enum)]
    shell: Shell,
}

/// Prints a script by which a shell completes a command line.
pub(super) fn run(args: &CompletionArgs, mut command: Command) -> u8 {
    let mut script = Vec::new();
    let name = command.get_name().to_owned();
    generate(args.shell, &mut command, name, &mut script);
    output::print_chunks(&[script])
}
