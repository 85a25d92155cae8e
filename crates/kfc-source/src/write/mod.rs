//! Files are replaced, never overwritten: new content is written to a temporary file, synced to the disk, and renamed over the
//! old. Other processes see the complete old file or the complete new one, even after a full disk or a kill.
//!
//! This module knows paths and bytes, not what they mean. It prints nothing.

pub mod folder;
pub mod tree;

use std::fs::{File, Metadata, OpenOptions, Permissions};
use std::io::{Error, ErrorKind, Result, Write};
use std::path::{Component, Path, PathBuf};
use tempfile::NamedTempFile;

/// As many links as Linux follows in one path.
const MOST_LINKS: usize = 40;

/// What a path to write leads to.
enum Place {
    /// A regular file, or none yet.
    File { path: PathBuf, old: Option<Metadata> },
    /// A device, a pipe, or an open file of the process (`/dev/stdout`): it cannot be replaced.
    Stream(PathBuf),
}

/// Writes a file that the user named. Symbolic links are followed: what they lead to is replaced, the links stay. Devices,
/// pipes and `/dev/stdout` are written directly. The permissions and, where allowed, the owner of the old file are kept;
/// hard links to it keep the old content.
///
/// # Errors
/// Those of the file system. The old file is then unchanged.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    match place(path)? {
        Place::File { path, old } => replace_file(&path, old.as_ref(), bytes),
        Place::Stream(path) => {
            // Appending to an open file keeps what other processes wrote.
            let mut stream = OpenOptions::new().append(true).open(path)?;
            stream.write_all(bytes)?;
            stream.flush()
        }
    }
}

/// Writes a file that the user named and that only its owner may read, also when an older one was open to others. Links are
/// not followed: a link at its path is replaced.
///
/// # Errors
/// Those of the file system. The old file is then unchanged.
pub fn replace_private(path: &Path, bytes: &[u8]) -> Result<()> {
    let folder = folder_of(path);
    // Temporary files belong to their owner alone.
    let mut file = tempfile::Builder::new().prefix(".kfc-").suffix(".tmp").tempfile_in(folder)?;
    file.write_all(bytes)?;
    sync(file.as_file())?;
    file.persist(path).map_err(|failed| failed.error)?;
    sync_folder(folder);
    Ok(())
}

/// Writes a file whose name the program chose, below a directory that the user named; directories between are created.
/// Symbolic links below that directory are refused, so that no link in a checkout decides what is written.
///
/// # Errors
/// Those of the file system; links, and everything that is not a regular file, at the path of the file or of a directory
/// above it.
pub fn replace_below(folder: &Path, name: &Path, bytes: &[u8]) -> Result<()> {
    let path = folder.join(name);
    refuse_links(folder, name)?;
    if let Some(above) = path.parent() {
        std::fs::create_dir_all(above)?;
    }
    let old = regular(&path)?;
    replace_file(&path, old.as_ref(), bytes)
}

/// Removes a file below a directory that the user named, if it exists.
///
/// # Errors
/// Those of the file system; links, and everything that is not a regular file, at its path or above it.
pub fn remove_below(directory: &Path, name: &Path) -> Result<()> {
    refuse_links(directory, name)?;
    let path = directory.join(name);
    if regular(&path)?.is_none() {
        return Ok(());
    }
    std::fs::remove_file(path)
}

/// Writes a file into a temporary directory of this run, where no other process reads.
///
/// # Errors
/// Those of the file system.
pub fn scratch(path: &Path, bytes: &[u8]) -> Result<()> {
    std::fs::write(path, bytes)
}

/// The metadata of a path that must be a regular file or not exist.
fn regular(path: &Path) -> Result<Option<Metadata>> {
    match path.symlink_metadata() {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
        Ok(found) if found.is_symlink() => Err(is_link(path)),
        Ok(found) if found.is_dir() => Err(Error::other("it is a directory")),
        Ok(found) if !found.is_file() => Err(Error::other("it is not a regular file")),
        Ok(found) => Ok(Some(found)),
    }
}

fn is_link(path: &Path) -> Error {
    let to = std::fs::read_link(path).unwrap_or_default();
    Error::other(format!("it is a symbolic link to `{}`, and is not written through", to.display()))
}

/// Refuses links between a directory and the file of this name below it.
fn refuse_links(folder: &Path, name: &Path) -> Result<()> {
    let mut path = folder.to_owned();
    for part in name.components() {
        if !matches!(part, Component::Normal(_) | Component::CurDir) {
            return Err(Error::other("its name leads out of the directory"));
        }
        path.push(part);
        if path.is_symlink() {
            let to = std::fs::read_link(&path).unwrap_or_default();
            let (from, to) = (path.display(), to.display());
            return Err(Error::other(format!(
                "`{from}` is a symbolic link to `{to}`, and is not written through"
            )));
        }
    }
    Ok(())
}

