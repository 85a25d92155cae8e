//! Runs hooks: deletes what an earlier run left, creates the object, and waits until it has ended.

use super::claims::Claims;
use super::desired;
use super::event::Event;
use super::gone::delete_object;
use super::hook_due::DueHook;
use super::how::How;
use super::inventory_id::{InventoryId, OLD_MANAGER};
use super::owner;
use super::session::Session;
use super::wait;
use crate::cluster::{Body, Failure};
use http::Method;
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Result};
use kfc_kube::ObjectId;
use kfc_kube::hook::{HookEnd, Moment};
use kfc_kube::redaction::message;
use kfc_kube::wave::{HookItem, Item};
use serde_json::Value;
use std::time::Duration;
use tokio::time::{Instant, sleep};

const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// How long kfc waits for a namespace that does not exist.
const GRACE: Duration = Duration::from_secs(3);

/// Runs the hooks of an inventory.
pub(super) struct Runner<'r> {
    pub(super) session: &'r Session<'r>,
    pub(super) id: &'r InventoryId,
    /// How long one hook may take.
    pub(super) timeout: Duration,
    /// What other inventories list.
    pub(super) claims: &'r Claims,
    /// Whether an object of somebody else may be deleted to run a hook.
    pub(super) adopts: bool,
}

/// Whether the object of a hook that succeeded still exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Left {
    Stays,
    Deleted,
}

impl Runner<'_> {
    /// Runs a hook.
    ///
    /// # Errors
    /// Why it could not be created, failed or did not end in time, with its last log lines.
    pub(super) async fn run(&self, hook: &DueHook<'_>) -> Result<Left> {
        let DueHook { moment, hook: HookItem { item, hook }, .. } = hook;
        let object = &item.object;
        self.session.notify(&Event::Hook { object, moment: *moment });
        let deadline = Instant::now() + self.timeout;
        let refused = |failure: Failure| refused(item, *moment, &failure);
        self.clear(object, deadline).await?;
        self.create(item, deadline).await.map_err(refused)?;
        let ended = wait::for_object(self.session, object, deadline).await;
        let end = if ended.is_ok() { HookEnd::Succeeded } else { HookEnd::Failed };
        let mut left = Left::Stays;
        if hook.deleted_after.contains(&end)
            && let Ok(Some(live)) = self.session.read(object).await
            // What is left is deleted before the next run.
            && delete_object(self.session, object, &live, "Foreground", deadline).await.is_ok()
        {
            left = Left::Deleted;
        }
        ended.map_err(|errors| explained(errors, *moment))?;
        Ok(left)
    }

    /// Checks that no object of somebody else is deleted to run hooks.
    ///
    /// # Errors
    /// [`Code::Hook`] for each hook with the name of such an object.
    pub(super) async fn check(&self, objects: impl Iterator<Item = &ObjectId>) -> Result<()> {
        let mut errors = Diagnostics::default();
        for object in objects {
            errors.collect(self.earlier(object).await);
        }
        errors.into_result(())
    }

    /// The object of an earlier run, if there is one.
    async fn earlier(&self, object: &ObjectId) -> Result<Option<Value>> {
        let unread = |failure: Failure| {
            let message = format!("{object} cannot be read before it runs: {}", failure.message);
            Diagnostics::from(Diagnostic::error(Code::Refused, message))
        };
        let Some(live) = self.session.read(object).await.map_err(unread)? else { return Ok(None) };
        if let Some(other) = self.claims.holder(object) {
            let message = format!("{object} cannot run: the inventory {other} lists an object of this name");
            return Err(Diagnostic::error(Code::Hook, message).help("give the hook another name").into());
        }
        let manager = self.id.manager();
        let applies = |manager: &str| owner::applied_by(&live["metadata"], manager).is_some();
        if self.adopts || applies(&manager) || applies(OLD_MANAGER) {
            return Ok(Some(live));
        }
        let message = format!("{object} cannot run: an object of this name exists that kfc did not apply");
        let error = Diagnostic::error(Code::Hook, message)
            .note("kfc deletes the object of a hook before the hook runs");
        Err(error.help("give the hook another name, or take the object over with `--adopt`").into())
    }

    /// Deletes the object of an earlier run.
    async fn clear(&self, object: &ObjectId, deadline: Instant) -> Result<()> {
        let Some(live) = self.earlier(object).await? else { return Ok(()) };
        self.session.notify(&Event::Deleting { object });
        delete_object(self.session, object, &live, "Foreground", deadline).await.map_err(|failure| {
            let message = format!("{object} of an earlier run cannot be deleted: {}", failure.message);
            Diagnostic::error(Code::NotDeleted, message).into()
        })
    }

    /// Creates the object; tries again where the failure is temporary.
    async fn create(&self, item: &Item, deadline: Instant) -> std::result::Result<(), Failure> {
        let object = &item.object;
        let manager = self.id.manager();
        let how = How { manager: &manager, force: false, dry_run: false };
        let body = desired::body_of(object, &item.body).to_string();
        let started = Instant::now();
        let mut pause = FIRST_PAUSE;
        loop {
            let sent = match self.session.kind(object).await {
                Some(kind) => {
                    let path = how.path(&kind, object);
                    let sent = self.session.connection.send(
                        Method::PATCH,
                        &path,
                        "application/json",
                        Body::Apply(&body),
                    );
                    sent.await.map(|_| ())
                }
                None => Err(Failure {
                    status: 404,
                    message: format!("the server does not know {} of {}", object.kind, object.api_version()),
                    ..Failure::default()
                }),
            };
            let Err(failure) = sent else { return Ok(()) };
            let is_temporary = failure.is_transient()
                || failure.is_of_webhook()
                || failure.is_of_terminating_namespace()
                || (failure.is_not_found() && started.elapsed() < GRACE);
            if !is_temporary || Instant::now() + pause > deadline {
                return Err(failure);
            }
            self.session.notify(&Event::Retry {
                object,
                why: &message::hide(&failure.message, &object.kind, &item.body),
            });
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

fn refused(item: &Item, moment: Moment, failure: &Failure) -> Diagnostics {
    let object = &item.object;
    let code = if failure.status == 0 { Code::Unreachable } else { Code::Refused };
    let why = message::hide(&failure.message, &object.kind, &item.body);
    let mut error = Diagnostic::error(code, format!("{object}: {why}"));
    if item.mark.is_some() {
        error = error.at(item.mark);
    }
    explained(error.into(), moment)
}

/// The errors with what they mean for the run.
fn explained(mut errors: Diagnostics, moment: Moment) -> Diagnostics {
    let means = match moment {
        Moment::PreApply => {
            "it is a pre-apply hook: the workloads of its wave and later waves were not applied"
        }
        Moment::PostApply => "it is a post-apply hook: everything is applied, nothing was pruned",
        Moment::PreDelete => "it is a pre-delete hook: nothing was deleted",
        Moment::PostDelete => "it is a post-delete hook: its object and namespaces were not deleted",
    };
    if let Some(first) = errors.0.first_mut() {
        first.notes.push(means.to_owned());
        if matches!(moment, Moment::PreDelete | Moment::PostDelete) {
            first.help = Some(
                "run again when the cause is fixed, or delete without hooks with `--no-hooks`".to_owned(),
            );
        }
    }
    errors
}
