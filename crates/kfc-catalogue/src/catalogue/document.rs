//! One of our own files: where it is, its fields and its name.

use super::secrets::{values_in_stack, values_of_secrets};
use crate::files::ApiVersion;
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Mark, Result, Source, SourceId};
use kfc_source::Loader;
use kfc_yaml::de;
use kfc_yaml::{Node, Spanned, parse};
use serde::de::DeserializeOwned;
use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The apiVersion of all our own files.
pub const API_VERSION: &str = ApiVersion::V1Alpha1.word();

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

/// Reads the file of this name in a directory: its fields, then what they mean.
pub(super) fn read_one<F: DeserializeOwned, T>(
    loader: &Loader,
    place: &Place,
    file: &str,
    read: impl Fn(&Document, F, &mut Diagnostics) -> T,
) -> Result<T> {
    let document = Document::load(loader, place, file)?;
    let (fields, mut errors) = document.fields();
    match fields {
        Some(fields) => {
            let value = read(&document, fields, &mut errors);
            errors.in_order().into_result(value)
        }
        None => Err(errors),
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
    /// Its text.
    pub(crate) source: SourceId,
    /// Whether its directory has a kustomization.
    pub(crate) has_kustomization: bool,
    /// Whether fields of it have errors, and are empty.
    has_faults: Cell<bool>,
}

impl Document {
    /// Reads the file `file` of a directory, which must hold one document.
    pub(crate) fn load(loader: &Loader, place: &Place, file: &str) -> Result<Self> {
        let here = loader.beside(&place.folder, &place.shown, None)?;
        let read = here.load(file, None)?;
        let node = one_document(&read.source, read.id)?;
        for mark in values_of_secrets(&node).into_iter().chain(values_in_stack(&node)) {
            loader.sources().hide(mark);
        }
        let stem = file.trim_end_matches(".yaml").trim_end_matches(".yml").to_owned();
        let has_kustomization = loader.files().is_file(&place.folder.join("kustomization.yaml"));
        let has_faults = Cell::new(false);
        Ok(Self { place: place.clone(), stem, node, source: read.id, has_kustomization, has_faults })
    }

    /// Its fields, with all errors of these.
    pub(super) fn fields<F: DeserializeOwned>(&self) -> (Option<F>, Diagnostics) {
        let (fields, errors) = de::read(&self.node);
        self.has_faults.set(!errors.is_empty());
        (fields, errors)
    }

    /// Checks that an object has a name.
    pub(super) fn check_not_empty(&self, name: &Spanned<String>, errors: &mut Diagnostics) {
        // A name that is missing or not a text is reported already, and empty.
        if name.is_empty() && !self.has_faults.get() {
            errors.push(Diagnostic::error(Code::BadValue, "`metadata.name` is empty").at(name.mark));
        }
    }

    /// Checks that an object has the name of its file or directory, so that people find it.
    pub(super) fn check_name(
        &self,
        name: &Spanned<String>,
        expected: &str,
        what: &Named,
        errors: &mut Diagnostics,
    ) {
        self.check_not_empty(name, errors);
        if !name.is_empty() && name.value != expected {
            let Named { object, file } = what;
            let message =
                format!("the name of the {object} is `{}`, but its {file} is `{expected}`", name.value);
            errors.push(
                Diagnostic::error(Code::BadValue, message).at(name.mark).help("use the same name for both"),
            );
        }
    }
}

/// What has a name, and what must have the same.
pub(super) struct Named {
    pub(super) object: &'static str,
    pub(super) file: &'static str,
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
