//! The door for files: only this module opens files that a root, a stack, a golden, a lock, a vendored tree or a revision
//! names. It resolves symbolic links first and requires their target to be within the limit; it refuses directories, devices,
//! pipes and sockets, and files larger than a maximum.
//!
//! It knows paths and bytes, not what they mean. It never looks at what is outside of a limit, not even for a message: no
//! message tells whether something exists there.

use crate::file;
use crate::files::FileSystem;
use kfc_diagnostics::{Code, Diagnostic, Mark};
use std::io::Read;
use std::path::{Component, Path, PathBuf};

/// As many links as Linux follows in one path.
const MOST_LINKS: usize = 40;

/// The directory that a path may not lead out of.
#[derive(Clone, Copy, Debug)]
pub struct Limit<'a> {
    /// The directory, without symbolic links.
    pub folder: &'a Path,
    /// What it is, as the end of a sentence: "the root `base`".
    pub what: &'a str,
}

/// A path that a file names.
#[derive(Clone, Copy, Debug)]
pub struct Named<'a> {
    /// Where the path is looked up.
    pub files: &'a dyn FileSystem,
    /// The path; relative ones start at the working directory.
    pub path: &'a Path,
    /// The directory that it may not lead out of; `None` when the user allowed everything.
    pub limit: Option<Limit<'a>>,
    /// How it is shown.
    pub shown: &'a str,
    /// Where it is named, if a text names it.
    pub referrer: Option<Mark>,
}

impl Named<'_> {
    /// Where the path leads: symbolic links resolved after `..` is removed from the text, as in kustomize.
    ///
    /// # Errors
    /// [`Code::OutsideRoot`] for what leads out of the limit, whether it exists or not; [`Code::NotFound`] and
    /// [`Code::Unreadable`] for the rest.
    pub fn locate(&self) -> Result<PathBuf, Diagnostic> {
        let path = match clean(self.path) {
            path if path.as_os_str().is_empty() => PathBuf::from("."),
            path => path,
        };
        let found = self.files.canonicalize(&path);
        match (found, self.limit) {
            (Ok(real), Some(limit)) if !real.starts_with(limit.folder) => Err(self.outside(limit)),
            (Ok(real), _) => Ok(real),
            (Err(_), Some(limit)) if leaves(self.files, limit.folder, &path) => Err(self.outside(limit)),
            (Err(error), _) => Err(file::unreadable(self.files, &path, self.shown, &error, self.referrer)),
        }
    }

    /// Reads the regular file that the path leads to.
    ///
    /// # Errors
    /// As [`Self::locate`]; [`Code::WrongFileType`] for what is not a regular file, [`Code::TooLarge`].
    pub fn read(&self) -> Result<Vec<u8>, Diagnostic> {
        file::read(self.files, &self.locate()?, self.shown, self.referrer)
    }

    /// As [`Self::read`], for text in UTF-8 or UTF-16.
    ///
    /// # Errors
    /// As [`Self::read`]; [`Code::NotText`].
    pub fn read_text(&self) -> Result<String, Diagnostic> {
        file::text(self.read()?, self.shown, self.referrer)
    }

    fn outside(&self, limit: Limit<'_>) -> Diagnostic {
        let is_link = clean(self.path).starts_with(limit.folder);
        let how = if is_link { "is a symbolic link that leads out of" } else { "lies outside" };
        Diagnostic::error(Code::OutsideRoot, format!("`{}` {how} {}", self.shown, limit.what))
            .at(self.referrer)
    }
}

/// Reads a file that the user named on the command line. It may be a pipe, as `<(…)` and `/dev/stdin` are: these are the
/// user's own words: no tree can name them.
///
/// # Errors
/// Files that do not exist, cannot be read or are too large, and directories.
pub fn read_of_user(path: &Path) -> Result<Vec<u8>, Diagnostic> {
    file::read_stream_or_file(path, &path.display().to_string())
}

/// As [`read_of_user`], for text in UTF-8 or UTF-16.
///
/// # Errors
/// As [`read_of_user`]; [`Code::NotText`].
pub fn read_text_of_user(path: &Path) -> Result<String, Diagnostic> {
    file::text(read_of_user(path)?, &path.display().to_string(), None)
}

/// Reads a stream to its end, as text.
///
/// # Errors
/// [`Code::Unreadable`], [`Code::TooLarge`], [`Code::NotText`].
pub fn read_text_of_stream(stream: impl Read, shown: &str) -> Result<String, Diagnostic> {
    file::text(file::read_all(stream, shown, None)?, shown, None)
}

/// Reads a regular file that is not a symbolic link: files that kfc writes itself must be such.
///
/// # Errors
/// The end of a sentence that starts with the file: what is wrong.
pub fn read_plain(path: &Path, largest: u64) -> Result<Vec<u8>, String> {
    file::read_plain(path, largest)
}

/// Opens a regular file that is not a symbolic link, to read it piece by piece.
///
/// # Errors
/// Those of the file system, and what is not a regular file.
pub fn open_plain(path: &Path) -> std::io::Result<std::fs::File> {
    file::open_plain(path)
}

