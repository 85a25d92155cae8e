//! The digest of a tree, and the check of a tree against it.
//!
//! A tree is listed with one line for each file, sorted by the bytes of the path:
//!
//! ```text
//! MODE SHA256 PATH
//! ```
//!
//! MODE is `100644`, `100755` for an executable file, or `120000` for a symbolic link, whose content is the text of the
//! link. The digest of the tree is the sha256 of that list. Directories count only through the files in them; owners and
//! times do not count.

use crate::door;
use crate::tree_path::{Paths, link_stays};
use base16ct::lower;
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Result};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Read;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Files that one tree may have.
pub const MOST_FILES: usize = 200_000;
/// Bytes that the list of a tree may have.
const LARGEST_LIST: u64 = 128 * 1024 * 1024;
/// Differences of one tree that are reported.
const MOST_DIFFERENCES: usize = 10;

/// What a path of a tree is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// A file.
    File,
    /// A file that may be executed.
    Executable,
    /// A symbolic link.
    Link,
}

impl Mode {
    fn word(self) -> &'static str {
        match self {
            Self::File => "100644",
            Self::Executable => "100755",
            Self::Link => "120000",
        }
    }

    fn of_word(word: &str) -> Option<Self> {
        [Self::File, Self::Executable, Self::Link].into_iter().find(|mode| mode.word() == word)
    }

    fn describe(self) -> &'static str {
        match self {
            Self::File => "a plain file",
            Self::Executable => "an executable file",
            Self::Link => "a symbolic link",
        }
    }
}

/// One file of a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// What it is.
    pub mode: Mode,
    /// The sha256 of its content, in hexadecimal.
    pub sha256: String,
}

/// The files of a tree, by path.
pub type List = BTreeMap<String, Line>;

/// The sha256 of bytes, in hexadecimal.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    lower::encode_string(&Sha256::digest(bytes))
}

/// Whether a text is a sha256 in hexadecimal, as we write it.
#[must_use]
pub fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// The text of a list.
#[must_use]
pub fn write(list: &List) -> String {
    let mut text = String::new();
    for (path, line) in list {
        let _ = writeln!(text, "{} {} {path}", line.mode.word(), line.sha256);
    }
    text
}

/// Reads the text of a list; only what [`write()`] returns is accepted.
///
/// # Errors
/// A sentence on what is wrong.
pub fn read(text: &str) -> std::result::Result<List, String> {
    let mut list = List::new();
    let mut paths = Paths::default();
    for (index, line) in text.lines().enumerate() {
        let wrong = || format!("line {} is not `MODE SHA256 PATH`", index + 1);
        let (mode, rest) = line.split_once(' ').ok_or_else(wrong)?;
        let (sha256, path) = rest.split_once(' ').ok_or_else(wrong)?;
        let mode = Mode::of_word(mode).ok_or_else(wrong)?;
        if !is_sha256(sha256) {
            return Err(wrong());
        }
        paths.add(path)?;
        if list.last_key_value().is_some_and(|(last, _)| last.as_str() >= path) {
            return Err(format!("line {} is not in order", index + 1));
        }
        list.insert(path.to_owned(), Line { mode, sha256: sha256.to_owned() });
    }
    if write(&list) != text {
        return Err("it is not written as kfc writes it".to_owned());
    }
    Ok(list)
}

/// The paths of a directory's files with their modes. Directories named `.git` are skipped when `without_git`.
///
/// # Errors
/// [`Code::RefusedContent`] for names and kinds of files that no tree may have, links that lead out of it, too many files.
pub fn scan(folder: &Path, without_git: bool) -> Result<BTreeMap<String, Mode>> {
    let mut found = BTreeMap::new();
    let mut paths = Paths::default();
    let mut errors = Diagnostics::default();
    let entries = walkdir::WalkDir::new(folder)
        .min_depth(1)
        .sort_by_file_name()
        .into_iter()
        .filter_entry(|entry| !(without_git && entry.file_name() == ".git"));
    for entry in entries {
        let entry = entry.map_err(|error| refused(format!("the tree cannot be read: {error}")))?;
        let below = entry.path().strip_prefix(folder).unwrap_or(entry.path());
        let kind = entry.file_type();
        if kind.is_dir() {
            continue;
        }
        let Some(path) = below.to_str().map(|path| path.replace(std::path::MAIN_SEPARATOR, "/")) else {
            errors.push(refused(format!("the name of `{}` is not UTF-8 text", below.display())));
            continue;
        };
        match mode_of(folder, &entry, &path) {
            Ok(mode) => {
                found.insert(path.clone(), mode);
            }
            Err(why) => errors.push(refused(why)),
        }
        if let Err(why) = paths.add(&path) {
            errors.push(refused(why));
        }
        if found.len() > MOST_FILES {
            return Err(refused(format!("there are more than {MOST_FILES} files")).into());
        }
    }
    errors.into_result(found)
}

