//! `kfc argocd`: what Argo CD's config-management plug-in calls. Errors are printed in plain and short lines, as Argo CD
//! shows them on a page.

use super::args::{FunctionArgs, RemoteArgs, RestrictorFlag, StackArgs};
use super::exit::{DONE, FAILED};
use super::here;
use super::output;
use super::targets::{KUSTOMIZATION_FILES, Target, catalogue, resolve_target};
use super::validation::validated;
use clap::{Args, Subcommand};
use kfc_catalogue::argocd::{self, Annotations, Announcement, Chosen, Environment, FIELDS, Given};
use kfc_catalogue::assemble;
use kfc_catalogue::catalogue::{Catalogue, Stack, StackChoice, StackFile};
use kfc_catalogue::resolve::{Plan, resolve};
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Mark, Result, Severity, Sources};
use kfc_kustomize::engine::{self, Bundle, Options};
use kfc_source::is_entry;
use kfc_source::{Loader, lock};
use kfc_yaml::value::from_json;
use kfc_yaml::{Entry, Key, Map, Node, emit};
use std::path::{Path, PathBuf};
use std::sync::Arc;

#[derive(Debug, Subcommand)]
pub(super) enum ArgocdCommand {
    /// Print what kfc renders in a directory: its stack, or a kustomization root that has a kfc.lock; nothing when Argo CD
    /// renders it.
    Discover(PlaceArgs),
    /// Print the bundle of the application in a directory, with its parameters.
    Generate(GenerateArgs),
    /// Print the `ignoreDifferences` of an Application: the fields that a profile or stack leaves to others, and those that
    /// controllers own in everybody's objects.
    IgnoreDifferences(PlaceArgs),
    /// Print the parameters of the application in a directory, in the form of Argo CD.
    Parameters(PlaceArgs),
}

#[derive(Debug, Args)]
pub(super) struct PlaceArgs {
    /// The directory of the application.
    #[arg(default_value = ".")]
    folder: PathBuf,
}

// What an application must not decide itself: these flags are in the plug-in's configuration.
#[derive(Debug, Args)]
pub(super) struct GenerateArgs {
    #[command(flatten)]
    place: PlaceArgs,
    /// Whether files outside the root may be read.
    #[arg(long, value_enum, default_value = "LoadRestrictionsRootOnly", ignore_case = true)]
    load_restrictor: RestrictorFlag,
    /// Allow charts to be rendered by the helm program.
    #[arg(long)]
    enable_helm: bool,
    /// The helm program.
    #[arg(long, default_value = "helm", value_name = "PROGRAM")]
    helm_command: String,
    #[command(flatten)]
    functions: FunctionArgs,
    #[command(flatten)]
    remote: RemoteArgs,
}

pub(super) fn run(command: &ArgocdCommand) -> u8 {
    let sources = Arc::new(Sources::default());
    let variables = std::env::vars_os();
    let text = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
    let environment = Environment::read(variables.map(|(name, value)| (text(name), text(value))));
    let printed = match command {
        ArgocdCommand::Discover(args) => discover(&args.folder, environment),
        ArgocdCommand::Generate(args) => {
            environment.and_then(|environment| generate(args, &environment, &sources))
        }
        ArgocdCommand::IgnoreDifferences(args) => ignore_differences(&args.folder, &sources),
        ArgocdCommand::Parameters(args) => {
            environment.and_then(|environment| parameters(&args.folder, &environment, &sources))
        }
    };
    match printed {
        Ok((chunks, warnings)) => {
            output::report_plain(&warnings, &sources);
            if chunks.is_empty() { DONE } else { output::print_chunks(&chunks) }
        }
        Err(errors) => {
            output::report_plain(&errors, &sources);
            FAILED
        }
    }
}

/// What goes to standard output, and the warnings.
type Printed = (Vec<Vec<u8>>, Diagnostics);

fn line(text: &str) -> Printed {
    (vec![format!("{text}\n").into_bytes()], Diagnostics::default())
}

/// What an application's directory contains. A single word is a directory here, never a profile.
fn target(folder: &Path) -> Target {
    match Target::of(&folder.to_string_lossy()) {
        Target::Profile(name) => Target::Root(name),
        target => target,
    }
}

fn discover(folder: &Path, environment: Result<Environment>) -> Result<Printed> {
    if let Target::Stack(file) = target(folder) {
        return Ok(line(&file.name));
    }
    let Some(name) = KUSTOMIZATION_FILES.iter().find(|name| is_entry(&folder.join(name))) else {
        return Ok((Vec::new(), Diagnostics::default()));
    };
    if lock::find(folder, &here::working_directory()).is_some() || environment?.kustomize {
        Ok(line(name))
    } else {
        Ok((Vec::new(), Diagnostics::default()))
    }
}

