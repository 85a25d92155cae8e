//! `kfc detect`.

use super::args::{ResultFormat, ResultFormatArgs};
use super::here;
#[cfg(feature = "cluster")]
use super::interrupt::run_until_interrupted;
use super::listing::{described, pretty};
use super::name::stack_name;
use super::output;
use clap::Args;
use kfc_catalogue::catalogue::{Catalogue, Place, Stack, StackChoice, StackDefinition, StackFile};
use kfc_catalogue::detect::{Answers, Detected, Finding, detect};
use kfc_diagnostics::text::document;
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Result, Sources};
use kfc_source::Loader;
use serde_json::{Value, json};
use std::fmt::Write;
use std::path::PathBuf;
use std::sync::Arc;

/// What is to be detected.
#[derive(Clone, Debug, Args)]
pub(super) struct ClusterSource {
    /// Saved answers instead of a live cluster: files of `kubectl get … -o json` and `kubectl version -o json`, or
    /// directories of them.
    #[arg(long, value_name = "FILE|DIR")]
    pub(super) from: Vec<PathBuf>,
    #[cfg(feature = "cluster")]
    #[command(flatten)]
    pub(super) cluster: super::args::ClusterArgs,
}

impl ClusterSource {
    /// Saved answers.
    #[cfg(not(feature = "cluster"))]
    pub(super) fn saved(from: Vec<PathBuf>) -> Self {
        Self { from }
    }
}

#[derive(Debug, Args)]
pub(super) struct DetectArgs {
    #[command(flatten)]
    source: ClusterSource,
    /// Write a stack for this cluster.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Name of that stack; by default that of the replaced file, or else of its directory.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Replace an existing file.
    #[arg(long)]
    force: bool,
    /// Directories of catalogues that extend the built-in one.
    #[arg(long = "catalog", alias = "catalogue", value_name = "DIR")]
    catalogue: Vec<PathBuf>,
    #[command(flatten)]
    form: ResultFormatArgs,
}

pub(super) fn run(args: &DetectArgs) -> u8 {
    let sources = Arc::new(Sources::default());
    match run_detection(args, &sources) {
        Ok((text, warnings)) => {
            output::report(&warnings, &sources);
            output::print(&document(text))
        }
        Err(errors) => output::fail(&errors, &sources, "the detection"),
    }
}

/// What a cluster is; prints on standard error what cannot be read of it.
pub(super) fn detected(
    source: &ClusterSource,
    catalogue: &[PathBuf],
    sources: &Arc<Sources>,
) -> Result<Detected> {
    let catalogue = read_catalogue(catalogue, sources)?;
    let (answers, warnings) = answers(source)?;
    let found = detect(&answers, &catalogue)?;
    output::report(&warnings, sources);
    Ok(found)
}

/// The stack for a cluster; prints on standard error what was found.
pub(super) fn detected_stack(
    source: &ClusterSource,
    catalogue: &[PathBuf],
    sources: &Arc<Sources>,
) -> Result<Stack> {
    let found = detected(source, catalogue, sources)?;
    let present: Vec<&str> = found.present.iter().map(|(name, _)| name.as_str()).collect();
    let present =
        if present.is_empty() { String::new() } else { format!("; present: {}", present.join(", ")) };
    output::note(&format!("detected: {}{present}", found.profile));
    Ok(found.stack())
}

fn read_catalogue(folders: &[PathBuf], sources: &Arc<Sources>) -> Result<Catalogue> {
    let loader = Loader::here(here::reads(), sources);
    let folders: Vec<Place> = folders.iter().map(|folder| here::place(folder)).collect();
    Catalogue::load(&loader, &folders)
}

fn run_detection(args: &DetectArgs, sources: &Arc<Sources>) -> Result<(String, Diagnostics)> {
    let catalogue = read_catalogue(&args.catalogue, sources)?;
    let (answers, warnings) = answers(&args.source)?;
    let found = detect(&answers, &catalogue)?;
    if let Some(path) = &args.output {
        if path.symlink_metadata().is_ok() && !args.force {
            let message = format!("{} already exists", path.display());
            return Err(Diagnostic::error(Code::Output, message).help("replace it with `--force`").into());
        }
        let name = args.name.clone().unwrap_or_else(|| name_for(path, sources));
        output::write_file(path, found.stack_file(&name).as_bytes())?;
    }
    let text = match args.form.format {
        ResultFormat::Text => render_detected(&found),
        ResultFormat::Json => pretty(&described("Detection", as_json(&found))),
    };
    Ok((text, warnings))
}

