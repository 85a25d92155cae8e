//! Deletes one object and waits until it is gone, so that another one can be created under its name.

use super::session::Session;
use crate::cluster::{Body, Failure};
use http::Method;
use kfc_kube::ObjectId;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::{Instant, sleep};

const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Deletes exactly the object that was read.
///
/// # Errors
/// When the server refuses, and when the object still exists at the deadline.
pub(super) async fn delete_object(
    session: &Session<'_>,
    object: &ObjectId,
    live: &Value,
    cascade: &str,
    deadline: Instant,
) -> Result<(), Failure> {
    let Some(kind) = session.kind(object).await else { return Ok(()) };
    let uid = &live["metadata"]["uid"];
    let options = json!({
        "apiVersion": "v1",
        "kind": "DeleteOptions",
        "propagationPolicy": cascade,
        "preconditions": {"uid": uid},
    });
    let (path, options) = (kind.path_of(object), options.to_string());
    let sent = session.connection.send(Method::DELETE, &path, "application/json", Body::Json(&options)).await;
    sent.or_else(|failure| if failure.is_not_found() { Ok((404, Value::Null)) } else { Err(failure) })?;
    let mut pause = FIRST_PAUSE;
    while session.read(object).await?.is_some_and(|now| now["metadata"]["uid"] == *uid) {
        if Instant::now() + pause > deadline {
            let message = "the old object was not deleted in time".to_owned();
            return Err(Failure {
                status: 409,
                reason: "Deleting".to_owned(),
                message,
                ..Failure::default()
            });
        }
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
    Ok(())
}
