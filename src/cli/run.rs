//! The commands, and how the arguments of the process choose one.

use super::exit::{DONE, USAGE};
#[cfg(feature = "cluster")]
use super::{apply, delete, inventory};
use super::{
    argocd, build, detect, diff, explain, golden, graph, init, kustomize, list, schema, validate, vendoring,
    version,
};
use clap::{Parser, Subcommand};
use std::ffi::OsString;
use std::path::Path;

/// One compiler for every machine-learning platform on Kubernetes.
#[derive(Debug, Parser)]
#[command(name = "kfc", disable_version_flag = true, propagate_version = false, max_term_width = 100)]
struct Kfc {
    #[command(subcommand)]
    command: KfcCommand,
}

// One value a run: its size does not matter.
#[allow(clippy::large_enum_variant)]
#[derive(Debug, Subcommand)]
enum KfcCommand {
    /// Bring a profile, a stack or any resources into a cluster, wave by wave, and wait until they are ready.
    #[cfg(feature = "cluster")]
    Apply(apply::ApplyArgs),
    /// What Argo CD calls when kfc is its config-management plug-in.
    Argocd {
        #[command(subcommand)]
        command: argocd::ArgocdCommand,
    },
    /// Print the bundle of a profile, a stack, or a kustomization root.
    Build(build::KfcBuildArgs),
    /// Show what changes between two bundles, profiles, stacks, roots, revisions, or a cluster. Exits with 0 when they are
    /// the same, 1 when they differ, 2 when they could not be compared.
    Diff(diff::DiffArgs),
    /// Delete from a cluster what was applied, the last wave first.
    #[cfg(feature = "cluster")]
    Delete(delete::DeleteArgs),
    /// Find out the profile of a cluster, live or from saved answers, with the evidence for it.
    Detect(detect::DetectArgs),
    /// Compare the golden bundles with what is built now, or write them anew.
    Golden {
        #[command(subcommand)]
        command: golden::GoldenCommand,
    },
    /// Tell where the value of every field comes from, or what changed nothing.
    Explain(explain::ExplainArgs),
    /// Draw which components take part, and why.
    Graph(graph::GraphArgs),
    /// Write a stack to start from: kfc.yaml, an overlay, snippets for CI and Argo CD.
    Init(init::InitArgs),
    /// What the cluster keeps of earlier applies, and the way from one inventory to another.
    #[cfg(feature = "cluster")]
    Inventory {
        #[command(subcommand)]
        command: inventory::InventoryCommand,
    },
    /// List components, platforms, overlays, parameters or facts.
    List(list::ListArgs),
    /// Print the JSON Schema of one of our own kinds.
    Schema(schema::SchemaArgs),
    /// Hold resources against the types of Kubernetes, their definitions, and each other.
    Validate(validate::ValidateArgs),
    /// Bring remote sources in: fetch each once, pin it in kfc.lock, keep its tree in vendor/.
    Vendor(vendoring::VendorArgs),
    /// Print the version of kfc.
    Version(version::KfcVersionArgs),
    /// kustomize's own command line.
    Kustomize {
        #[command(subcommand)]
        command: KustomizeCommand,
    },
}

/// What the binary understands when it is called under the name `kustomize`.
#[derive(Debug, Parser)]
#[command(
    name = "kustomize",
    about = "Builds kustomization roots as kustomize does",
    disable_version_flag = true
)]
struct Kustomize {
    #[command(subcommand)]
    command: KustomizeCommand,
}

// One value a run: its size does not matter.
#[allow(clippy::large_enum_variant)]
#[derive(Debug, Subcommand)]
enum KustomizeCommand {
    /// Build a kustomization root from a folder or URL.
    Build(build::KustomizeBuildArgs),
    /// Write a kustomization file into this folder.
    Create(kustomize::create::CreateArgs),
    /// Change the kustomization file of this folder; comments and layout stay.
    Edit {
        #[command(subcommand)]
        command: kustomize::edit::EditCommand,
    },
    /// Copy a root with all that it names into a new folder, in which everything is local.
    Localize(kustomize::localize::LocalizeArgs),
    /// Print the version of kustomize that this build behaves as.
    Version(version::KustomizeVersionArgs),
}

/// Runs the program: `arguments` as the process got them, the program's name first. Gives the exit code: 0 for a whole
/// result, 1 for a failure, 2 for a wrong command line.
#[must_use]
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    if arguments.first().is_some_and(|program| is_kustomize(Path::new(program))) {
        return parsed(Kustomize::try_parse_from(&arguments), |kustomize| run_kustomize(kustomize.command));
    }
    parsed(Kfc::try_parse_from(&arguments), |kfc| match kfc.command {
        #[cfg(feature = "cluster")]
        KfcCommand::Apply(args) => apply::run(&args),
        KfcCommand::Argocd { command } => argocd::run(&command),
        KfcCommand::Build(args) => build::run_kfc(&args),
        KfcCommand::Diff(args) => diff::run(&args),
        #[cfg(feature = "cluster")]
        KfcCommand::Delete(args) => delete::run(&args),
        KfcCommand::Detect(args) => detect::run(&args),
        KfcCommand::Golden { command } => golden::run(&command),
        KfcCommand::Explain(args) => explain::run(&args),
        KfcCommand::Graph(args) => graph::run(&args),
        KfcCommand::Init(args) => init::run(&args),
        #[cfg(feature = "cluster")]
        KfcCommand::Inventory { command } => inventory::run(&command),
        KfcCommand::List(args) => list::run(&args),
        KfcCommand::Schema(args) => schema::run(&args),
        KfcCommand::Validate(args) => validate::run(&args),
        KfcCommand::Vendor(args) => vendoring::run(&args),
        KfcCommand::Version(args) => version::run_kfc(&args),
        KfcCommand::Kustomize { command } => run_kustomize(command),
    })
}

/// Whether a program of this name is to behave as kustomize: `kustomize`, or one version of several, `kustomize-v5.5.0`, as
/// Argo CD lets one have them.
fn is_kustomize(program: &Path) -> bool {
    let name = program.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    name.strip_prefix("kustomize").is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '_', '.']))
}

fn run_kustomize(command: KustomizeCommand) -> u8 {
    match command {
        KustomizeCommand::Build(args) => build::run_kustomize(&args),
        KustomizeCommand::Create(args) => kustomize::create::run(&args),
        KustomizeCommand::Edit { command } => kustomize::edit::run(&command),
        KustomizeCommand::Localize(args) => kustomize::localize::run(&args),
        KustomizeCommand::Version(args) => version::run_kustomize(&args),
    }
}

/// Runs the command, or prints clap's answer: help on standard output, mistakes on standard error.
fn parsed<T>(result: Result<T, clap::Error>, command: impl FnOnce(T) -> u8) -> u8 {
    match result {
        Ok(arguments) => command(arguments),
        Err(answer) => {
            let code = if answer.use_stderr() { USAGE } else { DONE };
            // Nothing can be said when the terminal itself is gone.
            drop(answer.print());
            code
        }
    }
}
