//! `kfc apply`.

use super::args::{ClusterArgs, InventoryArgs, KindArgs, LockArgs, StackArgs, duration};
use super::changes::changes_text;
use super::consent::{ask, count_of, is_asked, named, preview, staying};
use super::exit::{DONE, FAILED};
use super::intake::Intake;
use super::interrupt::{Held, run_holding};
use super::output;
use super::plan_file::{Foreseen, PlanFile};
use super::progress::{Progress, counts};
use clap::{Args, ValueEnum};
use kfc_cluster::apply::{
    self, Cascade, Inventory, InventoryId, Preview, PruneSet, Recreate, Report, Session, Settings, Survey,
};
use kfc_cluster::cluster::Connection;
use kfc_diagnostics::{Code, Diagnostic, Result, Sources};
use kfc_kube::ObjectId;
use kfc_kube::ignore::IgnoreRule;
use kfc_kube::wave::Wave;
use kfc_source::LoadRestrictor;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum DryRun {
    /// Ask the server what would happen; nothing is written.
    Server,
    /// Print the waves without asking a server.
    Client,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum CascadeFlag {
    /// They are deleted first.
    Foreground,
    /// They stay.
    Orphan,
}

impl From<CascadeFlag> for Cascade {
    fn from(flag: CascadeFlag) -> Self {
        match flag {
            CascadeFlag::Foreground => Self::Foreground,
            CascadeFlag::Orphan => Self::Orphan,
        }
    }
}

#[derive(Clone, Debug, Args)]
pub(super) struct ApplyArgs {
    /// A profile (`gke+gpu`), a `kfc.yaml` or its directory, a kustomization root, a file of resources, or `-` for
    /// resources on standard input; or a plan that `kfc plan` saved.
    #[arg(default_value = ".", value_name = "TARGET|FILE|-")]
    target: String,
    #[command(flatten)]
    stack: StackArgs,
    #[command(flatten)]
    cluster: ClusterArgs,
    #[command(flatten)]
    inventory: InventoryArgs,
    #[command(flatten)]
    lock: LockArgs,
    /// Apply only these components of the profile or stack; the rest stays as it is.
    #[arg(long, value_name = "COMPONENT,…", value_delimiter = ',')]
    only: Vec<String>,
    /// With several contexts in `--context`, go on with the next cluster after a failure.
    #[arg(long)]
    keep_going: bool,
    /// Take over fields that have other owners.
    #[arg(long)]
    force_conflicts: bool,
    /// Take over objects of the bundle that other inventories list, or that existed before: from then on only this
    /// inventory lists them.
    #[arg(long)]
    adopt: bool,
    /// Delete objects whose immutable fields change, and create them again; not namespaces, CRDs, PVCs and PVs.
    #[arg(long)]
    recreate: bool,
    /// The same for one object of any kind, named as kfc prints it: `Job shop/migrate`.
    #[arg(long, value_name = "KIND NAME")]
    recreate_object: Vec<ObjectId>,
    /// What becomes of the pods of a Deployment that is recreated, and of all that an object owns.
    #[arg(long, value_name = "HOW", value_enum, default_value = "foreground")]
    cascade: CascadeFlag,
    /// How long a wave may take.
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = duration)]
    timeout: Duration,
    /// Wait only for what the next wave cannot be sent without, not until everything is ready.
    #[arg(long)]
    no_wait: bool,
    /// Only report what would happen.
    #[arg(long, value_name = "WHO", value_enum)]
    dry_run: Option<DryRun>,
    /// Delete what left the bundle without asking.
    #[arg(long, conflicts_with = "no_prune")]
    prune: bool,
    /// Agree to every question without asking.
    #[arg(short, long)]
    yes: bool,
    /// Delete what left the bundle even when that is most of what the inventory lists.
    #[arg(long, conflicts_with = "no_prune")]
    prune_most: bool,
    /// Delete nothing that left the bundle, and do not ask.
    #[arg(long, conflicts_with_all = ["delete_all", "delete_namespaces", "delete_crds", "delete_pvcs", "delete_pvs"])]
    no_prune: bool,
    #[command(flatten)]
    kinds: KindArgs,
    /// Read files outside the kustomization root.
    #[arg(long, value_name = "WHICH", hide = true)]
    load_restrictor: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct PlanArgs {
    #[command(flatten)]
    apply: ApplyArgs,
    /// Write the plan into this file.
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

impl ApplyArgs {
    /// The names of the parameters that are set.
    pub(super) fn set_names(&self) -> Vec<String> {
        let name = |text: &String| text.split('=').next().unwrap_or_default().to_owned();
        self.stack.set.iter().map(name).collect()
    }

    /// These arguments with the parameters of others.
    pub(super) fn with_parameters(mut self, given: &Self) -> Self {
        self.stack.set.clone_from(&given.stack.set);
        self
    }
}

/// The arguments as words, without parameters.
pub(super) fn words(args: &ApplyArgs) -> Vec<String> {
    let mut words = Vec::new();
    let mut flag = |name: &str, is_set: bool| words.extend(is_set.then(|| format!("--{name}")));
    flag("no-builtin", args.stack.no_builtin);
    flag("force-conflicts", args.force_conflicts);
    flag("adopt", args.adopt);
    flag("recreate", args.recreate);
    flag("no-wait", args.no_wait);
    flag("prune", args.prune);
    flag("prune-most", args.prune_most);
    flag("no-prune", args.no_prune);
    flag("keep-going", args.keep_going);
    let kinds = args.kinds.kinds();
    flag("delete-namespaces", kinds.namespaces);
    flag("delete-crds", kinds.crds);
    flag("delete-pvcs", kinds.pvcs);
    flag("delete-pvs", kinds.pvs);
    let mut value = |name: &str, values: &[String]| {
        words.extend(values.iter().map(|value| format!("--{name}={value}")));
    };
    value("components", &args.stack.components);
    value("without", &args.stack.without);
    value("present", &args.stack.present);
    value("only", &args.only);
    let texts = |paths: &[PathBuf]| paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>();
    value("catalog", &texts(&args.stack.catalogue));
    value("kubeconfig", &texts(args.cluster.kubeconfig.as_slice()));
    value("context", args.cluster.context.as_slice());
    value("name", args.inventory.name.as_slice());
    value("inventory-namespace", std::slice::from_ref(&args.inventory.inventory_namespace));
    value("recreate-object", &args.recreate_object.iter().map(ToString::to_string).collect::<Vec<_>>());
    value("load-restrictor", args.load_restrictor.as_slice());
    value("timeout", &[format!("{}s", args.timeout.as_secs())]);
    value("cascade", &[if args.cascade == CascadeFlag::Orphan { "orphan" } else { "foreground" }.to_owned()]);
    words.push("--".to_owned());
    words.push(args.target.clone());
    words
}

/// Saves a plan.
pub(super) fn plan(args: &PlanArgs) -> u8 {
    finish(&args.apply, &args.apply.cluster, Purpose::Save(&args.output))
}

pub(super) fn run(args: &ApplyArgs) -> u8 {
    if let Some(saved) = PlanFile::read(&args.target) {
        return match saved.arguments(args) {
            Ok(args) => finish(&args, &args.cluster, Purpose::Saved(&saved)),
            Err(errors) => {
                output::report_run(&errors, &Sources::default(), "the apply");
                FAILED
            }
        };
    }
    let contexts = args.cluster.each_context();
    let is_several = contexts.len() > 1;
    let mut status = DONE;
    for cluster in contexts {
        if is_several {
            output::note(&format!("cluster {}:", cluster.context.as_deref().unwrap_or_default()));
        }
        let one = finish(args, &cluster, Purpose::Apply);
        status = if status == DONE { one } else { status };
        if one != DONE && !args.keep_going {
            return one;
        }
    }
    status
}

/// What a run is for.
#[derive(Clone, Copy)]
enum Purpose<'p> {
    Apply,
    /// Apply what a plan says, and nothing else.
    Saved(&'p PlanFile),
    /// Save a plan into a file.
    Save(&'p Path),
}

/// Runs against one cluster.
fn finish(args: &ApplyArgs, cluster: &ClusterArgs, purpose: Purpose<'_>) -> u8 {
    let sources = Arc::new(Sources::default());
    let progress = Progress::new();
    let result = apply(args, cluster, purpose, (&sources, &progress));
    progress.end();
    match result {
        Ok(text) if text.is_empty() => DONE,
        Ok(text) => output::print(&text),
        Err(errors) => {
            output::report_run(&errors, &sources, "the apply");
            FAILED
        }
    }
}

fn apply(
    args: &ApplyArgs,
    cluster: &ClusterArgs,
    purpose: Purpose<'_>,
    (sources, progress): (&Arc<Sources>, &Progress),
) -> Result<String> {
    let restrictor = match args.load_restrictor.as_deref() {
        Some("LoadRestrictionsNone") => LoadRestrictor::None,
        _ => LoadRestrictor::RootOnly,
    };
    let intake = Intake::read(&args.target, &args.stack, restrictor, sources)?;
    if args.dry_run == Some(DryRun::Client) {
        return Ok(render_waves(&intake.waves("default", &args.only)?));
    }
    let id = args.inventory.id(&intake.name(&args.inventory)?);
    let held = Held::default();
    run_holding(&held, async {
        let connection = Arc::new(Connection::open(&cluster.options()).await?);
        let mut waves = intake.waves(connection.namespace(), &args.only)?;
        if waves.is_empty() {
            let help = "delete what an earlier run applied with `kfc delete`";
            return Err(Diagnostic::error(Code::Usage, "there is nothing to apply").help(help).into());
        }
        let session = Session::start(&connection, cluster.concurrency, progress).await?;
        apply::settle_scopes(&mut waves, &session.discovery());
        let work = run_waves(args, &session, (&waves, purpose), (&id, intake.ignore()), progress);
        let done = match args.dry_run.is_some() || matches!(purpose, Purpose::Save(_)) {
            true => work.await,
            false => held.during(&connection, &id, &args.lock, progress, work).await,
        };
        connection
            .take_warnings()
            .iter()
            .for_each(|text| progress.say(&format!("warning of the server: {text}")));
        done
    })
}

async fn run_waves(
    args: &ApplyArgs,
    session: &Session<'_>,
    (waves, purpose): (&[Wave], Purpose<'_>),
    (id, ignore): (&InventoryId, &[IgnoreRule]),
    progress: &Progress,
) -> Result<String> {
    let mut inventory = Inventory::read(session, id).await?;
    let mut settings = settings(args, id, ignore);
    let survey = apply::survey(session, waves, &inventory, &settings).await?;
    report_owners(args, &survey, id, progress);
    let preview = apply::preview(session, waves, &survey, &settings).await?;
    report_losses(args, &preview, progress);
    let is_pruning = args.prune || args.prune_most || args.kinds.kinds().any();
    let foreseen = Foreseen { waves, preview: &preview, pruned: is_pruning.then_some(&survey.prune_set) };
    match purpose {
        Purpose::Save(file) => {
            agreed(args, &survey.prune_set, progress)?;
            PlanFile::make(args, session.connection, &foreseen).write(file)?;
            progress.say(&format!("wrote {}: apply it with `kfc apply {}`", file.display(), file.display()));
            return changes_text(waves, &preview).map(|text| text + "\n");
        }
        Purpose::Saved(plan) => plan.check(session.connection, &foreseen)?,
        Purpose::Apply => {}
    }
    let is_agreed = args.yes || matches!(purpose, Purpose::Saved(_));
    if !is_agreed && args.dry_run.is_none() && is_asked() && !preview.is_empty() {
        progress.end();
        progress.say(&changes_text(waves, &preview)?);
        let question = format!("Apply this to {}? [y/N] ", session.connection.server());
        if !matches!(ask(&question).to_lowercase().as_str(), "y" | "yes") {
            return Err(Diagnostic::error(Code::Usage, "not confirmed; nothing was written").into());
        }
    }
    settings.prune = agreed(args, &survey.prune_set, progress)?;
    let report = apply::apply(session, waves, &mut inventory, &settings, survey, &preview).await?;
    if !report.unpruned.is_empty() && !args.no_prune {
        let count = count_of(report.unpruned.len());
        progress.say(&format!("{count} that left the bundle were not deleted: `--prune` deletes them"));
    }
    progress.say(&summary(&report, args.dry_run.is_some()));
    Ok(result(&report))
}

fn settings(args: &ApplyArgs, id: &InventoryId, ignore: &[IgnoreRule]) -> Settings {
    Settings {
        inventory: id.clone(),
        force_conflicts: args.force_conflicts,
        adopt: args.adopt,
        timeout: args.timeout,
        wait: !args.no_wait,
        prune: false,
        kinds: args.kinds.kinds(),
        ignore: ignore.to_vec(),
        recreate: Recreate {
            all: args.recreate,
            named: args.recreate_object.clone(),
            cascade: args.cascade.into(),
        },
        partial: !args.only.is_empty(),
        dry_run: args.dry_run.is_some(),
    }
}

/// Reports what is lost with the objects that are recreated, before anything is done.
fn report_losses(args: &ApplyArgs, preview: &Preview, progress: &Progress) {
    let would = if args.dry_run.is_some() { "would be" } else { "will be" };
    for loss in &preview.recreated {
        let why = kfc_kube::redaction::message::hide(&loss.why, &loss.object.kind, "");
        progress.say(&format!("{} {would} deleted and created again; {}: {why}", loss.object, loss.lost));
    }
}

/// Reports which objects of the bundle have other owners, and which of those that left it stay.
fn report_owners(args: &ApplyArgs, survey: &Survey, id: &InventoryId, progress: &Progress) {
    for (other, objects) in &survey.shared {
        let (count, names) = (count_of(objects.len()), named(objects.iter()));
        if args.adopt {
            progress.say(&format!("note: {count} are taken over from the inventory {other}: {names}"));
            continue;
        }
        progress.say(&format!(
            "note: the inventory {other} lists {count} of this bundle too: {names}. Both apply them, and neither deletes them while \
             the other lists them"
        ));
        progress.say(&format!("note: {}", apply::move_advice(other, id)));
    }
    if !survey.found.is_empty() && !args.adopt {
        progress.say(&format!(
            "note: {} of this bundle existed before, not applied by kfc: {}. They are applied, but never deleted; `--adopt` takes them over",
            count_of(survey.found.len()),
            named(survey.found.iter())
        ));
    }
    if let Some(why) = survey.claims.unseen() {
        progress.say(&format!(
            "note: inventories of other namespaces cannot be read; what their field managers apply stays: {why}"
        ));
    }
    staying(&survey.prune_set.plan.staying).iter().for_each(|line| progress.say(line));
}

/// Whether the prune set is to be deleted. It is printed first; on a terminal the user is asked, elsewhere a flag decides.
fn agreed(args: &ApplyArgs, prune_set: &PruneSet, progress: &Progress) -> Result<bool> {
    let count = prune_set.plan.going.len();
    if count == 0 || args.no_prune {
        return Ok(false);
    }
    let is_agreed = args.prune || args.prune_most || args.yes || args.kinds.kinds().any();
    let is_asked = !is_agreed && args.dry_run.is_none() && is_asked();
    if args.dry_run.is_none() || !prune_set.plan.notes.is_empty() {
        let left = count_of(count);
        let (title, word) = match (is_agreed, is_asked) {
            (true, _) => (format!("{left} left the bundle, to be deleted at the end:"), "delete"),
            (_, true) => (format!("{left} left the bundle:"), "delete"),
            _ => (format!("{left} left the bundle, to be deleted only with `--prune`:"), "left"),
        };
        progress.say(&title);
        progress.say(preview(word, &prune_set.plan).trim_end());
    }
    if prune_set.is_most() && !args.prune_most && args.dry_run.is_none() && (is_agreed || is_asked) {
        let listed = prune_set.listed;
        let message = format!(
            "{count} of the {listed} objects that the inventory lists left the bundle and would be deleted"
        );
        let error = Diagnostic::error(Code::MostPruned, message)
            .note("check that it is the right bundle: it replaces the one that was applied under this name");
        let help = "delete them with `--prune-most`, or keep them with `--no-prune`; nothing was done";
        return Err(error.help(help).into());
    }
    if !is_asked {
        return Ok(is_agreed);
    }
    progress.end();
    Ok(matches!(ask("Delete them at the end? [y/N] ").to_lowercase().as_str(), "y" | "yes"))
}

/// What was done, one object in a line; unchanged objects are left out.
fn result(report: &Report) -> String {
    let mut text = String::new();
    for (object, outcome) in &report.outcomes {
        if *outcome != apply::Outcome::Unchanged {
            // Writing into a string cannot fail.
            let _ = writeln!(text, "{} {object}", outcome.word());
        }
    }
    for object in &report.pruned {
        let _ = writeln!(text, "pruned {object}");
    }
    text
}

fn summary(report: &Report, is_dry: bool) -> String {
    let mut text = counts(&report.counts());
    if !report.pruned.is_empty() {
        let _ = write!(text, ", {} pruned", report.pruned.len());
    }
    if !report.kept.is_empty() {
        let _ = write!(text, ", {} kept", report.kept.len());
    }
    if !report.unpruned.is_empty() {
        let _ = write!(text, ", {} not pruned", report.unpruned.len());
    }
    if is_dry { format!("this would happen: {text}; nothing was written") } else { format!("done: {text}") }
}

/// The waves with their resources.
fn render_waves(waves: &[Wave]) -> String {
    let mut text = String::new();
    for (at, wave) in waves.iter().enumerate() {
        let _ = writeln!(text, "wave {}", at + 1);
        for item in &wave.items {
            let _ = writeln!(text, "  {}", item.object);
        }
        for object in &wave.awaited {
            let _ = writeln!(text, "  awaits {object}");
        }
    }
    text
}
