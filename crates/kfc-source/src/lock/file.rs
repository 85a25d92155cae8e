//! A lock with its entries.

use super::tree;
use crate::source::{Pin, Source};
use crate::surroundings::Surroundings;
use kfc_diagnostics::{Code, Diagnostic, Result};
use std::path::{Path, PathBuf};

/// The name of the file.
pub const FILE: &str = "kfc.lock";
/// The directory of the vendored trees, next to the lock.
pub const FOLDER: &str = "vendor";
/// The version of the format that is read and written.
pub const VERSION: &str = "1";

/// A lock.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lock {
    /// The directory that it is in.
    pub folder: PathBuf,
    /// How that directory is shown.
    pub shown: PathBuf,
    /// The targets: directories relative to the lock's, or URLs; sorted.
    pub targets: Vec<String>,
    /// The sources, sorted.
    pub entries: Vec<Entry>,
}

/// One source of a lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The source.
    pub source: Source,
    /// What it was.
    pub pin: Pin,
    /// The digest of its tree, in hexadecimal.
    pub tree: String,
}

impl Lock {
    /// A lock of a directory, with nothing in it.
    #[must_use]
    pub fn new(folder: &Path, surroundings: &Surroundings) -> Self {
        let shown = surroundings.shown(folder).to_owned();
        Self { folder: folder.to_owned(), shown, ..Self::default() }
    }

    /// The entry of a source.
    #[must_use]
    pub fn entry(&self, source: &Source) -> Option<&Entry> {
        let bare = source.bare();
        self.entries.iter().find(|entry| entry.source.bare() == bare)
    }

    /// The directory of vendored trees.
    #[must_use]
    pub fn trees(&self) -> PathBuf {
        self.folder.join(FOLDER)
    }

    /// The vendored tree of an entry, after a check of every file in it.
    ///
    /// # Errors
    /// [`Code::Tampered`] when anything in it is not what the lock pins, [`Code::NotLocked`] when it does not exist.
    pub fn tree(&self, entry: &Entry) -> Result<PathBuf> {
        let top = self.trees();
        let folder = top.join(folder_name(&entry.tree));
        let shown = |path: &Path| {
            self.shown.join(path.strip_prefix(&self.folder).unwrap_or(path)).display().to_string()
        };
        for part in [&top, &folder, &folder.join("tree")] {
            let Ok(meta) = std::fs::symlink_metadata(part) else {
                let message = format!("the vendored tree of `{}` is missing", entry.source);
                let error = Diagnostic::error(Code::NotLocked, message)
                    .note(format!("expected it in `{}`", shown(&folder)));
                return Err(error.help("run `kfc vendor` to fetch what kfc.lock pins").into());
            };
            if !meta.is_dir() {
                let message = format!("`{}` is not a directory", shown(part));
                return Err(Diagnostic::error(Code::Tampered, message)
                    .help("remove it and run `kfc vendor`")
                    .into());
            }
        }
        tree::verify(&folder.join("tree"), &folder.join("files"), &entry.tree, &shown(&folder))?;
        Ok(folder.join("tree"))
    }
}

/// The name of the directory of a tree with this digest.
#[must_use]
pub fn folder_name(digest: &str) -> String {
    format!("sha256-{digest}")
}
