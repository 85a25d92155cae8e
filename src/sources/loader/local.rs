//! Files and roots on this machine: where a path leads, and whether the load restrictor lets it be read.

use super::super::{LoadRestrictor, file, folder, url};
use super::Loader;
use super::shown::clean;
use crate::diagnostics::{Code, Diagnostic, Mark, Result};
use std::path::{Path, PathBuf};
use std::sync::Arc;

impl Loader {
    /// A loader for a folder that this root names.
    pub(super) fn local_root(&self, path: &str, referrer: Mark) -> Result<Self> {
        if Path::new(path).is_absolute() {
            let error = Diagnostic::error(
                Code::WrongFileType,
                format!("the root `{path}` may not be an absolute path"),
            );
            return Err(error.at(referrer).help("write it relative to the kustomization file").into());
        }
        let shown = self.show(path);
        let root = self.folder(&self.absolute(path), &shown, referrer)?;
        if self.checkout.as_ref().is_some_and(|checkout| !root.starts_with(checkout)) {
            let error =
                Diagnostic::error(Code::OutsideRoot, format!("`{path}` leaves the repository it is in"));
            return Err(error.at(referrer).into());
        }
        self.refuse_cycle(&root, &shown, referrer)?;
        Ok(Self {
            shared: Arc::clone(&self.shared),
            root,
            shown,
            remote: None,
            checkout: self.checkout.clone(),
            parent: Some(Arc::new(self.clone())),
        })
    }

    pub(super) fn absolute(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    /// The folder at a path, symbolic links resolved.
    pub(super) fn folder(&self, path: &Path, shown: &str, referrer: Mark) -> Result<PathBuf> {
        let real =
            folder::canonicalize(path).map_err(|error| file::unreadable(path, shown, &error, referrer))?;
        if folder::is_folder(&real) {
            return Ok(real);
        }
        let error =
            Diagnostic::error(Code::WrongFileType, format!("`{shown}` is a file, but a folder is due"));
        Err(error.at(referrer).into())
    }

    /// The file at a path, symbolic links resolved and the restrictor obeyed, with the name it is shown under.
    pub(super) fn locate(&self, path: &str, referrer: Mark) -> Result<(PathBuf, String)> {
        if path.is_empty() {
            return Err(Diagnostic::error(Code::NotFound, "an empty path names no file").at(referrer).into());
        }
        if url::is_web_address(path) {
            return self.locate_remote(path, referrer);
        }
        let shown = self.show(path);
        let full = self.absolute(path);
        let real =
            folder::canonicalize(&full).map_err(|error| file::unreadable(&full, &shown, &error, referrer))?;
        if self.shared.options.restrictor == LoadRestrictor::RootOnly && !real.starts_with(&self.root) {
            return Err(self.outside(&full, &shown, referrer).into());
        }
        if let Some(checkout) = self.checkout.as_ref().filter(|checkout| !real.starts_with(checkout)) {
            let message = format!("`{shown}` leads out of the repository in {}", checkout.display());
            return Err(Diagnostic::error(Code::OutsideRoot, message).at(referrer).into());
        }
        Ok((real, shown))
    }

    fn outside(&self, full: &Path, shown: &str, referrer: Mark) -> Diagnostic {
        let is_link = clean(full).starts_with(&self.root);
        let how = if is_link { "is a symbolic link to a file outside" } else { "lies outside" };
        Diagnostic::error(Code::OutsideRoot, format!("`{shown}` {how} the root `{}`", self.show("")))
            .at(referrer)
            .help("allow it with `--load-restrictor LoadRestrictionsNone`, or move the file into the root")
            .note("a root may read files in and below its own folder only, so that nobody's tree reads yours")
    }
}
