//! Files and roots on this machine: where a path leads, and whether the load restrictor lets it be read.

use super::super::door::{Limit, Named, clean};
use super::super::{LoadRestrictor, url};
use super::Loader;
use super::kustomization_file::KUSTOMIZATION_FILES;
use crate::files::FileSystem;
use kfc_diagnostics::{Code, Diagnostic, Mark, Result, nearest};
use std::path::{Path, PathBuf};
use std::sync::Arc;

impl Loader {
    /// A loader for a directory that this root names.
    pub(super) fn local_root(&self, path: &str, referrer: Option<Mark>) -> Result<Self> {
        if Path::new(path).is_absolute() {
            let error =
                Diagnostic::error(Code::WrongFileType, format!("the root `{path}` is an absolute path"));
            return Err(error.at(referrer).help("write it relative to the kustomization file").into());
        }
        let shown = self.show(path);
        let full = self.absolute(path);
        // No root names another one outside of its repository or revision: nothing there is read.
        let checkout = self.checkout.as_deref().map(|folder| Limit { folder, what: "its repository" });
        let boundary = self.boundary().filter(|_| !self.files().is_built_in(&full));
        if let Some(limit) = checkout.or(boundary) {
            let located =
                Named { files: self.files(), path: &full, limit: Some(limit), shown: &shown, referrer }
                    .locate();
            if located.is_err_and(|error| error.code == Code::OutsideRoot) {
                // A file there gets the same message.
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

    /// A path that the root names; `..` is removed by the text alone, as in kustomize.
    pub(super) fn absolute(&self, path: &str) -> PathBuf {
        clean(&self.root.join(path))
    }

    /// Whether a path is outside of the root by its text, and the restrictor forbids reading files there. It may still be a
    /// root.
    pub(super) fn is_beyond(&self, full: &Path) -> bool {
        self.shared.options.restrictor == LoadRestrictor::RootOnly && !full.starts_with(&self.root)
    }

    /// As [`Self::is_beyond`], symbolic links resolved.
    fn leads_beyond(&self, full: &Path) -> bool {
        let limit = Some(Limit { folder: &self.root, what: "" });
        let named = Named { files: self.files(), path: full, limit, shown: "", referrer: None };
        let is_refused = || named.locate().is_err_and(|error| error.code == Code::OutsideRoot);
        self.is_beyond(full) || self.shared.options.restrictor == LoadRestrictor::RootOnly && is_refused()
    }

    /// The error for a path outside of the root with no root at it: the same whether something else exists there or not.
    fn no_root(&self, full: &Path, shown: &str, referrer: Option<Mark>) -> Diagnostic {
        let is_link = full.starts_with(&self.root);
        let how = if is_link { "is a symbolic link that leads out of" } else { "lies outside" };
        let message = format!("`{shown}` {how} the root `{}`", self.show(""));
        let error = Diagnostic::error(Code::OutsideRoot, message).at(referrer).note(
            "a root may read files in and below its own directory only, so that no other tree reads yours",
        );
        if is_link {
            return error.help(ALLOW);
        }
        // Every root may name other roots, so a suggestion of one reveals nothing.
        let wanted = full.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let above = full.parent().unwrap_or(full);
        let names = self.files().names_in(above);
        let roots = names.iter().map(String::as_str).filter(|name| is_root(self.files(), &above.join(name)));
        match nearest(&wanted, roots) {
            Some(near) => error.help(format!("did you mean `{}`?", shown.replacen(&wanted, near, 1))),
            None => error.help(ALLOW),
        }
    }

    /// The directory at a path, symbolic links resolved.
    pub(super) fn folder(&self, path: &Path, shown: &str, referrer: Option<Mark>) -> Result<PathBuf> {
        // The built-in catalogue is not part of a user's tree.
        let limit = self.boundary().filter(|_| !self.files().is_built_in(path));
        let real = Named { files: self.files(), path, limit, shown, referrer }.locate()?;
        if self.files().is_directory(&real) {
            return Ok(real);
        }
        let error =
            Diagnostic::error(Code::WrongFileType, format!("`{shown}` is a file, expected a directory"));
        Err(error.at(referrer).into())
    }

    fn boundary(&self) -> Option<Limit<'_>> {
        self.boundary.as_deref().map(|boundary| Limit { folder: &boundary.folder, what: &boundary.what })
    }

    /// The file or directory at a path, symbolic links resolved and the restrictor applied, with its name in messages.
    #[expect(
        clippy::redundant_closure_for_method_calls,
        reason = "the method has one lifetime, the closure any"
    )]
    pub(super) fn locate(&self, path: &str, referrer: Option<Mark>) -> Result<(PathBuf, String)> {
        if url::is_web_address(path) {
            return self.locate_remote(path, referrer);
        }
        self.local(path, referrer, |named| named.locate())
    }

    /// The content of a file that the root names, with its name in messages.
    #[expect(
        clippy::redundant_closure_for_method_calls,
        reason = "the method has one lifetime, the closure any"
    )]
    pub(super) fn read(&self, path: &str, referrer: Option<Mark>) -> Result<(Vec<u8>, String)> {
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
        referrer: Option<Mark>,
        through: impl FnOnce(&Named<'_>) -> std::result::Result<T, Diagnostic>,
    ) -> Result<(T, String)> {
        if path.is_empty() {
            return Err(Diagnostic::error(Code::NotFound, "the path is empty").at(referrer).into());
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
                .note("a root may read files in and below its own directory only, so that no other tree reads yours")
                .into()),
            Err(error) => Err(error.into()),
        }
    }
}

const ALLOW: &str = "allow it with `--load-restrictor LoadRestrictionsNone`, or move the file into the root";

/// Whether there is a directory with a kustomization file at a path.
fn is_root(files: &dyn FileSystem, path: &Path) -> bool {
    KUSTOMIZATION_FILES.iter().any(|name| files.is_file(&path.join(name)))
}
