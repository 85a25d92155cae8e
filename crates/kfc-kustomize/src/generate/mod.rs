//! Generates resources: config maps and secrets from files and literals, charts through helm, service accounts with cloud
//! identities; and the content hash at the end of their names.

mod chart;
pub mod config_map;
pub mod hash;
pub mod helm;
pub mod iam_policy;
mod pairs;
pub mod secret;

pub use pairs::env_pairs;
