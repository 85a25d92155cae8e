//! One run at a time for each inventory, with a Lease of `coordination.k8s.io`: it is created when a run begins, renewed
//! while the run goes on, and deleted when it ends. After a run was killed, its Lease expires. Only the server's clock counts,
//! as its answers report it: the clocks of two machines may differ.

use super::event::{Event, Observer};
use super::inventory_id::InventoryId;
use crate::cluster::{Body, Connection, Failure};
use http::Method;
use jiff::Timestamp;
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Result};
use serde_json::{Value, json};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How often a waiting run checks the lock.
const LOOK: Duration = Duration::from_secs(1);

/// How often kfc tries to release a lock that changes in the meantime.
const RELEASES: usize = 3;

/// How a lock is taken.
#[derive(Clone, Debug)]
pub struct LockTerms {
    /// The inventory.
    pub inventory: InventoryId,
    /// Who takes it, as shown to a run that has to wait.
    pub holder: String,
    /// How long to wait for another run.
    pub wait: Duration,
    /// How long it holds without being renewed.
    pub duration: Duration,
}

/// A lock that is held.
#[derive(Debug)]
pub struct Lock {
    terms: LockTerms,
    /// Unique identifier and resource version of the Lease.
    state: Mutex<(String, String)>,
}

/// What became of the attempt to take a lock.
#[derive(Debug)]
pub enum Locked {
    /// It is held.
    Held(Lock),
    /// It cannot be taken here, and why: nothing prevents two runs at once.
    Impossible(String),
}

/// What one try came to.
enum Try {
    Held(Value),
    /// Another run has it.
    Taken(String),
    /// It changed in the meantime.
    Again,
    Impossible(String),
}

impl Lock {
    /// Takes the lock of an inventory, waiting for another run that holds it.
    ///
    /// # Errors
    /// [`Code::Locked`] with the holder's name when it is not free in time, or the server does not let it be taken for another
    /// reason than rights.
    pub async fn acquire(
        connection: &Connection,
        terms: &LockTerms,
        observer: &dyn Observer,
    ) -> Result<Locked> {
        let started = Instant::now();
        loop {
            match attempt(connection, terms).await.map_err(|failure| untaken(terms, &failure))? {
                Try::Held(lease) => {
                    let state = Mutex::new(version_of(&lease));
                    return Ok(Locked::Held(Self { terms: terms.clone(), state }));
                }
                Try::Impossible(why) => return Ok(Locked::Impossible(why)),
                Try::Again => sleep(Duration::from_millis(100)).await,
                Try::Taken(holder) if started.elapsed() < terms.wait => {
                    observer.see(&Event::Locked { inventory: &terms.inventory, holder: &holder });
                    sleep(LOOK).await;
                }
                Try::Taken(holder) => return Err(taken(terms, &holder)),
            }
        }
    }

    /// Renews the lock repeatedly. Ends only when another run has taken it.
    pub async fn keep(&self, connection: &Connection) -> Diagnostics {
        loop {
            sleep(self.terms.duration / 3).await;
            // A server that does not answer lets nobody else take it either.
            let Ok(Some(holder)) = self.renew(connection).await else { continue };
            let message = format!(
                "the run lost the lock of the inventory {} to {holder}, as it could not be renewed in time",
                self.terms.inventory
            );
            let error = Diagnostic::error(Code::Locked, message);
            return error.help("what is done stays; run again to continue").into();
        }
    }

    /// Renews the lock once; returns who holds it now when it is lost.
    async fn renew(&self, connection: &Connection) -> std::result::Result<Option<String>, Failure> {
        let (_, version) = self.state();
        let sent = write(connection, &self.terms, Some((&version, None))).await;
        match sent {
            Ok(lease) => self.set(&lease),
            // The answer to an earlier renewal may have been lost.
            Err(failure) if failure.status == 409 => {
                let lease = connection.get(&path(&self.terms.inventory)).await?;
                let holder = holder(&lease);
                if holder != self.terms.holder {
                    return Ok(Some(if holder.is_empty() { "another run".to_owned() } else { holder }));
                }
                self.set(&lease);
            }
            // Somebody deleted it. When this run deletes its namespace, the lock cannot be created again.
            Err(failure) if failure.is_not_found() => {
                let lease = write(connection, &self.terms, None).await?;
                self.set(&lease);
            }
            Err(failure) => return Err(failure),
        }
        Ok(None)
    }

    /// Lets the next run start at once. When that fails, the lock expires.
    pub async fn release(&self, connection: &Connection) {
        for _ in 0..RELEASES {
            let Err(failure) = self.delete(connection).await else { return };
            if failure.status != 409 {
                return;
            }
            // A renewal that was under way when the work ended has changed the Lease, and its answer was not waited for.
            match connection.get(&path(&self.terms.inventory)).await {
                Ok(lease) if holder(&lease) == self.terms.holder => self.set(&lease),
                _ => return,
            }
        }
    }

    /// Deletes the Lease as it is known.
    async fn delete(&self, connection: &Connection) -> std::result::Result<(), Failure> {
        let (uid, version) = self.state();
        let body = json!({
            "apiVersion": "v1", "kind": "DeleteOptions",
            "preconditions": {"uid": uid, "resourceVersion": version},
        });
        let (body, path) = (body.to_string(), path(&self.terms.inventory));
        connection.send(Method::DELETE, &path, "application/json", Body::Json(&body)).await.map(drop)
    }

    fn state(&self) -> (String, String) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, lease: &Value) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = version_of(lease);
    }
}

