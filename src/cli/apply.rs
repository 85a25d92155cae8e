//! `kfc apply`.

use super::apply_args::ApplyArgs;
use super::apply_run::{Purpose, run_waves};
use super::apply_text::render_waves;
use super::args::{ClusterArgs, DryRun};
use super::consent::is_asked;
use super::exit::FAILED;
use super::intake::Intake;
use super::interrupt::{Held, run_holding};
use super::output;
use super::plan_file::PlanFile;
use super::progress::Progress;
use super::several::Clusters;
use clap::Args;
use kfc_cluster::apply::{self, Session};
use kfc_cluster::cluster::Connection;
use kfc_diagnostics::{Code, Diagnostic, Result, Sources};
use kfc_source::LoadRestrictor;
use std::path::PathBuf;
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
    finish(&args.apply, &args.apply.cluster, Purpose::Save(&args.apply, &args.output))
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
    let sources = Arc::new(Sources::default());
    let intake = match read(args, &sources).and_then(|intake| agreed_beforehand(args).map(|()| intake)) {
        Ok(intake) => intake,
        Err(errors) => {
            output::report_run(&errors, &sources, "the apply");
            return FAILED;
        }
    };
    let work = |cluster: &ClusterArgs, progress: &Progress| {
        apply(args, cluster, Purpose::Apply, (&intake, progress))
    };
    let list = args.cluster.each_context();
    let clusters = Clusters { list, keep_going: args.keep_going, sources: &sources };
    match args.parallel {
        Some(parallel) if clusters.list.len() > 1 => {
            clusters.in_parallel(parallel.most(clusters.list.len()), &work)
        }
        _ => clusters.one_after_another(&work),
    }
}

/// Checks that runs in parallel have nothing to ask: questions of several clusters would be mixed up.
fn agreed_beforehand(args: &ApplyArgs) -> Result<()> {
    let is_parallel = args.parallel.is_some() && args.cluster.each_context().len() > 1;
    if !is_parallel || args.how.yes || args.how.dry_run.is_some() || !is_asked() {
        return Ok(());
    }
    let message = "clusters that are applied to in parallel cannot ask, so all has to be agreed to before";
    let help = "look with `--dry-run=server`, then agree with `--yes` (and `--no-prune` to delete nothing)";
    Err(Diagnostic::error(Code::Usage, message).help(help).into())
}

/// Runs against one cluster.
fn finish(args: &ApplyArgs, cluster: &ClusterArgs, purpose: Purpose<'_>) -> u8 {
    let sources = Arc::new(Sources::default());
    let progress = Progress::new();
    let result = read(args, &sources).and_then(|intake| apply(args, cluster, purpose, (&intake, &progress)));
    progress.end();
    output::finish(result, &sources, "the apply")
}

fn read(args: &ApplyArgs, sources: &Arc<Sources>) -> Result<Intake> {
    let restrictor = match args.load_restrictor.as_deref() {
        Some("LoadRestrictionsNone") => LoadRestrictor::None,
        _ => LoadRestrictor::RootOnly,
    };
    Intake::read(&args.target, &args.stack, restrictor, sources)
}

fn apply(
    args: &ApplyArgs,
    cluster: &ClusterArgs,
    purpose: Purpose<'_>,
    (intake, progress): (&Intake, &Progress),
) -> Result<String> {
    if args.how.dry_run == Some(DryRun::Client) {
        return Ok(render_waves(&intake.waves("default", &args.only)?));
    }
    let id = args.inventory.id(&intake.name(&args.inventory)?);
    let held = Held::default();
    run_holding(&held, async {
        let connection = Arc::new(Connection::open(&cluster.options()).await?);
        let source = intake.source(&args.target, &args.stack, &args.only);
        let mut bundle = intake.bundle(connection.namespace(), source)?;
        if bundle.waves.is_empty() {
            let help = "delete what an earlier run applied with `kfc delete`";
            return Err(Diagnostic::error(Code::Usage, "there is nothing to apply").help(help).into());
        }
        let session = Session::start(&connection, cluster.concurrency, progress).await?;
        let session = session.with_readiness(intake.conditions(&bundle.waves)?);
        apply::settle_scopes(&mut bundle.waves, &session.discovery());
        let work = run_waves(&args.how, &session, (&bundle, purpose), &id, progress);
        let done = if args.how.dry_run.is_some() || matches!(purpose, Purpose::Save(..)) {
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