/// Follows the links of a path that the user named.
fn place(path: &Path) -> Result<Place> {
    let mut path = path.to_owned();
    for _ in 0..MOST_LINKS {
        if is_descriptor(&path) {
            return Ok(Place::Stream(path));
        }
        match path.symlink_metadata() {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Place::File { path, old: None }),
            Err(error) => return Err(error),
            Ok(found) if found.is_symlink() => {
                let to = std::fs::read_link(&path)?;
                path = folder_of(&path).join(to);
            }
            Ok(found) if found.is_file() => return Ok(Place::File { path, old: Some(found) }),
            Ok(found) if found.is_dir() => return Err(ErrorKind::IsADirectory.into()),
            Ok(_) => return Ok(Place::Stream(path)),
        }
    }
    Err(Error::other("too many symbolic links"))
}

/// Whether a path names an open file of a process: `/proc/self/fd/1`, or `/dev/fd/1` where that is not a link.
fn is_descriptor(path: &Path) -> bool {
    let folder = folder_of(path).canonicalize().unwrap_or_default();
    folder.starts_with("/proc") || folder == Path::new("/dev/fd")
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

fn replace_file(path: &Path, old: Option<&Metadata>, bytes: &[u8]) -> Result<()> {
    if old.is_some() {
        // A read-only file is not replaced either.
        OpenOptions::new().write(true).open(path)?;
    }
    let folder = folder_of(path);
    let file = beside(folder, old, bytes)?;
    file.persist(path).map_err(|failed| failed.error)?;
    sync_folder(folder);
    Ok(())
}

/// A temporary file with this content, synced to the disk. It is removed when it is dropped.
fn beside(folder: &Path, old: Option<&Metadata>, bytes: &[u8]) -> Result<NamedTempFile> {
    let mut options = tempfile::Builder::new();
    options.prefix(".kfc-").suffix(".tmp");
    if let Some(permissions) = permissions_of_new_files() {
        options.permissions(permissions);
    }
    let mut file = options.tempfile_in(folder)?;
    file.write_all(bytes)?;
    if let Some(old) = old {
        keep_owner(file.path(), old);
        file.as_file().set_permissions(permissions_like(old))?;
    }
    sync(file.as_file())?;
    Ok(file)
}

/// Syncs a file to the disk, where the file system can.
fn sync(file: &File) -> Result<()> {
    match file.sync_all() {
        Err(error) if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => Ok(()),
        done => done,
    }
}

/// Syncs renames in a directory to the disk. That is not possible everywhere, and the files are complete either way.
fn sync_folder(folder: &Path) {
    if let Ok(folder) = File::open(folder) {
        drop(folder.sync_all());
    }
}

/// The words of the operating system for an error, without its number and without the paths of temporary files.
#[must_use]
pub fn describe(error: &Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or(&text);
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

/// The permissions of new files, before the umask; only their owner could read temporary ones.
#[cfg(unix)]
#[allow(clippy::unnecessary_wraps, reason = "other systems have none")]
fn permissions_of_new_files() -> Option<Permissions> {
    use std::os::unix::fs::PermissionsExt;
    Some(Permissions::from_mode(0o666))
}

#[cfg(not(unix))]
fn permissions_of_new_files() -> Option<Permissions> {
    None
}

/// The permissions of an old file, without the bits that let a program run as another user.
#[cfg(unix)]
fn permissions_like(old: &Metadata) -> Permissions {
    use std::os::unix::fs::PermissionsExt;
    Permissions::from_mode(old.permissions().mode() & 0o777)
}

#[cfg(not(unix))]
fn permissions_like(old: &Metadata) -> Permissions {
    old.permissions()
}

/// Gives a file the owner of the old one. Only root may; the file of other users becomes their own.
#[cfg(unix)]
fn keep_owner(path: &Path, old: &Metadata) {
    use std::os::unix::fs::MetadataExt;
    let is_same = path.metadata().is_ok_and(|new| (new.uid(), new.gid()) == (old.uid(), old.gid()));
    if !is_same {
        drop(std::os::unix::fs::chown(path, Some(old.uid()), Some(old.gid())));
    }
}

#[cfg(not(unix))]
fn keep_owner(_: &Path, _: &Metadata) {}

#[cfg(all(test, unix))]
mod tests;
