//! `kfc golden`: the golden bundles of profiles, stacks and kustomization roots, checked or written.

use super::across::{OfTarget, report_once};
use super::args::{
    EnvironmentArgs, FunctionArgs, RestrictorFlag, ResultFormat, ResultFormatArgs, StackArgs, format_parser,
};
use super::diff_report::write_to;
use super::environments::{ChosenTarget, Unnamed, chosen_of};
use super::golden_targets::listed;
use super::here;
use super::listing::{described, pretty};
use super::members::members;
use super::output;
use super::patterns::{buildable, is_pattern};
use super::reach::Changes;
use super::screen::Stream;
use super::targets::{
    Loaded, STACK_FILES, Target, can_be_built, load, resources_of_text, split_choice, target_of,
};
use super::trace::step;
use clap::{Args, Subcommand};
use kfc_catalogue::catalogue::{Catalogue, Place, StackChoice, StackDefinition};
use kfc_catalogue::golden::{self, Golden, Schemas, Targets};
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Result, Sources};
use kfc_diff::report::{self, Format, Style};
use kfc_diff::{Input, Report};
use kfc_kube::schema::Schema;
use kfc_kustomize::resource::Resource;
use kfc_source::Loader;
use kfc_source::door::{Limit, Named};
use kfc_source::{LoadRestrictor, Os};
use rayon::prelude::*;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The directory of the goldens when none is named.
const DIRECTORY: &str = "golden";

#[derive(Debug, Subcommand)]
pub(super) enum GoldenCommand {
    /// Build every golden again; print what differs, and fail if anything does.
    Check(CheckArgs),
    /// Write the goldens as they are built now.
    Update(UpdateArgs),
}

#[derive(Debug, Args)]
pub(super) struct GoldenArgs {
    /// Profiles, stacks, kustomization roots, patterns of these (`overlays/*`), or names of goldens; all that have a golden when none
    /// is named.
    #[arg(value_name = "TARGET")]
    targets: Vec<String>,
    #[command(flatten)]
    environments: EnvironmentArgs,
    /// Leave out the goldens of stacks and roots that no change since this git revision can reach, and those of profiles that did not
    /// change themselves.
    #[arg(long, value_name = "REVISION")]
    changed_since: Option<String>,
    /// The directory of the goldens.
    #[arg(long = "goldens", alias = "dir", default_value = DIRECTORY, value_name = "DIR")]
    dir: PathBuf,
    /// Directories of catalogues that extend the built-in one.
    #[arg(long = "catalog", alias = "catalogue", value_name = "DIR")]
    catalogue: Vec<PathBuf>,
    /// Whether files outside of a kustomization root may be read.
    #[arg(long, value_enum, default_value = "LoadRestrictionsRootOnly", ignore_case = true)]
    load_restrictor: RestrictorFlag,
    #[command(flatten)]
    functions: FunctionArgs,
}

#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    #[command(flatten)]
    goldens: GoldenArgs,
    /// Write one report of all differences into this file, in the format of its ending.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Format of the differences; other formats than text are one report of all of them.
    #[arg(long, value_parser = format_parser(), value_name = "FORMAT", default_value = "text")]
    format: Format,
}

#[derive(Debug, Args)]
pub(super) struct UpdateArgs {
    #[command(flatten)]
    goldens: GoldenArgs,
    #[command(flatten)]
    form: ResultFormatArgs,
}

pub(super) fn run(command: &GoldenCommand) -> u8 {
    let sources = Arc::new(Sources::default());
    let done = match command {
        GoldenCommand::Check(args) => check(args, &sources),
        GoldenCommand::Update(args) => update(args, &sources),
    };
    let what = match command {
        GoldenCommand::Check(_) => "the check",
        GoldenCommand::Update(_) => "the update",
    };
    done.unwrap_or_else(|errors| output::fail(&errors, &sources, what))
}

/// A golden that the arguments select.
struct Selected {
    name: String,
    /// The stack or root that it is built from; none for that of a profile, which its name is.
    target: Option<String>,
}

