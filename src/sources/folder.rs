//! Folders and files, whether on disk or in the catalogue that is built into the program.

use include_dir::{Dir, DirEntry, include_dir};
use std::io::{Error, ErrorKind, Result};
use std::path::{Component, Path, PathBuf};

/// Where the built-in catalogue lies. No path on disk can have this name: it holds a NUL.
pub const EMBEDDED: &str = "/\0catalogue";

static BASES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/bases");
static OVERLAYS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/overlays");
static PLATFORMS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/platforms");

/// Something in the built-in catalogue.
enum Embedded {
    /// The catalogue itself.
    Top,
    Folder(&'static Dir<'static>),
    File(&'static [u8]),
}

/// The path of a catalogue entry below [`EMBEDDED`], `.` and `..` taken out; none for paths on disk.
fn within(path: &Path) -> Option<PathBuf> {
    let below = path.strip_prefix(EMBEDDED).ok()?;
    let mut clean = PathBuf::new();
    for part in below.components() {
        match part {
            Component::Normal(name) => clean.push(name),
            Component::ParentDir => {
                clean.pop();
            }
            _ => {}
        }
    }
    Some(clean)
}

fn find(below: &Path) -> Option<Embedded> {
    let mut parts = below.components();
    let Some(top) = parts.next() else { return Some(Embedded::Top) };
    let folder = match top.as_os_str().to_str()? {
        "bases" => &BASES,
        "overlays" => &OVERLAYS,
        "platforms" => &PLATFORMS,
        _ => return None,
    };
    let rest = parts.as_path();
    if rest.as_os_str().is_empty() {
        return Some(Embedded::Folder(folder));
    }
    match folder.get_entry(rest)? {
        DirEntry::Dir(folder) => Some(Embedded::Folder(folder)),
        DirEntry::File(file) => Some(Embedded::File(file.contents())),
    }
}

/// The path without symbolic links and `..`.
///
/// # Errors
/// As [`std::fs::canonicalize`].
pub(super) fn canonicalize(path: &Path) -> Result<PathBuf> {
    match within(path) {
        None => std::fs::canonicalize(path),
        Some(below) if find(&below).is_some() => Ok(Path::new(EMBEDDED).join(below)),
        Some(_) => Err(Error::from(ErrorKind::NotFound)),
    }
}

/// The bytes of a file of the built-in catalogue; none for anything else.
pub(super) fn embedded_file(path: &Path) -> Option<&'static [u8]> {
    match find(&within(path)?)? {
        Embedded::File(bytes) => Some(bytes),
        Embedded::Top | Embedded::Folder(_) => None,
    }
}

/// Whether there is a folder.
#[must_use]
pub fn is_folder(path: &Path) -> bool {
    match within(path) {
        None => path.is_dir(),
        Some(below) => matches!(find(&below), Some(Embedded::Top | Embedded::Folder(_))),
    }
}

/// Whether there is anything at a path, be it a symbolic link to nothing.
#[must_use]
pub fn is_there(path: &Path) -> bool {
    match within(path) {
        None => path.symlink_metadata().is_ok(),
        Some(below) => find(&below).is_some(),
    }
}

/// Whether there is something under this very name that is no folder: a file, or a symbolic link, wherever that leads.
#[must_use]
pub fn is_entry(path: &Path) -> bool {
    match within(path) {
        None => path.symlink_metadata().is_ok_and(|meta| !meta.is_dir()),
        Some(_) => embedded_file(path).is_some(),
    }
}

/// Whether a path leads to what is read once and has no size: a pipe, a terminal, another device.
#[must_use]
pub fn is_stream(path: &Path) -> bool {
    within(path).is_none() && std::fs::metadata(path).is_ok_and(|meta| !meta.is_dir() && !meta.is_file())
}

/// Whether there is something that is no folder.
#[must_use]
pub fn is_file(path: &Path) -> bool {
    match within(path) {
        None => std::fs::metadata(path).is_ok_and(|meta| !meta.is_dir()),
        Some(_) => embedded_file(path).is_some(),
    }
}

/// The names in a folder, sorted; none when it cannot be read.
#[must_use]
pub fn names_in(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = match within(folder) {
        None => {
            let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
            entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
        }
        Some(below) => match find(&below) {
            Some(Embedded::Top) => ["bases", "overlays", "platforms"].map(str::to_owned).to_vec(),
            Some(Embedded::Folder(folder)) => {
                let name = |entry: &DirEntry<'_>| entry.path().file_name()?.to_str().map(str::to_owned);
                folder.entries().iter().filter_map(name).collect()
            }
            Some(Embedded::File(_)) | None => Vec::new(),
        },
    };
    names.sort();
    names
}

#[cfg(test)]
mod tests {
    use super::{EMBEDDED, canonicalize, is_file, is_folder, names_in};
    use std::path::Path;

    #[test]
    fn the_catalogue_is_a_tree_of_folders() {
        let top = Path::new(EMBEDDED);
        assert_eq!(names_in(top), ["bases", "overlays", "platforms"]);
        let file = top.join("bases/kubeflow-namespace/component.yaml");
        assert!(is_file(&file) && !is_folder(&file));
        let around = top.join("bases/katib/../kubeflow-namespace/./component.yaml");
        assert_eq!(canonicalize(&around).unwrap(), file);
        assert!(canonicalize(&top.join("bases/nothing")).is_err());
        // What leads out of the catalogue stays in it.
        assert!(canonicalize(&top.join("../../../etc/passwd")).is_err());
    }
}
