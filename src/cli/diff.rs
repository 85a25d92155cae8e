//! `kfc diff`: what changes between two bundles.

use super::args::{ReportArgs, StackArgs};
use super::diff_report::write;
use super::exit::{DONE, FAILED, USAGE};
use super::output;
use super::side::Reader;
use super::side_args::SidesArgs;
use super::sides::{Sides, both};
use clap::Args;
use kfc_diagnostics::{Code, Diagnostic, Result, Sources};
use kfc_diff::Report;
use kfc_kube::schema::Schema;
use std::sync::Arc;

/// Exit status when the sides differ.
const DIFFERS: u8 = FAILED;
/// Exit status when they could not be compared.
const TROUBLE: u8 = USAGE;

#[derive(Debug, Args)]
pub(super) struct DiffArgs {
    /// The old side: a bundle's file, `-`, a profile, a stack, a kustomization root, `REVISION:PATH`, `golden`,
    /// `golden:TARGET`, `cluster` or `cluster:CONTEXT`.
    before: String,
    /// The new side.
    after: String,
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
        TROUBLE
    })
}

fn diff(args: &DiffArgs, sources: &Arc<Sources>) -> Result<u8> {
    if args.before == "-" && args.after == "-" {
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
    let read = |name: &str, other: &str| reader.read(name, other);
    let (before, after) = rayon::join(|| read(&args.before, &args.after), || read(&args.after, &args.before));
    let Sides { before, after, refused } = both(before?, after?, (&args.before, &args.after), &reader)?;
    let report = kfc_diff::compare(&before, &after, &schema);
    if write(&args.report, &report, Some((&before, &after)))? != DONE {
        return Ok(TROUBLE);
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
