//! `kfc upgrade`: what an upgrade of a stack to another release asks of people.

use super::args::StackArgs;
use super::diff_report::write_to;
use super::environments::single;
use super::exit::{CLOSED, DONE, FAILED, USAGE, of_errors};
use super::listing::{described, pretty};
#[cfg(feature = "cluster")]
use super::side::ClusterSide;
use super::side::{Reader, RevisionCopies};
use super::side_args::SidesArgs;
use super::sides::{Sides, both};
use super::targets::{OWN_BASES, Target, is_bundle_file, resolve_with, resources_of_file};
use super::{here, output};
use clap::{Args, ValueEnum};
use kfc_catalogue::catalogue::{Catalogue, FETCHED};
#[cfg(feature = "cluster")]
use kfc_cluster::apply::Immutable;
use kfc_diagnostics::text::document;
use kfc_diagnostics::{Code, Diagnostic, Result, Sources};
use kfc_diff::Input;
use kfc_diff::upgrade::{ApplyStep, TextForm, Upgrade};
use kfc_kube::Object;
use kfc_kube::kubectl::shell_word;
use kfc_kube::schema::Schema;
use kfc_source::Loader;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Exit status when an apply alone does not do everything.
const MORE_TO_DO: u8 = FAILED;
/// Exit status when the releases could not be compared.
const TROUBLE: u8 = USAGE;

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Format {
    /// For a terminal.
    #[default]
    Text,
    /// For a comment on a pull request, or a page.
    Markdown,
    /// For programs.
    Json,
}

#[derive(Debug, Args)]
pub(super) struct UpgradeArgs {
    /// A profile, a stack's kfc.yaml or its directory.
    target: String,
    /// What is installed: a release (a name of `kfc catalog list`, a directory of `kfc catalog fetch`, or `catalog` for the bases of
    /// the catalogue), or anything that `kfc diff` compares, such as a saved bundle, `golden`, `HEAD~1:.` or `cluster`. What TARGET
    /// says by default.
    #[arg(long, value_name = "RELEASE|SIDE")]
    from: Option<String>,
    /// The release to upgrade to.
    #[arg(long, value_name = "RELEASE", default_value = OWN_BASES)]
    to: String,
    /// The CRDs of the cluster, as `kubectl get crd -o yaml` prints them: they know every version that objects are stored in.
    #[arg(long, value_name = "FILE")]
    stored: Option<PathBuf>,
    #[command(flatten)]
    stack: StackArgs,
    /// Output format.
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "text")]
    format: Format,
    /// Also write all changes into this file, in the format of its ending, as `kfc diff` does.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    #[command(flatten)]
    sides: SidesArgs,
}

pub(super) fn run(args: &UpgradeArgs) -> u8 {
    let sources = Arc::new(Sources::default());
    upgrade(args, &sources).unwrap_or_else(|errors| {
        output::report_run(&errors, &sources, "the comparison");
        of_errors(&errors, TROUBLE)
    })
}

impl UpgradeArgs {
    /// The arguments of the stack at a release.
    fn at(&self, release: &str) -> StackArgs {
        StackArgs { release: Some(release.to_owned()), ..self.stack.clone() }
    }

    /// What applies the new release: to the same target, with the same flags.
    fn apply_step(&self, name: &str, sources: &Arc<Sources>) -> Result<ApplyStep> {
        let target = Target::of(name);
        let (flags, note) = match target {
            Target::Root(_) => (Vec::new(), None),
            _ if is_bundle_file(Path::new(name)) => (Vec::new(), None),
            Target::Stack(_) | Target::Profile(_) => {
                let stack = self.at(&self.to);
                let loader = Loader::here(here::reads(), sources);
                let resolved = resolve_with(loader, &target, &stack, sources)?;
                let named = resolved.stack.release.as_ref();
                let needs_no_release = self.to == OWN_BASES && named.is_none();
                let stack = if needs_no_release { StackArgs { release: None, ..stack } } else { stack };
                (stack.words(|setting| resolved.shown_setting(setting)), named.map(|_| self.next_release()))
            }
        };
        let words = ["kfc", "apply", name].into_iter().chain(flags.iter().map(String::as_str));
        let command = words.map(shell_word).collect::<Vec<String>>().join(" ");
        Ok(ApplyStep { command, note })
    }

