//! The commands, and how the arguments of the process choose one.

use super::args::GlobalArgs;
use super::defaults::DefaultValues;
use super::exit::{DONE, FAILED, USAGE};
use super::kustomize::flags::as_kustomize_parses;
use super::line::{KUSTOMIZE, colour_of_help, in_order, messages, with_global_flags};
use super::screen::{self, MessageFormat, Screen};
#[cfg(feature = "cluster")]
use super::{apply, apply_args, delete, history, inventory, rollback, status};
use super::{
    argocd, build, catalog, completion, detect, diff, eject, explain, golden, graph, here, init, kustomize,
    list, new, output, schema, secrets, trace, upgrade, validate, vendoring, version,
};
use clap::error::ErrorKind;
use clap::{Args, Command, CommandFactory as _, FromArgMatches, Parser, Subcommand};
use kfc_diagnostics::{Code, Diagnostic, Sources};
use std::ffi::OsString;
use std::path::Path;
use std::time::Instant;

/// One compiler for every machine-learning platform on Kubernetes.
#[derive(Debug, Parser)]
#[command(name = "kfc", version, propagate_version = false, max_term_width = 100)]
struct Kfc {
    #[command(subcommand)]
    command: KfcCommand,
}

#[allow(clippy::large_enum_variant, reason = "there is one value in a run")]
#[derive(Debug, Subcommand)]
enum KfcCommand {
    /// Apply a profile, a stack or any resources to a cluster, wave by wave, and wait until they are ready.
    #[cfg(feature = "cluster")]
    Apply(apply_args::ApplyArgs),
    /// Commands that Argo CD calls when kfc is its config-management plug-in.
    Argocd {
        #[command(subcommand)]
        command: argocd::ArgocdCommand,
    },
    /// Print the bundle of a profile, a stack, or a kustomization root.
    Build(build::KfcBuildArgs),
    /// List the releases of upstream's manifests that components can be built from, or fetch one.
    Catalog {
        #[command(subcommand)]
        command: catalog::CatalogCommand,
    },
    /// Print a script by which a shell completes command lines: `source <(kfc completion bash)`.
    Completion(completion::CompletionArgs),
    /// Show what changes between two bundles, profiles, stacks, roots, revisions, or a cluster. Exits with 0 when they are
    /// the same, 1 when they differ, 2 when they could not be compared.
    Diff(diff::DiffArgs),
    /// Delete what was applied to a cluster, the last wave first.
    #[cfg(feature = "cluster")]
    Delete(delete::DeleteArgs),
    /// Detect the profile of a cluster, live or from saved answers, with the evidence.
    Detect(detect::DetectArgs),
    /// Copy a component of the built-in catalogue into your own, to change it there.
    Eject(eject::EjectArgs),
    /// Compare the golden bundles with what is built now, or update them.
    Golden {
        #[command(subcommand)]
        command: golden::GoldenCommand,
    },
    /// Show where the value of every field comes from, what changed nothing, or what a code such as `KFC0402` means.
    Explain(explain::ExplainArgs),
    /// Render the graph of the selected components, with the reason for each.
    Graph(graph::GraphArgs),
    /// List the revisions of an inventory: when and from what it was applied, and what that changed.
    #[cfg(feature = "cluster")]
    History(history::HistoryArgs),
    /// Write a new stack: kfc.yaml, an overlay, snippets for CI and Argo CD.
    Init(init::InitArgs),
    /// List the inventories of a cluster, show their objects, or move these to another inventory.
    #[cfg(feature = "cluster")]
    Inventory {
        #[command(subcommand)]
        command: inventory::InventoryCommand,
    },
    /// List components, platforms, overlays, parameters, facts, Secrets, codes of errors, or the environments and clusters of a stack.
    List(list::ListArgs),
    /// Write a component, an overlay or a platform to start from, in a catalogue of your own.
    New {
        #[command(subcommand)]
        command: new::NewCommand,
    },
    /// Save what an apply would do; `kfc apply FILE` then does exactly that, or refuses.
    #[cfg(feature = "cluster")]
    Plan(apply::PlanArgs),
    /// Apply the bundle of an earlier revision of an inventory again, and prune what it did not contain.
    #[cfg(feature = "cluster")]
    Rollback(rollback::RollbackArgs),
    /// Print the JSON Schema of a kind of kfc.
    Schema(schema::SchemaArgs),
    /// Make the values of Secrets, or change them.
    Secrets {
        #[command(subcommand)]
        command: secrets::SecretsCommand,
    },
    /// Show whether everything that was applied is ready, component by component. Exits with 0 when it is, 1 when it is not.
    #[cfg(feature = "cluster")]
    Status(status::StatusArgs),
    /// Show what an upgrade to another release asks of you: data first, then the steps in their order. Exits with 0 when an apply
    /// does everything, 1 when there is more to do, 2 when the releases could not be compared.
    Upgrade(upgrade::UpgradeArgs),
    /// Validate resources against the Kubernetes schemas, CRDs and one another.
    Validate(validate::ValidateArgs),
    /// Vendor remote sources: fetch each once, pin it in kfc.lock, keep its tree in vendor/.
    Vendor(vendoring::VendorArgs),
    /// Print the version of kfc.
    Version(version::KfcVersionArgs),
    /// The command line of kustomize.
    Kustomize(KustomizeArgs),
}

