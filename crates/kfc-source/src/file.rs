//! Opens and reads single files of the disk, with limits, and reports why it cannot. Only [`super::door`] calls it,
//! which decides whether a file may be read at all.

use crate::files::{FileSystem, Refusal};
use kfc_diagnostics::{Code, Diagnostic, Mark, nearest};
use std::fs::{File, FileType, OpenOptions};
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

/// Bytes that a file may have. The largest published manifests have a few megabytes.
const LARGEST: u64 = 256 * 1024 * 1024;

/// What may be opened.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kinds {
    /// Regular files that are not symbolic links.
    Plain,
    /// Regular files, and what is read like them: pipes, terminals.
    Streams,
}

/// The file system of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct Os;

impl FileSystem for Os {
    fn canonicalize(&self, path: &Path) -> std::io::Result<PathBuf> {
        std::fs::canonicalize(path)
    }

    fn read_link(&self, path: &Path) -> Option<PathBuf> {
        std::fs::read_link(path).ok()
    }

    fn read(&self, path: &Path) -> Result<Vec<u8>, Refusal> {
        read_to_end(open(path, Kinds::Plain)?)
    }

    fn is_directory(&self, path: &Path) -> bool {
        path.is_dir()
    }

    fn is_file(&self, path: &Path) -> bool {
        std::fs::metadata(path).is_ok_and(|meta| !meta.is_dir())
    }

    fn exists(&self, path: &Path) -> bool {
        path.symlink_metadata().is_ok()
    }

    fn names_in(&self, directory: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
        let mut names: Vec<String> =
            entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }
}

/// Whether this path itself is something other than a directory: a file, or a symbolic link to anything.
#[must_use]
pub fn is_entry(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|meta| !meta.is_dir())
}

/// Whether a path on this machine leads to what is read once and has no size: a pipe, a terminal, another device.
#[must_use]
pub fn is_stream(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|meta| !meta.is_dir() && !meta.is_file())
}

/// Reads a regular file of at most [`LARGEST`] bytes. The path is without symbolic links.
pub(super) fn read(
    files: &dyn FileSystem,
    path: &Path,
    shown: &str,
    referrer: Option<Mark>,
) -> Result<Vec<u8>, Diagnostic> {
    files.read(path).map_err(|refusal| refused(refusal, files, path, shown, referrer))
}

/// Reads a file or a pipe, after symbolic links.
pub(super) fn read_stream_or_file(path: &Path, shown: &str) -> Result<Vec<u8>, Diagnostic> {
    let file = open(path, Kinds::Streams).map_err(|error| refused(error, &Os, path, shown, None))?;
    read_all(file, shown, None)
}

/// Reads a file that is not a symbolic link; returns what is wrong as the end of a sentence.
pub(super) fn read_plain(path: &Path, largest: u64) -> Result<Vec<u8>, String> {
    let file = open(path, Kinds::Plain).map_err(|error| match error {
        Refusal::Kind(kind) => format!("is {kind}, expected a file"),
        Refusal::Error(error) if error.kind() == ErrorKind::NotFound => "does not exist".to_owned(),
        Refusal::Error(error) => format!("cannot be read: {}", describe(&error)),
        Refusal::TooLarge => format!("is larger than {} MiB", largest / 1024 / 1024),
    })?;
    let mut bytes = Vec::new();
    let read = file.take(largest + 1).read_to_end(&mut bytes);
    read.map_err(|error| format!("cannot be read: {}", describe(&error)))?;
    if bytes.len() as u64 > largest {
        Err(format!("is larger than {} MiB", largest / 1024 / 1024))
    } else {
        Ok(bytes)
    }
}

/// Opens a file that is not a symbolic link.
pub(super) fn open_plain(path: &Path) -> std::io::Result<File> {
    open(path, Kinds::Plain).map_err(|error| match error {
        Refusal::Kind(kind) => std::io::Error::other(format!("it is {kind}, expected a file")),
        Refusal::Error(error) => error,
        Refusal::TooLarge => ErrorKind::FileTooLarge.into(),
    })
}

