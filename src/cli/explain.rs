//! `kfc explain`: where the values of fields come from, what changed nothing, and what a code means.

use super::args::{FunctionArgs, RemoteArgs, RestrictorFlag, StackArgs};
use super::codes;
use super::environments::single;
use super::exit::{DONE, FAILED};
use super::here;
use super::listing::{described, pretty};
use super::output;
use super::targets::{Loaded, Target, load};
use clap::{Args, ValueEnum};
use kfc_catalogue::explain::{self, FieldPath, Places};
use kfc_diagnostics::text::document;
use kfc_diagnostics::{Code, Diagnostic, Result, Sources};
use kfc_kustomize::engine::Bundle;
use kfc_kustomize::provenance::Declared;
use std::sync::Arc;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
}

#[derive(Debug, Args)]
pub(super) struct ExplainArgs {
    /// The resource as kubectl names it: `deployment/web`, `svc/web`, `gateways.networking.istio.io/web`; or the code of an
    /// error or warning: `KFC0402`. With `--unused`, the target.
    #[arg(value_name = "RESOURCE|CODE", required_unless_present = "unused")]
    resource: Option<String>,
    /// The field path: `spec.containers[0].image`, `spec.containers[name=app].image`, `/spec/containers/0/image`. All fields
    /// when it is not given.
    #[arg(value_name = "FIELD", conflicts_with = "unused")]
    field: Option<String>,
    /// More codes: `kfc explain KFC0402 KFC1005 KFC1601`.
    #[arg(value_name = "CODE", conflicts_with = "unused")]
    codes: Vec<String>,
    /// List patches, replacements, images, replicas, labels, parameters, overlays and configurations that changed nothing.
    #[arg(long)]
    unused: bool,
    /// Exit with 1 when anything is unused.
    #[arg(long, requires = "unused")]
    fail: bool,
    /// A profile (`gke+gpu`), a `kfc.yaml` or its directory, or a directory or URL of a kustomization root.
    #[arg(short, long, value_name = "TARGET")]
    target: Option<String>,
    /// Namespace of the resource.
    #[arg(short, long, value_name = "NAMESPACE")]
    namespace: Option<String>,
    #[command(flatten)]
    stack: StackArgs,
    /// Whether files outside the root may be read.
    #[arg(long, value_enum, default_value = "LoadRestrictionsRootOnly", ignore_case = true)]
    load_restrictor: RestrictorFlag,
    #[command(flatten)]
    functions: FunctionArgs,
    /// Allow charts to be rendered by the helm program.
    #[arg(long)]
    enable_helm: bool,
    /// The helm program.
    #[arg(long, default_value = "helm", value_name = "PROGRAM")]
    helm_command: String,
    #[command(flatten)]
    remote: RemoteArgs,
    /// Output format.
    #[arg(
        short = 'o',
        long,
        visible_alias = "output",
        value_enum,
        value_name = "FORMAT",
        default_value = "text"
    )]
    format: Format,
}

pub(super) fn run(args: &ExplainArgs) -> u8 {
    let sources = Arc::new(Sources::default());
    if let Some(first) = args.resource.as_deref().filter(|word| !args.unused && codes::is_code(word)) {
        return output::finish(explained_codes(first, args), &sources, "the explanation");
    }
    match explained(args, &sources) {
        // JSON is already escaped; this escapes text.
        Ok((text, code)) => match output::print(&document(text)) {
            DONE => code,
            failed => failed,
        },
        Err(errors) => output::fail(&errors, &sources, "the explanation"),
    }
}

/// What the codes mean that the arguments name.
fn explained_codes(first: &str, args: &ExplainArgs) -> Result<String> {
    if args.target.is_some() || args.namespace.is_some() || !args.stack.is_empty() {
        let message = format!("`{first}` is a code, which has the same meaning in every target");
        return Err(Diagnostic::error(Code::Usage, message).help("name codes only").into());
    }
    let words = std::iter::once(first).chain(args.field.iter().chain(&args.codes).map(String::as_str));
    let page = crate::embedded::error_page();
    match args.format {
        Format::Text => codes::text(words, &page),
        Format::Json => codes::json(words, &page),
    }
}

/// What is printed, with the exit status.
fn explained(args: &ExplainArgs, sources: &Arc<Sources>) -> Result<(String, u8)> {
    if let Some(more) = args.codes.first() {
        let message =
            format!("`kfc explain` takes a resource and a field path, but `{more}` is a third argument");
        return Err(Diagnostic::error(Code::Usage, message).help("only codes can be several").into());
    }
    let (target, resource) = match (&args.resource, args.unused) {
        (Some(target), true) if args.target.is_some() => {
            let message = format!("`--unused` takes one target, but `--target` and `{target}` are two");
            return Err(Diagnostic::error(Code::Usage, message).into());
        }
        (resource, true) => (args.target.as_ref().or(resource.as_ref()), ""),
        (resource, false) => (args.target.as_ref(), resource.as_deref().unwrap_or("")),
    };
    let target = target.map_or(".", String::as_str);
    // A wrong field path is reported before anything is built.
    let path = args.field.as_deref().map(FieldPath::parse).transpose()?;
    let target = single(target, &args.stack.environments, sources)?;
    let (bundle, parameters) = built(&target, args, sources)?;
    let mut places = Places::new(sources);
    if args.unused {
        return Ok(unused(&bundle, &parameters, args, &mut places));
    }
    let resource = explain::select(&bundle.resources, resource, args.namespace.as_deref())?;
    let whole = explain::Field { segments: Vec::new(), node: &resource.node };
    let field = path.map_or(Ok(whole), |path| path.find(resource))?;
    let text = match args.format {
        Format::Text => explain::annotated(resource, &field, &mut places)?,
        Format::Json => pretty(&described("Explanation", explain::of_fields(resource, &field, &mut places))),
    };
    Ok((text, DONE))
}

fn unused(
    bundle: &Bundle,
    parameters: &[Declared],
    args: &ExplainArgs,
    places: &mut Places<'_>,
) -> (String, u8) {
    let list = explain::unused(bundle, parameters, places);
    let text = match args.format {
        Format::Json => {
            let items = explain::of_unused(&list, places);
            pretty(&described("UnusedList", serde_json::json!({"items": items})))
        }
        Format::Text if list.is_empty() => "nothing is unused\n".to_owned(),
        Format::Text => explain::unused_text(&list, places),
    };
    (text, if args.fail && !list.is_empty() { FAILED } else { DONE })
}

/// The bundle of the target with its origins, and the parameters that the user set.
fn built(target: &str, args: &ExplainArgs, sources: &Arc<Sources>) -> Result<(Bundle, Vec<Declared>)> {
    let target = Target::of(target);
    let mut options = here::builds().restricted(args.load_restrictor.into()).keeping_origins(true);
    options.helm.enabled = args.enable_helm || args.functions.enable_alpha_plugins;
    options.functions = args.functions.options();
    options.helm.command.clone_from(&args.helm_command);
    options.remote = args.remote.options();
    if let Target::Root(root) = &target
        && !args.stack.is_empty()
    {
        let message = format!("`{root}` is a kustomization root: it has no components or parameters");
        return Err(Diagnostic::error(Code::Usage, message).help("name a profile or a stack").into());
    }
    match load(&target, &args.stack, &options, sources)? {
        Loaded::Root(bundle) => Ok((bundle, Vec::new())),
        Loaded::Stack(resolved) => {
            let assembled = resolved.assemble(true)?;
            let parameters = explain::parameters(&resolved.plan, &resolved.stack, &resolved.catalogue);
            Ok((assembled.bundle, parameters))
        }
    }
}
