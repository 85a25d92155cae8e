//! The vendor directory: trees by their digest, each with the list of its files.

use crate::door;
use crate::file::Os;
use crate::files::FileSystem as _;
use crate::lock::{self, Entry, Lock, tree};
use crate::remote::{Fetched, Source};
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Result};
use rayon::prelude::*;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

/// Keeps git from changing the bytes of what is vendored.
const ATTRIBUTES: &str = "* -text -eol -ident -filter -diff linguist-vendored\n";

/// A source that was fetched, with the list of its files.
#[derive(Clone, Debug)]
pub struct Listed {
    /// Its entry in the lock.
    pub entry: Entry,
    /// The tree that was fetched.
    pub fetched: Arc<Fetched>,
    /// The text of the list of its files; none for what is in the vendor directory already.
    list: Option<String>,
}

/// Lists the files of what was fetched.
///
/// # Errors
/// Trees that are refused; sources that differ from what the old lock pins although they must not.
pub fn list(used: &[(Source, Arc<Fetched>)], before: &Lock) -> Result<Vec<Listed>> {
    let listed: Vec<Result<Listed>> =
        used.par_iter().with_max_len(1).map(|(source, fetched)| list_one(source, fetched, before)).collect();
    let mut errors = Diagnostics::default();
    let listed = listed.into_iter().filter_map(|one| errors.collect(one)).collect();
    errors.into_result(listed)
}

fn list_one(source: &Source, fetched: &Arc<Fetched>, before: &Lock) -> Result<Listed> {
    let entry = |tree: String| Entry { source: source.clone(), pin: fetched.pin.clone(), tree };
    if let Some(tree) = &fetched.vendored {
        return Ok(Listed { entry: entry(tree.clone()), fetched: Arc::clone(fetched), list: None });
    }
    let list = tree::list(&fetched.folder, matches!(source, Source::Git { .. })).map_err(|errors| {
        let of_source = |mut error: Diagnostic| {
            error.message = format!("`{source}` is refused: {}", error.message);
            error
        };
        Diagnostics(errors.0.into_iter().map(of_source).collect())
    })?;
    let text = tree::write(&list);
    let entry = entry(tree::sha256(text.as_bytes()));
    let must_be_same =
        |old: &&Entry| fetched.pinned || (old.pin == entry.pin && !entry.pin.revision.is_empty());
    if let Some(old) = before.entry(source).filter(must_be_same).filter(|old| old.tree != entry.tree) {
        let message = format!("`{source}` has changed since kfc.lock was written");
        let error = Diagnostic::error(Code::Moved, message)
            .note(format!("the lock has the tree sha256:{}, the source sha256:{}", old.tree, entry.tree));
        return Err(if entry.pin.revision.is_empty() {
            error.help("look at what changed with `kfc vendor --update --dry-run`")
        } else {
            error.help("find out who changed it: one commit or version never has two trees")
        }
        .into());
    }
    Ok(Listed { entry, fetched: Arc::clone(fetched), list: Some(text) })
}

/// Adds missing trees to the vendor directory.
///
/// # Errors
/// When it cannot be written.
pub fn put(folder: &Path, listed: &[Listed]) -> Result<()> {
    let trees = folder.join(lock::FOLDER);
    let failed = |error: std::io::Error| Diagnostics::from(cannot_write(&trees, &error));
    if listed.is_empty() {
        return Ok(());
    }
    if trees.symlink_metadata().is_ok_and(|meta| !meta.is_dir()) {
        return Err(failed(std::io::Error::other("it is not a directory")));
    }
    std::fs::create_dir_all(&trees).map_err(failed)?;
    let attributes = trees.join(".gitattributes");
    if !attributes.exists() {
        crate::write::replace_below(&trees, Path::new(".gitattributes"), ATTRIBUTES.as_bytes())
            .map_err(failed)?;
    }
    listed.iter().filter_map(|one| Some((one, one.list.as_ref()?))).try_for_each(|(one, list)| {
        put_one(&trees, one, list).map_err(|error| {
            Diagnostics::from(cannot_write(&trees.join(lock::folder_name(&one.entry.tree)), &error))
        })
    })
}

fn cannot_write(path: &Path, error: &std::io::Error) -> Diagnostic {
    Diagnostic::error(Code::Output, format!("cannot write `{}`: {error}", path.display()))
}