fn mode_of(folder: &Path, entry: &walkdir::DirEntry, path: &str) -> std::result::Result<Mode, String> {
    let kind = entry.file_type();
    if kind.is_symlink() {
        let target = link_text(entry.path()).unwrap_or_default();
        // A chain of links may lead out of the tree although no link of it does by itself.
        let real = entry.path().canonicalize();
        let leaves =
            real.is_ok_and(|real| folder.canonicalize().is_ok_and(|folder| !real.starts_with(folder)));
        return if link_stays(path, &target) && !leaves {
            Ok(Mode::Link)
        } else {
            Err(format!("`{path}` is a symbolic link that leads out of the tree, to `{target}`"))
        };
    }
    if !kind.is_file() {
        return Err(format!("`{path}` is a device, pipe or socket"));
    }
    let meta = entry.metadata().map_err(|error| format!("`{path}` cannot be read: {error}"))?;
    Ok(if is_executable(&meta) { Mode::Executable } else { Mode::File })
}

#[cfg(unix)]
fn is_executable(meta: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    meta.permissions().mode() & 0o100 != 0
}

#[cfg(not(unix))]
fn is_executable(_meta: &std::fs::Metadata) -> bool {
    false
}

/// Gives a file the permissions of its mode.
///
/// # Errors
/// Those of the file system.
#[cfg(unix)]
pub fn set_mode(path: &Path, mode: Mode) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let bits = if mode == Mode::Executable { 0o755 } else { 0o644 };
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(bits))
}

/// Does nothing: this system has no such permissions.
///
/// # Errors
/// None.
#[cfg(not(unix))]
pub fn set_mode(_: &Path, _: Mode) -> std::io::Result<()> {
    Ok(())
}

/// Creates a symbolic link.
///
/// # Errors
/// Those of the file system.
#[cfg(unix)]
pub fn make_link(target: &str, at: &Path) -> std::io::Result<()> {
    std::os::unix::fs::symlink(target, at)
}

/// Fails: on this system not every user may create links.
///
/// # Errors
/// Always.
#[cfg(not(unix))]
pub fn make_link(_: &str, _: &Path) -> std::io::Result<()> {
    Err(std::io::Error::other("symbolic links cannot be created on this system"))
}

/// The text of a symbolic link.
#[must_use]
pub fn link_text(path: &Path) -> Option<String> {
    std::fs::read_link(path).ok()?.to_str().map(str::to_owned)
}

fn refused(why: String) -> Diagnostic {
    Diagnostic::error(Code::RefusedContent, why)
}

/// The list of a directory's files.
///
/// # Errors
/// Those of [`scan`], and files that cannot be read.
pub fn list(folder: &Path, without_git: bool) -> Result<List> {
    hash_all(folder, scan(folder, without_git)?)
}

/// Hashes files on as many threads as there are processors. These are separate threads: a caller may hold a lock that
/// other tasks of the common pool wait for.
fn hash_all(folder: &Path, found: BTreeMap<String, Mode>) -> Result<List> {
    let files: Vec<(String, Mode)> = found.into_iter().collect();
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(files.len() / 16 + 1);
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        while let Some((path, mode)) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
            done.push((path, *mode, hash(&folder.join(path), *mode)));
        }
        done
    };
    let parts: Vec<_> = std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let mut parts = vec![work()];
        parts.extend(others.into_iter().filter_map(|other| other.join().ok()));
        parts
    });
    let mut errors = Diagnostics::default();
    let mut list = List::new();
    for (path, mode, sha256) in parts.into_iter().flatten() {
        match sha256 {
            Ok(sha256) => {
                list.insert(path.clone(), Line { mode, sha256 });
            }
            Err(error) => errors.push(refused(format!("`{path}` cannot be read: {error}"))),
        }
    }
    errors.into_result(list)
}

