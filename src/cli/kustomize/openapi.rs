//! `kustomize openapi`: the schemas that merging follows.

use crate::cli::exit::FAILED;
use crate::cli::output;
use clap::{Args, Subcommand, ValueEnum};
use kfc_diagnostics::{Result, Sources};
use kfc_kube::schema::BUILTIN_VERSION;
use std::path::PathBuf;

/// `kustomize openapi …`.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum OpenapiCommand {
    /// Print the OpenAPI document of the cluster of the kubeconfig, for the field `openapi` of a kustomization.
    Fetch(FetchArgs),
    /// Print which version of Kubernetes the built-in schemas are of.
    Info,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Json,
    Yaml,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct FetchArgs {
    /// The form.
    #[arg(long, value_enum, default_value = "json")]
    format: Format,
    /// The kubeconfig, instead of `$KUBECONFIG` or `~/.kube/config`.
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// The context of the kubeconfig, instead of its current one.
    #[arg(long, value_name = "NAME")]
    context: Option<String>,
}

/// Runs a command.
pub(in crate::cli) fn run(command: &OpenapiCommand) -> u8 {
    let text = match command {
        OpenapiCommand::Info => Ok(format!("{{title:Kubernetes,version:{BUILTIN_VERSION}}}\n")),
        OpenapiCommand::Fetch(args) => fetch(args),
    };
    match text {
        Ok(text) => output::print(&text),
        Err(errors) => {
            output::report_run(&errors, &Sources::default(), "the command");
            FAILED
        }
    }
}

#[cfg(feature = "cluster")]
fn fetch(args: &FetchArgs) -> Result<String> {
    use crate::cli::args::proxies;
    use kfc_cluster::cluster::{Connection, Options, run};
    use kfc_diagnostics::{Code, Diagnostic};
    use kfc_yaml::{emit, json, value::from_json};

    let options = Options {
        kubeconfig: args.kubeconfig.clone(),
        namespace: None,
        context: args.context.clone(),
        rate: 0.0,
        proxies: proxies(),
    };
    let document = run(async {
        let connection = Connection::open(&options).await?;
        connection.get("/openapi/v2").await.map_err(|failure| {
            let message = format!("{} does not show its schemas: {}", connection.server(), failure.message);
            Diagnostic::error(Code::Unreachable, message).into()
        })
    })?;
    let node = from_json(&document, None);
    // kustomize prints one line break more after YAML.
    Ok(match args.format {
        Format::Json => {
            let mut compact = String::new();
            json::write_with_floats(&node, &mut compact)?;
            json::indented(&compact) + "\n"
        }
        Format::Yaml => String::from_utf8_lossy(&emit::emit_all(&[&node])?.concat()).into_owned() + "\n",
    })
}

/// The same for a program without access to clusters.
#[cfg(not(feature = "cluster"))]
fn fetch(_: &FetchArgs) -> Result<String> {
    use kfc_diagnostics::{Code, Diagnostic};
    let error = Diagnostic::error(Code::Usage, "this program was built without access to clusters");
    Err(error.help("build it with `--features cluster`, or use `kubectl get --raw /openapi/v2`").into())
}
