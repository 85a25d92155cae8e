//! `kfc.lock`: which remote sources a tree has, what each was when it was vendored, and the digest of its tree.

mod read;
pub mod tree;
mod write;

pub use read::read;

use super::remote::{Pin, Source};
use crate::{Surroundings, door};
use kfc_diagnostics::{Code, Diagnostic, Result, Sources};
use std::path::{Path, PathBuf};

/// The name of the file.
pub const FILE: &str = "kfc.lock";
/// The folder of the vendored trees, beside it.
pub const FOLDER: &str = "vendor";
/// The version of the format that is read and written.
pub const VERSION: &str = "1";
/// Bytes that a lock may have.
const LARGEST: u64 = 16 * 1024 * 1024;

/// A lock.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lock {
    /// The folder that it lies in.
    pub folder: PathBuf,
    /// How that folder is shown.
    pub shown: PathBuf,
    /// What was vendored: folders as seen from the lock's, or URLs; sorted.
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
    /// A lock of a folder, with nothing in it.
    #[must_use]
    pub fn new(folder: &Path, surroundings: &Surroundings) -> Self {
        let shown = surroundings.shown(folder).to_owned();
        Self { folder: folder.to_owned(), shown, ..Self::default() }
    }

    /// Reads the lock in a folder.
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

    /// The entry of a source.
    #[must_use]
    pub fn entry(&self, source: &Source) -> Option<&Entry> {
        let bare = source.bare();
        self.entries.iter().find(|entry| entry.source.bare() == bare)
    }

    /// The folder of vendored trees.
    #[must_use]
    pub fn trees(&self) -> PathBuf {
        self.folder.join(FOLDER)
    }

    /// The vendored tree of an entry, after a check of every file in it.
    ///
    /// # Errors
    /// [`Code::Tampered`] when anything in it is not what the lock pins, [`Code::NotLocked`] when it is not there.
    pub fn tree(&self, entry: &Entry) -> Result<PathBuf> {
        let top = self.trees();
        let folder = top.join(folder_name(&entry.tree));
        let shown = |path: &Path| {
            self.shown.join(path.strip_prefix(&self.folder).unwrap_or(path)).display().to_string()
        };
        for part in [&top, &folder, &folder.join("tree")] {
            let Ok(meta) = std::fs::symlink_metadata(part) else {
                let message = format!("the vendored tree of `{}` is not there", entry.source);
                let error = Diagnostic::error(Code::NotLocked, message)
                    .note(format!("it is due in `{}`", shown(&folder)));
                return Err(error.help("run `kfc vendor` to fetch what kfc.lock pins").into());
            };
            if !meta.is_dir() {
                let message = format!("`{}` is not a folder", shown(part));
                return Err(Diagnostic::error(Code::Tampered, message)
                    .help("remove it and run `kfc vendor`")
                    .into());
            }
        }
        tree::verify(&folder.join("tree"), &folder.join("files"), &entry.tree, &shown(&folder))?;
        Ok(folder.join("tree"))
    }

    /// The text of the lock.
    #[must_use]
    pub fn text(&self) -> String {
        write::write(self)
    }
}

/// The name of the folder of a tree with this digest.
#[must_use]
pub fn folder_name(digest: &str) -> String {
    format!("sha256-{digest}")
}

/// The folder of the lock that a root in `start` builds with. It is looked for in the root and the folders above, up to
/// the top of the git repository that the root lies in; without a repository, up to the working folder when the root lies
/// below it, and nowhere above the root else. A lock in a folder that others may write to is never picked up by chance.
#[must_use]
pub fn find(start: &Path, working_directory: &Path) -> Option<PathBuf> {
    let start = start.canonicalize().ok()?;
    let top = start.ancestors().find(|folder| folder.join(".git").exists()).map(Path::to_owned);
    let top = top.or_else(|| {
        let here = working_directory.canonicalize().ok()?;
        start.starts_with(&here).then_some(here)
    });
    let top = top.unwrap_or_else(|| start.clone());
    let folders = start.ancestors().take_while(|folder| folder.starts_with(&top));
    folders.into_iter().find(|folder| folder.join(FILE).symlink_metadata().is_ok()).map(Path::to_owned)
}
