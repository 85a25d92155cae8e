//! What may be copied, and how the new directory is called.

use kfc_diagnostics::{Code, Diagnostic, Mark, Result};
use kfc_source::{FileSystem as _, Loader, Os, RemoteRoot};
use std::path::{Path, PathBuf};

/// The directory that contains all local files of the tree; the new directory has its layout.
#[derive(Clone, Debug)]
pub struct Scope {
    /// The directory, without symbolic links.
    pub folder: PathBuf,
    /// How it is called in messages.
    pub shown: String,
}

impl Scope {
    /// The scope of a remote root.
    pub(super) fn repository(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), shown: "its repository".to_owned() }
    }

    /// The scope of a run: the repository of a remote target; else the directory that was given, or the target's own.
    ///
    /// # Errors
    /// [`Code::LocalizeScope`] when the target lies outside, or when a remote one is given a scope.
    pub fn of(loader: &Loader, target: &str, given: Option<&Path>) -> Result<Self> {
        let wrong = |message: String| Diagnostic::error(Code::LocalizeScope, message);
        match (loader.repository(), given) {
            (Some(repository), None) => Ok(Self::repository(repository)),
            (Some(_), Some(_)) => {
                let error = wrong(format!("`{target}` is remote, and its scope is always its repository"));
                Err(error.help("leave `--scope` out").into())
            }
            (None, None) => Ok(Self { folder: loader.root().to_owned(), shown: target.to_owned() }),
            (None, Some(given)) => {
                let folder =
                    Os.canonicalize(given).ok().filter(|folder| Os.is_directory(folder)).ok_or_else(
                        || wrong(format!("the scope `{}` is not an existing directory", given.display())),
                    )?;
                if loader.root().starts_with(&folder) {
                    Ok(Self { folder, shown: given.display().to_string() })
                } else {
                    let message = format!("the target `{target}` is not in the scope `{}`", given.display());
                    Err(wrong(message).help("give the directory of the target, or one above it").into())
                }
            }
        }
    }
}

impl Scope {
    /// A loader that reads nothing local outside of the scope, links resolved.
    #[must_use]
    pub fn bound(&self, loader: Loader) -> Loader {
        let what = match loader.repository() {
            Some(_) => self.shown.clone(),
            None => format!("the scope `{}`", self.shown),
        };
        loader.within(&self.folder, &what)
    }
}

/// What the door says of a path that leads out of the scope, as an error of this command.
pub(super) fn of_door(error: Diagnostic, repository: Option<&Path>) -> Diagnostic {
    match (error.code, repository) {
        (Code::OutsideRoot, None) => {
            let error = error.with_code(Code::LocalizeScope);
            error.help("give a directory that contains all of it with `--scope`")
        }
        _ => error,
    }
}

/// The name of the new directory when none is given: `localized-`, then the target's own name, and the ref of a remote one.
#[must_use]
pub fn default_name(loader: &Loader) -> String {
    let own = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned());
    let (name, reference) = match (loader.remote(), loader.repository()) {
        (Some(remote), Some(repository)) => {
            let name = if loader.root() == repository {
                super::place::repository_name(&remote.repository)
            } else {
                own(loader.root())
            };
            (name, Some(remote.reference.replace(['/', ':'], "-")))
        }
        _ => (own(loader.root()), None),
    };
    let parts = [Some("localized".to_owned()), name, reference];
    parts.into_iter().flatten().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-")
}

/// Refuses a remote root that has no ref: what it is changes from day to day.
///
/// # Errors
/// [`Code::LocalizeScope`].
pub fn refuse_without_ref(url: &str, referrer: Option<Mark>) -> Result<()> {
    use kfc_source::remote::Source;
    let without = match RemoteRoot::parse(url) {
        Some(Ok(RemoteRoot { source: Source::Git { reference, .. }, .. })) => reference.is_empty(),
        _ => false,
    };
    if !without {
        return Ok(());
    }
    let message = format!("the remote root `{url}` has no ref");
    let error = Diagnostic::error(Code::LocalizeScope, message).at(referrer);
    Err(error.help("write it as `…?ref=TAG`, so that the copy names its version").into())
}
