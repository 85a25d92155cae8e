//! A directory of generated files. A list in it ([`LIST`]) names those that the last run wrote, so that the next run can remove
//! those that it does not write, and nothing else.

use super::{keep_owner, permissions_like, regular, sync, sync_folder};
use crate::door;
use crate::lock::tree::sha256;
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{Error, Result, Write};
use std::path::Path;
use tempfile::TempDir;

/// The name of the list: a line `SHA256  NAME` a file, as `sha256sum --check` reads it.
pub const LIST: &str = ".kfc-files";
/// How the names of directories with staged files begin.
const STAGING: &str = ".kfc-new-";
/// Bytes that a list may have.
const LONGEST_LIST: u64 = 64 << 20;
/// Bytes that a file of an earlier run may have.
const LONGEST_FILE: u64 = 1 << 30;

/// Whether a directory gets a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listing {
    /// Always.
    Write,
    /// Only when it has one: like kustomize, which writes none, but without leaving files that kfc wrote.
    Keep,
}

/// Names of files with the SHA-256 of their content when they were written. While a run writes, a name may have two.
type List = BTreeSet<(String, String)>;

/// Writes files into a directory, which is created if needed, and removes those of an earlier run that are not among them. All
/// files are staged first: on a full disk nothing changes. Each file is the old or the new one, complete. Files with the same
/// content are not touched. A second run waits until the first is done.
///
/// Returns the names of files that an earlier run wrote and this one does not, but that somebody changed since: they stay.
///
/// # Errors
/// Those of the file system; invalid lists; symbolic links, and anything else that is not a regular file, at the path of a
/// file.
pub fn replace_all(
    folder: &Path,
    files: &BTreeMap<String, Vec<u8>>,
    listing: Listing,
) -> Result<Vec<String>> {
    std::fs::create_dir_all(folder)?;
    let handle = lock(folder);
    remove_staging(folder)?;
    let before = read_list(folder)?;
    let is_listed = listing == Listing::Write || before.is_some();
    let before = before.unwrap_or_default();
    let staged = Staged::write(folder, files, is_listed.then_some(&before))?;
    staged.persist()?;
    let changed = remove_stale(folder, files, &before)?;
    staged.persist_list(&changed)?;
    // The next run removes staged files: it must not find these.
    drop(staged);
    drop(handle);
    let mut names: Vec<String> = changed.into_iter().map(|(name, _)| name).collect();
    names.dedup();
    Ok(names)
}

/// Waits until no other run writes into the directory. A file system without locks does not wait.
fn lock(folder: &Path) -> Option<File> {
    let handle = File::open(folder).ok()?;
    handle.lock().ok()?;
    Some(handle)
}

/// Removes the staged files of runs that were killed.
fn remove_staging(folder: &Path) -> Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let is_ours = entry.file_name().to_string_lossy().starts_with(STAGING);
        if is_ours && entry.file_type()?.is_dir() {
            std::fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}

fn read_list(folder: &Path) -> Result<Option<List>> {
    let path = folder.join(LIST);
    let in_list = |error: Error| Error::other(format!("its list `{LIST}` cannot be used: {error}"));
    if regular(&path).map_err(in_list)?.is_none() {
        return Ok(None);
    }
    let bytes =
        door::read_plain(&path, LONGEST_LIST).map_err(|why| in_list(Error::other(format!("it {why}"))))?;
    let text = String::from_utf8(bytes).map_err(|_| in_list(Error::other("it is not text")))?;
    let entries: Option<List> = text.lines().map(entry).collect();
    entries.map(Some).ok_or_else(|| in_list(Error::other("it was not written by kfc; remove it")))
}

/// A line of a list. Only plain names are accepted: a list may come from a repository, and must not lead out of its directory.
fn entry(line: &str) -> Option<(String, String)> {
    let (digest, name) = line.split_once("  ")?;
    let is_digest = digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_plain = !name.is_empty() && name != "." && name != ".." && !name.contains(['/', '\\', '\0']);
    (is_digest && is_plain).then(|| (name.to_owned(), digest.to_owned()))
}

fn list_text(list: &List) -> String {
    let mut text = String::new();
    for (name, digest) in list {
        let _ = writeln!(text, "{digest}  {name}");
    }
    text
}

/// Staged files: those that differ from the existing ones in `files`, lists in `lists`.
struct Staged<'a> {
    folder: &'a Path,
    place: TempDir,
    names: Vec<&'a str>,
    /// What this run writes; none when the directory gets no list.
    list: Option<List>,
}

