//! `kfc vendor`: the command, the targets of a lock, and what is shown while sources are fetched.

mod progress;
mod targets;
mod vendor;

pub(super) use progress::Progress;
pub(super) use vendor::{AT_ONCE, VendorArgs, run};
