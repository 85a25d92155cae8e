//! Makes Secrets that do not exist. What exists stays as it is, whoever made it.

use super::event::Event;
use super::session::Session;
use crate::cluster::{Body, Failure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Result};
use kfc_kube::ObjectId;
use kfc_kube::secret::{KeyRecipe, SecretRecipe, SecretValues};
use serde_json::Value;
use std::collections::HashMap;

/// The field manager of values that kfc makes, in an apply or in the cluster.
pub(super) const MANAGER: &str = "secret-generator";

/// Fills a buffer with random bytes.
pub type Fill = fn(&mut [u8]);

/// Secrets that are made when they do not exist.
#[derive(Clone, Debug)]
pub struct Generation {
    /// The Secrets; those that others copy come before them.
    pub recipes: Vec<SecretRecipe>,
    /// Where randomness comes from.
    pub fill: Fill,
}

/// Randomness, and the Secrets that were read.
struct Values<'v> {
    fill: Fill,
    read: &'v HashMap<ObjectId, Value>,
}

impl SecretValues for Values<'_> {
    fn fill(&mut self, bytes: &mut [u8]) {
        (self.fill)(bytes);
    }

    fn known(&self, secret: &ObjectId, key: &str) -> Option<Vec<u8>> {
        STANDARD.decode(self.read.get(secret)?["data"][key].as_str()?).ok()
    }
}

impl Generation {
    /// Makes the Secrets that do not exist, and returns them.
    ///
    /// # Errors
    /// What the server refuses, and copies of Secrets or keys that do not exist.
    pub(super) async fn run(
        &self,
        session: &Session<'_>,
        is_due: impl Fn(&SecretRecipe) -> bool,
    ) -> Result<Vec<ObjectId>> {
        let mut made = Vec::new();
        let mut errors = Diagnostics::default();
        for recipe in self.recipes.iter().filter(|recipe| is_due(recipe)) {
            match self.make(session, recipe).await {
                Ok(true) => {
                    session.notify(&Event::Generated { object: &recipe.object });
                    made.push(recipe.object.clone());
                }
                Ok(false) => {}
                Err(error) => errors.push(error),
            }
        }
        errors.into_result(made)
    }

    /// Makes a Secret unless it exists.
    async fn make(
        &self,
        session: &Session<'_>,
        recipe: &SecretRecipe,
    ) -> std::result::Result<bool, Diagnostic> {
        let object = &recipe.object;
        if read(session, object).await?.is_some() {
            return Ok(false);
        }
        let read = copied(session, recipe).await?;
        let Some(values) = recipe.values(&mut Values { fill: self.fill, read: &read }) else {
            return Err(no_source(recipe));
        };
        let body = recipe.with_values(&values).to_string();
        let path = path_of(object, "");
        match session.connection.send(Method::POST, &path, "application/json", Body::Json(&body)).await {
            Ok(_) => Ok(true),
            // Somebody else was faster.
            Err(failure) if failure.status == 409 => Ok(false),
            Err(failure) => Err(refused(object, &failure)),
        }
    }
}

/// The path of requests for Secrets of a namespace.
fn path_of(secret: &ObjectId, name: &str) -> String {
    format!("/api/v1/namespaces/{}/secrets{name}?fieldManager={MANAGER}", secret.namespace)
}

async fn read(session: &Session<'_>, secret: &ObjectId) -> std::result::Result<Option<Value>, Diagnostic> {
    session.read(secret).await.map_err(|failure| refused(secret, &failure))
}

/// The Secrets that one copies, as far as they exist.
async fn copied(
    session: &Session<'_>,
    recipe: &SecretRecipe,
) -> std::result::Result<HashMap<ObjectId, Value>, Diagnostic> {
    let mut found = HashMap::new();
    for (secret, _) in recipe.copied() {
        if let Some(live) = read(session, secret).await? {
            found.insert(secret.clone(), live);
        }
    }
    Ok(found)
}

fn no_source(recipe: &SecretRecipe) -> Diagnostic {
    let sources: Vec<String> = recipe.copied().map(|(secret, key)| format!("{key} of {secret}")).collect();
    let message = format!("{} cannot be made: it needs {}", recipe.object, sources.join(", "));
    Diagnostic::error(Code::Secret, message).help("create the Secret with this key first")
}

fn refused(secret: &ObjectId, failure: &Failure) -> Diagnostic {
    // The server may quote what it was sent.
    let message = if failure.is_forbidden() { failure.message.as_str() } else { "" };
    let status = failure.status;
    let message = format!("the server refuses {secret} (status {status}) {message}");
    Diagnostic::error(Code::Refused, message.trim_end())
}

/// Gives a Secret new values, and those that copy it: what to restart then. The Secret has to exist.
///
/// # Errors
/// What the server refuses, and Secrets that do not exist.
pub async fn rotate(
    session: &Session<'_>,
    generation: &Generation,
    secret: &ObjectId,
) -> Result<Vec<ObjectId>> {
    let copies = |recipe: &SecretRecipe| recipe.copied().any(|(of, _)| of == secret);
    let due = generation.recipes.iter().filter(|recipe| recipe.object == *secret || copies(recipe));
    let mut readers = Vec::new();
    for recipe in due {
        let is_copy = recipe.object != *secret;
        if read(session, &recipe.object).await?.is_none() {
            let error = Diagnostic::error(Code::Secret, format!("{} does not exist", recipe.object));
            return Err(error.help("make it with `kfc apply`").into());
        }
        let read = copied(session, recipe).await?;
        let Some(mut values) = recipe.values(&mut Values { fill: generation.fill, read: &read }) else {
            return Err(no_source(recipe).into());
        };
        if is_copy {
            let is_copied = |key: &str| {
                let mut keys = recipe.keys.iter().filter(|(name, _)| name == key);
                keys.any(|(_, made)| matches!(made, KeyRecipe::Copy { of, .. } if of == secret))
            };
            values.retain(|(key, _)| is_copied(key));
        }
        let data = values.iter().map(|(key, value)| (key.clone(), STANDARD.encode(value).into()));
        let patch = serde_json::json!({"data": data.collect::<serde_json::Map<String, Value>>()}).to_string();
        let path = path_of(&recipe.object, &format!("/{}", recipe.object.name));
        let sent = session.connection.send(Method::PATCH, &path, "application/json", Body::Merge(&patch));
        sent.await.map_err(|failure| refused(&recipe.object, &failure))?;
        readers.extend(recipe.readers.iter().cloned());
    }
    readers.sort();
    readers.dedup();
    Ok(readers)
}
