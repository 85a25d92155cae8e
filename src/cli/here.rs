//! The process as a build sees it: only here, the environment and the working directory are read for a build.

use super::trace;
use kfc_catalogue::catalogue::Place;
use kfc_source::{FileSystem, Programs, Runner, Surroundings, Variables};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// The surroundings of this process.
pub(super) fn surroundings() -> Arc<Surroundings> {
    surroundings_with(trace::files(crate::embedded::files()))
}

/// The surroundings of this process, with other files.
pub(super) fn surroundings_with(files: Arc<dyn FileSystem>) -> Arc<Surroundings> {
    let working_directory = current_directory();
    let variables: Variables = std::env::vars_os().collect();
    let surroundings = Surroundings::of(working_directory, std::env::temp_dir(), &variables);
    Arc::new(surroundings.with_files(files))
}

/// What runs functions and external plug-ins as processes, each for this long at most.
pub(super) fn runner(time: Duration) -> Arc<dyn Runner> {
    let variables: Variables = std::env::vars_os().collect();
    Arc::new(Programs::new(&working_directory(), &variables, time))
}

/// A variable of the environment.
pub(super) fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

/// The user of this process, `UID:GID`; none where users have no numbers.
#[cfg_attr(unix, expect(clippy::unnecessary_wraps, reason = "there is none on Windows"))]
pub(super) fn user() -> Option<String> {
    #[cfg(unix)]
    {
        use rustix::process::{getgid, getuid};
        Some(format!("{}:{}", getuid().as_raw(), getgid().as_raw()))
    }
    #[cfg(not(unix))]
    None
}

/// The directory that the process runs in. Without one nothing below it can be read; `.` has no other directory in or above it.
pub(super) fn current_directory() -> PathBuf {
    std::env::current_dir().unwrap_or_else(|_| PathBuf::from("."))
}

/// The working directory.
pub(super) fn working_directory() -> PathBuf {
    surroundings().working_directory.clone()
}

/// What may be read and run when no flag allows more.
pub(super) fn reads() -> kfc_source::Options {
    let mut options = kfc_source::Options::new(&surroundings());
    options.remote.observer = trace::fetches();
    options
}

/// The options of a build when no flag changes them.
pub(super) fn builds() -> kfc_kustomize::engine::Options {
    let mut options = kfc_kustomize::engine::Options::new(&surroundings());
    options.extensions = true;
    options.remote.observer = trace::fetches();
    options
}

/// A directory that the user names, shown as it was written.
pub(super) fn place(directory: &Path) -> Place {
    Place::on_disk(&working_directory(), directory)
}
