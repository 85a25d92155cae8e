//! The exit statuses of every command.

/// Exit status of a run that succeeded.
pub(super) const DONE: u8 = 0;
/// Exit status of a run that failed.
pub(super) const FAILED: u8 = 1;
/// Exit status for a wrong command line.
pub(super) const USAGE: u8 = 2;