fn generate(args: &GenerateArgs, environment: &Environment, sources: &Arc<Sources>) -> Result<Printed> {
    let options = options(args, environment);
    let (mut bundle, noticed) = match target(&args.place.folder) {
        Target::Stack(file) => stack_bundle(&file, environment, &options, sources)?,
        Target::Root(root) => (root_bundle(&root, environment, &options, sources)?, Diagnostics::default()),
        Target::Profile(_) => (Bundle::default(), Diagnostics::default()),
    };
    let mut warnings = environment.warnings.clone();
    warnings.extend(noticed);
    warnings.extend(std::mem::take(&mut bundle.warnings));
    let nodes: Vec<&Node> = bundle.resources.list.iter().map(|resource| &resource.node).collect();
    let chunks = emit::emit_all(&nodes)?;
    // The process ends soon: handing millions of nodes back to the allocator one by one would only cost time.
    std::mem::forget(bundle);
    Ok((chunks, warnings))
}

fn options(args: &GenerateArgs, environment: &Environment) -> Options {
    let mut options = here::builds().restricted(args.load_restrictor.into());
    options.helm.enabled = args.enable_helm || args.functions.enable_alpha_plugins;
    options.functions = args.functions.options();
    options.helm.command.clone_from(&args.helm_command);
    options.helm.api_versions.clone_from(&environment.api_versions);
    options.helm.kube_version.clone_from(&environment.kubernetes_full);
    options.remote = args.remote.options();
    options.remote.warn_unpinned = true;
    options
}

fn root_bundle(
    root: &str,
    environment: &Environment,
    options: &Options,
    sources: &Arc<Sources>,
) -> Result<Bundle> {
    let chosen = argocd::choose(&environment.parameters, None, sources)?;
    let mut bundle = engine::build(root, options, sources)?;
    // kustomize does not write annotations: they are written only on request.
    argocd::annotate(&mut bundle.resources.list, None, chosen.annotations.unwrap_or_default());
    let kubernetes = environment.kubernetes.as_deref();
    validated(bundle, chosen.validate.unwrap_or_default(), kubernetes, sources)
}

/// The bundle of a stack, and warnings that are not from its build.
fn stack_bundle(
    file: &StackFile,
    environment: &Environment,
    options: &Options,
    sources: &Arc<Sources>,
) -> Result<(Bundle, Diagnostics)> {
    let mut app = Application::read(file, environment, options.reads(), sources)?;
    // Parameters that have the wrong form and values that their schemas refuse are reported together.
    let mut errors = Diagnostics::default();
    let chosen = errors.collect(app.choose(&environment.parameters, sources));
    let plan = errors.collect(app.plan());
    let (Some(chosen), Some(plan)) = (chosen, plan) else { return Err(errors) };
    let noticed = app.other_version(&plan, environment, sources);
    let mut assembled = assemble::assemble(&plan, &app.stack, &app.loader)?;
    let annotations = chosen.annotations.unwrap_or(Annotations::ALL);
    argocd::annotate(&mut assembled.bundle.resources.list, Some(&assembled.waves), annotations);
    assembled.bundle.warnings.extend(app.loader.remotes().warnings());
    let known = assemble::known_credentials(&plan, &assembled.bundle.resources.list)?;
    assembled.bundle.warnings.extend(known);
    let bundle =
        validated(assembled.bundle, chosen.validate.unwrap_or_default(), plan.profile.kubernetes(), sources)?;
    Ok((bundle, noticed))
}

/// A stack as it is in the repository, with its catalogue.
struct Application {
    stack: Stack,
    catalogue: Catalogue,
    loader: Loader,
}

impl Application {
    fn read(
        file: &StackFile,
        environment: &Environment,
        mut options: kfc_source::Options,
        sources: &Arc<Sources>,
    ) -> Result<Self> {
        options.remote.start = Some(file.place.folder.clone());
        let loader = Loader::here(options, sources);
        let choice = argocd::choice(&environment.parameters);
        let is_unnamed = choice.environment.is_none();
        let loaded = Stack::load(&loader, &StackFile { choice, ..file.clone() });
        let mut stack = loaded.map_err(|errors| -> Diagnostics {
            let of_parameter = |error: Diagnostic| match error.code {
                Code::Environment if is_unnamed => {
                    error.help("set the parameter `environment` of the application")
                }
                _ => error,
            };
            errors.0.into_iter().map(of_parameter).collect()
        })?;
        let catalogue = catalogue(&loader, &stack, &StackArgs::default())?;
        if let Some(version) = &environment.kubernetes {
            stack.observed = version_fact(version, sources);
        }
        Ok(Self { stack, catalogue, loader })
    }

