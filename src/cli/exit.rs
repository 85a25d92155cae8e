//! The exit statuses of every command.

/// Exit code of a run that did what it was asked to.
pub(super) const DONE: u8 = 0;
/// Exit code of a run that failed.
pub(super) const FAILED: u8 = 1;
/// Exit code for a command line that is wrong.
pub(super) const USAGE: u8 = 2;
