//! The exit statuses of every command.

use kfc_diagnostics::{Code, Diagnostics};

/// Exit status of a run that succeeded.
pub(super) const DONE: u8 = 0;
/// Exit status of a run that failed.
pub(super) const FAILED: u8 = 1;
/// Exit status for a wrong command line.
pub(super) const USAGE: u8 = 2;
/// Exit status of a run that was interrupted: that of a program which SIGINT stops, in a shell.
pub(super) const INTERRUPTED: u8 = 130;
/// Exit status when standard output was closed before all was written: that of a program which SIGPIPE stops, in a shell.
pub(super) const CLOSED: u8 = 141;

/// The exit status of a run that failed with these errors, where `failed` is that of a failure.
pub(super) fn of_errors(errors: &Diagnostics, failed: u8) -> u8 {
    let is_interrupted = errors.0.iter().any(|error| error.code == Code::Interrupted);
    if is_interrupted { INTERRUPTED } else { failed }
}
