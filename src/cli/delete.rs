//! `kfc delete`.

use super::args::{
    ClusterArgs, EnvironmentArgs, InventoryArgs, KindArgs, LockArgs, NamedArgs, NamespaceArgs,
    ResultFormatArgs, SeveralArgs, StackArgs, duration, inventory_name,
};
use super::consent::{confirm_deletion, count_of, named, staying};
use super::environments::{ChosenTarget, in_clusters, read_each};
use super::here;
use super::intake::{Intake, IntakeReads};
use super::interrupt::{Held, run_holding, run_until_interrupted};
use super::name::dns_name;
use super::output;
use super::progress::Progress;
use super::results::{Printed, Results};
use super::several::{Clusters, Done};
use super::targets::{Target, is_bundle_file};
use clap::Args;
use kfc_catalogue::catalogue::StackDefinition;
use kfc_cluster::apply::{self, Deleting, Deletion, Inventory, InventoryId, RemovalPlan, Session};
use kfc_cluster::cluster::Connection;
use kfc_diagnostics::{Code, Diagnostic, Result, Sources};
use kfc_kube::ObjectId;
use kfc_kube::hook::Moment;
use kfc_source::Loader;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(super) struct DeleteArgs {
    /// The profile or stack that was applied, not needed with `--name`; or resources to delete regardless of who applied
    /// them (with `--adopt` when inventories list them): a file, a kustomization root, or `-` for standard input.
    #[arg(default_value = ".", value_name = "TARGET|FILE|-", conflicts_with_all = ["filename", "kustomize"])]
    target: String,
    #[command(flatten)]
    named: NamedArgs,
    #[command(flatten)]
    namespace: NamespaceArgs,
    #[command(flatten)]
    environments: EnvironmentArgs,
    #[command(flatten)]
    cluster: ClusterArgs,
    #[command(flatten)]
    several: SeveralArgs,
    #[command(flatten)]
    inventory: InventoryArgs,
    #[command(flatten)]
    lock: LockArgs,
    #[command(flatten)]
    kinds: KindArgs,
    /// Delete the resources of a file or root even when inventories list them, and remove them from these.
    #[arg(long)]
    adopt: bool,
    /// Do not ask.
    #[arg(short, long)]
    yes: bool,
    /// How long the deletion of a wave may take.
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = duration)]
    timeout: Duration,
    /// Delete an inventory without running the hooks of the deletion.
    #[arg(long)]
    no_hooks: bool,
    /// Do not wait until the objects are deleted.
    #[arg(long)]
    no_wait: bool,
    /// Only list what would be deleted.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    form: ResultFormatArgs,
}

/// What the run is called.
const RUN: &str = "the deletion";

pub(super) fn run(args: &DeleteArgs) -> u8 {
    let sources = Arc::new(Sources::default());
    let agreed = "look with `--dry-run`, then agree with `--yes`";
    let ready = targets(args, &sources).and_then(|targets| {
        let clusters = Clusters::of_targets(&targets, &args.cluster, &args.several, (RUN, &sources))?;
        clusters.check_agreed(args.yes || args.dry_run, agreed)?;
        Ok((clusters, read_each(&targets, |target| subject(args, target, &sources))?))
    });
    match ready {
        Ok((clusters, subjects)) => clusters.run(&|run, progress| {
            delete(args, &run.cluster, &subjects[run.target], progress).map(Done::from)
        }),
        Err(errors) => output::finish(Err(errors), &sources, RUN),
    }
}

fn delete(
    args: &DeleteArgs,
    cluster: &ClusterArgs,
    subject: &Subject,
    progress: &Progress,
) -> Result<Printed> {
    match subject {
        Subject::Inventory(name) => delete_inventory(args, cluster, name, progress),
        Subject::Resources(intake) => delete_resources(args, cluster, intake, progress),
    }
}

/// What is to be deleted.
enum Subject {
    /// Everything that an inventory of this name lists.
    Inventory(String),
    /// Resources, whether an inventory lists them or not.
    Resources(Intake),
}

/// The target, once for each environment and cluster of it.
fn targets(args: &DeleteArgs, sources: &Arc<Sources>) -> Result<Vec<ChosenTarget>> {
    let target = args.named.target().unwrap_or(&args.target);
    if args.inventory.name.is_some() {
        return Ok(vec![ChosenTarget::plain(target)]);
    }
    in_clusters(target, &args.environments, sources)
}

/// Of a stack only the name is read, so that it can be deleted even when it no longer builds.
fn subject(args: &DeleteArgs, target: &str, sources: &Arc<Sources>) -> Result<Subject> {
    if let Some(name) = &args.inventory.name {
        return Ok(Subject::Inventory(inventory_name(name)?));
    }
    if target != "-" && !is_bundle_file(Path::new(target)) {
        match Target::of(target) {
            Target::Profile(profile) => return Ok(Subject::Inventory(dns_name(&profile))),
            Target::Stack(file) => {
                let loader = Loader::here(here::reads(), sources);
                let definition = StackDefinition::load(&loader, &file)?;
                return Ok(Subject::Inventory(dns_name(&definition.name_of(&file.choice))));
            }
            Target::Root(_) => {}
        }
    }
    let stack = StackArgs::default();
    Intake::read(target, &stack, IntakeReads::default(), sources).map(Subject::Resources)
}

