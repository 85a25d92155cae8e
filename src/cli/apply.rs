//! `kfc apply`.

use super::apply_args::ApplyArgs;
use super::apply_run::{Purpose, run_waves};
use super::apply_text::render_waves;
use super::args::{ClusterArgs, DryRun, EnvironmentArgs};
use super::consent::AGREED;
use super::detect::{ClusterSource, detected, render_detected};
use super::environments::{ChosenTarget, in_clusters, read_each};
use super::intake::{Intake, IntakeReads};
use super::interrupt::{Held, run_holding};
use super::output;
use super::plan_file::PlanFile;
use super::progress::Progress;
use super::results::Printed;
use super::several::{Clusters, Done};
use clap::Args;
use kfc_cluster::apply::{self, Session};
use kfc_cluster::cluster::Connection;
use kfc_diagnostics::{Code, Diagnostic, Result, Sources};
use kfc_source::LoadRestrictor;
use std::path::PathBuf;
use std::sync::Arc;

/// What the run is called.
const RUN: &str = "the apply";

#[derive(Debug, Args)]
pub(super) struct PlanArgs {
    #[command(flatten)]
    apply: ApplyArgs,
    /// Write the plan into this file.
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

impl PlanArgs {
    /// These arguments with the target that a flag of kubectl names.
    pub(super) fn settled(self) -> Self {
        Self { apply: self.apply.settled(), ..self }
    }
}

/// Saves a plan.
pub(super) fn plan(args: &PlanArgs) -> u8 {
    let sources = Arc::new(Sources::default());
    match planned(&args.apply, &sources) {
        Ok(apply) => finish(&apply, &apply.cluster, Purpose::Save(&apply, &args.output)),
        Err(errors) => output::finish(Err(errors), &sources, RUN),
    }
}

/// The targets of a run: what is detected is one, whatever is in the working directory.
fn targets(args: &ApplyArgs, sources: &Arc<Sources>) -> Result<Vec<ChosenTarget>> {
    if args.detect {
        return Ok(vec![ChosenTarget::plain(&args.target)]);
    }
    in_clusters(&args.target, &args.stack.environments, sources)
}

/// The arguments of a plan, with the only environment and cluster that they mean.
fn planned(args: &ApplyArgs, sources: &Arc<Sources>) -> Result<ApplyArgs> {
    let targets = targets(args, sources)?;
    let clusters = Clusters::of_targets(&targets, &args.cluster, &args.several, (RUN, sources))?;
    match clusters.runs() {
        [run] => {
            let chosen = &targets[run.target];
            let mut args = args.clone();
            args.target.clone_from(&chosen.target);
            args.stack.environments = EnvironmentArgs::default();
            args.cluster = run.cluster.clone();
            Ok(args)
        }
        runs => {
            let message = format!("a plan is for one cluster, and {} are named", runs.len());
            Err(Diagnostic::error(Code::Usage, message).help("save a plan for each").into())
        }
    }
}

pub(super) fn run(args: &ApplyArgs) -> u8 {
    if let Some(saved) = PlanFile::read(&args.target) {
        return match saved.arguments(args) {
            Ok(args) => finish(&args, &args.cluster, Purpose::Saved(&saved)),
            Err(errors) => output::finish(Err(errors), &Sources::default(), RUN),
        };
    }
    let sources = Arc::new(Sources::default());
    let ready = targets(args, &sources).and_then(|targets| {
        let clusters = Clusters::of_targets(&targets, &args.cluster, &args.several, (RUN, &sources))?;
        clusters.check_agreed(args.how.yes || args.how.dry_run.is_some(), AGREED)?;
        let intakes = read_each(&targets, |target| {
            let mut args = args.clone();
            target.clone_into(&mut args.target);
            let intake = read(&args, &sources)?;
            Ok((args, intake))
        })?;
        Ok((clusters, intakes))
    });
    match ready {
        Ok((clusters, intakes)) => clusters.run(&|run, progress| {
            let (args, intake) = &intakes[run.target];
            apply(args, &run.cluster, Purpose::Apply, (intake, progress)).map(Done::from)
        }),
        Err(errors) => output::finish(Err(errors), &sources, RUN),
    }
}

/// Runs against one cluster.
fn finish(args: &ApplyArgs, cluster: &ClusterArgs, purpose: Purpose<'_>) -> u8 {
    let sources = Arc::new(Sources::default());
    let progress = Progress::new();
    let result = read(args, &sources).and_then(|intake| apply(args, cluster, purpose, (&intake, &progress)));
    let result = result.and_then(|printed| printed.rendered(None));
    progress.end();
    output::finish(result, &sources, RUN)
}

fn read(args: &ApplyArgs, sources: &Arc<Sources>) -> Result<Intake> {
    let restrictor = LoadRestrictor::from(args.load_restrictor);
    let reads = IntakeReads { restrictor, functions: args.functions.options() };
    if !args.detect {
        return Intake::read(&args.target, &args.stack, reads, sources);
    }
    if args.cluster.each_context().len() > 1 {
        let message = "`--detect` is for one cluster, and `--context` names several";
        return Err(Diagnostic::error(Code::Usage, message).help("run it for each of them").into());
    }
    let source = ClusterSource { from: Vec::new(), cluster: args.cluster.clone() };
    let found = detected(&source, &args.stack.catalogue, sources)?;
    output::note(render_detected(&found).trim_end());
    Intake::of_stack(found.stack(), &args.stack, reads, sources)
}

fn apply(
    args: &ApplyArgs,
    cluster: &ClusterArgs,
    purpose: Purpose<'_>,
    (intake, progress): (&Intake, &Progress),
) -> Result<Printed> {
    if args.how.dry_run == Some(DryRun::Client) {
        return Ok(render_waves(&intake.waves("default", &args.only)?, args.how.form.format));
    }
    let id = args.inventory.id(&intake.name(&args.inventory)?);
    let held = Held::default();
    run_holding(&held, async {
        let connection = Arc::new(Connection::open(&cluster.options_in(&args.namespace)).await?);
        let source = intake.source(&args.target, &args.stack, &args.only);
        let mut bundle = intake.bundle(connection.namespace(), source)?;
        if bundle.waves.is_empty() {
            let help = "delete what an earlier run applied with `kfc delete`";
            return Err(Diagnostic::error(Code::Usage, "there is nothing to apply").help(help).into());
        }
        let session = Session::start(&connection, cluster.concurrency, progress).await?;
        let session = session.with_readiness(intake.conditions(&bundle.waves)?);
        apply::settle_scopes(&mut bundle.waves, &session.discovery());
        let only_looks = args.how.dry_run.is_some() || matches!(purpose, Purpose::Save(..));
        let login = intake.first_login().filter(|_| !only_looks && args.only.is_empty());
        let work = async {
            let printed = run_waves(&args.how, &session, (&bundle, purpose), &id, progress).await?;
            if let Some(login) = login {
                let lines = login.lines(&connection, cluster.context.as_deref()).await;
                for line in lines {
                    progress.say(&line);
                }
            }
            Ok(printed)
        };
        let lock = (!only_looks).then(|| args.lock.terms(&id));
        Box::pin(held.during(&connection, lock, progress, work)).await
    })
}