const FILES: &str = "files";
const LIST_WHILE_WRITING: &str = "lists/while-writing";
const LIST_AFTERWARDS: &str = "lists/afterwards";

impl<'a> Staged<'a> {
    /// Stages the files that differ, and the lists when there was one `before` or there will be one.
    fn write(folder: &'a Path, files: &'a BTreeMap<String, Vec<u8>>, before: Option<&List>) -> Result<Self> {
        let place = tempfile::Builder::new().prefix(STAGING).tempdir_in(folder)?;
        let new = place.path().join(FILES);
        std::fs::create_dir(&new)?;
        let put = |(name, bytes): (&'a String, &'a Vec<u8>)| {
            Ok(put(&folder.join(name), &new.join(name), bytes)?.then_some(name.as_str()))
        };
        let names: Result<Vec<Option<&str>>> = files.into_par_iter().map(put).collect();
        let names = names?.into_iter().flatten().collect();
        let list = || -> List { files.iter().map(|(name, bytes)| (name.clone(), sha256(bytes))).collect() };
        let list = before.map(|_| list());
        if let (Some(before), Some(list)) = (before, &list) {
            std::fs::create_dir(place.path().join("lists"))?;
            // With it, the next run can remove what this one has written when it is killed.
            let text = list_text(&(before | list));
            write_new(&place.path().join(LIST_WHILE_WRITING), text.as_bytes())?;
            // Of the greatest possible length, so that a full disk cannot stop it later.
            write_new(&place.path().join(LIST_AFTERWARDS), text.as_bytes())?;
        }
        Ok(Self { folder, place, names, list })
    }

    /// Renames the staged files.
    fn persist(&self) -> Result<()> {
        let place = self.place.path();
        if self.list.is_some() {
            std::fs::rename(place.join(LIST_WHILE_WRITING), self.folder.join(LIST))?;
            sync_folder(self.folder);
        }
        for name in &self.names {
            std::fs::rename(place.join(FILES).join(name), self.folder.join(name))?;
        }
        sync_folder(self.folder);
        Ok(())
    }

    /// Writes the final list: what this run wrote, and what it kept because somebody changed it.
    fn persist_list(&self, changed: &List) -> Result<()> {
        let Some(list) = &self.list else { return Ok(()) };
        let path = self.place.path().join(LIST_AFTERWARDS);
        let text = list_text(&(list | changed));
        let mut file = OpenOptions::new().write(true).open(&path)?;
        file.write_all(text.as_bytes())?;
        file.set_len(text.len() as u64)?;
        sync(&file)?;
        std::fs::rename(path, self.folder.join(LIST))?;
        sync_folder(self.folder);
        Ok(())
    }
}

/// Writes a file to `new`, unless `place` already has its content; returns whether it did.
fn put(place: &Path, new: &Path, bytes: &[u8]) -> Result<bool> {
    let name = place.file_name().unwrap_or_default().to_string_lossy();
    let in_file = |error: Error| Error::new(error.kind(), format!("`{name}`: {}", super::describe(&error)));
    let old = regular(place).map_err(in_file)?;
    let is_same = old.as_ref().is_some_and(|old| old.len() == bytes.len() as u64)
        && door::read_plain(place, bytes.len() as u64).is_ok_and(|there| there == bytes);
    if is_same {
        return Ok(false);
    }
    write_new(new, bytes).map_err(in_file)?;
    if let Some(old) = old {
        keep_owner(new, &old);
        std::fs::set_permissions(new, permissions_like(&old)).map_err(in_file)?;
    }
    Ok(true)
}

fn write_new(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut file = File::create_new(path)?;
    file.write_all(bytes)?;
    sync(&file)
}

/// Removes the files that an earlier run wrote and this one does not; returns those that have changed since.
fn remove_stale(folder: &Path, files: &BTreeMap<String, Vec<u8>>, before: &List) -> Result<List> {
    let mut changed = List::new();
    for (name, digest) in before.iter().filter(|(name, _)| !files.contains_key(name)) {
        let path = folder.join(name);
        if path.symlink_metadata().is_err() {
            continue;
        }
        // A file that cannot be read has changed, too.
        let content = door::read_plain(&path, LONGEST_FILE);
        let is_written = content.is_ok_and(|bytes| before.contains(&(name.clone(), sha256(&bytes))));
        if is_written {
            std::fs::remove_file(&path)?;
        } else {
            changed.insert((name.clone(), digest.clone()));
        }
    }
    Ok(changed)
}