async fn attempt(connection: &Connection, terms: &LockTerms) -> std::result::Result<Try, Failure> {
    if connection.server_time().is_none() {
        return Ok(Try::Impossible("the server's answers have no date".to_owned()));
    }
    match write(connection, terms, None).await {
        Ok(lease) => return Ok(Try::Held(lease)),
        Err(failure) if failure.is_forbidden() && !failure.is_of_terminating_namespace() => {
            return Ok(Try::Impossible(failure.message));
        }
        Err(failure) if failure.status != 409 => return Err(failure),
        Err(_) => {}
    }
    let lease = match connection.get(&path(&terms.inventory)).await {
        Err(failure) if failure.is_not_found() => return Ok(Try::Again),
        Err(failure) if failure.is_forbidden() => return Ok(Try::Impossible(failure.message)),
        lease => lease?,
    };
    let holder = holder(&lease);
    // The answer to a first try may have been lost.
    if holder == terms.holder {
        return Ok(Try::Held(lease));
    }
    if !holder.is_empty() && !is_expired(&lease, connection.server_time()) {
        return Ok(Try::Taken(holder));
    }
    let (_, version) = version_of(&lease);
    match write(connection, terms, Some((&version, Some(&lease)))).await {
        Ok(lease) => Ok(Try::Held(lease)),
        Err(failure) if failure.status == 409 || failure.is_not_found() => Ok(Try::Again),
        Err(failure) if failure.is_forbidden() => Ok(Try::Impossible(failure.message)),
        Err(failure) => Err(failure),
    }
}

/// Creates the Lease, or replaces the one of a resource version; the Lease of the run before is given when it is taken over.
async fn write(
    connection: &Connection,
    terms: &LockTerms,
    known: Option<(&str, Option<&Value>)>,
) -> std::result::Result<Value, Failure> {
    // Micro time, as the kind wants it.
    let now = connection.server_time().map(|now| format!("{now:.6}"));
    let LockTerms { inventory, holder, duration, .. } = terms;
    let mut lease = json!({
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {
            "name": name(inventory),
            "namespace": inventory.namespace,
            "labels": {"app.kubernetes.io/managed-by": "kfc"},
        },
        "spec": {
            "holderIdentity": holder,
            "leaseDurationSeconds": duration.as_secs().max(1),
            "renewTime": now,
        },
    });
    let (method, path) = match known {
        None => (Method::POST, leases(&inventory.namespace)),
        Some((version, before)) => {
            lease["metadata"]["resourceVersion"] = Value::from(version);
            if let Some(before) = before {
                let transitions = before["spec"]["leaseTransitions"].as_i64().unwrap_or(0);
                lease["spec"]["leaseTransitions"] = Value::from(transitions + 1);
            }
            (Method::PUT, path(inventory))
        }
    };
    let path = format!("{path}?fieldManager=kfc");
    let body = lease.to_string();
    connection.send(method, &path, "application/json", Body::Json(&body)).await.map(|(_, lease)| lease)
}

/// Whether the holder has not renewed a Lease for as long as it may.
fn is_expired(lease: &Value, now: Option<Timestamp>) -> bool {
    let spec = &lease["spec"];
    let renewed = spec["renewTime"].as_str().and_then(|time| time.parse::<Timestamp>().ok());
    let (Some(now), Some(renewed)) = (now, renewed) else { return renewed.is_none() };
    let seconds = spec["leaseDurationSeconds"].as_i64().unwrap_or(0);
    now.as_second().saturating_sub(renewed.as_second()) > seconds
}

fn holder(lease: &Value) -> String {
    lease["spec"]["holderIdentity"].as_str().unwrap_or_default().to_owned()
}

fn version_of(lease: &Value) -> (String, String) {
    let text = |field: &str| lease["metadata"][field].as_str().unwrap_or_default().to_owned();
    (text("uid"), text("resourceVersion"))
}

fn name(inventory: &InventoryId) -> String {
    format!("kfc-inventory-{}", inventory.name)
}

fn leases(namespace: &str) -> String {
    format!("/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases")
}

fn path(inventory: &InventoryId) -> String {
    format!("{}/{}", leases(&inventory.namespace), name(inventory))
}

fn taken(terms: &LockTerms, holder: &str) -> Diagnostics {
    let message = format!("another run works on the inventory {}: {holder}", terms.inventory);
    let help =
        "wait until it ends, or wait longer with `--lock-timeout`; the lock of a run that was killed expires";
    Diagnostic::error(Code::Locked, message).help(help).into()
}

fn untaken(terms: &LockTerms, failure: &Failure) -> Diagnostics {
    let message = format!("cannot take the lock of the inventory {}: {}", terms.inventory, failure.message);
    let error = Diagnostic::error(Code::Locked, message);
    match failure.status {
        404 => error
            .help("create the namespace of the inventory, or name another with `--inventory-namespace`")
            .into(),
        _ => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::is_expired;
    use jiff::Timestamp;
    use serde_json::json;

    #[test]
    fn a_lease_expires_by_the_servers_clock() {
        let now = Timestamp::from_second(1_000_000).ok();
        let lease = |seconds: i64| {
            let renewed = Timestamp::from_second(1_000_000 - seconds).unwrap();
            json!({"spec": {"holderIdentity": "a", "leaseDurationSeconds": 15, "renewTime": format!("{renewed:.6}")}})
        };
        assert!(!is_expired(&lease(0), now) && !is_expired(&lease(15), now));
        assert!(is_expired(&lease(16), now));
        assert!(is_expired(&json!({"spec": {"holderIdentity": "a"}}), now), "it was never renewed");
        assert!(!is_expired(&lease(99), None), "nothing is known without a clock");
    }
}
