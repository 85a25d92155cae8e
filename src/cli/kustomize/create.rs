//! `kustomize create`.

use super::file;
use crate::cli::exit::DONE;
use crate::cli::{here, output};
use clap::Args;
use kfc_diagnostics::{Code, Diagnostic, Result, Sources};
use kfc_kustomize::edit::create::{NewKustomization, create};
use kfc_kustomize::edit::label;
use kfc_source::{KUSTOMIZATION_FILES, Loader};
use std::path::Path;
use std::sync::Arc;
use walkdir::{DirEntry, WalkDir};

#[derive(Debug, Args)]
pub(in crate::cli) struct CreateArgs {
    /// Files and directories, separated by commas.
    #[arg(long, default_value = "", hide_default_value = true)]
    resources: String,
    /// Look for resources in this directory.
    #[arg(long)]
    autodetect: bool,
    /// Look for resources in the directories below too.
    #[arg(long, requires = "autodetect")]
    recursive: bool,
    /// Namespace of all resources.
    #[arg(long, default_value = "", hide_default_value = true)]
    namespace: String,
    /// Prefix of names.
    #[arg(long, default_value = "", hide_default_value = true, allow_hyphen_values = true)]
    nameprefix: String,
    /// Suffix of names.
    #[arg(long, default_value = "", hide_default_value = true, allow_hyphen_values = true)]
    namesuffix: String,
    /// Labels of all resources, `key:value,key:value`.
    #[arg(long, default_value = "", hide_default_value = true)]
    labels: String,
    /// Annotations of all resources, `key:value,key:value`.
    #[arg(long, default_value = "", hide_default_value = true)]
    annotations: String,
}

/// Writes a kustomization file into the working directory.
pub(in crate::cli) fn run(args: &CreateArgs) -> u8 {
    let sources = Arc::new(Sources::default());
    match write(args, &sources) {
        Ok(()) => DONE,
        Err(errors) => output::fail(&errors, &sources, "the command"),
    }
}

fn write(args: &CreateArgs, sources: &Arc<Sources>) -> Result<()> {
    if let Some(name) = KUSTOMIZATION_FILES.into_iter().find(|name| Path::new(name).exists()) {
        return Err(Diagnostic::error(Code::EditExists, format!("{name} already exists")).into());
    }
    let mut resources = file::expand(&parts(&args.resources), true)?;
    if args.autodetect {
        let more = detect(args.recursive, sources).into_iter().filter(|path| !resources.contains(path));
        resources.extend(more.collect::<Vec<_>>());
    }
    let new = NewKustomization {
        resources,
        namespace: args.namespace.clone(),
        name_prefix: args.nameprefix.clone(),
        name_suffix: args.namesuffix.clone(),
        labels: label::pairs(&parts(&args.labels))?,
        annotations: label::pairs(&parts(&args.annotations))?,
    };
    file::write(KUSTOMIZATION_FILES[0], &create(&new)?)
}

/// The parts of a text that commas separate; an empty one has none.
fn parts(text: &str) -> Vec<String> {
    text.split(',').filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

/// The files that contain resources, and the directories that are roots. What is below a root belongs to it.
fn detect(recursive: bool, sources: &Arc<Sources>) -> Vec<String> {
    let is_root = |directory: &Path| KUSTOMIZATION_FILES.iter().any(|name| directory.join(name).is_file());
    let is_hidden =
        |entry: &DirEntry| entry.depth() > 0 && entry.file_name().to_string_lossy().starts_with('.');
    let mut walk = WalkDir::new(".").min_depth(1).sort_by_file_name();
    if !recursive {
        walk = walk.max_depth(1);
    }
    let mut entries = walk.into_iter();
    let mut found = Vec::new();
    while let Some(entry) = entries.next() {
        let Ok(entry) = entry else { continue };
        let path = entry.path().strip_prefix(".").unwrap_or(entry.path()).to_string_lossy().into_owned();
        let is_directory = entry.file_type().is_dir();
        if is_directory && (is_hidden(&entry) || is_root(entry.path())) {
            entries.skip_current_dir();
            found.extend((!is_hidden(&entry)).then_some(path));
        } else if !is_directory && holds_resources(entry.path(), sources) {
            found.push(path);
        }
    }
    found
}

fn holds_resources(path: &Path, sources: &Arc<Sources>) -> bool {
    let is_yaml = path.extension().is_some_and(|ending| ["yaml", "yml", "json"].iter().any(|e| ending == *e));
    let read = |path: &str| {
        let file = Loader::here(here::reads(), sources).load(path, None).ok()?;
        kfc_yaml::parse::parse(&file.source.text, file.id).ok()
    };
    let documents = path.to_str().filter(|_| is_yaml).and_then(read).unwrap_or_default();
    let is_resource = |node: &kfc_yaml::Node| {
        node.get("kind").is_some()
            && (node.at(&["metadata", "name"]).is_some() || node.get("items").is_some())
    };
    !documents.is_empty() && documents.iter().all(is_resource)
}
