//! Files that a command writes to start from: none is replaced unless that is wanted.

use super::output;
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Result};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Files to write below a directory that the user named.
pub(super) struct Scaffold {
    directory: PathBuf,
    /// Whether existing files are replaced.
    force: bool,
    files: Vec<(String, Vec<u8>, IsOurs)>,
}

/// Whether a file is ours, so that it is written again without a question.
type IsOurs = bool;

impl Scaffold {
    /// No files yet.
    pub(super) fn new(directory: &Path, force: bool) -> Self {
        Self { directory: directory.to_owned(), force, files: Vec::new() }
    }

    /// Adds a file that must not exist.
    pub(super) fn add(&mut self, path: impl Into<String>, text: impl Into<Vec<u8>>) {
        self.files.push((path.into(), text.into(), false));
    }

    /// Adds a file that nobody edits.
    pub(super) fn renew(&mut self, path: impl Into<String>, text: impl Into<Vec<u8>>) {
        self.files.push((path.into(), text.into(), true));
    }

    /// Writes all files, or none when some exist. Returns a line for each.
    ///
    /// # Errors
    /// Files that exist or cannot be written.
    pub(super) fn write(self) -> Result<String> {
        let mut errors = Diagnostics::default();
        let own = self.files.iter().filter(|(_, _, is_ours)| !is_ours);
        let existing =
            own.map(|(path, ..)| self.directory.join(path)).filter(|path| path.symlink_metadata().is_ok());
        for path in existing.filter(|_| !self.force) {
            let message = format!("{} already exists", path.display());
            errors.push(Diagnostic::error(Code::Output, message).help("replace it with `--force`"));
        }
        errors = errors.into_result(Diagnostics::default())?;
        let mut report = String::new();
        for (path, text, _) in &self.files {
            if errors.collect(output::write_below(&self.directory, Path::new(path), text)).is_some() {
                let path = self.directory.join(path);
                let shown = path.strip_prefix(".").unwrap_or(&path);
                // Writing into a string cannot fail.
                let _ = writeln!(report, "wrote {}", shown.display());
            }
        }
        errors.into_result(report)
    }
}

/// How many directories a path has.
pub(super) fn depth(directory: &str) -> usize {
    directory.split('/').count()
}
