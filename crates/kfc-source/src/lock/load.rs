//! A lock as a file: read from a directory, and as text.

use super::file::{FILE, Lock};
use super::read::read;
use super::write;
use crate::door;
use crate::surroundings::Surroundings;
use kfc_diagnostics::{Code, Diagnostic, Result, Sources};
use std::path::Path;

/// Bytes that a lock may have.
const LARGEST: u64 = 16 * 1024 * 1024;

impl Lock {
    /// The lock in a directory, if there is one.
    ///
    /// # Errors
    /// As [`Lock::load`].
    pub fn find(folder: &Path, surroundings: &Surroundings, sources: &Sources) -> Result<Option<Self>> {
        // A link to a file that does not exist is a lock that cannot be read.
        let is_there = folder.join(FILE).symlink_metadata().is_ok();
        is_there.then(|| Self::load(folder, surroundings, sources)).transpose()
    }

    /// Reads the lock in a directory.
    ///
    /// # Errors
    /// [`Code::BadLock`] for everything that kfc would not have written.
    pub fn load(folder: &Path, surroundings: &Surroundings, sources: &Sources) -> Result<Self> {
        let empty = Self::new(folder, surroundings);
        let path = folder.join(FILE);
        let shown = empty.shown.join(FILE).display().to_string();
        let failed = |why: String| Diagnostic::error(Code::BadLock, format!("`{shown}` {why}"));
        let bytes = door::read_plain(&path, LARGEST).map_err(failed)?;
        let text = String::from_utf8(bytes).map_err(|_| failed("is not UTF-8 text".to_owned()))?;
        let (id, source) = sources.add(shown.clone(), text);
        Ok(Self { folder: empty.folder, shown: empty.shown, ..read(&source.text, id)? })
    }

    /// The text of the lock.
    #[must_use]
    pub fn text(&self) -> String {
        write::write(self)
    }
}
