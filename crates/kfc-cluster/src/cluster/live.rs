//! What an apply would do to the cluster: the live objects, and what they would become according to the server.

use super::{Body, Connection, Discovery, Failure};
use futures::stream::{self, StreamExt};
use http::Method;
use kfc_diagnostics::Result;
use kfc_kube::{Object, ObjectId};
use kfc_yaml::json;
use serde_json::Value;

/// The object of a resource before and after a dry run.
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

/// The field managers for a dry run: the first that already applies the object is used, else the first.
#[derive(Clone, Debug)]
pub struct Managers(pub Vec<String>);

impl Managers {
    fn of(&self, live: Option<&Value>) -> &str {
        let entries =
            || live.and_then(|live| live["metadata"]["managedFields"].as_array()).into_iter().flatten();
        let applies = |manager: &&String| {
            entries().any(|entry| entry["manager"] == manager.as_str() && entry["operation"] == "Apply")
        };
        self.0.iter().find(applies).or(self.0.first()).map_or("kfc", String::as_str)
    }
}

/// Asks the server, by applies with `dryRun`, what would become of each resource. The order is that of `resources`;
/// fields that belong to others are taken over in the prediction. Values of Secrets are not
/// redacted.
///
/// # Errors
/// Resources that cannot be written as JSON, and a server that does not answer at all.
pub async fn predict(
    connection: &Connection,
    discovery: &Discovery,
    resources: &[&Object],
    managers: &Managers,
    concurrency: usize,
) -> Result<Vec<Prediction>> {
    let mut bodies = Vec::with_capacity(resources.len());
    for resource in resources {
        let mut body = String::new();
        json::write(&resource.node, &mut body)?;
        bodies.push((ObjectId::of(resource, connection.namespace()), body));
    }
    let one = |(object, body)| predict_one(connection, discovery, managers, object, body);
    let all = stream::iter(bodies).map(one).buffered(concurrency.max(1));
    Ok(all.collect().await)
}

async fn predict_one(
    connection: &Connection,
    discovery: &Discovery,
    managers: &Managers,
    object: ObjectId,
    body: String,
) -> Prediction {
    let Some(kind) = discovery.find_exactly(&object) else {
        let message = format!("the server does not know {} in {}", object.kind, object.api_version());
        let failure = Failure { status: 404, message, ..Failure::default() };
        return Prediction { object, live: None, applied: None, failure: Some(failure) };
    };
    let path = kind.path_of(&object);
    let live = match connection.get(&path).await {
        Ok(live) => Some(live),
        Err(failure) if failure.is_not_found() => None,
        // An object that we may not read may exist.
        Err(failure) => return Prediction { object, live: None, applied: None, failure: Some(failure) },
    };
    let manager = managers.of(live.as_ref());
    let dry = format!("{path}?dryRun=All&fieldManager={manager}&force=true");
    let (applied, failure) =
        match connection.send(Method::PATCH, &dry, "application/json", Body::Apply(&body)).await {
            Ok((_, applied)) => (Some(without_server_fields(applied)), None),
            Err(refused) => (None, Some(refused)),
        };
    Prediction { object, live: live.map(without_server_fields), applied, failure }
}

/// An object without the fields that only the server writes: status, managed fields, numbers and times of its own.
#[must_use]
pub fn without_server_fields(mut object: Value) -> Value {
    if let Some(top) = object.as_object_mut() {
        top.remove("status");
    }
    if let Some(metadata) = object["metadata"].as_object_mut() {
        for field in
            ["managedFields", "resourceVersion", "generation", "uid", "creationTimestamp", "selfLink"]
        {
            metadata.remove(field);
        }
        if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
            annotations.remove("deployment.kubernetes.io/revision");
        }
    }
    object
}