/// The name of a stack in a file: the one in the file, as it names the inventory, else that of its directory.
fn name_for(path: &std::path::Path, sources: &Arc<Sources>) -> String {
    let folder = path.parent().unwrap_or(std::path::Path::new(""));
    let known = path.is_file().then(|| {
        let loader = Loader::here(here::reads(), sources);
        let name = path.file_name()?.to_string_lossy().into_owned();
        let file = StackFile { place: here::place(folder), name, choice: StackChoice::default() };
        Some(StackDefinition::load(&loader, &file).ok()?.name.value)
    });
    known.flatten().unwrap_or_else(|| stack_name(folder))
}

/// The answers, saved or live, with warnings about what could not be read.
fn answers(source: &ClusterSource) -> Result<(Answers, Diagnostics)> {
    if !source.from.is_empty() {
        return Ok((Answers::read(&source.from)?, Diagnostics::default()));
    }
    live(source)
}

#[cfg(feature = "cluster")]
fn live(source: &ClusterSource) -> Result<(Answers, Diagnostics)> {
    use kfc_cluster::cluster::Connection;
    let options = source.cluster.options();
    run_until_interrupted(async {
        let connection = Connection::open(&options).await?;
        let (lists, warnings) = kfc_cluster::snapshot(&connection).await?;
        let mut answers = Answers::default();
        for list in lists {
            answers.add(list);
        }
        Ok((answers, warnings))
    })
}

#[cfg(not(feature = "cluster"))]
fn live(_: &ClusterSource) -> Result<(Answers, Diagnostics)> {
    let message = "this kfc was built without access to clusters";
    Err(Diagnostic::error(Code::Usage, message).help("pass saved answers with `--from`").into())
}

/// The findings with their evidence, for programs.
fn as_json(found: &Detected) -> Value {
    let findings = |list: &[Finding]| -> Value {
        let one = |finding: &Finding| json!({"name": finding.name, "value": finding.value, "evidence": finding.evidence});
        list.iter().map(one).collect()
    };
    let present = found.present.iter().map(|(name, evidence)| json!({"name": name, "evidence": evidence}));
    let lacking = found.lacking.iter();
    let lacking =
        lacking.map(|lack| json!({"name": lack.name, "evidence": lack.evidence, "remedy": lack.remedy}));
    json!({
        "profile": found.profile,
        "findings": findings(&found.findings),
        "differing": findings(&found.differing),
        "present": present.collect::<Value>(),
        "lacking": lacking.collect::<Value>(),
        "notes": found.notes,
    })
}

/// The profile, then each finding with its evidence.
pub(super) fn render_detected(found: &Detected) -> String {
    let mut text = format!("profile: {}\n", found.profile);
    let value = |finding: &Finding| match finding.value.as_str() {
        Some("") => "none".to_owned(),
        Some(text) => text.to_owned(),
        None => finding.value.to_string(),
    };
    // Formatting pads to 65,535 columns at most.
    let widest = |list: &mut dyn Iterator<Item = usize>| list.max().unwrap_or(0).min(200);
    let names = widest(&mut found.findings.iter().map(|finding| finding.name.len()));
    let values = widest(&mut found.findings.iter().map(|finding| value(finding).len()));
    for finding in &found.findings {
        // Writing into a string cannot fail.
        let _ = writeln!(text, "  {:names$}  {:values$}  {}", finding.name, value(finding), finding.evidence);
    }
    if !found.differing.is_empty() {
        text.push_str("differs from the profile:\n");
        for finding in &found.differing {
            let _ = writeln!(text, "  {}: {}", finding.name, value(finding));
        }
    }
    if !found.present.is_empty() {
        text.push_str("present:\n");
        for (name, evidence) in &found.present {
            let _ = writeln!(text, "  {name}  {evidence}");
        }
    }
    if !found.lacking.is_empty() {
        text.push_str("lacks:\n");
        let names = widest(&mut found.lacking.iter().map(|lack| lack.name.len()));
        for lack in &found.lacking {
            let _ = writeln!(text, "  {:names$}  {}: {}", lack.name, lack.evidence, lack.remedy);
        }
    }
    if !found.notes.is_empty() {
        text.push_str("notes:\n");
        for note in &found.notes {
            let _ = writeln!(text, "  {note}");
        }
    }
    text
}
