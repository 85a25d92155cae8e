//! The files in and below a directory that a tree names. Symbolic links are followed only as far as the caller allows: what is
//! outside is never read, so that no message tells whether something exists there.

use super::door::Named;
use super::file::{Os, name_of};
use super::lock::tree::MOST_FILES;
use kfc_diagnostics::{Code, Diagnostic, Mark, Result};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The depth of nested directories, including links.
const DEEPEST: usize = 128;

/// A file that was found.
#[derive(Clone, Debug)]
pub struct Walked {
    /// Its path as seen from the directory; links may be on the way.
    pub below: PathBuf,
    /// Its path without symbolic links.
    pub real: PathBuf,
}

impl Walked {
    /// Reads the file, which is called `shown`.
    ///
    /// # Errors
    /// Those of [`Named::read`].
    pub fn read(&self, shown: &str, referrer: impl Into<Option<Mark>>) -> Result<Vec<u8>> {
        let referrer = referrer.into();
        Ok(Named { files: &Os, path: &self.real, limit: None, shown, referrer }.read()?)
    }
}

/// The files in and below a directory, sorted by name. `locate` returns the target of a symbolic link, or why it is not followed.
///
/// # Errors
/// Those of `locate`; [`Code::WrongFileType`] for devices, pipes and sockets; [`Code::Cycle`] for a link to a directory around
/// it; [`Code::TooLarge`] for more files than any tree has; [`Code::Unreadable`].
pub fn files(
    folder: &Path,
    referrer: impl Into<Option<Mark>>,
    locate: &dyn Fn(&Path) -> Result<PathBuf>,
) -> Result<Vec<Walked>> {
    let referrer = referrer.into();
    let mut walk = Walk { folder, referrer, locate, chain: Vec::new(), seen: 0, found: Vec::new() };
    walk.folder(Path::new(""), folder)?;
    Ok(walk.found)
}

/// The names in a directory, sorted.
///
/// # Errors
/// Those of the file system.
pub fn names(directory: &Path) -> std::io::Result<Vec<OsString>> {
    let entries = std::fs::read_dir(directory)?;
    let mut names: Vec<OsString> =
        entries.map(|entry| Ok(entry?.file_name())).collect::<std::io::Result<_>>()?;
    names.sort();
    Ok(names)
}

struct Walk<'a> {
    folder: &'a Path,
    referrer: Option<Mark>,
    locate: &'a dyn Fn(&Path) -> Result<PathBuf>,
    /// The directories around the one that is being read, without links.
    chain: Vec<PathBuf>,
    seen: usize,
    found: Vec<Walked>,
}

impl Walk<'_> {
    fn folder(&mut self, below: &Path, real: &Path) -> Result<()> {
        if self.chain.iter().any(|around| around == real) || self.chain.len() == DEEPEST {
            let message = format!("`{}` leads back to a directory around it, or too deep", below.display());
            return Err(self.error(Code::Cycle, message));
        }
        let unreadable = |error: std::io::Error| {
            let shown = if below.as_os_str().is_empty() { self.folder } else { below };
            let why = crate::write::describe(&error);
            self.error(Code::Unreadable, format!("`{}` cannot be read: {why}", shown.display()))
        };
        let names = names(real).map_err(unreadable)?;
        self.chain.push(real.to_owned());
        for name in names {
            self.entry(below.join(&name), real.join(&name))?;
        }
        self.chain.pop();
        Ok(())
    }

    fn entry(&mut self, below: PathBuf, path: PathBuf) -> Result<()> {
        self.seen += 1;
        if self.seen > MOST_FILES {
            return Err(self.error(Code::TooLarge, format!("there are more than {MOST_FILES} files")));
        }
        let is_link = path.is_symlink();
        let real = if is_link { (self.locate)(&self.folder.join(&below))? } else { path };
        let kind = real.symlink_metadata().map_err(|error| {
            let why = crate::write::describe(&error);
            self.error(Code::Unreadable, format!("`{}` cannot be read: {why}", below.display()))
        })?;
        match kind.file_type() {
            kind if kind.is_dir() => self.folder(&below, &real),
            kind if kind.is_file() => {
                self.found.push(Walked { below, real });
                Ok(())
            }
            kind => {
                let message = format!("`{}` is {}, expected a file", below.display(), name_of(kind));
                Err(self.error(Code::WrongFileType, message))
            }
        }
    }

    fn error(&self, code: Code, message: String) -> kfc_diagnostics::Diagnostics {
        Diagnostic::error(code, message).at(self.referrer).into()
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::files;
    use kfc_diagnostics::{Code, Diagnostic, Result};
    use std::os::unix::fs::symlink;
    use std::path::{Path, PathBuf};

    /// The names of the files, or the code of the error; links lead where they say.
    fn names(folder: &Path) -> std::result::Result<Vec<PathBuf>, Code> {
        let locate = |path: &Path| -> Result<PathBuf> {
            let real = path.canonicalize().unwrap_or_default();
            if real.starts_with(folder) {
                Ok(real)
            } else {
                Err(Diagnostic::error(Code::OutsideRoot, "outside").into())
            }
        };
        let found = files(folder, None, &locate).map_err(|errors| errors.0[0].code)?;
        Ok(found.into_iter().map(|file| file.below).collect())
    }

    #[test]
    fn links_are_followed_as_far_as_they_may_be() {
        let top = tempfile::tempdir().unwrap();
        let folder = top.path().canonicalize().unwrap().join("f");
        std::fs::create_dir_all(folder.join("a/b")).unwrap();
        std::fs::write(folder.join("a/b/x"), "").unwrap();
        symlink("a/b", folder.join("l")).unwrap();
        symlink("a/b/x", folder.join("y")).unwrap();
        assert_eq!(names(&folder), Ok(vec!["a/b/x".into(), "l/x".into(), "y".into()]));
        for target in ["..", "../nothing", "/etc", "/proc/self/environ"] {
            symlink(target, folder.join("out")).unwrap();
            assert_eq!(names(&folder), Err(Code::OutsideRoot), "{target}");
            std::fs::remove_file(folder.join("out")).unwrap();
        }
        symlink("../..", folder.join("a/b/up")).unwrap();
        assert_eq!(names(&folder), Err(Code::Cycle));
        std::fs::remove_file(folder.join("a/b/up")).unwrap();
        let pipe = std::process::Command::new("mkfifo").arg(folder.join("p")).status();
        assert!(pipe.unwrap().success());
        assert_eq!(names(&folder), Err(Code::WrongFileType));
    }
}