fn delete_inventory(
    args: &DeleteArgs,
    cluster: &ClusterArgs,
    name: &str,
    progress: &Progress,
) -> Result<Printed> {
    let id = args.inventory.id(name);
    let held = Held::default();
    run_holding(&held, async {
        let connection = Arc::new(Connection::open(&cluster.options()).await?);
        let session = Session::start(&connection, cluster.concurrency, progress).await?;
        let work = run_deletion(args, &session, &id, progress);
        let lock = (!args.dry_run).then(|| args.lock.terms(&id));
        Box::pin(held.during(&connection, lock, progress, work)).await
    })
}

async fn run_deletion(
    args: &DeleteArgs,
    session: &Session<'_>,
    id: &InventoryId,
    progress: &Progress,
) -> Result<Printed> {
    let mut inventory = Inventory::read(session, id).await?;
    if !inventory.exists() {
        progress.say(&format!("nothing to delete: the inventory {id} does not exist"));
        for (other, count) in apply::inventories(session, &id.namespace).await? {
            progress.say(&format!(
                "the inventory {other} lists {}: `kfc delete {}`",
                count_of(count),
                other.flags()
            ));
        }
        return Ok(Results::default().printed(args.form.format));
    }
    let plan = apply::plan(session, &inventory, args.kinds.kinds()).await?;
    for line in &staying(&plan.staying) {
        progress.say(line);
    }
    let hooks = if args.no_hooks || plan.going.is_empty() {
        Vec::new()
    } else {
        apply::deletion_hooks(session, &inventory).await?
    };
    if args.dry_run {
        plan.notes.iter().for_each(|note| progress.say(&format!("note: {note}")));
        return Ok(would_delete(&hooks, &plan).printed(args.form.format));
    }
    if !args.yes && !plan.going.is_empty() {
        progress.end();
        confirm_deletion(&id.name, session.connection.server(), &plan)?;
    }
    plan.notes.iter().for_each(|note| progress.say(&format!("note: {note}")));
    let done = apply::delete(session, &mut inventory, plan, deleting(args)).await?;
    progress.say(&format!("done: {}", counts(&done)));
    if !inventory.is_empty() {
        let left = count_of(inventory.len());
        progress.say(&format!("the inventory {id} stays, as it still lists {left}"));
    }
    Ok(Results::default().all("deleted", &done.gone).printed(args.form.format))
}

fn deleting(args: &DeleteArgs) -> Deleting {
    Deleting { kinds: args.kinds.kinds(), timeout: args.timeout, wait: !args.no_wait, hooks: !args.no_hooks }
}

fn would_delete(hooks: &[(Moment, ObjectId)], plan: &RemovalPlan) -> Results {
    let mut results = Results::default();
    for (moment, object) in hooks {
        results.push(format!("would run the {} hook", moment.word()), object);
    }
    results.all("would delete", plan.going.iter().map(|(object, _)| object))
}

fn delete_resources(
    args: &DeleteArgs,
    cluster: &ClusterArgs,
    intake: &Intake,
    progress: &Progress,
) -> Result<Printed> {
    run_until_interrupted(async {
        let connection = Connection::open(&cluster.options_in(&args.namespace)).await?;
        let mut waves = intake.waves(connection.namespace(), &[])?;
        let session = Session::start(&connection, cluster.concurrency, progress).await?;
        apply::settle_scopes(&mut waves, &session.discovery());
        let numbered = waves.iter().enumerate();
        let items = numbered.flat_map(|(at, wave)| wave.objects().map(move |object| (object, at)));
        let objects: Vec<(ObjectId, usize)> = items.map(|(object, at)| (object.clone(), at)).collect();
        let (plan, listed) = apply::plan_objects(&session, &objects, args.kinds.kinds(), args.adopt).await?;
        if !args.adopt && !listed.is_empty() {
            return Err(listed_by_others(&listed).into());
        }
        for line in &staying(&plan.staying) {
            progress.say(line);
        }
        plan.notes.iter().for_each(|note| progress.say(&format!("note: {note}")));
        if args.dry_run {
            return Ok(would_delete(&[], &plan).printed(args.form.format));
        }
        if !args.yes && !plan.going.is_empty() {
            progress.end();
            confirm_deletion("yes", connection.server(), &plan)?;
        }
        let done = apply::delete_objects(&session, plan, &listed, deleting(args)).await?;
        progress.say(&format!("done: {}", counts(&done)));
        Ok(Results::default().all("deleted", &done.gone).printed(args.form.format))
    })
}

/// The error for named objects that inventories list.
fn listed_by_others(listed: &BTreeMap<InventoryId, Vec<ObjectId>>) -> Diagnostic {
    let count = count_of(listed.values().flatten().collect::<BTreeSet<_>>().len());
    let error = Diagnostic::error(Code::OwnedByOthers, format!("inventories list {count} of these"));
    let error = listed.iter().fold(error, |error, (id, objects)| {
        error.note(format!("the inventory {id} lists {}", named(objects.iter())))
    });
    let flags: Vec<String> = listed.keys().map(|id| format!("`kfc delete {}`", id.flags())).collect();
    error.help(format!(
        "delete all of an inventory with {}, or these objects alone with `--adopt`",
        flags.join(" or ")
    ))
}

fn counts(done: &Deletion) -> String {
    let mut text = format!("{} deleted", done.gone.len());
    let more = [(done.absent.len(), "missing"), (done.staying.len(), "kept")];
    for (count, what) in more.into_iter().filter(|(count, _)| *count > 0) {
        let _ = write!(text, ", {count} {what}");
    }
    text
}
