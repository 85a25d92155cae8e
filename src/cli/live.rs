//! The side of a comparison that is in a cluster.

use super::side::Reader;
use kfc_diagnostics::{Diagnostics, Result};
use kfc_diff::Input;

/// The objects of a cluster, now and after an apply.
pub(super) struct Asked {
    /// The live objects of the bundle, and those that an apply would prune.
    pub(super) live: Input,
    /// The objects after the apply.
    pub(super) applied: Input,
    /// Resources that the server refuses or does not show; they are on neither side.
    pub(super) refused: Diagnostics,
}

/// The live objects of a bundle, and what they would become according to the server; what an apply would prune is on the
/// first side only. Where the server cannot say, as kinds or namespaces do not exist yet, the resource of the bundle counts.
///
/// # Errors
/// When the cluster cannot be reached.
#[cfg(feature = "cluster")]
pub(super) fn ask(context: Option<String>, bundle: &Input, reader: &Reader<'_>) -> Result<Asked> {
    use super::consent::staying;
    use super::output::note;
    use kfc_cluster::apply::{InventoryId, Question, Session, Unobserved, forecast};
    use kfc_cluster::cluster::{Connection, Options, run};
    use kfc_diff::Member;
    use kfc_kustomize::engine::read;
    use kfc_yaml::value::from_json;
    use std::sync::Arc;

    let side = &reader.cluster;
    let options = side.args.options_in(&side.objects);
    let options = Options { context: context.or_else(|| options.context.clone()), ..options };
    let name = reader.cluster.name.clone().or_else(|| bundle.stack.as_deref().map(super::name::dns_name));
    let inventory = name.map(|name| InventoryId::new(&reader.cluster.namespace, &name));
    let forecast = run(async {
        let connection = Connection::open(&options).await?;
        let session = Session::start(&connection, side.args.concurrency, &Unobserved).await?;
        let question = Question {
            inventory: inventory.as_ref(),
            kinds: side.kinds,
            ignore: &bundle.ignore,
            released: &bundle.released,
            immutable: side.immutable,
        };
        forecast(&session, &bundle.objects(), &question).await
    })?;
    let read = |value: &serde_json::Value| read::resource(from_json(value, None), reader.schema);
    let mut live = Input::default();
    let mut applied = Input { label: bundle.label.clone(), graph: bundle.graph.clone(), ..Input::default() };
    applied.sources.clone_from(&bundle.sources);
    for (prediction, own) in forecast.predictions.into_iter().zip(&bundle.resources) {
        let Some(prediction) = prediction else { continue };
        let member = |value: &serde_json::Value| -> Result<Member> {
            Ok(Member { traced: Arc::new(read(value)?), component: own.component.clone() })
        };
        live.resources.extend(prediction.live.as_ref().map(member).transpose()?);
        let predicted = prediction.applied.as_ref().map(member).transpose()?;
        applied.resources.push(predicted.unwrap_or_else(|| own.clone()));
    }
    for leaving in &forecast.leaving {
        live.resources.push(Member::new(read(&leaving.live)?));
    }
    match &inventory {
        Some(id) => {
            let why = "it left the bundle of the inventory {id}; an apply with `--prune` deletes it";
            live.why_removed = Some(why.replace("{id}", &id.to_string()));
        }
        None => {
            note("note: pass `--name` to see what an apply would prune: these resources have no inventory");
        }
    }
    for line in &staying(&forecast.staying) {
        note(line);
    }
    for (moment, object) in &forecast.hooks {
        note(&format!("note: an apply runs the {} hook {object}; hooks are not compared", moment.word()));
    }
    Ok(Asked { live, applied, refused: forecast.refused })
}

/// The same for a program without access to clusters.
///
/// # Errors
/// Always.
#[cfg(not(feature = "cluster"))]
pub(super) fn ask(_: Option<String>, _: &Input, _: &Reader<'_>) -> Result<Asked> {
    use kfc_diagnostics::{Code, Diagnostic};
    let error = Diagnostic::error(Code::Usage, "this program was built without access to clusters");
    Err(error.help("build it with `--features cluster`").into())
}
