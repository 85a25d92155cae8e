//! Flags that every command of kfc has: what is shown besides the result, and how.

use crate::cli::screen::{Colour, Detail, MessageFormat, Screen};
use clap::{ArgAction, Args};

// No documentation comment: it would take the place of what each command says of itself in its help.
#[derive(Clone, Copy, Debug, Default, Args)]
#[command(next_help_heading = "Global options")]
pub(in crate::cli) struct GlobalArgs {
    /// Show each step, what is fetched, and every warning; -vv shows each file that is read, too.
    #[arg(short, long, action = ArgAction::Count)]
    verbose: u8,
    /// Show errors and results only: no warnings, notes and progress.
    #[arg(short, long, conflicts_with = "verbose")]
    quiet: bool,
    /// When text has colours; on a terminal that can show them by default, and as `NO_COLOR` and `CLICOLOR_FORCE` say.
    #[arg(long, value_enum, value_name = "WHEN", default_value = "auto", hide_possible_values = true)]
    color: Colour,
    /// How errors, warnings and notes are written to standard error: `text`, `json` or `sarif`.
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "text", hide_possible_values = true)]
    message_format: MessageFormat,
    /// Show at the end how long each step took.
    #[arg(long)]
    timings: bool,
}

impl GlobalArgs {
    /// What they say of the screen.
    pub(in crate::cli) fn screen(self) -> Screen {
        // Both are set only where `--quiet` is a default: the flag that was given counts.
        let detail = match (self.verbose, self.quiet) {
            (0, true) => Detail::Errors,
            (0, false) => Detail::Usual,
            (1, _) => Detail::Steps,
            _ => Detail::Files,
        };
        Screen { detail, colour: self.color, messages: self.message_format, timings: self.timings }
    }
}