/// The goldens that the arguments select; `may_be_new` says whether they may name goldens that do not exist yet.
fn selected(
    args: &GoldenArgs,
    targets: &mut Targets,
    may_be_new: bool,
    sources: &Arc<Sources>,
) -> Result<Vec<Selected>> {
    let with_target =
        |name: String, targets: &Targets| Selected { target: targets.target(&name).map(str::to_owned), name };
    if args.targets.is_empty() && args.environments.is_empty() {
        let mut names = golden::names(&args.dir);
        // A golden that is listed but does not exist is reported, not skipped.
        names.extend(targets.iter().map(|(name, _)| name.to_owned()));
        names.sort_unstable();
        names.dedup();
        return Ok(names.into_iter().map(|name| with_target(name, targets)).collect());
    }
    let mut errors = Diagnostics::default();
    let mut all = Vec::new();
    let here = [".".to_owned()];
    let given = if args.targets.is_empty() { &here } else { args.targets.as_slice() };
    for target in &errors.collect(named(given, args, targets, sources)).unwrap_or_default() {
        if let Some(name) = targets.target(target).map(|_| target.as_str()).or(targets.name_of(target)) {
            all.push(with_target(name.to_owned(), targets));
            continue;
        }
        match Target::of(target) {
            Target::Profile(name) => all.push(Selected { name, target: None }),
            Target::Root(_) | Target::Stack(_) if !may_be_new => {
                let message = format!("`{target}` has no golden");
                let help = format!("write it with `kfc golden update {target}`");
                errors.push(Diagnostic::error(Code::Golden, message).help(help));
            }
            found => {
                let name = errors.collect(name_of(target, &found));
                let name = name.and_then(|name| errors.collect(targets.add(&name, target)));
                all.extend(name.map(|name| with_target(name, targets)));
            }
        }
    }
    errors.into_result(all)
}

/// The targets that the arguments name: patterns replaced by the stacks and roots that match them, and stacks with environments by
/// these, all of them when the flags name none.
fn named(
    given: &[String],
    args: &GoldenArgs,
    targets: &Targets,
    sources: &Arc<Sources>,
) -> Result<Vec<String>> {
    let mut errors = Diagnostics::default();
    let mut all = Vec::new();
    for target in given {
        // The name of a golden may be that of a file or pattern.
        if targets.target(target).is_some() && args.environments.is_empty() {
            all.push(target.clone());
            continue;
        }
        let found = if is_pattern(target) { buildable(target) } else { Ok(vec![target.clone()]) };
        for found in errors.collect(found).unwrap_or_default() {
            let chosen = chosen_of(&found, &args.environments, Unnamed::All, sources);
            let chosen = errors.collect(chosen).unwrap_or_default();
            all.extend(chosen.into_iter().map(|chosen: ChosenTarget| chosen.target));
        }
    }
    errors.into_result(all)
}

/// Those of the selected goldens that a change since the revision of the arguments can reach, and how many these are of all.
fn reached(args: &GoldenArgs, selected: Vec<Selected>) -> Result<Vec<Selected>> {
    let Some(revision) = &args.changed_since else { return Ok(selected) };
    let changes = Changes::since(revision)?;
    let stack = StackArgs { catalogue: args.catalogue.clone(), ..StackArgs::default() };
    // What these read has no bounds, and each golden refers to the schemas.
    let schemas = args.dir.join(golden::SCHEMAS);
    let is_everything = args.functions.enable_alpha_plugins
        || LoadRestrictor::from(args.load_restrictor) == LoadRestrictor::None
        || changes.has_any([schemas.as_path()]);
    let count = selected.len();
    let can_reach = |one: &Selected| {
        let own = golden::file(&args.dir, &one.name);
        is_everything
            || changes.has_any(args.catalogue.iter().map(PathBuf::as_path).chain([own.as_path()]))
            || one.target.as_ref().is_some_and(|target| changes.can_change(target, &stack))
    };
    let reached: Vec<Selected> = selected.into_par_iter().filter(can_reach).collect();
    output::note(&format!("changes since {revision} can reach {} of {count} goldens", reached.len()));
    Ok(reached)
}

