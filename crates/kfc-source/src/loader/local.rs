//! Files and roots on this machine: where a path leads, and whether the load restrictor lets it be read.

use super::super::door::{Limit, Named, clean};
use super::super::{LoadRestrictor, url};
use super::Loader;
use super::kustomization_file::FILE_NAMES;
use crate::files::FileSystem;
use kfc_diagnostics::{Code, Diagnostic, Mark, Result, nearest};
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
        let full = self.absolute(path);
        // Out of its repository or revision no root names another one: nothing there is looked at.
        let checkout = self.checkout.as_deref().map(|folder| Limit { folder, what: "its repository" });
        let boundary = self.boundary().filter(|_| !self.files().is_built_in(&full));
        if let Some(limit) = checkout.or(boundary) {
            let located =
                Named { files: self.files(), path: &full, limit: Some(limit), shown: &shown, referrer }
                    .locate();
            if located.is_err_and(|error| error.code == Code::OutsideRoot) {
                // A file there gets the same words.
                let error = self.locate(path, referrer).err();
                return Err(error.unwrap_or_else(|| self.no_root(&full, &shown, referrer).into()));
            }
        }
        if self.leads_beyond(&full) && !is_root(self.files(), &full) {
            return Err(self.no_root(&full, &shown, referrer).into());
        }
        let root = self.folder(&full, &shown, referrer)?;
        self.refuse_cycle(&root, &shown, referrer)?;
        Ok(Self {
            shared: Arc::clone(&self.shared),
            root,
            shown,
            remote: None,
            checkout: self.checkout.clone(),
            boundary: self.boundary.clone(),
            parent: Some(Arc::new(self.clone())),
        })
    }

    /// A path that the root names; `..` counts in the text, as for kustomize.
    pub(super) fn absolute(&self, path: &str) -> PathBuf {
        clean(&self.root.join(path))
    }

    /// Whether a path lies outside of the root in its text, and the restrictor does not let files there be read. A root may
    /// be there all the same.
    pub(super) fn is_beyond(&self, full: &Path) -> bool {
        self.shared.options.restrictor == LoadRestrictor::RootOnly && !full.starts_with(&self.root)
    }

    /// As [`Self::is_beyond`], symbolic links resolved.
    fn leads_beyond(&self, full: &Path) -> bool {
        let limit = Some(Limit { folder: &self.root, what: "" });
        let named = Named { files: self.files(), path: full, limit, shown: "", referrer: Mark::NONE };
        let is_refused = || named.locate().is_err_and(|error| error.code == Code::OutsideRoot);
        self.is_beyond(full) || self.shared.options.restrictor == LoadRestrictor::RootOnly && is_refused()
    }

    /// The error for a path outside of the root with no root at it: the same whether something else is there or nothing.
    fn no_root(&self, full: &Path, shown: &str, referrer: Mark) -> Diagnostic {
        let is_link = full.starts_with(&self.root);
        let how = if is_link { "is a symbolic link that leads out of" } else { "lies outside" };
        let message = format!("`{shown}` {how} the root `{}`", self.show(""));
        let error = Diagnostic::error(Code::OutsideRoot, message).at(referrer).note(
            "a root may read files in and below its own folder only, so that nobody's tree reads yours",
        );
        if is_link {
            return error.help(ALLOW);
        }
        // Roots may be named from anywhere: to name one that is there tells nothing that is not known.
        let wanted = full.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let above = full.parent().unwrap_or(full);
        let names = self.files().names_in(above);
        let roots = names.iter().map(String::as_str).filter(|name| is_root(self.files(), &above.join(name)));
        match nearest(&wanted, roots) {
            Some(near) => error.help(format!("did you mean `{}`?", shown.replacen(&wanted, near, 1))),
            None => error.help(ALLOW),
        }
    }

    /// The folder at a path, symbolic links resolved.
    pub(super) fn folder(&self, path: &Path, shown: &str, referrer: Mark) -> Result<PathBuf> {
        // The built-in catalogue is nobody's tree.
        let limit = self.boundary().filter(|_| !self.files().is_built_in(path));
        let real = Named { files: self.files(), path, limit, shown, referrer }.locate()?;
        if self.files().is_directory(&real) {
            return Ok(real);
        }
        let error = Diagnostic::error(Code::WrongFileType, format!("`{shown}` is a file, expected a folder"));
        Err(error.at(referrer).into())
    }

    fn boundary(&self) -> Option<Limit<'_>> {
        self.boundary.as_deref().map(|boundary| Limit { folder: &boundary.folder, what: &boundary.what })
    }

    /// The file or folder at a path, symbolic links resolved and the restrictor obeyed, with the name it is shown under.
    pub(super) fn locate(&self, path: &str, referrer: Mark) -> Result<(PathBuf, String)> {
        if url::is_web_address(path) {
            return self.locate_remote(path, referrer);
        }
        self.local(path, referrer, |named| named.locate())
    }

    /// What is in a file that the root names, with the name it is shown under.
    pub(super) fn read(&self, path: &str, referrer: Mark) -> Result<(Vec<u8>, String)> {
        if url::is_web_address(path) {
            let (real, shown) = self.locate_remote(path, referrer)?;
            return Ok((
                Named { files: self.files(), path: &real, limit: None, shown: &shown, referrer }.read()?,
                shown,
            ));
        }
        self.local(path, referrer, |named| named.read())
    }

    /// Goes through the door with a path on this machine.
    fn local<T>(
        &self,
        path: &str,
        referrer: Mark,
        through: impl FnOnce(&Named<'_>) -> std::result::Result<T, Diagnostic>,
    ) -> Result<(T, String)> {
        if path.is_empty() {
            return Err(Diagnostic::error(Code::NotFound, "an empty path names no file").at(referrer).into());
        }
        let shown = self.show(path);
        let own = format!("the root `{}`", self.show(""));
        let is_restricted = self.shared.options.restrictor == LoadRestrictor::RootOnly;
        let limit = match (is_restricted, &self.checkout) {
            (true, _) => Some(Limit { folder: &self.root, what: &own }),
            (false, Some(checkout)) => Some(Limit { folder: checkout, what: "its repository" }),
            (false, None) => self.boundary(),
        };
        let full = self.absolute(path);
        match through(&Named { files: self.files(), path: &full, limit, shown: &shown, referrer }) {
            Ok(found) => Ok((found, shown)),
            Err(error) if error.code == Code::OutsideRoot && is_restricted => Err(error
                .help(ALLOW)
                .note("a root may read files in and below its own folder only, so that nobody's tree reads yours")
                .into()),
            Err(error) => Err(error.into()),
        }
    }
}

const ALLOW: &str = "allow it with `--load-restrictor LoadRestrictionsNone`, or move the file into the root";

/// Whether there is a folder with a kustomization file at a path.
fn is_root(files: &dyn FileSystem, path: &Path) -> bool {
    FILE_NAMES.iter().any(|name| files.is_file(&path.join(name)))
}