/// Writes a tree under another name first, so that an existing tree is complete.
fn put_one(trees: &Path, listed: &Listed, list: &str) -> std::io::Result<()> {
    let place = trees.join(lock::folder_name(&listed.entry.tree));
    let is_link = [&place, &place.join("tree")].into_iter().any(|path| path.is_symlink());
    let is_good =
        !is_link && tree::verify(&place.join("tree"), &place.join("files"), &listed.entry.tree, "").is_ok();
    if is_good {
        return Ok(());
    }
    let staging = tempfile::Builder::new().prefix(".new-").tempdir_in(trees)?;
    let files = tree::read(list).map_err(std::io::Error::other)?;
    std::fs::create_dir(staging.path().join("tree"))?;
    for (path, line) in &files {
        copy(&listed.fetched.folder.join(path), &staging.path().join("tree").join(path), line.mode)?;
    }
    std::fs::write(staging.path().join("files"), list)?;
    if place.symlink_metadata().is_ok() {
        std::fs::remove_dir_all(&place)?;
    }
    let staging = staging.keep();
    open_to_all(&staging)?;
    std::fs::rename(staging, place)
}

fn copy(from: &Path, to: &Path, mode: tree::Mode) -> std::io::Result<()> {
    if let Some(folder) = to.parent() {
        std::fs::create_dir_all(folder)?;
    }
    if mode == tree::Mode::Link {
        return tree::make_link(&tree::link_text(from).unwrap_or_default(), to);
    }
    let mut reader = door::open_plain(from)?;
    let mut writer = std::fs::File::create_new(to)?;
    std::io::copy(&mut reader, &mut writer)?;
    drop(writer);
    tree::set_mode(to, mode)
}

/// Only their owner can read temporary directories; a vendored tree is for all users who build.
#[cfg(unix)]
fn open_to_all(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755))
}

#[cfg(not(unix))]
fn open_to_all(_: &Path) -> std::io::Result<()> {
    Ok(())
}

/// Writes a lock in one step: other processes read the old one or the new one.
///
/// # Errors
/// When it cannot be written.
pub fn write_lock(lock: &Lock) -> Result<()> {
    crate::write::replace_below(&lock.folder, Path::new(lock::FILE), lock.text().as_bytes())
        .map_err(|error| cannot_write(&lock.folder.join(lock::FILE), &error).into())
}

/// The trees in the vendor directory that a lock does not name, and what interrupted runs have left; sorted. Other files in it
/// are not ours.
#[must_use]
pub fn unused(lock: &Lock) -> Vec<String> {
    // The target of a link is not ours.
    if !lock.trees().symlink_metadata().is_ok_and(|meta| meta.is_dir()) {
        return Vec::new();
    }
    let named: BTreeSet<String> = lock.entries.iter().map(|entry| lock::folder_name(&entry.tree)).collect();
    let names = Os.names_in(&lock.trees());
    let is_ours = |name: &String| {
        name.starts_with(".new-") || name.strip_prefix("sha256-").is_some_and(tree::is_sha256)
    };
    names.into_iter().filter(|name| is_ours(name) && !named.contains(name)).collect()
}

