//! The process as a build sees it: only here, the environment and the working directory are read for a build.

use kfc_catalogue::catalogue::Place;
use kfc_source::{Surroundings, Variables};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The surroundings of this process.
pub(super) fn surroundings() -> Arc<Surroundings> {
    // Without a working directory nothing below it can be read; `.` has no other directory in or above it.
    let working_directory = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("."));
    let variables: Variables = std::env::vars_os().collect();
    let surroundings = Surroundings::of(working_directory, std::env::temp_dir(), &variables);
    Arc::new(surroundings.with_files(crate::embedded::files()))
}

/// The working directory.
pub(super) fn working_directory() -> PathBuf {
    surroundings().working_directory.clone()
}

/// What may be read and run when no flag allows more.
pub(super) fn reads() -> kfc_source::Options {
    kfc_source::Options::new(&surroundings())
}

/// The options of a build when no flag changes them.
pub(super) fn builds() -> kfc_kustomize::engine::Options {
    let mut options = kfc_kustomize::engine::Options::new(&surroundings());
    options.generated_names = true;
    options
}

/// A directory that the user names, shown as it was written.
pub(super) fn place(directory: &Path) -> Place {
    Place::on_disk(&working_directory(), directory)
}
