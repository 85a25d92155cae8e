//! One of our own files: where it is, its fields and its name.

use super::secrets::values_of_secrets;
use kfc_diagnostics::{Code, Diagnostic, Mark, Result, Source, SourceId};
use kfc_source::Loader;
use kfc_yaml::fields::{Errors, Fields};
use kfc_yaml::{Node, parse};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The apiVersion of all our own files.
pub const API_VERSION: &str = "kfc.dev/v1alpha1";

/// The path of the catalogue that is built into a program: see [`kfc_source::Embedded`]. No path on disk can have this
/// name, as it holds a NUL.
pub const BUILT_IN: &str = "/\0catalogue";

/// A directory of our own files, with its name in messages.
#[derive(Clone, Debug)]
pub struct Place {
    /// The directory on disk, or below [`BUILT_IN`].
    pub folder: PathBuf,
    /// How it is shown in messages.
    pub shown: String,
}

impl Place {
    /// A directory on disk relative to the working directory, shown as it was written.
    #[must_use]
    pub fn on_disk(working_directory: &Path, folder: &Path) -> Self {
        let shown = folder.to_string_lossy();
        let shown = shown.trim_start_matches("./").trim_end_matches('/');
        let shown = if shown == "." { String::new() } else { shown.to_owned() };
        Self { folder: working_directory.join(folder), shown }
    }

    /// A directory below this one, or next to it.
    #[must_use]
    pub fn join(&self, name: &str) -> Self {
        let shown = if self.shown.is_empty() { name.to_owned() } else { format!("{}/{name}", self.shown) };
        Self { folder: self.folder.join(name), shown }
    }
}

/// Reads the file of this name in a directory.
pub(super) fn read_one<T>(
    loader: &Loader,
    place: &Place,
    file: &str,
    read: impl Fn(&Document, &Errors) -> Option<T>,
) -> Result<T> {
    let document = Document::load(loader, place, file)?;
    let errors = Errors::exact();
    let value = read(&document, &errors);
    match value {
        Some(value) => errors.into_inner().into_result(value),
        None => Err(errors.into_inner()),
    }
}

/// One of our own files.
pub(crate) struct Document {
    /// Its directory.
    pub(crate) place: Place,
    /// Its name without the extension.
    pub(crate) stem: String,
    /// Its content.
    pub(crate) node: Node,
    /// Whether its directory has a kustomization.
    pub(crate) has_kustomization: bool,
}

impl Document {
    /// Reads the file `file` of a directory, which must hold one document.
    pub(crate) fn load(loader: &Loader, place: &Place, file: &str) -> Result<Self> {
        let here = loader.beside(&place.folder, &place.shown, Mark::NONE)?;
        let read = here.load(file, Mark::NONE)?;
        let node = one_document(&read.source, read.id)?;
        values_of_secrets(&node).into_iter().for_each(|mark| loader.sources().hide(mark));
        let stem = file.trim_end_matches(".yaml").trim_end_matches(".yml").to_owned();
        let has_kustomization = loader.files().is_file(&place.folder.join("kustomization.yaml"));
        Ok(Self { place: place.clone(), stem, node, has_kustomization })
    }

    /// The fields of the file and of its `spec`, when it is of this kind.
    pub(crate) fn open<'a>(
        &'a self,
        kind: &'static str,
        errors: &'a Errors,
    ) -> Option<(Fields<'a>, Option<Fields<'a>>)> {
        let what = match kind {
            "Component" => "a component",
            "Overlay" => "an overlay",
            "Platform" => "a platform layer",
            _ => "a stack",
        };
        let top = Fields::of(&self.node, what, errors)?;
        for (field, wanted) in [("apiVersion", API_VERSION), ("kind", kind)] {
            let found = top.required(field);
            if !found.text.is_empty() && found.text != wanted {
                let message = format!("`{field}` is `{}`, but {what} has `{wanted}`", found.text);
                errors.push(Diagnostic::error(Code::BadValue, message).at(found.mark));
            }
        }
        let spec = top.nested("spec", what);
        Some((top, spec))
    }
}

/// The name of a file's object.
pub(crate) fn name_of(top: &Fields<'_>, errors: &Errors) -> kfc_yaml::fields::Spanned {
    match top.nested("metadata", "`metadata`") {
        Some(metadata) => {
            let name = metadata.required("name");
            metadata.finish();
            name
        }
        None => {
            if top.node("metadata").is_none() {
                let error = Diagnostic::error(Code::MissingField, "`metadata.name` is missing");
                errors.push(error.at(top.mark("metadata")));
            }
            kfc_yaml::fields::Spanned { text: String::new(), mark: Mark::NONE }
        }
    }
}

fn one_document(source: &Arc<Source>, id: SourceId) -> Result<Node> {
    let documents = parse::parse(&source.text, id)?;
    let start = Mark { source: id, offset: 0 };
    match <[Node; 1]>::try_from(documents) {
        Ok([node]) => Ok(node),
        Err(documents) => {
            let message = format!("`{}` has {} documents, expected one", source.name, documents.len());
            Err(Diagnostic::error(Code::BadValue, message).at(start).into())
        }
    }
}
