//! `kfc apply`.

use super::cluster::{ClusterArgs, Intake, InventoryArgs, duration, run_until_interrupted};
use super::progress::{Progress, counts};
use super::target::StackArgs;
use super::{DONE, FAILED, output};
use crate::apply::{self, Inventory, Prune, Report, Session, Settings, Wave};
use crate::cluster::Connection;
use crate::diagnostics::{Code, Diagnostic, Result, Sources};
use crate::sources::LoadRestrictor;
use clap::{Args, ValueEnum};
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum DryRun {
    /// The server says what would happen; nothing is written.
    Server,
    /// No server is asked: the waves are shown.
    Client,
}

#[derive(Debug, Args)]
pub(super) struct ApplyArgs {
    /// A profile (`gke+gpu`), a `kfc.yaml` or its folder, a kustomization root, a file of resources, or `-` for
    /// resources on standard input.
    #[arg(default_value = ".", value_name = "TARGET|FILE|-")]
    target: String,
    #[command(flatten)]
    stack: StackArgs,
    #[command(flatten)]
    cluster: ClusterArgs,
    #[command(flatten)]
    inventory: InventoryArgs,
    /// Take over fields that belong to others.
    #[arg(long)]
    force_conflicts: bool,
    /// How long a wave may take.
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = duration)]
    timeout: Duration,
    /// Do not wait until things are ready; only for what the next wave cannot be sent without.
    #[arg(long)]
    no_wait: bool,
    /// Only tell what would happen.
    #[arg(long, value_name = "WHO", value_enum)]
    dry_run: Option<DryRun>,
    /// Delete nothing that left the bundle.
    #[arg(long, conflicts_with_all = ["prune_all", "prune_namespaces", "prune_crds", "prune_pvcs"])]
    no_prune: bool,
    /// Delete namespaces that left the bundle, with everything in them.
    #[arg(long)]
    prune_namespaces: bool,
    /// Delete custom resource definitions that left the bundle, with all objects of their kinds.
    #[arg(long)]
    prune_crds: bool,
    /// Delete volume claims that left the bundle, with their data.
    #[arg(long)]
    prune_pvcs: bool,
    /// Delete everything that left the bundle: namespaces, definitions and volume claims too.
    #[arg(long)]
    prune_all: bool,
    /// Read files outside the kustomization root.
    #[arg(long, value_name = "WHICH", hide = true)]
    load_restrictor: Option<String>,
}

pub(super) fn run(args: &ApplyArgs) -> u8 {
    let sources = Arc::new(Sources::default());
    let progress = Progress::new();
    let result = apply(args, &sources, &progress);
    progress.end();
    match result {
        Ok(text) => {
            if text.is_empty() {
                DONE
            } else {
                output::print(&text)
            }
        }
        Err(errors) => {
            output::report_run("apply", &errors, &sources);
            FAILED
        }
    }
}

fn apply(args: &ApplyArgs, sources: &Arc<Sources>, progress: &Progress) -> Result<String> {
    let restrictor = match args.load_restrictor.as_deref() {
        Some("LoadRestrictionsNone") => LoadRestrictor::None,
        _ => LoadRestrictor::RootOnly,
    };
    let intake = Intake::read(&args.target, &args.stack, restrictor, sources)?;
    if args.dry_run == Some(DryRun::Client) {
        return Ok(shown(&intake.waves("default")?));
    }
    let name = intake.name(&args.inventory)?;
    run_until_interrupted(async {
        let connection = Connection::open(&args.cluster.options()).await?;
        let mut waves = intake.waves(connection.namespace())?;
        if waves.is_empty() {
            let help = "`kfc delete` takes away what an earlier run applied";
            return Err(Diagnostic::error(Code::Usage, "there is nothing to apply").help(help).into());
        }
        let session = Session::start(&connection, args.cluster.concurrency, progress).await?;
        apply::wave::settle_scopes(&mut waves, &session.discovery());
        let mut inventory = Inventory::read(&session, &args.inventory.inventory_namespace, &name).await?;
        let report = apply::apply(&session, &waves, &mut inventory, &settings(args)).await?;
        progress.say(&summary(&report, args.dry_run.is_some()));
        Ok(result(&report))
    })
}

fn settings(args: &ApplyArgs) -> Settings {
    Settings {
        force_conflicts: args.force_conflicts,
        timeout: args.timeout,
        wait: !args.no_wait,
        prune: Prune {
            enabled: !args.no_prune,
            namespaces: args.prune_namespaces || args.prune_all,
            definitions: args.prune_crds || args.prune_all,
            volumes: args.prune_pvcs || args.prune_all,
        },
        dry_run: args.dry_run.is_some(),
    }
}

/// What was done, one object a line. What is as it was is not named.
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
        let _ = write!(text, ", {} left in place", report.kept.len());
    }
    if is_dry { format!("this would happen: {text}; nothing was written") } else { format!("done: {text}") }
}

/// The waves with their resources.
fn shown(waves: &[Wave]) -> String {
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
