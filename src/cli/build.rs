//! `kfc build` and `kustomize build`.

use super::across::{OfTarget, report_once};
use super::args::{FunctionArgs, RemoteArgs, RestrictorFlag, StackArgs};
use super::build_targets::{Place, Planned, plan};
use super::bundle_format::{BundleFormat, encode_bundle};
use super::detect::{ClusterSource, detected_stack};
use super::diff_report::write_to;
use super::exit::{DONE, FAILED, of_errors};
use super::folder::{self, Names};
use super::here;
use super::members::members;
use super::output;
use super::plan_graph::{graph_of, names_of};
use super::side::{ClusterSide, Reader, RevisionCopies, Side};
use super::sides::{Sides, both};
use super::substitute::SubstituteArgs;
use super::targets::{Resolved, Target, resolve_stack, resolve_target};
use super::trace::step;
use super::validation::validated;
use super::waves::{self, WaveArgs};
use clap::{Args, ValueEnum};
use kfc_catalogue::argocd::{self, Annotations};
use kfc_catalogue::assemble;
use kfc_catalogue::catalogue::StackChoice;
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Result, Sources};
use kfc_diff::Input;
use kfc_kube::wave::{self, Wave};
use kfc_kustomize::engine::{self, Bundle, Options, Reorder};
use kfc_kustomize::resource::objects;
use kfc_source::Loader;
use rayon::prelude::*;
use std::path::{Path, PathBuf};
use std::sync::Arc;

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ReorderFlag {
    /// Sort by kind, namespace and name.
    Legacy,
    /// Keep the order in which resources are listed.
    None,
}

/// Flags of both command lines.
#[derive(Debug, Args)]
struct CommonArgs {
    /// Write to this file; or to this directory (also a path that ends with `/`), one file for each resource. `{root}` in it is
    /// the name of the target, for `kfc build` of several; `{environment}` and `{cluster}` are those of its stack.
    #[arg(short, long, value_name = "FILE|DIR")]
    output: Option<PathBuf>,
    /// Whether files outside the root may be read.
    #[arg(long, value_enum, default_value = "LoadRestrictionsRootOnly", ignore_case = true)]
    load_restrictor: RestrictorFlag,
    /// Order of the output; `sortOptions` in the kustomization take precedence.
    #[arg(long, value_enum)]
    reorder: Option<ReorderFlag>,
    /// Allow charts to be rendered by the helm program.
    #[arg(long)]
    enable_helm: bool,
    /// The helm program.
    #[arg(long, default_value = "helm", value_name = "PROGRAM")]
    helm_command: String,
    /// API versions that charts get.
    #[arg(long, value_name = "VERSION")]
    helm_api_versions: Vec<String>,
    /// Kubernetes version that charts get.
    #[arg(long, value_name = "VERSION", default_value = "", hide_default_value = true)]
    helm_kube_version: String,
    /// Have helm print debug output.
    #[arg(long)]
    helm_debug: bool,
    /// Label every resource with `app.kubernetes.io/managed-by`.
    #[arg(long)]
    enable_managedby_label: bool,
    /// Where remote sources come from.
    #[command(flatten)]
    remote: RemoteArgs,
    #[command(flatten)]
    functions: FunctionArgs,
}

#[derive(Debug, Args)]
pub(super) struct KfcBuildArgs {
    /// A profile (`gke+gpu`), a `kfc.yaml` or its directory, or a directory or URL of a kustomization root; several of them, or
    /// patterns (`overlays/*`), with `--output 'DIR/{root}.yaml'`.
    #[arg(default_value = ".", value_name = "TARGET")]
    targets: Vec<String>,
    #[command(flatten)]
    stack: StackArgs,
    /// Detect the profile of the kubeconfig's cluster and build it instead of a target.
    #[arg(long, conflicts_with = "targets")]
    detect: bool,
    /// As `--detect`, from saved answers: see `kfc detect --help`.
    #[arg(long, value_name = "FILE|DIR", conflicts_with = "targets")]
    detect_from: Vec<PathBuf>,
    /// Annotate for Argo CD: `waves`, `hooks` (Jobs), `options` (server-side apply, what is never pruned, …); all of them
    /// when none is named. See deploy/argocd/README.md.
    #[arg(long, value_name = "WHAT,…", num_args = 0..=1, require_equals = true, default_missing_value = "all")]
    argocd: Option<String>,
    /// Annotate every resource with the wave that Argo CD is to apply it in: `--argocd=waves`.
    #[arg(long)]
    sync_waves: bool,
    #[command(flatten)]
    substitute: SubstituteArgs,
    #[command(flatten)]
    waves: WaveArgs,
    /// Validate the bundle before it is written, as `kfc validate` does; errors stop the build.
    #[arg(long)]
    validate: bool,
    #[command(flatten)]
    common: CommonArgs,
    /// Output format.
    #[arg(long, value_enum, default_value = "yaml")]
    format: BundleFormat,
    /// Write a report of what changes into this file, in the format of its ending (.md, .html, .json, .txt, .sarif, .xml).
    #[arg(long, value_name = "FILE", requires = "against")]
    report: Option<PathBuf>,
    /// The old side of the report: a bundle's file, a profile, a stack, a root, `REVISION:PATH`, `golden` or `cluster`.
    #[arg(long, value_name = "SIDE", requires = "report")]
    against: Option<String>,
    #[cfg(feature = "cluster")]
    #[command(flatten)]
    cluster: super::args::ClusterArgs,
    /// Number of threads; one for each core when not given. The result is the same with any number.
    #[arg(short, long, value_name = "N")]
    jobs: Option<usize>,
}

