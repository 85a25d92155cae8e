//! `kfc init`: writes a stack to start from.

use super::args::StackArgs;
use super::exit::DONE;
use super::here;
use super::name::stack_name;
use super::output;
use super::targets::{Target, resolve_target};
use clap::Args;
use kfc_catalogue::assemble;
use kfc_catalogue::catalogue::DEFAULTS;
use kfc_catalogue::resolve::{Planned, Reason};
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Result, Sources};
use minijinja::{Environment, context};
use serde_json::json;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The files that are templates, with the name of the stack and more.
const TEMPLATES: [(&str, &str); 2] = [
    ("kfc.yaml", include_str!("templates/kfc.yaml")),
    ("argocd.yaml", include_str!("templates/argocd.yaml")),
];
/// The other files, with their texts.
const FILES: [(&str, &str); 2] = [
    ("overlays/site/kustomization.yaml", include_str!("templates/kustomization.yaml")),
    (".github/workflows/platform.yaml", include_str!("templates/ci.yaml")),
];

#[derive(Debug, Args)]
pub(super) struct InitArgs {
    /// Layers joined by `+`, such as `gke+gpu`.
    profile: String,
    /// The directory to write into.
    folder: PathBuf,
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
    let target = Target::Profile(args.profile.clone());
    let resolved = resolve_target(&target, &StackArgs::default(), here::reads(), sources)?;
    let asked = |planned: &&Planned| matches!(planned.reason, Reason::Platform(_));
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
        profile => args.profile.clone(),
        components => minijinja::value::Serde(components),
        domain => default_of("domain"),
        user => default_of("user"),
    };
    let report = write_all(args, &values)?;
    let assembled = resolved.assemble(false)?;
    output::report(&assemble::known_credentials(&resolved.plan, &assembled.bundle.resources.list)?, sources);
    Ok(report)
}

fn write_all(args: &InitArgs, values: &minijinja::Value) -> Result<String> {
    let mut errors = Diagnostics::default();
    let names = TEMPLATES.into_iter().chain(FILES).map(|(name, _)| args.folder.join(name));
    let existing = names.filter(|path| path.symlink_metadata().is_ok());
    for path in existing.filter(|_| !args.force) {
        let message = format!("{} already exists", path.display());
        errors.push(Diagnostic::error(Code::Output, message).help("replace it with `--force`"));
    }
    errors = errors.into_result(Diagnostics::default())?;
    let mut report = String::new();
    let mut files: Vec<(&str, String)> = Vec::new();
    for (name, template) in TEMPLATES {
        files.push((name, rendered(template, values)?));
    }
    files.extend(FILES.map(|(name, text)| (name, text.to_owned())));
    for (name, text) in files {
        let path = args.folder.join(name);
        if errors.collect(output::write_below(&args.folder, Path::new(name), text.as_bytes())).is_some() {
            let _ = writeln!(report, "wrote {}", path.display());
        }
    }
    let _ = writeln!(report, "\nnext: kfc build {}", args.folder.display());
    errors.into_result(report)
}

fn rendered(template: &str, values: &minijinja::Value) -> Result<String> {
    // The template language drops the last line break.
    let text = Environment::new().render_str(template, values).map(|text| text + "\n");
    text.map_err(|error| Diagnostic::error(Code::Output, format!("cannot write a file: {error}")).into())
}
