//! `kfc graph`: renders the plan.

use super::args::StackArgs;
use super::environments::single;
use super::here;
use super::listing::{described, pretty};
use super::output;
use super::targets::{Target, resolve_target};
use clap::{Args, ValueEnum};
use kfc_catalogue::render;
use kfc_diagnostics::Sources;
use std::sync::Arc;

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Format {
    /// Text for the terminal.
    #[default]
    Tree,
    /// For Graphviz.
    Dot,
    /// For Markdown on GitHub.
    Mermaid,
    /// For programs.
    Json,
    /// An image.
    Svg,
}

#[derive(Debug, Args)]
pub(super) struct GraphArgs {
    /// A profile (`gke+gpu`), a `kfc.yaml` or its directory.
    #[arg(default_value = ".", value_name = "TARGET")]
    target: String,
    #[command(flatten)]
    stack: StackArgs,
    /// Output format.
    #[arg(
        short = 'o',
        long,
        visible_alias = "output",
        value_enum,
        value_name = "FORMAT",
        default_value = "tree"
    )]
    format: Format,
}

pub(super) fn run(args: &GraphArgs) -> u8 {
    let sources = Arc::new(Sources::default());
    let resolved = single(&args.target, &args.stack.environments, &sources)
        .and_then(|target| resolve_target(&Target::of(&target), &args.stack, here::reads(), &sources));
    match resolved {
        Ok(resolved) => {
            output::report(&resolved.plan.warnings, &sources);
            output::print(&match args.format {
                Format::Tree => render::tree(&resolved.plan),
                Format::Dot => render::dot(&resolved.plan),
                Format::Mermaid => render::mermaid(&resolved.plan),
                Format::Json => pretty(&described("Graph", render::json(&resolved.plan))),
                Format::Svg => render::svg(&resolved.plan),
            })
        }
        Err(errors) => output::fail(&errors, &sources, "the graph"),
    }
}