#[derive(Debug, Args)]
pub(super) struct KustomizeBuildArgs {
    /// Directory or URL of the kustomization root.
    #[arg(default_value = ".", value_name = "TARGET")]
    target: String,
    #[command(flatten)]
    common: CommonArgs,
}

pub(super) fn run_kfc(args: &KfcBuildArgs) -> u8 {
    let sources = Arc::new(Sources::default());
    let planned = threads(args.jobs)
        .and_then(|()| args.check_detected())
        .and_then(|()| {
            let output = args.common.output.as_deref();
            plan((&args.targets, &args.stack.environments), output, &sources)
        })
        .and_then(|planned| match planned.len() {
            1 => Ok(planned),
            _ => args.check_several().map(|()| planned),
        });
    match planned {
        Ok(planned) if planned.len() > 1 => run_several(&planned, args),
        Ok(planned) => planned.first().map_or(FAILED, |planned| run_one(planned, args)),
        Err(errors) => finish(Err(errors), &sources),
    }
}

impl KfcBuildArgs {
    /// Checks that no environment is named of what is detected.
    fn check_detected(&self) -> Result<()> {
        if self.stack.environments.is_empty() || !self.detect && self.detect_from.is_empty() {
            return Ok(());
        }
        let message = "a detected profile has no environments";
        Err(Diagnostic::error(Code::Usage, message).help("leave out `--environment` and `--targets`").into())
    }

    /// Checks that no flag is given that is about one bundle.
    fn check_several(&self) -> Result<()> {
        let flag = match () {
            () if self.report.is_some() => "--report",
            () if self.waves.any() => "--wave`, `--waves` or `--wait-for",
            () => return Ok(()),
        };
        let message = format!("`{flag}` is about one bundle, and there are several targets");
        Err(Diagnostic::error(Code::Usage, message).into())
    }
}

fn run_one(planned: &Planned, args: &KfcBuildArgs) -> u8 {
    let sources = Arc::new(Sources::default());
    let target = &planned.chosen.target;
    let built = kfc_bundle(target, args, &sources).and_then(|built| {
        step(|| "write the report".to_owned(), || write_report(target, args, &built, &sources))?;
        Ok((args.waves.text(&built.planned)?, built))
    });
    match built {
        Ok((Some(text), built)) => {
            output::report(&built.bundle.warnings, &sources);
            waves::print(&text)
        }
        Ok((None, built)) => finish(write_kfc(built, &planned.place, args), &sources),
        Err(errors) => finish(Err(errors), &sources),
    }
}

/// Builds all targets, as many at a time as there are threads. One that fails stops none of the others.
fn run_several(planned: &[Planned], args: &KfcBuildArgs) -> u8 {
    let run = |planned: &Planned| {
        let sources = Arc::new(Sources::default());
        let written = kfc_bundle(&planned.chosen.target, args, &sources)
            .and_then(|built| write_kfc(built, &planned.place, args));
        (written, sources)
    };
    let written: Vec<_> = planned.par_iter().map(run).collect();
    let failed = written.iter().filter(|(written, _)| written.is_err()).count();
    let found = |written: &Result<Written>| match written {
        Ok(written) => written.warnings.clone(),
        Err(errors) => errors.clone(),
    };
    let mut reports = Vec::new();
    for (planned, (written, sources)) in planned.iter().zip(&written) {
        reports.push(OfTarget { name: planned.chosen.name(), found: found(written), sources });
    }
    if planned.iter().any(|planned| planned.chosen.choice != StackChoice::default()) {
        report_once(&mut reports);
    }
    let mut status = DONE;
    for ((planned, (written, _)), OfTarget { found, sources, .. }) in
        planned.iter().zip(&written).zip(&reports)
    {
        if !found.is_empty() {
            output::note(&format!("{}:", planned.chosen.target));
        }
        status = status.max(match written {
            Ok(written) => {
                output::report(found, sources);
                written.code()
            }
            Err(errors) => {
                output::report(found, sources);
                of_errors(errors, FAILED)
            }
        });
    }
    if failed > 0 {
        output::note(&format!("{failed} of {} targets could not be built", planned.len()));
    }
    status
}

