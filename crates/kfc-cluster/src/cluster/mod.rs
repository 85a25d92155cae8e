//! Talks to the API server of a cluster: connection and authentication as in kubectl, requests within a rate limit that are
//! tried again after temporary failures, and which kinds the server knows. Nothing here runs unless a command needs a cluster.

mod connection;
mod discovery;
mod failure;
mod limiter;
mod live;
mod old_certificates;
mod proxy;
mod words;

pub use connection::{Body, Connection, Options, run};
pub use discovery::{ApiResource, Discovery};
pub use failure::{Cause, Failure};
pub use live::without_server_fields;
pub use proxy::Proxies;