/// Reads at most [`LARGEST`] bytes, and nothing that has more: a file may grow while it is read, and a pipe has no size.
pub(super) fn read_all(
    stream: impl Read,
    shown: &str,
    referrer: Option<Mark>,
) -> Result<Vec<u8>, Diagnostic> {
    read_to_end(stream).map_err(|refusal| refused(refusal, &Os, Path::new(shown), shown, referrer))
}

fn read_to_end(stream: impl Read) -> Result<Vec<u8>, Refusal> {
    let mut bytes = Vec::new();
    stream.take(LARGEST + 1).read_to_end(&mut bytes).map_err(Refusal::Error)?;
    if bytes.len() as u64 > LARGEST { Err(Refusal::TooLarge) } else { Ok(bytes) }
}

fn refused(
    refusal: Refusal,
    files: &dyn FileSystem,
    path: &Path,
    shown: &str,
    referrer: Option<Mark>,
) -> Diagnostic {
    match refusal {
        Refusal::Kind(kind) => {
            let message = format!("`{shown}` is {kind}, expected a file");
            Diagnostic::error(Code::WrongFileType, message).at(referrer)
        }
        Refusal::TooLarge => too_large(shown, referrer),
        Refusal::Error(error) => unreadable(files, path, shown, &error, referrer),
    }
}

/// Opens a file of these kinds. Other kinds are never opened: opening a pipe waits for its writer, and opening a device can
/// have any effect.
fn open(path: &Path, kinds: Kinds) -> Result<File, Refusal> {
    let seen = match kinds {
        Kinds::Plain => std::fs::symlink_metadata(path),
        Kinds::Streams => std::fs::metadata(path),
    };
    refuse(seen.map_err(Refusal::Error)?.file_type(), kinds)?;
    let mut options = File::options();
    options.read(true);
    if kinds == Kinds::Plain {
        without_waiting(&mut options);
    }
    let file = options.open(path).map_err(Refusal::Error)?;
    // Another process may have replaced it.
    refuse(file.metadata().map_err(Refusal::Error)?.file_type(), kinds)?;
    Ok(file)
}

fn refuse(kind: FileType, kinds: Kinds) -> Result<(), Refusal> {
    if kind.is_file() {
        return Ok(());
    }
    let word = name_of(kind);
    let is_stream =
        kinds == Kinds::Streams && (word == "a pipe" || word == "a device" && is_character_device(kind));
    if is_stream { Ok(()) } else { Err(Refusal::Kind(word)) }
}

/// The kind of something other than a regular file.
#[cfg(unix)]
pub(super) fn name_of(kind: FileType) -> &'static str {
    use std::os::unix::fs::FileTypeExt;
    match kind {
        kind if kind.is_dir() => "a directory",
        kind if kind.is_symlink() => "a symbolic link",
        kind if kind.is_fifo() => "a pipe",
        kind if kind.is_socket() => "a socket",
        _ => "a device",
    }
}

#[cfg(not(unix))]
pub(super) fn name_of(kind: FileType) -> &'static str {
    match kind {
        kind if kind.is_dir() => "a directory",
        kind if kind.is_symlink() => "a symbolic link",
        _ => "a device",
    }
}

#[cfg(unix)]
fn is_character_device(kind: FileType) -> bool {
    std::os::unix::fs::FileTypeExt::is_char_device(&kind)
}

#[cfg(not(unix))]
fn is_character_device(_: FileType) -> bool {
    true
}

/// Neither follows a link nor waits for a pipe that replaces the file between check and open.
#[cfg(unix)]
fn without_waiting(options: &mut OpenOptions) {
    use rustix::fs::OFlags;
    use std::os::unix::fs::OpenOptionsExt;
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
    options.custom_flags(i32::try_from(flags.bits()).unwrap_or_default());
}

#[cfg(not(unix))]
fn without_waiting(_: &mut OpenOptions) {}

fn too_large(shown: &str, referrer: Option<Mark>) -> Diagnostic {
    Diagnostic::error(Code::TooLarge, format!("`{shown}` is larger than {} MiB", LARGEST / 1024 / 1024))
        .at(referrer)
        .help("no manifest is that large; is it the file that you mean?")
}

