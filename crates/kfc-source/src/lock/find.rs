//! Finds the lock of a root.

use super::file::FILE;
use std::path::{Path, PathBuf};

/// The directory of the lock that a root in `start` builds with. It is searched for in the root and the directories above, up to
/// the top of the git repository of the root; without a repository, up to the working directory when the root is below it, and
/// else only in the root. So a lock in a directory that others may write to is never used by accident.
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