/// The command line of the binary when its name is `kustomize`.
#[derive(Debug, Parser)]
#[command(
    name = "kustomize",
    about = "Builds kustomization roots as kustomize does",
    disable_version_flag = true
)]
struct Kustomize {
    #[command(flatten)]
    args: KustomizeArgs,
}

#[derive(Debug, Args)]
struct KustomizeArgs {
    /// Has no effect: errors of kfc have no stack traces.
    #[arg(long, global = true)]
    stack_trace: bool,
    #[command(subcommand)]
    command: KustomizeCommand,
}

#[allow(clippy::large_enum_variant, reason = "there is one value in a run")]
#[derive(Debug, Subcommand)]
enum KustomizeCommand {
    /// Build a kustomization root from a directory or URL.
    Build(build::KustomizeBuildArgs),
    /// Print, count and search the resources of directories.
    Cfg {
        #[command(subcommand)]
        command: kustomize::cfg::CfgCommand,
    },
    /// Print a script by which a shell completes command lines.
    Completion(completion::CompletionArgs),
    /// Write a kustomization file into this directory.
    #[command(visible_alias = "init")]
    Create(kustomize::create::CreateArgs),
    /// Change the kustomization file of this directory; comments and layout stay.
    Edit {
        #[command(subcommand)]
        command: kustomize::edit::EditCommand,
    },
    /// Run functions on the resources of directories.
    Fn {
        #[command(subcommand)]
        command: kustomize::functions::FunctionCommand,
    },
    /// Copy a root and everything that it refers to into a new directory, in which all of it is local.
    Localize(kustomize::localize::LocalizeArgs),
    /// Print the schemas of a cluster, or which schemas are built in.
    #[command(hide = true)]
    Openapi {
        #[command(subcommand)]
        command: kustomize::openapi::OpenapiCommand,
    },
    /// Print the version of kustomize that this build behaves as.
    Version(version::KustomizeVersionArgs),
    #[command(flatten)]
    Topic(kustomize::topics::Topic),
}

/// The command line of kustomize that the program has: its commands and flags.
#[must_use]
pub fn kustomize_command() -> Command {
    as_kustomize_parses(Kustomize::command())
}

/// The command line of the program: its commands and flags.
#[must_use]
pub fn kfc_command() -> Command {
    with_global_flags(Kfc::command()).mut_subcommand(KUSTOMIZE, as_kustomize_parses)
}

/// Runs the program: `arguments` as the process got them, the program's name first. Returns the exit status: 0 for a whole
/// result, 1 for a failure, 2 for a wrong command line, 130 for an interrupted run, and 141 when standard output was closed before
/// all was written. On the command line of kustomize, a wrong one is 1, as there.
#[must_use]
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    if arguments.first().is_some_and(|program| is_kustomize(Path::new(program))) {
        return match parse::<Kustomize>(kustomize_command(), &arguments) {
            Ok(kustomize) => run_kustomize(kustomize.args),
            Err(answer) => print_as_kustomize(&answer),
        };
    }
    let start = Instant::now();
    let is_kustomize = arguments.get(1).is_some_and(|command| command == KUSTOMIZE);
    let mut command = kfc_command();
    if !is_kustomize {
        let sources = Sources::default();
        let variable = |name: &str| here::variable(name).map(|value| value.to_string_lossy().into_owned());
        match DefaultValues::find(&here::current_directory(), &variable, &sources) {
            Ok(defaults) => command = defaults.apply(command),
            Err(errors) => {
                output::report_run(&errors, &sources, "the command");
                return USAGE;
            }
        }
    }
    let arguments = in_order(arguments, &command);
    let parsed = parse_kfc(command.color(colour_of_help(&arguments)), &arguments);
    match parsed {
        Ok((kfc, _)) if is_kustomize => run_kfc(kfc.command),
        Ok((kfc, screen)) => {
            screen::set(screen);
            let status = run_kfc(kfc.command);
            if screen.timings {
                output::title(&trace::timings(start));
            }
            output::print_log();
            status
        }
        Err(answer) if is_kustomize => print_as_kustomize(&answer),
        Err(answer) => {
            screen::set(Screen { messages: messages(&arguments), ..Screen::default() });
            let status = print(&answer);
            output::print_log();
            status
        }
    }
}

/// The command, and what the flags that every command has say of the screen.
fn parse_kfc(mut command: Command, arguments: &[OsString]) -> Result<(Kfc, Screen), clap::Error> {
    let mut matches = command.try_get_matches_from_mut(arguments)?;
    let mut deepest = &matches;
    while let Some((_, below)) = deepest.subcommand() {
        deepest = below;
    }
    let is_kustomize = matches.subcommand_name() == Some(KUSTOMIZE);
    let global = if is_kustomize { GlobalArgs::default() } else { GlobalArgs::from_arg_matches(deepest)? };
    let kfc = Kfc::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut command))?;
    Ok((kfc, global.screen()))
}

