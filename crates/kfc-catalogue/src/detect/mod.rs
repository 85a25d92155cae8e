//! Detects the profile of a cluster from its answers: provider, version, processors, accelerators, storage, and what is already
//! installed. Works on saved answers as well as on a live cluster; each finding comes with its evidence.

mod accelerators;
mod answers;
mod detected;
mod finding;
mod installed;
mod lacking;
mod ours;
mod provider;
mod services;
mod storage;

pub use answers::Answers;
pub use detected::{Detected, detect};
pub use finding::Finding;
pub use lacking::Lack;