    /// What has to be changed in a stack that names the old release.
    fn next_release(&self) -> String {
        let change = match self.to.as_str() {
            OWN_BASES => "remove `release` from kfc.yaml".to_owned(),
            release => format!("set `release: {release}` in kfc.yaml"),
        };
        format!("then {change}, or the next apply goes back")
    }
}

/// Whether a word names a release rather than a side.
fn is_release(word: &str, args: &UpgradeArgs, sources: &Arc<Sources>) -> Result<bool> {
    if word == OWN_BASES || Path::new(word).join(FETCHED).is_file() {
        return Ok(true);
    }
    let folders: Vec<_> = args.stack.catalogue.iter().map(|folder| here::place(folder)).collect();
    let loader = Loader::here(here::reads(), sources);
    Ok(Catalogue::load(&loader, &folders)?.releases.contains_key(word))
}

fn upgrade(args: &UpgradeArgs, sources: &Arc<Sources>) -> Result<u8> {
    let target = single(&args.target, &args.stack.environments, sources)?;
    let schema = Schema::builtin();
    let restrictor = args.sides.restrictor();
    let (old_stack, old_side) = match &args.from {
        None => (args.stack.clone(), target.clone()),
        Some(from) if is_release(from, args, sources)? => (args.at(from), target.clone()),
        Some(side) => (args.stack.clone(), side.clone()),
    };
    let new_stack = args.at(&args.to);
    // Selectors of an older bundle are what an upgrade is about.
    #[cfg(feature = "cluster")]
    let cluster = ClusterSide { immutable: Immutable::Recreated, ..args.sides.cluster_side()? };
    #[cfg(not(feature = "cluster"))]
    let cluster = args.sides.cluster_side()?;
    let reader = |stack| Reader {
        stack,
        restrictor,
        functions: args.sides.functions(),
        goldens: &args.sides.goldens,
        schema: &schema,
        sources,
        copies: RevisionCopies::default(),
        cluster: cluster.clone(),
    };
    let (old_reader, new_reader) = (reader(&old_stack), reader(&new_stack));
    let (before, after) =
        rayon::join(|| old_reader.read(&old_side, &target), || new_reader.read(&target, &old_side));
    let Sides { before, after, refused } = both(before?, after?, (&old_side, &target), &new_reader)?;
    if !refused.is_empty() {
        return Err(refused);
    }
    let label = args.from.as_deref().or(args.stack.release.as_deref());
    let before = Input { label: labelled(&target, label), ..before };
    let after = Input { label: labelled(&target, Some(&args.to)), ..after };
    let report = kfc_diff::compare(&before, &after, &schema);
    let stored = args.stored.as_deref().map(|path| live_definitions(path, &schema, sources)).transpose()?;
    let upgrade = Upgrade::new(&before, &after, &report, &stored.unwrap_or_default());
    if let Some(file) = &args.report {
        write_to(file, &report, Some((&before, &after)))?;
    }
    let apply = args.apply_step(&target, sources)?;
    let printed = output::print(&match args.format {
        Format::Text => document(upgrade.text(TextForm::Plain, &apply)),
        Format::Markdown => document(upgrade.text(TextForm::Markdown, &apply)),
        Format::Json => {
            let json = serde_json::to_value(&upgrade).map_err(|error| {
                Diagnostic::error(Code::Report, format!("cannot write the report as JSON: {error}"))
            })?;
            pretty(&described("Upgrade", json))
        }
    });
    Ok(match (printed, upgrade.is_plain()) {
        (DONE, true) => DONE,
        (DONE, false) => MORE_TO_DO,
        (CLOSED, _) => CLOSED,
        _ => TROUBLE,
    })
}

fn labelled(target: &str, release: Option<&str>) -> String {
    release.map_or_else(|| target.to_owned(), |release| format!("{target}, {release}"))
}

/// The objects of a file with CRDs of a cluster.
fn live_definitions(path: &Path, schema: &Schema, sources: &Sources) -> Result<Vec<Object>> {
    let resources = resources_of_file(path, schema, sources)?;
    Ok(resources.iter().map(|resource| (**resource).clone()).collect())
}
