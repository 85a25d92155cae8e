//! `kfc golden`: the golden bundles of profiles, checked or written anew.

use super::{FAILED, output};
use crate::catalogue::{Catalogue, Place};
use crate::diagnostics::{Code, Diagnostic, Diagnostics, Result, Sources};
use crate::diff::{self, Input, Report};
use crate::golden;
use crate::report::{self, Style};
use crate::schema::Schema;
use crate::sources::Loader;
use clap::{Args, Subcommand};
use rayon::prelude::*;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The folder of the goldens when none is named.
const FOLDER: &str = "golden";

#[derive(Debug, Subcommand)]
pub(super) enum GoldenCommand {
    /// Build every golden again; print what differs and fail when anything does.
    Check(CheckArgs),
    /// Write the goldens as they are built now.
    Update(GoldenArgs),
}

#[derive(Debug, Args)]
pub(super) struct GoldenArgs {
    /// Profiles; all that have a golden when none is named.
    profiles: Vec<String>,
    /// The folder of the goldens.
    #[arg(long, default_value = FOLDER, value_name = "DIR")]
    dir: PathBuf,
    /// Folders of catalogues that lie on top of the built-in one.
    #[arg(long, value_name = "DIR")]
    catalogue: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    #[command(flatten)]
    goldens: GoldenArgs,
    /// Write one report of all differences into this file, in the format of its ending.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

pub(super) fn run(command: &GoldenCommand) -> u8 {
    let sources = Arc::new(Sources::default());
    let done = match command {
        GoldenCommand::Check(args) => check(args, &sources),
        GoldenCommand::Update(args) => update(args, &sources),
    };
    done.unwrap_or_else(|errors| {
        output::report(&errors, &sources);
        FAILED
    })
}

/// Every profile that is meant with its bundle.
fn build_all(args: &GoldenArgs, sources: &Arc<Sources>) -> Result<Vec<(String, String)>> {
    let loader = Loader::here(super::here::reads(), sources);
    let folders: Vec<Place> = args.catalogue.iter().map(|folder| super::here::place(folder)).collect();
    let catalogue = Catalogue::load(&loader, &folders)?;
    let profiles = if args.profiles.is_empty() { golden::profiles(&args.dir) } else { args.profiles.clone() };
    if profiles.is_empty() {
        let message = format!("there are no goldens in `{}`", args.dir.display());
        let error = Diagnostic::error(Code::NotFound, message);
        return Err(error.help("write one with `kfc golden update PROFILE`").into());
    }
    let built: Vec<Result<(String, String)>> = profiles
        .into_par_iter()
        .map(|profile| {
            let bundle = golden::render(&catalogue, &profile, &loader)?;
            Ok((profile, bundle))
        })
        .collect();
    let mut errors = Diagnostics::default();
    let built = built.into_iter().filter_map(|one| errors.collect(one)).collect();
    errors.into_result(built)
}

fn check(args: &CheckArgs, sources: &Arc<Sources>) -> Result<u8> {
    let built = build_all(&args.goldens, sources)?;
    let mut errors = Diagnostics::default();
    let mut reports = Vec::new();
    let mut text = String::new();
    for (profile, bundle) in &built {
        let path = golden::file(&args.goldens.dir, profile);
        let read = golden::read(&args.goldens.dir, profile, &super::here::surroundings());
        let Some(golden) = errors.collect(read.map_err(Diagnostics::from)) else { continue };
        if golden == *bundle {
            continue;
        }
        let report = compare(profile, (&path, &golden), bundle)?;
        let style =
            Style { colour: super::diff::colours(std::io::stdout().is_terminal()), ..Style::default() };
        let shown = report::write(report::Format::Text, &report, &style)?;
        text.push_str(&String::from_utf8_lossy(&shown));
        let message = format!("the golden of `{profile}` differs from what is built now");
        let help = format!("when the change is meant, run `kfc golden update {profile}`");
        errors.push(Diagnostic::error(Code::Golden, message).help(help));
        reports.push((profile.clone(), report));
    }
    if let Some(file) = &args.report {
        let joined = diff::join(("goldens", "as built now"), reports);
        super::diff::write_to(file, &joined, None)?;
    }
    if errors.is_empty() {
        return Ok(output::print(&format!("{} goldens are as they should be\n", built.len())));
    }
    output::print(&text);
    Err(errors)
}

/// What changes from a golden to what is built now.
fn compare(profile: &str, golden: (&Path, &str), built: &str) -> Result<Report> {
    let schema = Schema::builtin();
    let texts = Arc::new(Sources::default());
    let input = |name: &str, text: &str| -> Result<Input> {
        let (id, source) = texts.add(name, text);
        let resources = crate::build::read::resources(crate::yaml::parse::parse(&source.text, id)?, &schema)?;
        Ok(Input { label: name.to_owned(), resources, sources: Arc::clone(&texts), ..Input::default() })
    };
    let before =
        input(&golden.0.to_string_lossy(), golden.1).inspect_err(|errors| output::report(errors, &texts))?;
    let after = input(&format!("{profile} as built now"), built)?;
    Ok(diff::compare(&before, &after, &schema))
}

fn update(args: &GoldenArgs, sources: &Arc<Sources>) -> Result<u8> {
    let built = build_all(args, sources)?;
    let mut errors = Diagnostics::default();
    let mut report = String::new();
    for (profile, bundle) in &built {
        let path = golden::file(&args.dir, profile);
        let before = golden::read(&args.dir, profile, &super::here::surroundings()).ok();
        let word = match &before {
            None => "new",
            Some(before) if before == bundle => "same",
            Some(_) => "changed",
        };
        if word != "same" {
            let (folder, name) = place(&args.dir, &path);
            errors.collect(output::write_below(folder, name, bundle.as_bytes()));
        }
        report.push_str(&format!("{word}: {}\n", path.display()));
    }
    errors.into_result(output::print(&report))
}

/// The folder that the user named, with the name of a golden below it. The folder that is looked for when none is named is
/// part of the checkout, as the goldens are: links in it are not followed.
fn place<'a>(folder: &'a Path, file: &'a Path) -> (&'a Path, &'a Path) {
    match file.strip_prefix(folder) {
        Ok(name) if folder != Path::new(FOLDER) => (folder, name),
        _ => (Path::new(""), file),
    }
}
