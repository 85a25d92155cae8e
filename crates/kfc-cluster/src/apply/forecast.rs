//! What an apply of a bundle would do to the cluster: each resource before and after, what would be pruned, and what the
//! server would refuse. Nothing is written. Only what may differ is asked for.

use super::claims::Claims;
use super::desired;
use super::equality::is_surely_equal;
use super::hook_due::{KnownHooks, Trigger};
use super::how::How;
use super::inventory::Inventory;
use super::inventory_id::{InventoryId, OLD_MANAGER};
use super::owner;
use super::prune::{PruneSet, Spared};
use super::removal::{Kinds, Rules, Stay};
use super::scope::{Scopes, settle_scopes};
use super::send;
use super::session::Session;
use super::snapshot::{Seen, Snapshot};
use crate::cluster::{Body, Failure, without_server_fields};
use futures::stream::{self, StreamExt};
use http::Method;
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Result};
use kfc_kube::Object;
use kfc_kube::ObjectId;
use kfc_kube::hook::Moment;
use kfc_kube::ignore::IgnoreRule;
use kfc_kube::redaction::message;
use kfc_kube::wave;
use kfc_kube::wave::Wave;
use serde_json::Value;

/// The object of a resource before and after an apply.
#[derive(Clone, Debug)]
pub struct Prediction {
    /// Which object.
    pub object: ObjectId,
    /// The object now, without the fields that only the server writes; `None` when it does not exist.
    pub live: Option<Value>,
    /// What it would become; `None` when the server cannot say, as for kinds and namespaces that do not exist yet.
    pub applied: Option<Value>,
    /// Why the server cannot say.
    pub failure: Option<Failure>,
}

/// An object that an apply would prune.
#[derive(Clone, Debug)]
pub struct Leaving {
    /// Which object.
    pub object: ObjectId,
    /// The object without the fields that only the server writes.
    pub live: Value,
}

/// What an apply would do.
#[derive(Clone, Debug, Default)]
pub struct Forecast {
    /// For each resource of the bundle, in order, its object now and after the apply; `None` for those that the server
    /// refuses, or does not show.
    pub predictions: Vec<Option<Prediction>>,
    /// What would be pruned once that is agreed to.
    pub leaving: Vec<Leaving>,
    /// What left the bundle and would stay.
    pub staying: Vec<Stay>,
    /// The hooks that would run. They are not compared: each is created again when it runs.
    pub hooks: Vec<(Moment, ObjectId)>,
    /// What the server refuses, or does not show.
    pub refused: Diagnostics,
}

/// What a forecast is about.
#[derive(Clone, Debug, Default)]
pub struct Question<'q> {
    /// The inventory; `None` for resources without one.
    pub inventory: Option<&'q InventoryId>,
    /// The kinds, of those that are deleted only on request, that may be deleted.
    pub kinds: Kinds,
    /// Fields that are left to others.
    pub ignore: &'q [IgnoreRule],
    /// Objects that the bundle does not have and that stay.
    pub released: &'q [ObjectId],
    /// What becomes of objects whose immutable fields change.
    pub immutable: Immutable,
}

/// What a forecast makes of an object whose immutable fields change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Immutable {
    /// The server refuses it.
    #[default]
    Refused,
    /// It is recreated: the resource of the bundle is what it becomes.
    Recreated,
}

/// Asks the server what an apply would do. Values of Secrets are not redacted.
///
/// # Errors
/// Resources that cannot be written as JSON, and inventories that cannot be read.
pub async fn forecast(
    session: &Session<'_>,
    resources: &[&Object],
    question: &Question<'_>,
) -> Result<Forecast> {
    let mut waves = wave::of_bundle(resources, session.connection.namespace())?;
    let discovery = session.discovery();
    settle_scopes(&mut waves, &discovery);
    let bundle = send::Known::of(&waves);
    let scopes = Scopes::of(&waves, &discovery);
    let mut bodies = Vec::with_capacity(resources.len());
    for resource in resources {
        if wave::hook_of(resource)?.is_some() {
            bodies.push(None);
            continue;
        }
        let mut body = String::new();
        kfc_yaml::json::write(&resource.node, &mut body)?;
        let mut object = ObjectId::of(resource, session.connection.namespace());
        scopes.settle(&mut object);
        bodies.push(Some((object, body)));
    }
    let snapshot = Snapshot::of_objects(session, bodies.iter().flatten().map(|(object, _)| object)).await;
    let own = question.inventory.map(InventoryId::manager);
    let oracle = Oracle { session, snapshot: &snapshot, own: own.as_deref(), ignore: question.ignore };
    let found = stream::iter(bodies).map(|body| async {
        let (object, body) = body?;
        Some(oracle.predict(object, body).await)
    });
    let found: Vec<Option<Prediction>> = found.buffered(session.concurrency).collect().await;
    let mut forecast = Forecast::default();
    for (prediction, resource) in found.into_iter().zip(resources) {
        let Some(prediction) = prediction else {
            forecast.predictions.push(None);
            continue;
        };
        let is_recreated =
            |failure: &Failure| question.immutable == Immutable::Recreated && send::is_immutable(failure);
        let refusal = prediction
            .failure
            .as_ref()
            .filter(|failure| !bundle.brings_lacking(&prediction.object, failure) && !is_recreated(failure));
        match refusal {
            Some(failure) => {
                forecast.refused.push(refused(&prediction, failure, resource)?);
                forecast.predictions.push(None);
            }
            None => forecast.predictions.push(Some(prediction)),
        }
    }
    if let Some(id) = question.inventory {
        let inventory = Inventory::read(session, id).await?;
        forecast.find_hooks(&KnownHooks::read(session, &inventory).await?, &waves);
        forecast.find_prune_set(session, &waves, &inventory, question).await?;
    }
    Ok(forecast)
}

