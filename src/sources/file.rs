//! Reads single files, with limits, and says what is wrong when it cannot.

use super::folder;
use crate::diagnostics::{Code, Diagnostic, Mark, nearest};
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

/// Bytes a file may have. The largest manifests in the wild have a few megabytes.
const LARGEST: u64 = 256 * 1024 * 1024;

/// Reads a regular file of at most [`LARGEST`] bytes.
pub(super) fn read(path: &Path, shown: &str, referrer: Mark) -> Result<Vec<u8>, Diagnostic> {
    if let Some(bytes) = folder::embedded_file(path) {
        return Ok(bytes.to_vec());
    }
    let meta = std::fs::metadata(path).map_err(|error| unreadable(path, shown, &error, referrer))?;
    if meta.is_dir() {
        let error =
            Diagnostic::error(Code::WrongFileType, format!("`{shown}` is a folder, but a file is due"));
        return Err(error.at(referrer));
    }
    if !meta.is_file() {
        let error =
            Diagnostic::error(Code::WrongFileType, format!("`{shown}` is a device or pipe, not a file"));
        return Err(error.at(referrer));
    }
    if meta.len() > LARGEST {
        return Err(too_large(shown, referrer));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(meta.len()).unwrap_or(0) + 1);
    let file = std::fs::File::open(path).map_err(|error| unreadable(path, shown, &error, referrer))?;
    // The file may grow while it is read.
    file.take(LARGEST + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| unreadable(path, shown, &error, referrer))?;
    if bytes.len() as u64 > LARGEST {
        return Err(too_large(shown, referrer));
    }
    Ok(bytes)
}

fn too_large(shown: &str, referrer: Mark) -> Diagnostic {
    Diagnostic::error(Code::TooLarge, format!("`{shown}` is larger than {} MiB", LARGEST / 1024 / 1024))
        .at(referrer)
        .help("no manifest is that large; is it the file that you mean?")
}

/// Why a path cannot be read.
pub(super) fn unreadable(path: &Path, shown: &str, error: &std::io::Error, referrer: Mark) -> Diagnostic {
    match error.kind() {
        ErrorKind::NotFound if std::fs::symlink_metadata(path).is_ok() => {
            Diagnostic::error(Code::NotFound, format!("`{shown}` is a symbolic link to nothing")).at(referrer)
        }
        ErrorKind::NotFound => not_found(path, shown, referrer),
        ErrorKind::NotADirectory => not_found(path, shown, referrer),
        ErrorKind::PermissionDenied => {
            Diagnostic::error(Code::Unreadable, format!("`{shown}` may not be read: permission denied"))
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

fn not_found(path: &Path, shown: &str, referrer: Mark) -> Diagnostic {
    let error =
        Diagnostic::error(Code::NotFound, format!("there is no file or folder `{shown}`")).at(referrer);
    let (folder, missing) = first_missing(path);
    let wanted = missing.to_string_lossy().into_owned();
    let names = folder::names_in(&folder);
    match nearest(&wanted, names.iter().map(String::as_str)) {
        Some(near) => {
            let fixed = shown.replacen(&wanted, near, 1);
            error.help(format!("did you mean `{fixed}`?"))
        }
        None if wanted.is_empty() => error,
        None => error.note(format!("`{wanted}` is where the path ends")),
    }
}

/// The nearest folder above a path that exists, and the name that is missing in it.
fn first_missing(path: &Path) -> (PathBuf, PathBuf) {
    let mut missing = PathBuf::from(path.file_name().unwrap_or_default());
    let mut folder = path.parent().unwrap_or(Path::new("/"));
    while !folder::is_folder(folder) {
        missing = PathBuf::from(folder.file_name().unwrap_or_default());
        let Some(parent) = folder.parent() else { break };
        folder = parent;
    }
    (folder.to_owned(), missing)
}

/// The text of a file, which is UTF-8, or UTF-16 with a byte order mark as some editors and shells of Windows write it.
pub(super) fn text(bytes: Vec<u8>, shown: &str, referrer: Mark) -> Result<String, Diagnostic> {
    if let Some(text) = utf16(&bytes) {
        // kustomize takes the first document of such a file and drops the others without a word.
        if text.lines().skip(1).any(|line| line.trim_end() == "---") {
            let message = format!("`{shown}` is UTF-16 text with several documents");
            let help = "save it as UTF-8: kustomize reads no more than the first document of it";
            return Err(Diagnostic::error(Code::NotText, message).at(referrer).help(help));
        }
        return Ok(text);
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let bytes = error.as_bytes();
        let what = if bytes.contains(&0) { "is a binary file" } else { "is no UTF-8 text" };
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