    fn choose<'g>(
        &mut self,
        given: impl IntoIterator<Item = &'g Given>,
        sources: &Sources,
    ) -> Result<Chosen> {
        argocd::choose(given, Some((&mut self.stack, &self.catalogue)), sources)
    }

    fn plan(&self) -> Result<Plan> {
        resolve(&self.catalogue, &self.stack)
    }

    /// Warnings when the stack is for another version of Kubernetes than the cluster has: also what would be refused for
    /// that version.
    fn other_version(&self, plan: &Plan, environment: &Environment, sources: &Sources) -> Diagnostics {
        let meant = plan.profile.facts.get("kubernetes");
        let (Some(meant), Some(cluster)) = (meant, &environment.kubernetes) else {
            return Diagnostics::default();
        };
        let version = meant.value.as_str().unwrap_or_default();
        if version == cluster {
            return Diagnostics::default();
        }
        let message = format!("the stack is for Kubernetes {version}, but the cluster has {cluster}");
        let warning = Diagnostic::warning(Code::ClusterVersion, message).at(meant.mark);
        let mut warnings: Diagnostics =
            warning.help("remove the fact `kubernetes` to use the version of the cluster").into();
        let mut stack = self.stack.clone();
        if let (Some(facts), Node { value: kfc_yaml::Value::Map(own), .. }) =
            (stack.facts.as_map_mut(), version_fact(cluster, sources))
        {
            facts.remove("kubernetes");
            own.into_iter().for_each(|entry| facts.push(entry));
        }
        let refused = resolve(&self.catalogue, &stack).err().unwrap_or_default().0.into_iter();
        for error in refused.filter(|error| error.code == Code::Unsupported) {
            // Its notes refer to the fact of this changed stack, which is not the user's.
            let mut warning = error.with_severity(Severity::Warning);
            warning.notes = vec![format!("this applies to Kubernetes {cluster}, the version of the cluster")];
            warnings.push(warning);
        }
        warnings
    }
}

/// The fact of the cluster's version.
fn version_fact(version: &str, sources: &Sources) -> Node {
    let (source, _) = sources.add("KUBE_VERSION", version);
    let mark = Mark { source, offset: 0 };
    let entry = Entry { key: Key::new("kubernetes", mark), value: Node::string(version, mark) };
    Node::map(Map::from_iter([entry]), mark)
}

/// The entries as YAML, to be copied into an Application.
fn ignore_differences(folder: &Path, sources: &Arc<Sources>) -> Result<Printed> {
    let target = Target::of(&folder.to_string_lossy());
    let resolved = resolve_target(&target, &StackArgs::default(), here::reads(), sources)?;
    let (declared, left) = argocd::ignore_differences(&resolved.plan.ignore);
    let mut entries = serde_json::json!([
        {"group": "rbac.authorization.k8s.io", "kind": "ClusterRole",
         "managedFieldsManagers": ["clusterrole-aggregation-controller"]},
    ]);
    if let Some(entries) = entries.as_array_mut() {
        entries.extend(declared);
    }
    let list = from_json(&serde_json::json!({"ignoreDifferences": entries}), None);
    let warning = |why: String| Diagnostic::warning(Code::LeftOut, why);
    Ok((emit::emit_all(&[&list])?, Diagnostics(left.into_iter().map(warning).collect())))
}

fn parameters(folder: &Path, environment: &Environment, sources: &Arc<Sources>) -> Result<Printed> {
    let (announced, warnings) = match target(folder) {
        Target::Stack(file) => announced(&file, environment, sources)?,
        _ => (Vec::new(), Diagnostics::default()),
    };
    let text = serde_json::to_string_pretty(&announced).map_err(|error| -> Diagnostics {
        Diagnostic::error(Code::Output, format!("the parameters cannot be written: {error}")).into()
    })?;
    Ok((line(&text).0, warnings))
}

/// The parameters of a stack. Users fix wrong parameters in this tab, so wrong ones must not hide it: the less can be
/// resolved, the more is announced. Argo CD shows nothing of an application whose command for parameters fails, neither the
/// tab nor the rest of its details; so errors of a stack that can be read are warnings here, and the exit status is 0.
fn announced(
    file: &StackFile,
    environment: &Environment,
    sources: &Arc<Sources>,
) -> Result<(Vec<Announcement>, Diagnostics)> {
    let reads = here::builds().reads();
    let choice = argocd::choice(&environment.parameters);
    let of_choice =
        || if choice == StackChoice::default() { Vec::new() } else { argocd::announce_choice(&choice) };
    let app = match Application::read(file, environment, reads, sources) {
        Ok(app) => app,
        // An environment that has to be named, or does not exist, is set in this tab.
        Err(errors) if errors.0.iter().any(|error| error.code == Code::Environment) => {
            return Ok((argocd::announce_choice(&choice), errors.into_warnings()));
        }
        Err(errors) => return Err(errors),
    };
    let is_field = |given: &&Given| FIELDS.contains(&given.name.as_str());
    // Values as the repository has them, of the components that the application chooses; else with its own values.
    let fields: Vec<&Given> = environment.parameters.iter().filter(is_field).collect();
    let mut warnings = Diagnostics::default();
    for given in [fields, environment.parameters.iter().collect(), Vec::new()] {
        let mut changed = Application {
            stack: app.stack.clone(),
            catalogue: app.catalogue.clone(),
            loader: app.loader.clone(),
        };
        let plan = changed.choose(given, sources).and_then(|_| changed.plan());
        match plan {
            Ok(plan) => {
                let mut all = of_choice();
                all.extend(argocd::announce(&plan, &changed.stack, &changed.catalogue));
                return Ok((all, Diagnostics::default()));
            }
            Err(errors) => warnings = errors.into_warnings(),
        }
    }
    let mut all = of_choice();
    all.extend(argocd::announce_all(&app.stack, &app.catalogue));
    Ok((all, warnings))
}