/// Removes the trees that a lock does not name, and the vendor directory when none is left.
///
/// # Errors
/// When they cannot be removed.
pub fn remove_unused(lock: &Lock) -> Result<()> {
    let trees = lock.trees();
    for name in unused(lock) {
        let path = trees.join(name);
        std::fs::remove_dir_all(&path).map_err(|error| cannot_write(&path, &error))?;
    }
    let is_link = trees.is_symlink();
    if lock.entries.is_empty() && !is_link && Os.names_in(&trees) == [".gitattributes"] {
        std::fs::remove_dir_all(&trees).map_err(|error| cannot_write(&trees, &error))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{list, put, remove_unused, unused, write_lock};
    use crate::lock::{self, Lock};
    use crate::remote::{Fetched, Source};
    use crate::source::Pin;
    use crate::vendoring::change::refuse_moved;
    use kfc_diagnostics::Code;
    use std::path::Path;
    use std::sync::Arc;

    fn source() -> Source {
        Source::Git {
            repository: "https://host/o/r".to_owned(),
            reference: "v1".to_owned(),
            submodules: false,
        }
    }

    /// A tree of one file that was fetched at a commit.
    fn fetched(folder: &Path, text: &str, revision: &str) -> (Source, Arc<Fetched>) {
        std::fs::create_dir_all(folder.join("sub")).unwrap();
        std::fs::write(folder.join("sub/a.yaml"), text).unwrap();
        let pin = Pin { revision: revision.to_owned(), archive: String::new() };
        let fetched = Fetched {
            folder: folder.to_owned(),
            pin,
            fixed: true,
            pinned: false,
            vendored: None,
            further: false,
        };
        (source(), Arc::new(fetched))
    }

    fn lock_in(folder: &Path) -> Lock {
        Lock { folder: folder.to_owned(), shown: folder.to_owned(), ..Lock::default() }
    }

    #[test]
    fn a_fetched_tree_is_stored_under_its_digest_and_removed_when_no_lock_names_it() {
        let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let listed = list(&[fetched(from.path(), "a: b\n", "one")], &Lock::default()).unwrap();
        put(to.path(), &listed).unwrap();
        let mut lock = lock_in(to.path());
        lock.entries = vec![listed[0].entry.clone()];
        let place = lock.trees().join(lock::folder_name(&listed[0].entry.tree));
        assert_eq!(std::fs::read_to_string(place.join("tree/sub/a.yaml")).unwrap(), "a: b\n");
        assert!(lock.tree(&lock.entries[0]).is_ok(), "the stored tree has the digest of the lock");
        assert!(unused(&lock).is_empty());
        write_lock(&lock).unwrap();
        assert!(std::fs::read_to_string(to.path().join(lock::FILE)).unwrap().contains("https://host/o/r"));

        lock.entries.clear();
        assert_eq!(unused(&lock), [lock::folder_name(&listed[0].entry.tree)]);
        remove_unused(&lock).unwrap();
        assert!(!lock.trees().exists());
    }

    #[test]
    fn a_tree_that_was_changed_in_the_vendor_directory_is_written_again() {
        let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let listed = list(&[fetched(from.path(), "a: b\n", "one")], &Lock::default()).unwrap();
        put(to.path(), &listed).unwrap();
        let place = to.path().join(lock::FOLDER).join(lock::folder_name(&listed[0].entry.tree));
        std::fs::write(place.join("tree/sub/a.yaml"), "a: changed\n").unwrap();
        std::fs::write(place.join("tree/more.yaml"), "").unwrap();
        put(to.path(), &listed).unwrap();
        assert_eq!(std::fs::read_to_string(place.join("tree/sub/a.yaml")).unwrap(), "a: b\n");
        assert!(!place.join("tree/more.yaml").exists());
    }

    #[test]
    fn one_commit_never_has_two_trees_and_a_tag_never_moves() {
        let (from, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let first = list(&[fetched(from.path(), "a: b\n", "one")], &Lock::default()).unwrap();
        let before = Lock { entries: vec![first[0].entry.clone()], ..Lock::default() };
        let code = |errors: kfc_diagnostics::Diagnostics| errors.0[0].code;
        let same_commit = fetched(other.path(), "a: c\n", "one");
        assert_eq!(list(&[same_commit], &before).map_err(code).unwrap_err(), Code::Moved);
        let moved = list(&[fetched(other.path(), "a: c\n", "two")], &before).unwrap();
        assert_eq!(refuse_moved(&before, &moved).map_err(code), Err(Code::Moved));
        assert_eq!(refuse_moved(&before, &first).map_err(code), Ok(()));
    }

    #[test]
    fn files_that_are_not_ours_stay() {
        let folder = tempfile::tempdir().unwrap();
        let lock = lock_in(folder.path());
        std::fs::create_dir_all(lock.trees().join(".new-abc")).unwrap();
        std::fs::create_dir_all(lock.trees().join("sha256-not-a-digest")).unwrap();
        std::fs::write(lock.trees().join("notes.txt"), "").unwrap();
        assert_eq!(unused(&lock), [".new-abc"]);
        remove_unused(&lock).unwrap();
        assert!(lock.trees().join("notes.txt").exists() && lock.trees().join("sha256-not-a-digest").exists());
    }
}