fn hash(path: &Path, mode: Mode) -> std::io::Result<String> {
    if mode == Mode::Link {
        let target = link_text(path).ok_or_else(|| std::io::Error::other("the link has no text"))?;
        return Ok(sha256(target.as_bytes()));
    }
    let mut file = door::open_plain(path)?;
    let mut digest = Sha256::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(lower::encode_string(&digest.finalize())),
            count => digest.update(&buffer[..count]),
        }
    }
}

/// Checks a vendored tree: the list beside it has the digest that the lock pins, and every file is what the list says.
/// Every check reads all files again.
///
/// # Errors
/// [`Code::Tampered`], naming the files.
pub fn verify(tree: &Path, list_file: &Path, pinned: &str, shown: &str) -> Result<()> {
    let text =
        read_list(list_file).map_err(|why| changed(format!("the list of files `{shown}/files` {why}")))?;
    if sha256(text.as_bytes()) != pinned {
        let message =
            format!("the list of files `{shown}/files` does not have the digest that kfc.lock pins");
        return Err(changed(message).into());
    }
    let wanted =
        read(&text).map_err(|why| changed(format!("the list of files `{shown}/files` is refused: {why}")))?;
    let found = list(tree, false).map_err(|errors| {
        let as_tampered = |error: Diagnostic| changed(format!("in `{shown}/tree`, {}", error.message));
        Diagnostics(errors.0.into_iter().map(as_tampered).collect())
    })?;
    let differences = differences(&wanted, &found, shown);
    let more = differences.len().saturating_sub(MOST_DIFFERENCES);
    let mut errors = Diagnostics(differences.into_iter().take(MOST_DIFFERENCES).map(changed).collect());
    if let Some(last) = errors.0.last_mut().filter(|_| more > 0) {
        last.notes.push(format!("{more} more files of this tree differ from what the lock pins"));
    }
    errors.into_result(())
}

fn read_list(path: &Path) -> std::result::Result<String, String> {
    String::from_utf8(door::read_plain(path, LARGEST_LIST)?).map_err(|_| "is not UTF-8 text".to_owned())
}

fn differences(wanted: &List, found: &List, shown: &str) -> Vec<String> {
    let mut all: Vec<(&str, String)> = Vec::new();
    for (path, want) in wanted {
        let what = match found.get(path) {
            None => "is missing".to_owned(),
            Some(have) if have.mode != want.mode && cfg!(unix) => {
                format!("is {}, expected {}", have.mode.describe(), want.mode.describe())
            }
            Some(have) if have.sha256 != want.sha256 => "has been changed".to_owned(),
            Some(_) => continue,
        };
        all.push((path, what));
    }
    let extra = found.keys().filter(|path| !wanted.contains_key(*path));
    all.extend(extra.map(|path| (path.as_str(), "does not belong there".to_owned())));
    all.sort();
    all.into_iter().map(|(path, what)| format!("`{shown}/tree/{path}` {what}")).collect()
}

fn changed(message: String) -> Diagnostic {
    Diagnostic::error(Code::Tampered, message)
        .help("restore it from version control, or remove its directory and run `kfc vendor`")
}

#[cfg(test)]
mod tests {
    use super::{list, read, sha256, write};

    #[test]
    fn the_digest_of_a_tree_is_that_of_its_list() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("b/empty")).unwrap();
        std::fs::write(folder.path().join("b/x.yaml"), "a: 1\n").unwrap();
        std::fs::write(folder.path().join("a.yaml"), "").unwrap();
        let text = write(&list(folder.path(), false).unwrap());
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(text, format!("100644 {empty} a.yaml\n100644 {} b/x.yaml\n", sha256(b"a: 1\n")));
        assert_eq!(write(&read(&text).unwrap()), text);
    }

    #[test]
    fn lists_that_kfc_does_not_write_are_refused() {
        let sum = "0".repeat(64);
        let line = |path: &str| format!("100644 {sum} {path}\n");
        for text in [
            line("../x"),
            line("/x"),
            line("b") + &line("a"),
            line("a") + &line("a"),
            line("a") + &line("A"),
            format!("100600 {sum} a\n"),
            "100644 abc a\n".to_owned(),
            format!("100644 {sum} a"),
            format!("100644 {sum} a\r\n"),
        ] {
            assert!(read(&text).is_err(), "{text:?}");
        }
    }
}
