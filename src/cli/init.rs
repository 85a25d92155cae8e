//! `kfc init`: writes a stack to start from.

use super::args::StackArgs;
use super::detect::{ClusterSource, detected, render_detected};
use super::exit::DONE;
use super::here;
use super::name::{dns_name, stack_name};
use super::output;
use super::scaffold::Scaffold;
use super::schema::{SCHEMAS, stack_schema_files};
use super::targets::{Resolved, Target, resolve_stack, resolve_target};
use clap::Args;
use kfc_catalogue::assemble;
use kfc_catalogue::catalogue::DEFAULTS;
use kfc_catalogue::detect::Detected;
use kfc_catalogue::resolve::{Planned, Reason};
use kfc_diagnostics::{Code, Diagnostic, Result, Sources};
use kfc_source::Loader;
use minijinja::{Environment, context};
use serde_json::json;
use std::path::PathBuf;
use std::sync::Arc;

/// The files that are templates, with the name of the stack and more.
const TEMPLATES: [(&str, &str); 2] = [
    ("kfc.yaml", include_str!("templates/kfc.yaml")),
    ("argocd.yaml", include_str!("templates/argocd.yaml")),
];
/// The templates for a stack with environments.
const OF_ENVIRONMENTS: [(&str, &str); 2] = [
    ("clusters.yaml", include_str!("templates/clusters.yaml")),
    ("applicationset.yaml", include_str!("templates/applicationset.yaml")),
];
/// The other files, with their texts.
const FILES: [(&str, &str); 2] = [
    ("overlays/site/kustomization.yaml", include_str!("templates/kustomization.yaml")),
    (".github/workflows/platform.yaml", include_str!("templates/ci.yaml")),
];

#[derive(Debug, Args)]
#[command(allow_missing_positional = true)]
pub(super) struct InitArgs {
    /// Layers joined by `+`, such as `gke+gpu`; none with `--detect`.
    #[arg(
        required_unless_present_any = ["detect", "detect_from"],
        conflicts_with_all = ["detect", "detect_from"]
    )]
    profile: Option<String>,
    /// The directory to write into.
    #[arg(required = true)]
    folder: PathBuf,
    /// An environment of the stack, and a cluster for it in clusters.yaml; can be repeated.
    #[arg(short, long, value_name = "NAME")]
    environment: Vec<String>,
    /// Detect the profile of the kubeconfig's cluster, and print what it has and what it lacks.
    #[arg(long)]
    detect: bool,
    /// As `--detect`, from saved answers: see `kfc detect --help`.
    #[arg(long, value_name = "FILE|DIR")]
    detect_from: Vec<PathBuf>,
    #[cfg(feature = "cluster")]
    #[command(flatten)]
    cluster: super::args::ClusterArgs,
    /// Replace existing files.
    #[arg(long)]
    force: bool,
}

pub(super) fn run(args: &InitArgs) -> u8 {
    let sources = Arc::new(Sources::default());
    match init(args, &sources) {
        Ok(report) => {
            output::print(&report);
            DONE
        }
        Err(errors) => output::fail(&errors, &sources, "the command"),
    }
}