/// What an apply of one resource would make of its object.
struct Oracle<'o> {
    session: &'o Session<'o>,
    snapshot: &'o Snapshot,
    /// The field manager of the inventory.
    own: Option<&'o str>,
    ignore: &'o [IgnoreRule],
}

impl Oracle<'_> {
    /// The manager that applies the object already, else that of the inventory.
    fn manager(&self, live: Option<&Value>) -> &str {
        let applies =
            |manager: &&str| live.is_some_and(|live| owner::applied_by(&live["metadata"], manager).is_some());
        let known = self.own.into_iter().chain([OLD_MANAGER]).find(applies);
        known.or(self.own).unwrap_or(OLD_MANAGER)
    }

    async fn predict(&self, object: ObjectId, text: String) -> Prediction {
        let unknown =
            |object, failure| Prediction { object, live: None, applied: None, failure: Some(failure) };
        let discovery = self.session.discovery();
        let Some(kind) = discovery.find_exactly(&object) else {
            let message = format!("the server does not know {} in {}", object.kind, object.api_version());
            return unknown(object, Failure { status: 404, message, ..Failure::default() });
        };
        let read;
        let live = match (self.snapshot.live(&object), self.snapshot.seen(&object)) {
            (Some(live), _) => Some(live),
            (None, Seen::Unknown) => match self.session.read(&object).await {
                Ok(found) => {
                    read = found;
                    read.as_ref()
                }
                // An object that we may not read may exist.
                Err(failure) => return unknown(object, failure),
            },
            (None, _) => None,
        };
        let manager = self.manager(live);
        let mut body = desired::body_of(&object, &text);
        if let Some(live) = live {
            desired::leave_to_others(&mut body, &object, live, manager, self.ignore);
            if is_surely_equal(&body, live, manager) {
                let live = without_server_fields(live.clone());
                return Prediction { object, live: Some(live.clone()), applied: Some(live), failure: None };
            }
        }
        // Fields that belong to others are taken over in the prediction.
        let path = How { manager, force: true, dry_run: true }.path(kind, &object);
        let body = body.to_string();
        let sent =
            self.session.connection.send(Method::PATCH, &path, "application/json", Body::Apply(&body)).await;
        let (applied, failure) = match sent {
            Ok((_, applied)) => (Some(without_server_fields(applied)), None),
            Err(refused) => (None, Some(refused)),
        };
        Prediction { live: live.map(|live| without_server_fields(live.clone())), object, applied, failure }
    }
}

impl Forecast {
    fn find_hooks(&mut self, known: &KnownHooks, waves: &[Wave]) {
        let is_change = |prediction: &Prediction| prediction.live != prediction.applied;
        let changes = self.predictions.iter().flatten().any(is_change);
        let due = known.due(waves, Trigger { changes, asked: false });
        self.hooks = due.iter().map(|due| (due.moment, due.object().clone())).collect();
    }

    async fn find_prune_set(
        &mut self,
        session: &Session<'_>,
        waves: &[Wave],
        inventory: &Inventory,
        question: &Question<'_>,
    ) -> Result<()> {
        let id = &inventory.id;
        if inventory.is_empty() {
            return Ok(());
        }
        let listed = inventory.entries().map(|entry| &entry.object);
        let claims = Claims::read(session, Some(id), listed).await?;
        let rules = Rules { own: Some(id), kinds: question.kinds, taken: &[] };
        let spared = Spared { kept: &[], released: question.released };
        let prune_set = PruneSet::find(session, inventory, (waves, spared), &rules, &claims).await;
        self.staying = prune_set.plan.staying;
        let objects: Vec<ObjectId> = prune_set.plan.going.into_iter().map(|(object, _)| object).collect();
        let snapshot = Snapshot::of_objects(session, objects.iter()).await;
        for object in objects {
            match (snapshot.live(&object), snapshot.seen(&object)) {
                (Some(live), _) => {
                    let live = without_server_fields(live.clone());
                    self.leaving.push(Leaving { object, live });
                }
                (None, Seen::Unknown) => {
                    let failure = Failure { message: "access is refused".to_owned(), ..Failure::default() };
                    self.refused.push(unreadable(&object, &failure));
                }
                (None, _) => {}
            }
        }
        Ok(())
    }
}

fn unreadable(object: &ObjectId, failure: &Failure) -> Diagnostic {
    let message = format!("{object} cannot be read: {}", failure.message);
    Diagnostic::error(Code::Refused, message)
}

/// The error for a resource that the server refuses, in the server's words.
fn refused(prediction: &Prediction, failure: &Failure, resource: &Object) -> Result<Diagnostic> {
    let object = &prediction.object;
    if prediction.live.is_none() && failure.is_forbidden() {
        return Ok(unreadable(object, failure).at(resource.mark()));
    }
    let mut body = String::new();
    kfc_yaml::json::write(&resource.node, &mut body)?;
    let hidden = |text: &str| message::hide(text, &object.kind, &body);
    let message = format!("the server refuses {object}: {}", hidden(&failure.message));
    let code = if send::is_immutable(failure) { Code::Immutable } else { Code::Refused };
    let mut error = Diagnostic::error(code, message).at(resource.mark());
    for cause in failure.causes.iter().filter(|cause| !failure.message.contains(&cause.message)) {
        error = error.note(format!("{}: {}", cause.field, hidden(&cause.message)));
    }
    Ok(match send::help(object, failure) {
        Some(help) => error.help(help),
        None => error,
    })
}
