//! `kfc diff`: what changes between two bundles.

use super::across::{OfTarget, report_once};
use super::args::{EnvironmentArgs, NamedArgs, ReportArgs, StackArgs};
use super::diff_report::write;
use super::environments::{ChosenTarget, Unnamed, chosen_of};
use super::exit::{CLOSED, DONE, FAILED, USAGE, of_errors};
use super::output;
use super::side::{Reader, RevisionCopies, Side, revision_of};
use super::side_args::SidesArgs;
use super::sides::{Sides, both};
use super::targets::{Target, target_of};
use super::trace::step;
use clap::Args;
use kfc_catalogue::catalogue::StackChoice;
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Result, Sources};
use kfc_diff::report::Format;
use kfc_diff::{Input, Report};
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
        copies: RevisionCopies::default(),
        cluster,
    };
    let pairs = pairs((old, new), &args.stack.environments, sources)?;
    let (report, sides) = if let [pair] = pairs.as_slice() {
        let (report, sides) = compare(pair, &reader)?;
        (report, Some(sides))
    } else {
        (compare_all(args, (old, new), &pairs, &reader)?, None)
    };
    match write(&args.report, &report, sides.as_ref().map(|sides| (&sides.before, &sides.after)))? {
        DONE => {}
        CLOSED => return Ok(CLOSED),
        _ => return Ok(TROUBLE),
    }
    if let Some(Sides { refused, .. }) = sides.filter(|sides| !sides.refused.is_empty()) {
        // What the server refuses is not a difference: it is not known what it would become.
        output::report_run(&refused, sources, "the comparison");
        return Ok(TROUBLE);
    }
    Ok(exit_code(&args.report, &report))
}

/// The two sides of a comparison, as they are named.
struct Pair {
    /// The environment or cluster of a stack; none without one.
    name: Option<String>,
    old: String,
    new: String,
}

/// The comparisons: one for each environment that is named.
fn pairs((old, new): (&str, &str), args: &EnvironmentArgs, sources: &Arc<Sources>) -> Result<Vec<Pair>> {
    if args.is_empty() {
        return Ok(vec![Pair { name: None, old: old.to_owned(), new: new.to_owned() }]);
    }
    let is_stack = |name: &str| matches!(Target::of(name), Target::Stack(_));
    let Some(stack) = [new, old].into_iter().find(|name| is_stack(name)) else {
        let message = "no side of the comparison is a stack with environments";
        let error = Diagnostic::error(Code::Usage, message);
        return Err(error.help("leave out `--environment` and `--targets`").into());
    };
    let chosen = chosen_of(stack, args, Unnamed::Refused, sources)?;
    let side = |name: &str, chosen: &ChosenTarget| match (name, &chosen.context) {
        (CLUSTER, Some(context)) => format!("{CLUSTER}:{context}"),
        _ if is_stack(name) || name.starts_with("golden:") || revision_of(name).is_some() => {
            target_of(name, &chosen.choice)
        }
        _ => name.to_owned(),
    };
    let pair = |chosen: &ChosenTarget| Pair {
        name: (chosen.choice != StackChoice::default()).then(|| chosen.name()),
        old: side(old, chosen),
        new: side(new, chosen),
    };
    Ok(chosen.iter().map(pair).collect())
}

/// The report of one comparison. An environment that the old side does not have yet is new.
fn compare(pair: &Pair, reader: &Reader<'_>) -> Result<(Report, Sides)> {
    let Pair { name, old, new } = pair;
    let read = |name: &str, other: &str| step(|| format!("read {name}"), || reader.read(name, other));
    let (before, after) = rayon::join(|| read(old, new), || read(new, old));
    let is_unknown = |errors: &Diagnostics| errors.0.iter().all(|error| error.code == Code::Environment);
    let before = match before {
        Err(errors) if name.is_some() && is_unknown(&errors) => {
            let sources = Arc::clone(reader.sources);
            Ok(Side::Here(Box::new(Input { label: old.clone(), sources, ..Input::default() })))
        }
        before => before,
    };
    let sides = match (before, after) {
        (Ok(before), Ok(after)) => both(before, after, (old, new), reader)?,
        (before, after) => {
            let mut errors = Diagnostics::default();
            errors.collect(before);
            errors.collect(after);
            return Err(errors);
        }
    };
    let report =
        step(|| "compare".to_owned(), || kfc_diff::compare(&sides.before, &sides.after, reader.schema));
    Ok((report, sides))
}

/// One report of several comparisons.
fn compare_all(
    args: &DiffArgs,
    (old, new): (&str, &str),
    pairs: &[Pair],
    reader: &Reader<'_>,
) -> Result<Report> {
    if let Some(format) =
        args.report.format.filter(|format| matches!(format, Format::Unified | Format::JsonPatch))
    {
        let message = format!("the format {} is about one environment", format.name());
        return Err(Diagnostic::error(Code::Usage, message).help("name one with `--environment`").into());
    }
    let mut failed = Vec::new();
    let mut reports = Vec::new();
    for pair in pairs {
        let name = pair.name.clone().unwrap_or_default();
        match compare(pair, reader) {
            Ok((report, sides)) if sides.refused.is_empty() => reports.push((name, report)),
            Ok((_, sides)) => failed.push(OfTarget { name, found: sides.refused, sources: reader.sources }),
            Err(found) => failed.push(OfTarget { name, found, sources: reader.sources }),
        }
    }
    report_once(&mut failed);
    let errors: Diagnostics = failed.into_iter().flat_map(|target| target.found.0).collect();
    errors.into_result(kfc_diff::join((old, new), reports))
}

fn exit_code(args: &ReportArgs, report: &Report) -> u8 {
    let mut counted = report.changes.iter().filter(|change| args.all || !change.is_folded());
    let differs = match args.fail_on.as_slice() {
        [] => counted.next().is_some(),
        classes => counted.any(|change| change.classes().any(|class| classes.contains(&class))),
    };
    if differs { DIFFERS } else { DONE }
}