fn init(args: &InitArgs, sources: &Arc<Sources>) -> Result<String> {
    if let Some(name) = args.environment.iter().find(|name| **name != dns_name(name)) {
        let message = format!("`{name}` is not a name of an environment");
        let help = format!("use lowercase letters, digits and hyphens: `{}`", dns_name(name));
        return Err(Diagnostic::error(Code::Usage, message).help(help).into());
    }
    let found = found(args, sources)?;
    let resolved = resolved(args, found.as_ref(), sources)?;
    let asked = |planned: &&Planned| matches!(planned.reason, Reason::Platform(_)) && !planned.present;
    let components: Vec<&Planned> = resolved.plan.components.iter().filter(asked).collect();
    let widest = components.iter().map(|planned| planned.name().len()).max().unwrap_or(0);
    let mut components: Vec<_> = components
        .into_iter()
        .map(|planned| {
            let pad = " ".repeat(widest - planned.name().len());
            json!({"name": planned.name(), "pad": pad, "description": planned.component.description})
        })
        .collect();
    components.sort_by_key(|component| component["name"].to_string());
    let default_of = |name: &str| {
        let declared = resolved.catalogue.layers.get(DEFAULTS)?.parameters.iter();
        let default = declared.into_iter().find(|p| p.name.value == name)?.default.as_ref()?;
        default.as_text().map(str::to_owned)
    };
    let values = context! {
        name => stack_name(&args.folder),
        profile => resolved.plan.profile.name.clone(),
        detected => found.as_ref().map(Detected::stack_lines),
        components => minijinja::value::Serde(components),
        domain => default_of("domain"),
        user => default_of("user"),
        environments => args.environment.clone(),
    };
    let written = write_all(args, &values)?;
    let report = if let Some(found) = &found {
        format!("{}\n{written}\nnext: {}\n", render_detected(found), next_step(args))
    } else {
        let environment = args.environment.first().map(|name| format!(" --environment {name}"));
        let environment = environment.unwrap_or_default();
        format!("{written}\nnext: kfc build {}{environment}\n", args.folder.display())
    };
    let assembled = resolved.assemble(false)?;
    output::report(&assemble::known_credentials(&resolved.plan, &assembled.bundle.resources.list)?, sources);
    Ok(report)
}

/// What the cluster is, if it is to be detected.
fn found(args: &InitArgs, sources: &Arc<Sources>) -> Result<Option<Detected>> {
    if !args.detect && args.detect_from.is_empty() {
        return Ok(None);
    }
    #[cfg(feature = "cluster")]
    let source = ClusterSource { from: args.detect_from.clone(), cluster: args.cluster.clone() };
    #[cfg(not(feature = "cluster"))]
    let source = ClusterSource::saved(args.detect_from.clone());
    detected(&source, &[], sources).map(Some)
}

/// The stack with nothing but its profile, or what was detected.
fn resolved(args: &InitArgs, found: Option<&Detected>, sources: &Arc<Sources>) -> Result<Resolved> {
    let none = StackArgs::default();
    if let Some(found) = found {
        return resolve_stack(Loader::here(here::reads(), sources), found.stack(), None, &none, sources);
    }
    let target = Target::Profile(args.profile.clone().unwrap_or_default());
    resolve_target(&target, &none, here::reads(), sources)
}

/// The command that comes after a detection.
fn next_step(args: &InitArgs) -> String {
    let directory = args.folder.display();
    #[cfg(feature = "cluster")]
    let context = args.cluster.context.as_ref().map(|name| format!(" --context {name}")).unwrap_or_default();
    #[cfg(not(feature = "cluster"))]
    let context = "";
    format!(
        "set `domain` and `user` in {}, then: kfc apply {directory}{context}",
        args.folder.join("kfc.yaml").display()
    )
}

fn write_all(args: &InitArgs, values: &minijinja::Value) -> Result<String> {
    let mut scaffold = Scaffold::new(&args.folder, args.force);
    let of_environments = OF_ENVIRONMENTS.into_iter().filter(|_| !args.environment.is_empty());
    for (name, template) in TEMPLATES.into_iter().chain(of_environments) {
        scaffold.add(name, rendered(template, values)?);
    }
    for (name, text) in FILES {
        scaffold.add(name, text);
    }
    for (name, text) in stack_schema_files(&[])? {
        scaffold.renew(format!("{SCHEMAS}/{name}"), text);
    }
    scaffold.write()
}

fn rendered(template: &str, values: &minijinja::Value) -> Result<String> {
    // The template language drops the last line break.
    let text = Environment::new().render_str(template, values).map(|text| text + "\n");
    text.map_err(|error| Diagnostic::error(Code::Output, format!("cannot write a file: {error}")).into())
}