/// Why a path cannot be read.
pub(super) fn unreadable(
    files: &dyn FileSystem,
    path: &Path,
    shown: &str,
    error: &std::io::Error,
    referrer: Option<Mark>,
) -> Diagnostic {
    match error.kind() {
        ErrorKind::NotFound if files.exists(path) => {
            Diagnostic::error(Code::NotFound, format!("`{shown}` is a symbolic link to nothing")).at(referrer)
        }
        ErrorKind::NotFound | ErrorKind::NotADirectory => not_found(files, path, shown, referrer),
        ErrorKind::PermissionDenied => {
            Diagnostic::error(Code::Unreadable, format!("`{shown}` cannot be read: permission denied"))
                .at(referrer)
        }
        _ => Diagnostic::error(Code::Unreadable, format!("`{shown}` cannot be read: {}", describe(error)))
            .at(referrer),
    }
}

/// The operating system's words for an error, without its number.
pub(super) fn describe(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_lowercase()
}

fn not_found(files: &dyn FileSystem, path: &Path, shown: &str, referrer: Option<Mark>) -> Diagnostic {
    let error = Diagnostic::error(Code::NotFound, format!("`{shown}` does not exist")).at(referrer);
    let (folder, missing) = first_missing(files, path);
    let wanted = missing.to_string_lossy().into_owned();
    let names = files.names_in(&folder);
    match nearest(&wanted, names.iter().map(String::as_str)) {
        Some(near) => {
            let fixed = shown.replacen(&wanted, near, 1);
            error.help(format!("did you mean `{fixed}`?"))
        }
        None if wanted.is_empty() => error,
        None => error.note(format!("`{wanted}` is the part that does not exist")),
    }
}

/// The nearest directory above a path that exists, and the name that is missing in it.
fn first_missing(files: &dyn FileSystem, path: &Path) -> (PathBuf, PathBuf) {
    let mut missing = PathBuf::from(path.file_name().unwrap_or_default());
    let mut folder = path.parent().unwrap_or(Path::new("/"));
    while !files.is_directory(folder) {
        missing = PathBuf::from(folder.file_name().unwrap_or_default());
        let Some(parent) = folder.parent() else { break };
        folder = parent;
    }
    (folder.to_owned(), missing)
}

/// The text of a file, which is UTF-8, or UTF-16 with a byte order mark as some editors and shells of Windows write it.
pub(super) fn text(bytes: Vec<u8>, shown: &str, referrer: Option<Mark>) -> Result<String, Diagnostic> {
    if let Some(text) = utf16(&bytes) {
        // kustomize takes the first document of such a file and ignores the others silently.
        if text.lines().skip(1).any(|line| line.trim_end() == "---") {
            let message = format!("`{shown}` is UTF-16 text with several documents");
            let help = "save it as UTF-8: kustomize reads only its first document";
            return Err(Diagnostic::error(Code::NotText, message).at(referrer).help(help));
        }
        return Ok(text);
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let bytes = error.as_bytes();
        let what = if bytes.contains(&0) { "is a binary file" } else { "is not UTF-8 text" };
        let byte = bytes.get(at).copied().unwrap_or(0);
        Diagnostic::error(Code::NotText, format!("`{shown}` {what}"))
            .at(referrer)
            .note(format!("the first wrong byte is 0x{byte:02X} at offset {at}"))
    })
}

/// The text of bytes that begin with a byte order mark of UTF-16, if they are text.
fn utf16(bytes: &[u8]) -> Option<String> {
    let unit: fn([u8; 2]) -> u16 = match bytes {
        [0xFF, 0xFE, ..] => u16::from_le_bytes,
        [0xFE, 0xFF, ..] => u16::from_be_bytes,
        _ => return None,
    };
    let units = bytes.get(2..)?.chunks_exact(2);
    if !units.remainder().is_empty() {
        return None;
    }
    char::decode_utf16(units.map(|pair| unit([pair[0], pair[1]]))).collect::<Result<_, _>>().ok()
}
