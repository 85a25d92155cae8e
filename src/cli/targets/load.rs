//! Reads what a command is asked to work on.

use super::kind::Target;
use super::resolve::{Resolved, resolve_target};
use crate::cli::args::StackArgs;
#[cfg(feature = "cluster")]
use kfc_diagnostics::{Code, Diagnostic};
use kfc_diagnostics::{Diagnostics, Result, Sources};
use kfc_kube::schema::Schema;
use kfc_kustomize::engine::{self, Bundle, Options, read};
use kfc_kustomize::resource::Resource;
use kfc_source::door;
#[cfg(feature = "cluster")]
use kfc_source::{FileSystem as _, Os};
use kfc_yaml::{parse, through_json};
use std::path::Path;
use std::sync::Arc;

/// A target that was read.
pub(in crate::cli) enum Loaded {
    /// A kustomization root, which was built.
    Root(Bundle),
    /// A stack or profile, which was resolved and can be assembled.
    Stack(Box<Resolved>),
}

/// Builds a kustomization root, or resolves a stack or profile as `stack` changes it.
///
/// # Errors
/// Everything that is wrong with it.
pub(in crate::cli) fn load(
    target: &Target,
    stack: &StackArgs,
    options: &Options,
    sources: &Arc<Sources>,
) -> Result<Loaded> {
    if let Target::Root(root) = target {
        return engine::build(root, options, sources).map(Loaded::Root);
    }
    resolve_target(target, stack, options.reads(), sources).map(|resolved| Loaded::Stack(Box::new(resolved)))
}

/// The text of standard input.
///
/// # Errors
/// What cannot be read, or is not text.
pub(in crate::cli) fn standard_input() -> Result<String> {
    Ok(door::read_text_of_stream(std::io::stdin().lock(), "standard input")?)
}

/// The resources of a file.
///
/// # Errors
/// What cannot be read, and what is not YAML or a resource.
pub(in crate::cli) fn resources_of_file(
    path: &Path,
    schema: &Schema,
    sources: &Sources,
) -> Result<Vec<Resource>> {
    resources_of_text(&path.to_string_lossy(), door::read_text_of_user(path)?, schema, sources)
}

/// The resources of the files in a directory, as kubectl reads them: those whose names end with `.yaml`, `.yml` or `.json`,
/// and not those of directories below it.
///
/// # Errors
/// A directory without such files; as [`resources_of_file`].
#[cfg(feature = "cluster")]
pub(in crate::cli) fn resources_in(
    directory: &Path,
    schema: &Schema,
    sources: &Sources,
) -> Result<Vec<Resource>> {
    let mut files: Vec<String> = Os.names_in(directory);
    files.retain(|name| [".yaml", ".yml", ".json"].iter().any(|ending| name.ends_with(ending)));
    if files.is_empty() {
        let message =
            format!("`{}` has no kustomization, no stack and no file of resources", directory.display());
        return Err(Diagnostic::error(Code::NotFound, message).into());
    }
    let mut errors = Diagnostics::default();
    let mut all = Vec::new();
    for name in files {
        let read = resources_of_file(&directory.join(name), schema, sources);
        all.extend(errors.collect(read).unwrap_or_default());
    }
    errors.into_result(all)
}

/// The resources of a text that errors call `name`, read as kubectl reads files: `yes` and `on` are booleans. A kustomization reads
/// its files as kustomize does.
///
/// # Errors
/// What is not YAML or a resource.
pub(in crate::cli) fn resources_of_text(
    name: &str,
    text: impl Into<String>,
    schema: &Schema,
    sources: &Sources,
) -> Result<Vec<Resource>> {
    let (id, source) = sources.add(name, text);
    let mut documents = parse::parse(&source.text, id)?;
    let mut errors = Diagnostics::default();
    for document in &mut documents {
        errors.collect(through_json::convert(document));
    }
    errors.into_result(())?;
    read::resources(documents, schema)
}
