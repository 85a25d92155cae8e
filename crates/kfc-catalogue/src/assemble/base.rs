//! The resources of a component before anything is set: those of its kustomization root, or of its sources.

use crate::catalogue::{Base, BaseOrigin, BaseRemote, BaseSource};
use crate::definitions;
use kfc_diagnostics::{Diagnostics, Result};
use kfc_kube::notation::Notation;
use kfc_kube::schema::Schema;
use kfc_kustomize::engine::assembly::Part;
use kfc_source::{Loader, Resolved};
use kfc_yaml::Spanned;
use std::sync::Arc;

/// The resources of a base.
///
/// # Errors
/// Everything that is wrong with its roots and sources.
pub(super) fn part(base: &Base, loader: &Loader, schema: &Arc<Schema>, keep_origins: bool) -> Result<Part> {
    match &base.origin {
        BaseOrigin::Root(path) => {
            let root = root(base, path, loader)?;
            let mut part = Part::build(root.clone(), schema, keep_origins)?;
            definitions::resolve(&mut part.resources().list, |path, referrer| {
                let file = root.load(path, referrer)?;
                Notation::parse(&file.source.text, file.id)
            })?;
            Ok(part)
        }
        BaseOrigin::Sources { list, file } => {
            let folder = loader.beside(&base.place.folder, &base.place.shown, None)?;
            let mut errors = Diagnostics::default();
            let mut part = Part::default();
            for source in list {
                let built = of_source(source, &folder, file, schema, keep_origins);
                errors.collect(built.and_then(|built| part.join(built)));
            }
            errors.into_result(part)
        }
    }
}

/// The objects of a source that belong to the component.
fn of_source(
    source: &BaseSource,
    folder: &Loader,
    file: &str,
    schema: &Arc<Schema>,
    keep_origins: bool,
) -> Result<Part> {
    let mut part = Part::of_document(folder.clone(), &source.kustomization, file, schema, keep_origins)?;
    part.forgive_deprecated();
    if !source.takes_all() {
        part.narrow(|resource| source.takes(resource))?;
    }
    Ok(part)
}

/// The roots of a base. The charts that it names are requested.
///
/// # Errors
/// What does not exist or cannot be fetched.
pub fn roots(base: &Base, loader: &Loader) -> Result<Vec<Loader>> {
    let list = match &base.origin {
        BaseOrigin::Root(path) => return Ok(vec![root(base, path, loader)?]),
        BaseOrigin::Sources { list, .. } => list,
    };
    let folder = loader.beside(&base.place.folder, &base.place.shown, None)?;
    let mut errors = Diagnostics::default();
    let mut roots = Vec::new();
    for source in list {
        match &source.remote {
            BaseRemote::Root(url) => roots.extend(errors.collect(folder.child(&url.value, url.mark))),
            BaseRemote::Chart { repository, name, version } => {
                errors.collect(folder.chart(&repository.value, name, version, repository.mark));
            }
        }
    }
    errors.into_result(roots)
}

/// The kustomization root of a base.
fn root(base: &Base, path: &Spanned<String>, loader: &Loader) -> Result<Loader> {
    let folder = loader.beside(&base.place.folder, &base.place.shown, path.mark)?;
    if path.value == "." { Ok(folder) } else { root_at(&folder, path) }
}

/// How a path below a directory is shown; the working directory has no name.
pub(super) fn shown_below(folder: &Loader, path: &str) -> String {
    match folder.shown() {
        "" => path.to_owned(),
        shown => format!("{shown}/{path}"),
    }
}

/// A root that a file of ours names: a directory anywhere on disk, or a URL.
pub(super) fn root_at(folder: &Loader, path: &Spanned<String>) -> Result<Loader> {
    let local = folder.root().join(&path.value);
    if folder.files().is_directory(&local) {
        let shown = shown_below(folder, &path.value);
        return folder.beside(&local, &shown, path.mark);
    }
    match folder.resolve(&path.value, path.mark)? {
        Resolved::Root(root) => Ok(root),
        Resolved::File(_) => folder.child(&path.value, path.mark),
    }
}
