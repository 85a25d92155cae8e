//! Tells from what a cluster answers which profile it is: provider, version, processors, accelerators, storage, and what is
//! installed already. Works on saved answers as well as on a live cluster; each finding comes with its evidence.

mod accelerators;
mod answers;
mod detected;
mod finding;
mod installed;
mod ours;
mod provider;
mod services;
mod storage;

pub use answers::Answers;
pub use detected::{Detected, detect};
pub use finding::Finding;
