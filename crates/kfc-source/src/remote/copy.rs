//! Copies of sources on this machine, which a run takes instead of what is on the network.

use crate::door;
use crate::options::LocalCopy;
use crate::source::Source;
use kfc_diagnostics::{Code, Diagnostic};
use std::path::Path;

/// Whether a directory is a git repository, with a working tree or without.
pub(super) fn is_repository(path: &Path) -> bool {
    path.join(".git").exists() || path.join("HEAD").is_file() && path.join("objects").is_dir()
}

/// The commit that a directory without a repository is said to be: only a ref that is a commit tells it. Whoever pins the
/// source has to check the digest of the tree.
///
/// # Errors
/// Directories that do not exist, and other refs.
pub(super) fn commit_of_directory(
    copy: &LocalCopy,
    source: &Source,
    reference: &str,
) -> Result<String, Diagnostic> {
    let shown = copy.path.display();
    if !copy.path.is_dir() {
        let message = format!("`{shown}`, the copy of `{source}`, is not a directory");
        return Err(Diagnostic::error(Code::NotFound, message)
            .help("name a git repository, or a directory with the files of the commit"));
    }
    let is_commit = reference.len() == 40 && reference.bytes().all(|b| b.is_ascii_hexdigit());
    if is_commit {
        return Ok(reference.to_owned());
    }
    let message = format!("`{shown}`, the copy of `{source}`, is not a git repository");
    Err(Diagnostic::error(Code::Remote, message)
        .note(format!("nothing tells which commit `{reference}` is"))
        .help("name a clone of the repository: `git clone --mirror`"))
}

/// Copies a single file into the directory of its tree.
///
/// # Errors
/// What is not a regular file, and what cannot be written.
pub(super) fn file(copy: &LocalCopy, source: &Source, into: &Path) -> Result<(), Diagnostic> {
    let failed = |why: &std::io::Error| {
        let message = format!("cannot read `{}`, the copy of `{source}`: {why}", copy.path.display());
        Diagnostic::error(Code::NotFound, message)
    };
    let mut reader = door::open_plain(&copy.path).map_err(|error| failed(&error))?;
    let path = into.join(source.file_name().unwrap_or("file"));
    let mut writer = std::fs::File::create_new(path).map_err(|error| failed(&error))?;
    std::io::copy(&mut reader, &mut writer).map_err(|error| failed(&error))?;
    Ok(())
}

/// The error for sources of other kinds.
pub(super) fn unsupported(copy: &LocalCopy, source: &Source) -> Diagnostic {
    let message = format!("`{source}` cannot be taken from `{}`", copy.path.display());
    Diagnostic::error(Code::Remote, message).help("only git repositories and single files can be copies")
}
