//! `kfc diff`: what changes between two bundles.

use super::args::{NamedArgs, ReportArgs, StackArgs};
use super::diff_report::write;
use super::exit::{CLOSED, DONE, FAILED, USAGE, of_errors};
use super::output;
use super::side::Reader;
use super::side_args::SidesArgs;
use super::sides::{Sides, both};
use super::trace::step;
use clap::Args;
use kfc_diagnostics::{Code, Diagnostic, Result, Sources};
use kfc_diff::Report;
use kfc_kube::schema::Schema;
use std::sync::Arc;

/// The side that kubectl compares with.
const CLUSTER: &str = "cluster";
/// Exit status when the sides differ.
const DIFFERS: u8 = FAILED;
/// Exit status when they could not be compared.
const TROUBLE: u8 = USAGE;

#[derive(Debug, Args)]
pub(super) struct DiffArgs {
    /// The old side: a bundle's file, `-`, a profile, a stack, a kustomization root, `REVISION:PATH`, `golden`,
    /// `golden:TARGET`, `cluster` or `cluster:CONTEXT`.
    #[arg(required_unless_present_any = ["filename", "kustomize"], conflicts_with_all = ["filename", "kustomize"])]
    before: Option<String>,
    /// The new side.
    #[arg(required_unless_present_any = ["filename", "kustomize"])]
    after: Option<String>,
    /// As of kubectl, what to compare with the cluster: `kfc diff -f FILE` is `kfc diff cluster FILE`.
    #[command(flatten)]
    named: NamedArgs,
    #[command(flatten)]
    stack: StackArgs,
    #[command(flatten)]
    report: ReportArgs,
    #[command(flatten)]
    sides: SidesArgs,
}

pub(super) fn run(args: &DiffArgs) -> u8 {
    let sources = Arc::new(Sources::default());
    diff(args, &sources).unwrap_or_else(|errors| {
        output::report_run(&errors, &sources, "the comparison");
        of_errors(&errors, TROUBLE)
    })
}

fn diff(args: &DiffArgs, sources: &Arc<Sources>) -> Result<u8> {
    let named = args.named.target().map(|target| (CLUSTER, target));
    let given = args.before.as_deref().zip(args.after.as_deref());
    let (old, new) = named.or(given).unwrap_or_default();
    if old == "-" && new == "-" {
        return Err(Diagnostic::error(Code::Usage, "standard input can be only one side").into());
    }
    let schema = Schema::builtin();
    let restrictor = args.sides.restrictor();
    let cluster = args.sides.cluster_side()?;
    let reader = Reader {
        stack: &args.stack,
        restrictor,
        functions: args.sides.functions(),
        goldens: &args.sides.goldens,
        schema: &schema,
        sources,
        cluster,
    };
    let read = |name: &str, other: &str| step(|| format!("read {name}"), || reader.read(name, other));
    let (before, after) = rayon::join(|| read(old, new), || read(new, old));
    let Sides { before, after, refused } = both(before?, after?, (old, new), &reader)?;
    let report = step(|| "compare".to_owned(), || kfc_diff::compare(&before, &after, &schema));
    match write(&args.report, &report, Some((&before, &after)))? {
        DONE => {}
        CLOSED => return Ok(CLOSED),
        _ => return Ok(TROUBLE),
    }
    if !refused.is_empty() {
        // What the server refuses is not a difference: it is not known what it would become.
        output::report_run(&refused, sources, "the comparison");
        return Ok(TROUBLE);
    }
    Ok(exit_code(&args.report, &report))
}

fn exit_code(args: &ReportArgs, report: &Report) -> u8 {
    let mut counted = report.changes.iter().filter(|change| args.all || !change.is_folded());
    let differs = match args.fail_on.as_slice() {
        [] => counted.next().is_some(),
        classes => counted.any(|change| change.classes().any(|class| classes.contains(&class))),
    };
    if differs { DIFFERS } else { DONE }
}
