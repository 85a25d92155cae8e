//! Speaks to the API server of a cluster: connection and sign-in as kubectl has them, requests within limits that are
//! tried again when it makes sense, and which kinds the server knows. Nothing here runs unless a command needs a cluster.

mod connection;
mod discovery;
mod failure;
mod limiter;
mod live;
mod words;

pub use connection::{Body, Connection, Options, run};
pub use discovery::{ApiResource, Discovery};
pub use failure::{Cause, Failure};
pub use live::{Managers, Prediction, predict, without_server_fields};
