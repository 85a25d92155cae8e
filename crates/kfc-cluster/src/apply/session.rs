//! What all steps of a run share: the connection, the kinds that the server knows, and the observer.

use super::event::{Event, Observer};
use crate::cluster::{ApiResource, Connection, Discovery, Failure};
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Result};
use kfc_kube::ObjectId;
use kfc_kube::readiness::Readiness;
use kfc_kube::ready::State;
use kfc_kube::wave::Item;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// The kinds of a server are asked for at most this often.
const DISCOVERY_AGE: Duration = Duration::from_secs(1);

/// A run against one cluster.
pub struct Session<'s> {
    /// The connection.
    pub connection: &'s Connection,
    /// How many requests are under way at once.
    pub concurrency: usize,
    observer: &'s dyn Observer,
    /// The conditions of users.
    readiness: Option<Arc<dyn Readiness>>,
    discovery: Mutex<(Arc<Discovery>, Instant)>,
}

impl std::fmt::Debug for Session<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("connection", self.connection).finish_non_exhaustive()
    }
}

impl<'s> Session<'s> {
    /// Asks the server which kinds it knows.
    ///
    /// # Errors
    /// [`Code::Unreachable`] when it does not answer, or refuses access.
    pub async fn start(
        connection: &'s Connection,
        concurrency: usize,
        observer: &'s dyn Observer,
    ) -> Result<Self> {
        let discovery =
            Discovery::ask(connection).await.map_err(|failure| unreachable(connection, &failure))?;
        let discovery = Mutex::new((Arc::new(discovery), Instant::now()));
        Ok(Self { connection, concurrency: concurrency.max(1), observer, readiness: None, discovery })
    }

    /// Judges objects by the conditions of users, where these have some.
    #[must_use]
    pub fn with_readiness(self, readiness: Arc<dyn Readiness>) -> Self {
        Self { readiness: Some(readiness), ..self }
    }

    /// The state of an object by the condition of a user; `None` when its kind decides.
    pub(super) fn own_state(&self, object: &ObjectId, live: &serde_json::Value) -> Option<State> {
        self.readiness.as_ref()?.state(object, live)
    }

    /// Whether a user defined when the object of a resource is ready.
    pub(super) fn has_own_state(&self, item: &Item) -> bool {
        self.readiness.as_ref().is_some_and(|readiness| readiness.concerns(item))
    }

    /// Passes an event to the observer.
    pub(super) fn notify(&self, event: &Event<'_>) {
        self.observer.see(event);
    }

    /// The kinds as the server last listed them.
    #[must_use]
    pub fn discovery(&self) -> Arc<Discovery> {
        Arc::clone(&self.discovery.lock().unwrap_or_else(PoisonError::into_inner).0)
    }

    /// How the server serves the kind of an object in its own version; asks again when the kind is new.
    pub(super) async fn kind(&self, object: &ObjectId) -> Option<ApiResource> {
        if let Some(known) = self.discovery().find_exactly(object) {
            return Some(known.clone());
        }
        self.refresh().await;
        self.discovery().find_exactly(object).cloned()
    }

    /// How the server serves the kind of an object, in any version; asks again when the kind is new.
    pub(super) async fn any_version(&self, object: &ObjectId) -> Option<ApiResource> {
        if let Some(known) = self.discovery().find(object) {
            return Some(known.clone());
        }
        self.refresh().await;
        self.discovery().find(object).cloned()
    }

    /// Asks for the kinds again, as there are new ones.
    pub(super) async fn renew(&self) {
        if let Ok(new) = Discovery::ask(self.connection).await {
            let mut state = self.discovery.lock().unwrap_or_else(PoisonError::into_inner);
            *state = (Arc::new(new), Instant::now());
        }
    }

    async fn refresh(&self) {
        {
            let mut state = self.discovery.lock().unwrap_or_else(PoisonError::into_inner);
            if state.1.elapsed() < DISCOVERY_AGE {
                return;
            }
            // Others that ask in the meantime use the kinds that are known.
            state.1 = Instant::now();
        }
        self.renew().await;
    }

    /// The object as it is; `None` when it, its kind or its namespace does not exist.
    ///
    /// # Errors
    /// When we may not read it, or the server of its kind does not answer: the object may still exist.
    pub(super) async fn read(
        &self,
        object: &ObjectId,
    ) -> std::result::Result<Option<serde_json::Value>, Failure> {
        let Some(kind) = self.any_version(object).await else {
            if self.discovery().may_have(&object.group, &object.kind) {
                let message = format!("the server of {} does not answer", object.api_version());
                return Err(Failure { status: 503, message, ..Failure::default() });
            }
            return Ok(None);
        };
        match self.connection.get(&kind.path_of(object)).await {
            Ok(found) => Ok(Some(found)),
            Err(failure) if failure.is_not_found() => Ok(None),
            Err(failure) => Err(failure),
        }
    }
}

/// The error for a server that does not answer or refuses access.
pub(super) fn unreachable(connection: &Connection, failure: &Failure) -> Diagnostics {
    let message = match failure.status {
        401 | 403 => format!("{} refuses access: {}", connection.server(), failure.message),
        _ => format!("{} does not answer: {}", connection.server(), failure.message),
    };
    let error = Diagnostic::error(Code::Unreachable, message);
    match failure.status {
        401 | 403 => error.help("check who you are with `kubectl auth whoami`").into(),
        _ => error
            .help("check that the cluster is up and the context is right: `kubectl config current-context`")
            .into(),
    }
}