/// A name for the golden of a stack or root. The path of the working directory has no name: a stack gives its own name, and a
/// root that of the directory.
fn name_of(target: &str, found: &Target) -> Result<String> {
    let (path, choice) = split_choice(target).unwrap_or((target, StackChoice::default()));
    let chosen = [choice.environment, choice.cluster];
    let name = name_of_path(path, found)?;
    Ok(chosen.into_iter().flatten().fold(name, |name, chosen| format!("{name}-{chosen}")))
}

fn name_of_path(target: &str, found: &Target) -> Result<String> {
    let name = golden::name_for(target);
    if !name.is_empty() && !matches!(name.as_str(), "kfc" | "kustomization" | "Kustomization") {
        return Ok(name);
    }
    if let Target::Stack(file) = found {
        let loader = Loader::here(here::reads(), &Arc::new(Sources::default()));
        return Ok(golden::name_for(&StackDefinition::load(&loader, file)?.name));
    }
    let folder = Path::new(target).canonicalize().unwrap_or_default();
    Ok(golden::name_for(&folder.file_name().unwrap_or_default().to_string_lossy()))
}

/// A check of nothing is an error.
fn check_any(args: &GoldenArgs, selected: &[Selected]) -> Result<()> {
    if !selected.is_empty() {
        return Ok(());
    }
    let message = format!("there are no goldens in `{}`", args.dir.display());
    let error = Diagnostic::error(Code::NotFound, message);
    Err(error.help("write one with `kfc golden update TARGET`").into())
}

/// Every selected golden with its bundle.
fn build_all(
    args: &GoldenArgs,
    selected: Vec<Selected>,
    sources: &Arc<Sources>,
) -> Result<Vec<(Selected, Golden)>> {
    let loader = Loader::here(here::reads(), sources);
    let folders: Vec<Place> = args.catalogue.iter().map(|folder| here::place(folder)).collect();
    let catalogue = Catalogue::load(&loader, &folders)?;
    let built: Vec<(Selected, Result<Golden>)> = selected
        .into_par_iter()
        .map(|one| {
            let built = step(
                || format!("build {}", one.name),
                || match &one.target {
                    Some(target) => build_target(target, args, sources),
                    None => golden::render(&catalogue, &one.name, &loader),
                },
            );
            (one, built)
        })
        .collect();
    let mut failed = Vec::new();
    let mut all = Vec::new();
    let mut has_environments = false;
    for (one, built) in built {
        match built {
            Ok(bundle) => all.push((one, bundle)),
            Err(found) => {
                has_environments |= one.target.is_some_and(|target| split_choice(&target).is_some());
                failed.push(OfTarget { name: one.name, found, sources });
            }
        }
    }
    if has_environments {
        report_once(&mut failed);
    }
    let errors: Diagnostics = failed.into_iter().flat_map(|target| target.found.0).collect();
    errors.into_result(all)
}

/// The bundle of a stack or root, as `kfc build` prints it.
fn build_target(target: &str, args: &GoldenArgs, sources: &Arc<Sources>) -> Result<Golden> {
    let restrictor = args.load_restrictor.into();
    let found = Target::of(target);
    refuse_other_files(target, &args.dir)?;
    let stack = StackArgs { catalogue: args.catalogue.clone(), ..StackArgs::default() };
    let mut options = here::builds().restricted(restrictor);
    options.functions = args.functions.options();
    let bundle = match load(&found, &stack, &options, sources)? {
        Loaded::Root(bundle) => bundle,
        Loaded::Stack(resolved) => resolved.assemble(false)?.bundle,
    };
    Golden::of(&bundle.resources.list)
}

/// Refuses a target outside of the working directory that is neither a stack nor a root. The list of targets is part of a
/// checkout: errors must not show lines of the files that it names, nor reveal whether they exist.
fn refuse_other_files(target: &str, goldens: &Path) -> Result<()> {
    let top = here::working_directory();
    let path = top.join(split_choice(target).map_or(target, |(path, _)| path));
    let limit = Some(Limit { folder: &top, what: "the working directory" });
    let located = Named { files: &Os, path: &path, limit, shown: target, referrer: None }.locate();
    let is_outside = located.is_err_and(|error| error.code == Code::OutsideRoot);
    if !is_outside || can_be_built(&path) {
        return Ok(());
    }
    let message = format!("the target `{target}` of a golden is not a stack or root");
    let help = format!("fix it in `{}`", goldens.join(golden::INDEX).display());
    Err(Diagnostic::error(Code::Golden, message).help(help).into())
}

