//! The files of a copy, and how they are written.

use kfc_diagnostics::{Code, Diagnostic, Mark, Result};
use kfc_source::write::tree;
use kfc_source::{FileSystem as _, Os};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A tree of files that lies nowhere yet.
#[derive(Debug, Default)]
pub struct Copy {
    /// The directory of the root that was asked for, below the new directory.
    pub root: PathBuf,
    files: BTreeMap<PathBuf, Vec<u8>>,
}

impl Copy {
    /// Adds a file.
    ///
    /// # Errors
    /// [`Code::Localize`] when something else has its place already.
    pub(super) fn put(&mut self, place: PathBuf, bytes: Vec<u8>, referrer: Option<Mark>) -> Result<()> {
        if self.files.get(&place).is_some_and(|there| *there != bytes) {
            let message = format!("two different files would become `{}`", place.display());
            let error = Diagnostic::error(Code::Localize, message).at(referrer);
            return Err(error.help("copy one of them into the root, and name it there").into());
        }
        self.files.insert(place, bytes);
        Ok(())
    }

    /// The files by their path below the new directory, in order.
    pub fn files(&self) -> impl Iterator<Item = (&Path, &[u8])> {
        self.files.iter().map(|(path, bytes)| (path.as_path(), bytes.as_slice()))
    }

    /// Writes the tree under another name first: the new directory is complete or does not exist.
    ///
    /// # Errors
    /// [`Code::LocalizeDestination`] when there is something already, [`Code::Output`] when it cannot be written.
    pub fn write(&self, folder: &Path) -> Result<()> {
        refuse_existing(folder)?;
        tree::create(folder, &self.root, &self.files).map_err(|error| {
            Diagnostic::error(Code::Output, format!("cannot write `{}`: {error}", folder.display())).into()
        })
    }
}

/// Refuses to write over anything.
///
/// # Errors
/// [`Code::LocalizeDestination`].
pub fn refuse_existing(folder: &Path) -> Result<()> {
    if !Os.exists(folder) {
        return Ok(());
    }
    let message = format!("the destination `{}` already exists", folder.display());
    Err(Diagnostic::error(Code::LocalizeDestination, message)
        .help("name another one, or remove it first")
        .into())
}