fn write_kfc(mut built: Built, place: &Place, args: &KfcBuildArgs) -> Result<Written> {
    args.waves.narrow(&mut built.bundle, &mut built.waves, &built.planned)?;
    let names = Names::Ordered { waves: &built.waves };
    step(|| "write".to_owned(), || write(built.bundle, names, place, args.format))
}

/// A bundle with what a report needs.
struct Built {
    bundle: Bundle,
    /// The wave of each resource; empty for a root, which has none.
    waves: Vec<usize>,
    /// The waves themselves, when a flag needs them.
    planned: Vec<Wave>,
    components: Vec<String>,
    graph: Option<kfc_diff::model::Graph>,
    /// The name of the stack or profile.
    stack: Option<String>,
}

/// Writes what changes from the side that `--against` names.
fn write_report(target: &str, args: &KfcBuildArgs, built: &Built, sources: &Arc<Sources>) -> Result<()> {
    let (Some(file), Some(against)) = (&args.report, &args.against) else { return Ok(()) };
    let schema = kfc_kube::schema::Schema::builtin();
    let Options { restrictor, functions, .. } = options(&args.common);
    let reader = Reader {
        stack: &args.stack,
        restrictor,
        functions,
        goldens: Path::new("golden"),
        schema: &schema,
        sources,
        copies: RevisionCopies::default(),
        #[cfg(feature = "cluster")]
        cluster: ClusterSide { args: args.cluster.clone(), ..ClusterSide::default() },
        #[cfg(not(feature = "cluster"))]
        cluster: ClusterSide::default(),
    };
    let after = Input {
        label: target.to_owned(),
        resources: members(built.bundle.resources.list.clone(), &built.components),
        sources: Arc::clone(sources),
        graph: built.graph.clone(),
        stack: built.stack.clone(),
        ..Input::default()
    };
    let before = reader.read(against, target)?;
    let ours = Side::Here(Box::new(after));
    let Sides { before, after, refused } = both(before, ours, (against, target), &reader)?;
    write_to(file, &kfc_diff::compare(&before, &after, &schema), Some((&before, &after)))?;
    // The bundle is whole, the report is not.
    output::report_run(&refused, sources, "the report");
    Ok(())
}

pub(super) fn run_kustomize(args: &KustomizeBuildArgs) -> u8 {
    let sources = Arc::new(Sources::default());
    let mut options = options(&args.common);
    options.extensions = false;
    let bundle = engine::build(&args.target, &options, &sources);
    finish(
        bundle.and_then(|bundle| {
            write(bundle, Names::Kustomize, &Place::of(args.common.output.as_deref()), BundleFormat::Yaml)
        }),
        &sources,
    )
}

fn finish(written: Result<Written>, sources: &Sources) -> u8 {
    match written {
        Ok(written) => {
            output::report(&written.warnings, sources);
            written.code()
        }
        Err(errors) => output::fail(&errors, sources, "the build"),
    }
}

fn kfc_bundle(target: &str, args: &KfcBuildArgs, sources: &Arc<Sources>) -> Result<Built> {
    let mut options = options(&args.common);
    options.remote.warn_unpinned = true;
    // The report names the line that made each change.
    options.keep_origins = args.report.is_some();
    if args.detect || !args.detect_from.is_empty() {
        #[cfg(feature = "cluster")]
        let source = ClusterSource { from: args.detect_from.clone(), cluster: args.cluster.clone() };
        #[cfg(not(feature = "cluster"))]
        let source = ClusterSource::saved(args.detect_from.clone());
        let stack = detected_stack(&source, &args.stack.catalogue, sources)?;
        let loader = Loader::here(options.reads(), sources);
        return assembled(&resolve_stack(loader, stack, None, &args.stack, sources)?, args, sources);
    }
    let target = Target::of(target);
    if let Target::Root(root) = &target {
        let which = annotations(args)?;
        if !args.stack.is_empty() || which.waves && args.argocd.as_deref() != Some("all") {
            let message =
                format!("`{root}` is a kustomization root: it has no components, parameters or waves");
            return Err(Diagnostic::error(Code::Usage, message).help("name a profile or a stack").into());
        }
        let mut bundle = step(|| format!("build {root}"), || engine::build(root, &options, sources))?;
        bundle.warnings.extend(args.substitute.apply(&mut bundle.resources, sources)?);
        argocd::annotate(&mut bundle.resources.list, None, which);
        let bundle = validated(bundle, args.validate, None, sources)?;
        let list = &bundle.resources.list;
        let (waves, planned) = if args.waves.any() {
            (wave::numbers_of(&objects(list)), wave::of_bundle(&objects(list), "")?)
        } else {
            (Vec::new(), Vec::new())
        };
        return Ok(Built { bundle, waves, planned, components: Vec::new(), graph: None, stack: None });
    }
    let resolved = step(
        || format!("resolve {target}"),
        || resolve_target(&target, &args.stack, options.reads(), sources),
    )?;
    assembled(&resolved, args, sources)
}

