//! `kfc new`: files to start from, in a catalogue of the user.

use super::args::OwnCatalogueArgs;
use super::name::dns_name;
use super::output;
use super::scaffold::{Scaffold, depth};
use super::schema::{SCHEMAS, schema_files, stack_schema_files};
use clap::{Args, Subcommand};
use kfc_diagnostics::{Code, Diagnostic, Result, Sources};

#[derive(Debug, Subcommand)]
pub(super) enum NewCommand {
    /// Write a component: its metadata, and a base with a workload.
    Component(NewArgs),
    /// Write an overlay: what changes in components under a condition. The name is `AREA/NAME`; the area is `site` when not given.
    Overlay(NewArgs),
    /// Write a platform: a layer of facts for profiles.
    Platform(NewArgs),
}

#[derive(Clone, Debug, Args)]
pub(super) struct NewArgs {
    /// Its name.
    name: String,
    #[command(flatten)]
    into: OwnCatalogueArgs,
}

/// A file of a kind, by its path in the directory of what is new.
type Template = (&'static str, &'static str);

const COMPONENT: [Template; 4] = [
    ("component.yaml", include_str!("templates/new/component.yaml")),
    ("kustomization.yaml", include_str!("templates/new/component-kustomization.yaml")),
    ("namespace.yaml", include_str!("templates/new/namespace.yaml")),
    ("workload.yaml", include_str!("templates/new/workload.yaml")),
];
const OVERLAY: [Template; 2] = [
    ("overlay.yaml", include_str!("templates/new/overlay.yaml")),
    ("kustomization.yaml", include_str!("templates/new/overlay-kustomization.yaml")),
];
const PLATFORM: &str = include_str!("templates/new/platform.yaml");

pub(super) fn run(command: &NewCommand) -> u8 {
    let written = match command {
        NewCommand::Component(args) => component(args),
        NewCommand::Overlay(args) => overlay(args),
        NewCommand::Platform(args) => platform(args),
    };
    output::finish(written, &Sources::default(), "the command")
}

fn component(args: &NewArgs) -> Result<String> {
    check(&args.name, &[&args.name])?;
    let next = format!("in kfc.yaml: `components: [{}]` and `catalogues: [.]`", args.name);
    write(args, &format!("bases/{}", args.name), &COMPONENT, &next)
}

fn overlay(args: &NewArgs) -> Result<String> {
    let name = if args.name.contains('/') { args.name.clone() } else { format!("site/{}", args.name) };
    let parts: Vec<&str> = name.split('/').collect();
    if parts.len() != 2 {
        return Err(wrong_name(&args.name, "AREA/NAME"));
    }
    check(&args.name, &parts)?;
    let next = "in kfc.yaml: `catalogues: [.]`; then fill in overlay.yaml";
    write(&NewArgs { name: name.clone(), ..args.clone() }, &format!("overlays/{name}"), &OVERLAY, next)
}

fn platform(args: &NewArgs) -> Result<String> {
    check(&args.name, &[&args.name])?;
    let file = format!("{}.yaml", args.name);
    let next = format!("in kfc.yaml: `platform: {}` and `catalogues: [.]`", args.name);
    write(args, "platforms", &[(&file, PLATFORM)], &next)
}

/// Writes files with a name in them, and the schemas that they refer to.
fn write(args: &NewArgs, directory: &str, templates: &[(&str, &str)], next: &str) -> Result<String> {
    let mut scaffold = Scaffold::new(&args.into.catalogue, args.into.force);
    let schemas = format!("{}{SCHEMAS}", "../".repeat(depth(directory)));
    for (name, template) in templates {
        let text = template.replace("@name@", &args.name).replace("@schemas@", &schemas);
        scaffold.add(format!("{directory}/{name}"), text);
    }
    for (name, text) in schema_files() {
        scaffold.renew(format!("{SCHEMAS}/{name}"), text);
    }
    let mut report = scaffold.write()?;
    let mut schemas = Scaffold::new(&args.into.catalogue, true);
    for (name, text) in stack_schema_files(std::slice::from_ref(&args.into.catalogue))? {
        schemas.renew(format!("{SCHEMAS}/{name}"), text);
    }
    report.push_str(&schemas.write()?);
    Ok(format!("{report}\nnext: {next}\n"))
}

fn check(name: &str, parts: &[&str]) -> Result<()> {
    if parts.iter().all(|part| *part == dns_name(part)) {
        return Ok(());
    }
    let fixed: Vec<String> = parts.iter().map(|part| dns_name(part)).collect();
    Err(wrong_name(name, &fixed.join("/")))
}

fn wrong_name(name: &str, near: &str) -> kfc_diagnostics::Diagnostics {
    let message = format!("`{name}` is not a name of what a catalogue has");
    let help = format!("use up to 50 lowercase letters, digits and hyphens: `{near}`");
    Diagnostic::error(Code::Usage, message).help(help).into()
}
