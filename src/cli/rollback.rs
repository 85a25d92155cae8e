//! `kfc rollback`: applies the bundle of an earlier revision again.

use super::apply_run::{Purpose, Restored, RunBundle, run_waves};
use super::apply_text::render_waves;
use super::args::{ClusterArgs, DryRun, HowArgs, LockArgs, SeveralArgs, StackArgs, inventory_id};
use super::consent::{AGREED, count_of, named};
use super::environments::single;
use super::history::source;
use super::intake::{Intake, IntakeReads, conditions};
use super::interrupt::{Held, run_holding};
use super::inventory::inventory_here;
use super::output;
use super::progress::Progress;
use super::results::Printed;
use super::several::{Clusters, Done};
use clap::Args;
use kfc_cluster::apply::{self, InventoryHistory, InventoryId, Revision, Session};
use kfc_cluster::cluster::Connection;
use kfc_diagnostics::{Code, Diagnostic, Result, Sources};
use kfc_kube::ObjectId;
use std::collections::HashSet;
use std::sync::Arc;

#[derive(Debug, Args)]
pub(super) struct RollbackArgs {
    /// The inventory: `NAME`, or `NAMESPACE/NAME` outside of `default`; that of the `kfc.yaml` here when not given.
    #[arg(value_name = "[NAMESPACE/]NAME", value_parser = inventory_id)]
    inventory: Option<InventoryId>,
    /// The bundle of the revision, given again instead of its kept copy: a profile, a stack, a kustomization root, a file of
    /// resources, or `-` for resources on standard input. Its digest must be that of the revision.
    #[arg(value_name = "TARGET|FILE|-")]
    target: Option<String>,
    /// The revision to restore; without it, the last one before the current that was applied as a whole and succeeded.
    #[arg(long, value_name = "N")]
    to: Option<u64>,
    #[command(flatten)]
    stack: StackArgs,
    #[command(flatten)]
    cluster: ClusterArgs,
    #[command(flatten)]
    several: SeveralArgs,
    #[command(flatten)]
    lock: LockArgs,
    #[command(flatten)]
    how: HowArgs,
}

/// What the run is called.
const RUN: &str = "the rollback";

pub(super) fn run(args: &RollbackArgs) -> u8 {
    let sources = Arc::new(Sources::default());
    let clusters = Clusters::new(&args.cluster, &args.several, (RUN, &sources));
    match clusters
        .check_agreed(args.how.yes || args.how.dry_run.is_some(), AGREED)
        .and_then(|()| subject(args, &sources))
    {
        Ok((id, given)) => clusters.run(&|run, progress| {
            rollback(args, &run.cluster, (&id, given.as_ref()), progress).map(Done::from)
        }),
        Err(errors) => output::finish(Err(errors), &sources, RUN),
    }
}

/// The inventory, and the bundle that is given again.
fn subject(args: &RollbackArgs, sources: &Arc<Sources>) -> Result<(InventoryId, Option<Intake>)> {
    if args.target.is_none() && !args.stack.is_empty() {
        let message = "flags that change a profile or a stack need the bundle to be given again";
        let help = "name it after the inventory: `kfc rollback NAME TARGET --to N`";
        return Err(Diagnostic::error(Code::Usage, message).help(help).into());
    }
    let id = args.inventory.clone().map_or_else(inventory_here, Ok)?;
    let given = args.target.as_deref();
    let given = given.map(|target| single(target, &args.stack.environments, sources)).transpose()?;
    let given =
        given.as_deref().map(|target| Intake::read(target, &args.stack, IntakeReads::default(), sources));
    Ok((id, given.transpose()?))
}

fn rollback(
    args: &RollbackArgs,
    cluster: &ClusterArgs,
    (id, given): (&InventoryId, Option<&Intake>),
    progress: &Progress,
) -> Result<Printed> {
    let held = Held::default();
    run_holding(&held, async {
        let connection = Arc::new(Connection::open(&cluster.options()).await?);
        let session = Session::start(&connection, cluster.concurrency, progress).await?;
        let work = restore(args, session, (id, given), progress);
        let lock = args.how.dry_run.is_none().then(|| args.lock.terms(id));
        Box::pin(held.during(&connection, lock, progress, work)).await
    })
}

