//! What an apply of a bundle would do to the cluster: each resource before and after, what would be pruned, and what the
//! server would refuse. Nothing is written.

use super::claims::Claims;
use super::inventory::Inventory;
use super::inventory_id::{InventoryId, OLD_MANAGER};
use super::prune::PruneSet;
use super::removal::{Kinds, Rules, Stay};
use super::scope::settle_scopes;
use super::send;
use super::session::Session;
use crate::cluster::{Failure, Managers, Prediction, predict, without_server_fields};
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Result};
use kfc_kube::Object;
use kfc_kube::ObjectId;
use kfc_kube::redaction::message;
use kfc_kube::wave;
use kfc_kube::wave::Wave;
use serde_json::Value;

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
    /// What the server refuses, or does not show.
    pub refused: Diagnostics,
}

/// Asks the server what an apply would do; `inventory` is `None` for resources without an inventory.
///
/// # Errors
/// Resources that cannot be written as JSON, and inventories that cannot be read.
pub async fn forecast(
    session: &Session<'_>,
    resources: &[&Object],
    inventory: Option<&InventoryId>,
    kinds: Kinds,
) -> Result<Forecast> {
    let mut waves = wave::of_bundle(resources, session.connection.namespace())?;
    settle_scopes(&mut waves, &session.discovery());
    let bundle = send::Known::of(&waves);
    let own = inventory.map(InventoryId::manager);
    let managers = Managers(own.into_iter().chain([OLD_MANAGER.to_owned()]).collect());
    let discovery = session.discovery();
    let found = predict(session.connection, &discovery, resources, &managers, session.concurrency).await?;
    let mut forecast = Forecast::default();
    for (prediction, resource) in found.into_iter().zip(resources) {
        let refusal = match &prediction.failure {
            Some(failure) if !bundle.brings_lacking(&prediction.object, failure) => Some(failure),
            _ => None,
        };
        match refusal {
            Some(failure) => {
                forecast.refused.push(refused(&prediction, failure, resource)?);
                forecast.predictions.push(None);
            }
            None => forecast.predictions.push(Some(prediction)),
        }
    }
    if let Some(id) = inventory {
        forecast.find_prune_set(session, &waves, id, kinds).await?;
    }
    Ok(forecast)
}

impl Forecast {
    async fn find_prune_set(
        &mut self,
        session: &Session<'_>,
        waves: &[Wave],
        id: &InventoryId,
        kinds: Kinds,
    ) -> Result<()> {
        let inventory = Inventory::read(session, id).await?;
        if inventory.is_empty() {
            return Ok(());
        }
        let listed = inventory.entries().map(|entry| &entry.object);
        let claims = Claims::read(session, Some(id), listed).await?;
        let rules = Rules { own: Some(id), kinds, taken: &[] };
        let prune_set = PruneSet::find(session, &inventory, waves, &rules, &claims).await;
        self.staying = prune_set.plan.staying;
        for (object, _) in prune_set.plan.going {
            match session.read(&object).await {
                Ok(Some(live)) => {
                    self.leaving.push(Leaving { object, live: without_server_fields(live) });
                }
                Ok(None) => {}
                Err(failure) => self.refused.push(unreadable(&object, &failure)),
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
