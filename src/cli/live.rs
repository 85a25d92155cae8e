//! The side of a comparison that is in a cluster.

use super::side::Reader;
use crate::diagnostics::Result;
use crate::diff::Input;

/// Requests that are under way at once.
#[cfg(feature = "cluster")]
const CONCURRENCY: usize = 16;
/// Requests a second.
#[cfg(feature = "cluster")]
const RATE: f64 = 50.0;

/// What the cluster has of a bundle's resources, and what the server says that they would become. Where it cannot say
/// (kinds and namespaces that are still to come), the bundle's own form counts.
///
/// # Errors
/// When the cluster cannot be reached.
#[cfg(feature = "cluster")]
pub(super) fn ask(context: Option<String>, bundle: Input, reader: &Reader<'_>) -> Result<(Input, Input)> {
    use crate::build::read;
    use crate::catalogue::from_json;
    use crate::cluster::{Connection, Discovery, Options, predict, run};
    use crate::diagnostics::{Code, Diagnostic, Mark};

    let options = Options { kubeconfig: None, context, rate: RATE };
    let resources = &bundle.resources;
    let predictions = run(async {
        let connection = Connection::open(&options).await?;
        let unreachable = |failure: crate::cluster::Failure| {
            let message = format!("{} does not answer: {}", connection.server(), failure.message);
            Diagnostic::error(Code::Unreachable, message)
        };
        let discovery = Discovery::ask(&connection).await.map_err(unreachable)?;
        predict(&connection, &discovery, resources, CONCURRENCY).await
    })?;
    let mut live = Input { components: bundle.components.clone(), ..Input::default() };
    let mut applied = Input { label: bundle.label.clone(), graph: bundle.graph.clone(), ..live.clone() };
    for (prediction, own) in predictions.into_iter().zip(&bundle.resources) {
        let resource = |value: &serde_json::Value| {
            let found = read::resource(from_json(value, Mark::NONE), reader.schema);
            found.map(|resource| crate::resource::Resource { owner: own.owner, ..resource })
        };
        live.resources.extend(prediction.live.as_ref().map(resource).transpose()?);
        let predicted = prediction.applied.as_ref().map(resource).transpose()?;
        applied.resources.push(predicted.unwrap_or_else(|| own.clone()));
    }
    Ok((live, applied))
}

/// As above, for a program that was built without it.
///
/// # Errors
/// Always.
#[cfg(not(feature = "cluster"))]
pub(super) fn ask(_: Option<String>, _: Input, _: &Reader<'_>) -> Result<(Input, Input)> {
    use crate::diagnostics::{Code, Diagnostic};
    let error = Diagnostic::error(Code::Usage, "this program was built without access to clusters");
    Err(error.help("build it with `--features cluster`").into())
}