async fn restore(
    args: &RollbackArgs,
    session: Session<'_>,
    (id, given): (&InventoryId, Option<&Intake>),
    progress: &Progress,
) -> Result<Printed> {
    let history = InventoryHistory::read(&session, id).await?;
    let revision = match args.to {
        Some(number) => history.revision(number)?,
        None => history.before_current()?,
    };
    let number = revision.number;
    let from = source(revision);
    progress
        .say(&format!("rolling back the inventory {id} to revision {number} of {}: {from}", revision.time));
    if args.to.is_none() {
        note_parts(&history, number, progress);
    }
    let bundle = match given {
        Some(intake) => given_again(args, &session, revision, (id, intake))?,
        None => kept(&session, &history, revision, id).await?,
    };
    if let Some(restored) = bundle.restored.as_ref().filter(|restored| !restored.kept.is_empty()) {
        let names = named(restored.kept.iter());
        progress.say(&format!("note: kept as they are in the cluster, as a history has no Secrets: {names}"));
    }
    if args.how.dry_run == Some(DryRun::Client) {
        return Ok(render_waves(&bundle.waves, args.how.form.format));
    }
    let session = session.with_readiness(conditions(&bundle.ready, &bundle.waves)?);
    run_waves(&args.how, &session, (&bundle, Purpose::Apply), id, progress).await
}

/// Says which applies of single components are undone too.
fn note_parts(history: &InventoryHistory, to: u64, progress: &Progress) {
    let later = history.revisions().iter().filter(|revision| revision.number > to).rev().skip(1);
    for revision in later.filter(|revision| !revision.source.only.is_empty()) {
        let components = revision.source.only.join(", ");
        progress.say(&format!(
            "note: this also undoes revision {}, which applied only {components}",
            revision.number
        ));
    }
}

/// The bundle of a revision from its kept copy.
async fn kept(
    session: &Session<'_>,
    history: &InventoryHistory,
    revision: &Revision,
    id: &InventoryId,
) -> Result<RunBundle> {
    let copy = history.copy(session, revision).await?;
    let number = revision.number;
    let is_secret = |object: &&ObjectId| object.group.is_empty() && object.kind == "Secret";
    let (secrets, others): (Vec<&ObjectId>, Vec<&ObjectId>) = revision.withheld.iter().partition(is_secret);
    let secrets: Vec<ObjectId> = secrets.into_iter().cloned().collect();
    let help =
        format!("give the bundle of that revision again: `kfc rollback {} TARGET --to {number}`", id.words());
    if !others.is_empty() {
        let message = format!(
            "revision {number} keeps no copy of {}, as values of Secrets are in them",
            count_of(others.len())
        );
        let error = Diagnostic::error(Code::Withheld, message);
        let error = others.iter().fold(error, |error, object| error.note(object.to_string()));
        return Err(error.help(help).into());
    }
    let lacking = apply::lacking(session, &secrets).await;
    if !lacking.is_empty() {
        let message = format!(
            "revision {number} keeps no values of Secrets, and {} cannot stay as they are",
            count_of(lacking.len())
        );
        let error = Diagnostic::error(Code::Withheld, message);
        let error = lacking.iter().fold(error, |error, (object, why)| error.note(format!("{object}: {why}")));
        return Err(error.help(format!("{help}; nothing was changed")).into());
    }
    let restored = Restored { revision: revision.clone(), kept: secrets, is_copy: true };
    Ok(RunBundle {
        waves: copy.waves,
        ignore: copy.ignore,
        released: Vec::new(),
        recipes: Vec::new(),
        ready: copy.ready,
        secret: HashSet::new(),
        source: revision.source.clone(),
        restored: Some(restored),
    })
}

/// The bundle of a revision that was given again: it must be the same, but for what is withheld.
fn given_again(
    args: &RollbackArgs,
    session: &Session<'_>,
    revision: &Revision,
    (id, intake): (&InventoryId, &Intake),
) -> Result<RunBundle> {
    let target = args.target.as_deref().unwrap_or_default();
    let source = intake.source(target, &args.stack, &revision.source.only);
    let mut bundle = intake.bundle(session.connection.namespace(), source)?;
    apply::settle_scopes(&mut bundle.waves, &session.discovery());
    // A file does not tell what was copied out of a Secret before it was written.
    bundle.secret.extend(revision.withheld.iter().cloned());
    let digest = bundle.digest();
    if digest != revision.digest {
        let number = revision.number;
        let message = format!("the bundle is not that of revision {number} of the inventory {id}");
        let error = Diagnostic::error(Code::OtherBundle, message)
            .note(format!("digest of revision {number}: {}", revision.digest))
            .note(format!("digest of this bundle: {digest}"));
        let help = format!(
            "`kfc history {} --revision {number}` shows what it was made from; nothing was changed",
            id.words()
        );
        return Err(error.help(help).into());
    }
    bundle.restored = Some(Restored { revision: revision.clone(), kept: Vec::new(), is_copy: false });
    Ok(bundle)
}