/// The error for a stack in the working directory without a golden, or for its environments without one: a check of all goldens would
/// seem to cover them.
fn uncovered(args: &GoldenArgs, targets: &Targets, sources: &Arc<Sources>) -> Option<Diagnostic> {
    let stack = STACK_FILES.iter().find(|name| Path::new(name).is_file())?;
    if !args.targets.is_empty() || !args.environments.is_empty() {
        return None;
    }
    let is_covered = |choice: &StackChoice| {
        [".", stack].into_iter().any(|path| targets.name_of(&target_of(path, choice)).is_some())
    };
    let chosen = chosen_of(".", &args.environments, Unnamed::All, sources).unwrap_or_default();
    let missing: Vec<String> =
        chosen.iter().filter(|chosen| !is_covered(&chosen.choice)).map(ChosenTarget::name).collect();
    let message = match chosen.first().map(|first| &first.choice) {
        _ if missing.is_empty() => return None,
        Some(StackChoice { environment: Some(_), .. }) => {
            format!(
                "environments of `{stack}` have no golden, so they were not checked: {}",
                missing.join(", ")
            )
        }
        _ => format!("the stack in `{stack}` has no golden, so it was not checked"),
    };
    Some(Diagnostic::error(Code::Golden, message).help("write it with `kfc golden update .`"))
}

fn check(args: &CheckArgs, sources: &Arc<Sources>) -> Result<u8> {
    let mut targets = listed(&args.goldens.dir, sources)?;
    let selected = selected(&args.goldens, &mut targets, false, sources)?;
    check_any(&args.goldens, &selected)?;
    let built = build_all(&args.goldens, reached(&args.goldens, selected)?, sources)?;
    let stored = Schemas::read(&args.goldens.dir, &here::surroundings(), sources)?;
    let mut errors = Diagnostics::default();
    errors.0.extend(uncovered(&args.goldens, &targets, sources));
    let mut reports = Vec::new();
    let mut text = String::new();
    for (Selected { name: profile, .. }, bundle) in &built {
        let path = golden::file(&args.goldens.dir, profile);
        let read = golden::read(&args.goldens.dir, profile, &here::surroundings());
        let Some(golden) = errors.collect(read.map_err(Diagnostics::from)) else { continue };
        if golden == bundle.text && stored.has(&bundle.schemas) {
            continue;
        }
        let report = compare(profile, (&path, &golden, &stored), bundle)?;
        let style = Style { colour: Stream::Output.colours(), ..Style::default() };
        let shown = report::write(Format::Text, &report, &style)?;
        text.push_str(&String::from_utf8_lossy(&shown));
        let message = format!("the golden of `{profile}` differs from what is built now");
        let help = format!("if the change is intended, run `kfc golden update {profile}`");
        errors.push(Diagnostic::error(Code::Golden, message).help(help));
        reports.push((profile.clone(), report));
    }
    let joined = kfc_diff::join(("goldens", "as built now"), reports);
    if let Some(file) = &args.report {
        write_to(file, &joined, None)?;
    }
    let count = built.len();
    let summary = format!("{count} {} up to date", if count == 1 { "golden is" } else { "goldens are" });
    if args.format != Format::Text {
        let written = report::write(args.format, &joined, &Style::default())?;
        if errors.is_empty() {
            output::note(&summary);
        }
        let status = output::print_chunks(&[written]);
        return errors.into_result(status);
    }
    if errors.is_empty() {
        return Ok(output::print(&(summary + "\n")));
    }
    output::print(&text);
    Err(errors)
}

