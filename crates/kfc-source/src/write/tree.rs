//! A new directory with a tree of files.

use std::collections::BTreeMap;
use std::io::Result;
use std::path::{Path, PathBuf};

/// How the names of temporary directories begin.
const STAGING: &str = ".kfc-tree-";

/// Writes a tree of files as a new directory, whose parents are created. The tree is written under another name first: the
/// directory is complete or does not exist.
///
/// `files` has the content of each file by its path in the directory; `root` is a directory in it that exists even without a
/// file.
///
/// # Errors
/// Those of the file system; something other than an empty directory at `directory`.
pub fn create(directory: &Path, root: &Path, files: &BTreeMap<PathBuf, Vec<u8>>) -> Result<()> {
    let parent = directory.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(parent)?;
    let staging = tempfile::Builder::new().prefix(STAGING).tempdir_in(parent)?;
    // A directory in it has the permissions that new directories have; the temporary one is only for its owner.
    let tree = staging.path().join("tree");
    std::fs::create_dir(&tree)?;
    std::fs::create_dir_all(tree.join(root))?;
    for (path, bytes) in files {
        let path = tree.join(path);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::write(path, bytes)?;
    }
    std::fs::rename(tree, directory)
}