/// Whether a path leads out of a directory, as far as that can be known from inside of it.
fn leaves(files: &dyn FileSystem, folder: &Path, path: &Path) -> bool {
    let mut path = path.to_owned();
    for _ in 0..MOST_LINKS {
        let Ok(below) = path.strip_prefix(folder) else { return true };
        let Some((link, target)) = first_link(files, folder, below) else { return false };
        let rest = path.strip_prefix(&link).unwrap_or(Path::new(""));
        let above = link.parent().unwrap_or(folder);
        path = clean(&above.join(target).join(rest));
    }
    false
}

/// The first symbolic link on the way from a directory, with its text.
fn first_link(files: &dyn FileSystem, folder: &Path, below: &Path) -> Option<(PathBuf, PathBuf)> {
    let mut at = folder.to_owned();
    below.components().find_map(|part| {
        at.push(part);
        Some((at.clone(), files.read_link(&at)?))
    })
}

/// Removes `.` and `..` from a path by its text alone, without looking at files.
#[must_use]
pub fn clean(path: &Path) -> PathBuf {
    let mut result = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(result.components().next_back(), Some(Component::Normal(_))) => {
                result.pop();
            }
            // The top has no parent.
            Component::ParentDir if result.has_root() => {}
            part => result.push(part),
        }
    }
    result
}

#[cfg(all(test, unix))]
mod tests {
    use super::{Limit, Named, read_of_user};
    use crate::file::Os;
    use kfc_diagnostics::Code;
    use std::os::unix::fs::symlink;
    use std::path::Path;

    fn read(folder: &Path, path: &str) -> Result<String, (Code, String)> {
        let limit = Limit { folder, what: "the root `r`" };
        let path = folder.join(path);
        let named = Named { files: &Os, path: &path, limit: Some(limit), shown: "p", referrer: None };
        named.read_text().map_err(|error| (error.code, error.message))
    }

    #[test]
    fn paths_outside_are_refused_whether_they_exist_or_not() {
        let folder = tempfile::tempdir().unwrap();
        let top = folder.path().canonicalize().unwrap();
        let root = top.join("r");
        std::fs::create_dir_all(root.join("sub")).unwrap();
        std::fs::write(top.join("there"), "outside").unwrap();
        std::fs::write(root.join("own"), "own").unwrap();
        symlink("../own", root.join("sub/back")).unwrap();
        symlink("sub/back", root.join("chain")).unwrap();
        assert_eq!(read(&root, "chain").as_deref(), Ok("own"));
        // `..` counts in the text.
        assert_eq!(read(&root, "nowhere/../own").as_deref(), Ok("own"));
        for (name, target) in
            [("a", "../there"), ("b", "../missing"), ("c", "/proc/self/environ"), ("d", "a")]
        {
            symlink(target, root.join(name)).unwrap();
            let error =
                (Code::OutsideRoot, "`p` is a symbolic link that leads out of the root `r`".to_owned());
            assert_eq!(read(&root, name), Err(error), "{name}");
        }
        symlink("..", root.join("up")).unwrap();
        assert!(read(&root, "up/missing").is_err_and(|(code, _)| code == Code::OutsideRoot));
        for path in ["../there", "../missing", "/etc/passwd", "/etc/missing"] {
            let error = (Code::OutsideRoot, "`p` lies outside the root `r`".to_owned());
            assert_eq!(read(&root, path), Err(error), "{path}");
        }
        symlink("loop", root.join("loop")).unwrap();
        assert!(read(&root, "loop").is_err());
        assert!(read(&root, "missing").is_err_and(|(code, _)| code == Code::NotFound));
    }

    #[test]
    fn what_is_not_a_file_is_refused_by_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        std::fs::create_dir(root.join("directory")).unwrap();
        let status = std::process::Command::new("mkfifo").arg(root.join("pipe")).status().unwrap();
        assert!(status.success());
        let socket = std::os::unix::net::UnixListener::bind(root.join("socket")).unwrap();
        for kind in ["directory", "pipe", "socket"] {
            let error = (Code::WrongFileType, format!("`p` is a {kind}, expected a file"));
            assert_eq!(read(&root, kind), Err(error));
        }
        drop(socket);
        let device =
            Named { files: &Os, path: Path::new("/dev/zero"), limit: None, shown: "p", referrer: None };
        assert!(device.read().is_err_and(|error| error.message == "`p` is a device, expected a file"));
    }

    #[test]
    fn pipes_of_the_user_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let writer = pipe.clone();
        let writer = std::thread::spawn(move || std::fs::write(writer, "text").unwrap());
        assert_eq!(read_of_user(&pipe).unwrap(), b"text");
        writer.join().unwrap();
        assert!(read_of_user(folder.path()).is_err_and(|error| error.code == Code::WrongFileType));
        assert!(read_of_user(Path::new("/dev/zero")).is_err_and(|error| error.code == Code::TooLarge));
    }
}