/// What changes from a golden to what is built now.
fn compare(profile: &str, golden: (&Path, &str, &Schemas), built: &Golden) -> Result<Report> {
    let (path, text, stored) = golden;
    let schema = Schema::builtin();
    let texts = Arc::new(Sources::default());
    let input = |name: &str, text: &str, resolve: &dyn Fn(&mut [Resource]) -> Result<()>| -> Result<Input> {
        let mut resources = resources_of_text(name, text, &schema, &texts)?;
        resolve(&mut resources)?;
        let resources = members(resources, &[]);
        Ok(Input { label: name.to_owned(), resources, sources: Arc::clone(&texts), ..Input::default() })
    };
    let before = input(&path.to_string_lossy(), text, &|resources| stored.resolve(resources))
        .inspect_err(|errors| output::report(errors, &texts))?;
    let after =
        input(&format!("{profile} as built now"), &built.text, &|resources| built.resolve(resources))?;
    Ok(kfc_diff::compare(&before, &after, &schema))
}

fn update(args: &UpdateArgs, sources: &Arc<Sources>) -> Result<u8> {
    let (args, format) = (&args.goldens, args.form.format);
    let mut targets = listed(&args.dir, sources)?;
    let before = targets.clone();
    let selected = selected(args, &mut targets, true, sources)?;
    check_any(args, &selected)?;
    let built = build_all(args, reached(args, selected)?, sources)?;
    let mut errors = Diagnostics::default();
    let mut files = Vec::new();
    if targets != before {
        let path = args.dir.join(golden::INDEX);
        let (directory, name) = split_path(&args.dir, &path);
        errors.collect(output::write_below(directory, name, targets.text()?.as_bytes()));
    }
    let mut write = |file: &str, text: &str| {
        let path = args.dir.join(file);
        let before = golden::read_file(&args.dir, file, &here::surroundings()).ok();
        let word = match &before {
            None => "new",
            Some(before) if before == text => "same",
            Some(_) => "changed",
        };
        if word != "same" {
            let (directory, name) = split_path(&args.dir, &path);
            errors.collect(output::write_below(directory, name, text.as_bytes()));
        }
        files.push((word, path.display().to_string()));
    };
    let schemas = schemas(args, &built, sources)?;
    if let Some(text) = &schemas {
        write(golden::SCHEMAS, text);
    }
    for (Selected { name: profile, .. }, bundle) in &built {
        write(&format!("{profile}.yaml"), &bundle.text);
    }
    errors.into_result(output::print(&match format {
        ResultFormat::Text => files.iter().fold(String::new(), |mut text, (word, path)| {
            // Writing into a string cannot fail.
            let _ = writeln!(text, "{word}: {path}");
            text
        }),
        ResultFormat::Json => {
            let files = files.iter().map(|(word, path)| json!({"file": path, "state": word}));
            pretty(&described("GoldenUpdate", json!({"files": files.collect::<Value>()})))
        }
    }))
}

/// The text of the schemas of all goldens, those included that are not written now; none when no golden has any.
fn schemas(
    args: &GoldenArgs,
    built: &[(Selected, Golden)],
    sources: &Arc<Sources>,
) -> Result<Option<String>> {
    // A file that is damaged is written again.
    let stored = Schemas::read(&args.dir, &here::surroundings(), sources).unwrap_or_default();
    let is_built = |name: &String| built.iter().any(|(selected, _)| selected.name == *name);
    let others: Vec<String> = golden::names(&args.dir)
        .iter()
        .filter(|name| !is_built(name))
        .filter_map(|name| golden::read(&args.dir, name, &here::surroundings()).ok())
        .collect();
    let mut all = stored.named_in(others.iter().map(String::as_str));
    for (_, golden) in built {
        all.extend(golden.schemas.iter().map(|(name, schema)| (name.clone(), schema.clone())));
    }
    if all.is_empty() { Ok(None) } else { Schemas::text(&all).map(Some) }
}

/// The directory that the user named, with the name of a golden below it. The default directory is part of the checkout, as
/// the goldens are: links in it are not followed.
fn split_path<'a>(directory: &'a Path, file: &'a Path) -> (&'a Path, &'a Path) {
    match file.strip_prefix(directory) {
        Ok(name) if directory != Path::new(DIRECTORY) => (directory, name),
        _ => (Path::new(""), file),
    }
}