fn parse<T: FromArgMatches>(mut command: Command, arguments: &[OsString]) -> Result<T, clap::Error> {
    let mut matches = command.try_get_matches_from_mut(arguments)?;
    T::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut command))
}

fn run_kfc(command: KfcCommand) -> u8 {
    match command {
        #[cfg(feature = "cluster")]
        KfcCommand::Apply(args) => apply::run(&args.settled()),
        KfcCommand::Argocd { command } => argocd::run(&command),
        KfcCommand::Build(args) => build::run_kfc(&args),
        KfcCommand::Catalog { command } => catalog::run(&command),
        KfcCommand::Completion(args) => completion::run(&args, kfc_command()),
        KfcCommand::Diff(args) => diff::run(&args),
        #[cfg(feature = "cluster")]
        KfcCommand::Delete(args) => delete::run(&args),
        KfcCommand::Detect(args) => detect::run(&args),
        KfcCommand::Eject(args) => eject::run(&args),
        KfcCommand::Golden { command } => golden::run(&command),
        KfcCommand::Explain(args) => explain::run(&args),
        KfcCommand::Graph(args) => graph::run(&args),
        #[cfg(feature = "cluster")]
        KfcCommand::History(args) => history::run(&args),
        KfcCommand::Init(args) => init::run(&args),
        #[cfg(feature = "cluster")]
        KfcCommand::Inventory { command } => inventory::run(&command),
        KfcCommand::List(args) => list::run(&args),
        KfcCommand::New { command } => new::run(&command),
        #[cfg(feature = "cluster")]
        KfcCommand::Plan(args) => apply::plan(&args.settled()),
        #[cfg(feature = "cluster")]
        KfcCommand::Rollback(args) => rollback::run(&args),
        KfcCommand::Schema(args) => schema::run(&args),
        KfcCommand::Secrets { command } => secrets::run(&command),
        #[cfg(feature = "cluster")]
        KfcCommand::Status(args) => status::run(&args),
        KfcCommand::Upgrade(args) => upgrade::run(&args),
        KfcCommand::Validate(args) => validate::run(&args),
        KfcCommand::Vendor(args) => vendoring::run(&args),
        KfcCommand::Version(args) => version::run_kfc(&args),
        KfcCommand::Kustomize(args) => run_kustomize(args),
    }
}

/// Whether a program of this name is to behave as kustomize: `kustomize`, or one of several versions that Argo CD can use,
/// `kustomize-v5.8.1`.
fn is_kustomize(program: &Path) -> bool {
    let name = program.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    name.strip_prefix("kustomize").is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '_', '.']))
}

fn run_kustomize(args: KustomizeArgs) -> u8 {
    if args.stack_trace {
        output::note("note: `--stack-trace` has no effect: errors of kfc name their places instead");
    }
    match args.command {
        KustomizeCommand::Build(args) => build::run_kustomize(&args),
        KustomizeCommand::Cfg { command } => kustomize::cfg::run(&command),
        KustomizeCommand::Completion(args) => completion::run(&args, kustomize_command()),
        KustomizeCommand::Create(args) => kustomize::create::run(&args),
        KustomizeCommand::Edit { command } => kustomize::edit::run(&command),
        KustomizeCommand::Fn { command } => kustomize::functions::run(&command),
        KustomizeCommand::Localize(args) => kustomize::localize::run(&args),
        KustomizeCommand::Openapi { command } => kustomize::openapi::run(&command),
        KustomizeCommand::Topic(topic) => kustomize::topics::run(topic),
        KustomizeCommand::Version(args) => version::run_kustomize(&args),
    }
}

/// What is wrong with the command line, for programs.
fn wrong_line(answer: &clap::Error) -> Diagnostic {
    let text = answer.render().to_string();
    let mut parts = text.trim().split("\n\n");
    let message = parts.next().unwrap_or_default();
    let message = message.strip_prefix("error: ").unwrap_or(message).replace("\n ", "");
    parts.fold(Diagnostic::error(Code::Usage, message), |error, part| {
        match part.trim().strip_prefix("tip: ") {
            Some(tip) => error.help(tip),
            None => error,
        }
    })
}

/// Prints the text of clap: help on standard output, errors on standard error.
fn print(answer: &clap::Error) -> u8 {
    if !answer.use_stderr() {
        // There is nowhere to report a closed terminal.
        drop(answer.print());
        return DONE;
    }
    if screen::screen().messages == MessageFormat::Text {
        drop(answer.print());
    } else {
        output::report(&wrong_line(answer).into(), &Sources::default());
    }
    USAGE
}

/// As kustomize answers: a group of commands alone is a question for its help, and a wrong command line is a failure.
fn print_as_kustomize(answer: &clap::Error) -> u8 {
    match answer.kind() {
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => output::print(&answer.render().to_string()),
        _ if print(answer) == DONE => DONE,
        _ => FAILED,
    }
}
