//! `kfc apply`.

use super::apply_args::{ApplyArgs, DryRun, settings};
use super::args::ClusterArgs;
use super::changes::changes_text;
use super::consent::{ask, count_of, is_asked, named, preview, staying};
use super::exit::{DONE, FAILED};
use super::intake::Intake;
use super::interrupt::{Held, run_holding};
use super::output;
use super::plan_file::{Foreseen, PlanFile};
use super::progress::{Progress, counts};
use clap::Args;
use kfc_cluster::apply::{
    self, DueHook, Inventory, InventoryId, Preview, PruneSet, Report, Session, Survey, Trigger,
};
use kfc_cluster::cluster::Connection;
use kfc_diagnostics::{Code, Diagnostic, Result, Sources};
use kfc_kube::ignore::IgnoreRule;
use kfc_kube::wave::Wave;
use kfc_source::LoadRestrictor;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

#[derive(Debug, Args)]
pub(super) struct PlanArgs {
    #[command(flatten)]
    apply: ApplyArgs,
    /// Write the plan into this file.
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
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
        let session = session.with_readiness(intake.conditions(&waves)?);
        apply::settle_scopes(&mut waves, &session.discovery());
        let work = run_waves(args, &session, (&waves, purpose), (&id, intake.ignore()), progress);
        let done = if args.dry_run.is_some() || matches!(purpose, Purpose::Save(_)) {
            work.await
        } else {
            Box::pin(held.during(&connection, &id, &args.lock, progress, work)).await
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
    let pruned = is_pruning.then_some(&survey.prune_set);
    let changes = !preview.is_empty() || pruned.is_some_and(|pruned| !pruned.plan.going.is_empty());
    let hooks = survey.hooks.due(waves, Trigger { changes, asked: args.run_hooks });
    let foreseen = Foreseen { waves, preview: &preview, pruned, hooks: &hooks };
    match purpose {
        Purpose::Save(file) => {
            agreed(args, &survey.prune_set, progress)?;
            PlanFile::make(args, session.connection, &foreseen).write(file)?;
            progress.say(&format!("wrote {}: apply it with `kfc apply {}`", file.display(), file.display()));
            return Ok(changes_text(waves, &preview)? + "\n" + &hook_lines(&hooks));
        }
        Purpose::Saved(plan) => plan.check(session.connection, &foreseen)?,
        Purpose::Apply => {}
    }
    let is_agreed = args.yes || matches!(purpose, Purpose::Saved(_));
    if !is_agreed && args.dry_run.is_none() && is_asked() && !(preview.is_empty() && hooks.is_empty()) {
        progress.end();
        progress.say(&changes_text(waves, &preview)?);
        if !hooks.is_empty() {
            progress.say(hook_lines(&hooks).trim_end());
        }
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
    if !report.addressless.is_empty() {
        let names = named(report.addressless.iter());
        progress.say(&format!("note: no load balancer has given an address yet to {names}"));
    }
    progress.say(&summary(&report, args.dry_run.is_some()));
    Ok(result(&report))
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
    for line in &staying(&survey.prune_set.plan.staying) {
        progress.say(line);
    }
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

/// The hooks that run, one in a line.
fn hook_lines(hooks: &[DueHook<'_>]) -> String {
    hooks
        .iter()
        .fold(String::new(), |text, hook| text + &format!("{} hook {}\n", hook.moment.word(), hook.object()))
}

/// What was done, one object in a line; unchanged objects are left out.
fn result(report: &Report) -> String {
    let mut text = String::new();
    for (moment, object) in &report.hooks {
        // Writing into a string cannot fail.
        let _ = writeln!(text, "{} hook {object}", moment.word());
    }
    for (object, outcome) in &report.outcomes {
        if *outcome != apply::Outcome::Unchanged {
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
    if !report.hooks.is_empty() {
        let hooks = if report.hooks.len() == 1 { "hook" } else { "hooks" };
        let _ = write!(text, ", {} {hooks} run", report.hooks.len());
    }
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
        for hook in &wave.hooks {
            let _ = writeln!(text, "  {} hook {}", hook.hook.words(), hook.item.object);
        }
        for object in &wave.awaited {
            let _ = writeln!(text, "  awaits {object}");
        }
    }
    text
}
