//! Runs what talks to a cluster until it is done or interrupted, and releases the locks that it holds then.

use super::progress::Progress;
use kfc_cluster::apply::{Lock, LockTerms, Locked};
use kfc_cluster::cluster::Connection;
use kfc_diagnostics::{Code, Diagnostic, Result};
use std::cell::RefCell;
use std::future::Future;
use std::rc::Rc;
use std::sync::Arc;

/// A held lock, and the connection by which it is released.
type HeldLock = (Arc<Connection>, Rc<Lock>);

/// The locks of a run, to be released when it is interrupted.
#[derive(Debug, Default)]
pub(super) struct Held(RefCell<Vec<HeldLock>>);

impl Held {
    /// Runs `work` with the lock of an inventory, or without one if it only looks, and shows the warnings of the server.
    pub(super) async fn during<T>(
        &self,
        connection: &Arc<Connection>,
        terms: Option<LockTerms>,
        progress: &Progress,
        work: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let done = match terms {
            Some(terms) => self.locked(connection, &terms, progress, work).await,
            None => work.await,
        };
        for text in connection.take_warnings() {
            progress.say(&format!("warning of the server: {text}"));
        }
        done
    }

    async fn locked<T>(
        &self,
        connection: &Arc<Connection>,
        terms: &LockTerms,
        progress: &Progress,
        work: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let lock = match Lock::acquire(connection, terms, progress).await? {
            Locked::Held(lock) => Rc::new(lock),
            Locked::Impossible(why) => {
                let inventory = &terms.inventory;
                progress.say(&format!(
                    "warning: the inventory {inventory} cannot be locked, so do not start a second run: {why} \
                     (a lock needs get, create, update and delete on leases.coordination.k8s.io in `{}`)",
                    inventory.namespace
                ));
                return work.await;
            }
        };
        self.0.borrow_mut().push((Arc::clone(connection), Rc::clone(&lock)));
        let result = tokio::select! {
            result = work => result,
            lost = lock.keep(connection) => Err(lost),
        };
        self.0.borrow_mut().pop();
        lock.release(connection).await;
        result
    }

    async fn release(&self) {
        let held = std::mem::take(&mut *self.0.borrow_mut());
        for (connection, lock) in held {
            lock.release(&connection).await;
        }
    }
}

/// Runs what talks to a cluster until it is done or interrupted.
pub(super) fn run_until_interrupted<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    run_holding(&Held::default(), work)
}

/// As [`run_until_interrupted`], and releases the held locks.
pub(super) fn run_holding<T>(held: &Held, work: impl Future<Output = Result<T>>) -> Result<T> {
    kfc_cluster::cluster::run(async {
        tokio::select! {
            result = work => result,
            signal = interrupted() => {
                held.release().await;
                let message = format!("stopped by {signal}");
                let help = "what is done stays; run again to continue";
                Err(Diagnostic::error(Code::Interrupted, message).help(help).into())
            }
        }
    })
}

#[cfg(unix)]
async fn interrupted() -> &'static str {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminated) = signal(SignalKind::terminate()) else { return std::future::pending().await };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => "an interrupt",
        _ = terminated.recv() => "a request to terminate",
    }
}

#[cfg(not(unix))]
async fn interrupted() -> &'static str {
    drop(tokio::signal::ctrl_c().await);
    "an interrupt"
}