/// The bundle of a resolved stack, changed as the arguments say.
fn assembled(resolved: &Resolved, args: &KfcBuildArgs, sources: &Sources) -> Result<Built> {
    let name = || format!("assemble {}", resolved.plan.name);
    let mut assembled = step(name, || resolved.assemble(args.report.is_some()))?;
    assembled.bundle.warnings.extend(args.substitute.apply(&mut assembled.bundle.resources, sources)?);
    argocd::annotate(&mut assembled.bundle.resources.list, Some(&assembled.waves), annotations(args)?);
    assembled.bundle.warnings.extend(resolved.loader.remotes().warnings());
    let plan = &resolved.plan;
    let planned =
        if args.waves.any() { kfc_catalogue::assemble::schedule(plan, &assembled, "")? } else { Vec::new() };
    let known = assemble::known_credentials(plan, &assembled.bundle.resources.list)?;
    assembled.bundle.warnings.extend(known);
    Ok(Built {
        bundle: validated(assembled.bundle, args.validate, plan.profile.kubernetes(), sources)?,
        waves: assembled.waves,
        planned,
        components: names_of(plan),
        graph: Some(graph_of(plan)),
        stack: Some(plan.name.clone()),
    })
}

/// Which of Argo CD's annotations the arguments ask for.
fn annotations(args: &KfcBuildArgs) -> Result<Annotations> {
    let names: Vec<&str> = args.argocd.iter().flat_map(|names| names.split(',')).collect();
    let mut which = Annotations::named(&names, None)?;
    which.waves |= args.sync_waves;
    Ok(which)
}

/// The finished output with the warnings of its build.
struct Written {
    chunks: Vec<Vec<u8>>,
    warnings: Diagnostics,
}

impl Written {
    fn code(&self) -> u8 {
        if self.chunks.is_empty() { DONE } else { output::print_chunks(&self.chunks) }
    }
}

fn write(mut bundle: Bundle, names: Names<'_>, place: &Place, format: BundleFormat) -> Result<Written> {
    let mut warnings = std::mem::take(&mut bundle.warnings);
    let encoded = || encode_bundle(&bundle, format);
    let chunks = match place {
        Place::Standard => encoded()?,
        Place::Directory(directory) => {
            warnings.extend(folder::write(directory, &bundle.resources.list, names, format)?);
            Vec::new()
        }
        Place::File(file) => {
            output::write_file(file, &encoded()?.concat())?;
            Vec::new()
        }
        Place::Below(directory, name) => {
            output::write_below(directory, name, &encoded()?.concat())?;
            Vec::new()
        }
    };
    // The process ends soon: handing millions of nodes back to the allocator one by one would only cost time.
    std::mem::forget(bundle);
    Ok(Written { chunks, warnings })
}

fn options(args: &CommonArgs) -> Options {
    let mut options = here::builds().restricted(args.load_restrictor.into());
    // As in kustomize, where charts are plug-ins too.
    options.helm.enabled = args.enable_helm || args.functions.enable_alpha_plugins;
    options.functions = args.functions.options();
    options.helm.command.clone_from(&args.helm_command);
    options.helm.api_versions.clone_from(&args.helm_api_versions);
    options.helm.kube_version.clone_from(&args.helm_kube_version);
    options.helm.debug = args.helm_debug;
    options.reorder = match args.reorder {
        None => Reorder::Unspecified,
        Some(ReorderFlag::Legacy) => Reorder::Legacy,
        Some(ReorderFlag::None) => Reorder::None,
    };
    options.managed_by_label = args.enable_managedby_label;
    options.remote = args.remote.options();
    options
}

/// Sets the number of threads, once in a process.
fn threads(jobs: Option<usize>) -> Result<()> {
    let Some(jobs) = jobs else { return Ok(()) };
    if jobs == 0 {
        return Err(Diagnostic::error(Code::Usage, "`--jobs` must be at least 1").into());
    }
    rayon::ThreadPoolBuilder::new().num_threads(jobs).build_global().map_err(|error| {
        Diagnostic::error(Code::Usage, format!("cannot start {jobs} threads: {error}")).into()
    })
}
