//! Unpacks archives that others wrote. Entries that could write outside the directory, fill the disk or differ between
//! machines are refused by name.

use crate::lock::tree::{self, MOST_FILES, Mode};
use crate::tree_path::{Paths, link_stays};
use flate2::read::{GzDecoder, MultiGzDecoder};
use std::io::{Error, ErrorKind, Read};
use std::path::{Path, PathBuf};
use tar::EntryType;

/// How large an archive may be.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of all files and headers together.
    pub bytes: u64,
    /// Files.
    pub files: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 512 * 1024 * 1024, files: MOST_FILES }
    }
}

/// Unpacks a tar archive, compressed with gzip or not, into an empty directory.
///
/// # Errors
/// A sentence on what is refused, naming the path.
pub fn unpack(archive: &[u8], into: &Path, limits: &Limits) -> Result<(), String> {
    if archive.starts_with(&[0x1f, 0x8b]) {
        return unpack_tar(GzDecoder::new(archive), into, limits);
    }
    unpack_tar(archive, into, limits)
}

/// The files of an archive of helm that are selected by the parts of their names; what is read of it is subtracted from the
/// limits. Nothing is written, and other entries are skipped.
///
/// # Errors
/// A sentence on what is wrong.
pub fn files_of(
    archive: &[u8],
    left: &mut Limits,
    is_meant: impl Fn(&[&str]) -> bool,
) -> Result<Vec<(String, Vec<u8>)>, String> {
    let limits = *left;
    let broken = |error: Error| describe(&error, &limits);
    // helm reads all parts of a compressed file, not only the first.
    let mut archive = tar::Archive::new(Bounded { inner: MultiGzDecoder::new(archive), left: limits.bytes });
    let mut found = Vec::new();
    for entry in archive.entries().map_err(broken)? {
        let mut entry = entry.map_err(broken)?;
        left.files = left.files.checked_sub(1).ok_or("it has too many files")?;
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let parts: Vec<&str> = name.split(['/', '\\']).filter(|part| !matches!(*part, "" | ".")).collect();
        if !is_meant(&parts) {
            continue;
        }
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).map_err(broken)?;
        found.push((parts.join("/"), bytes));
    }
    left.bytes = archive.into_inner().left;
    Ok(found)
}

/// A reader that fails after this many bytes.
struct Bounded<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.left = self.left.checked_sub(count as u64).ok_or_else(|| Error::other(ExpandsTooFar))?;
        Ok(count)
    }
}

#[derive(Debug)]
struct ExpandsTooFar;

impl std::fmt::Display for ExpandsTooFar {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("it expands too far")
    }
}

impl std::error::Error for ExpandsTooFar {}

fn unpack_tar(reader: impl Read, into: &Path, limits: &Limits) -> Result<(), String> {
    let mut archive = tar::Archive::new(Bounded { inner: reader, left: limits.bytes });
    let mut state = Unpacking { into, limits, paths: Paths::default(), count: 0, links: Vec::new() };
    let broken = |error: Error| describe(&error, limits);
    let mut seen_any = false;
    for entry in archive.entries().map_err(broken)? {
        let mut entry = entry.map_err(broken)?;
        seen_any = true;
        state.add(&mut entry)?;
    }
    if !seen_any {
        return Err("the archive is empty".to_owned());
    }
    // The checksum of the compression comes last.
    std::io::copy(&mut archive.into_inner(), &mut std::io::sink()).map_err(broken)?;
    state.make_links()
}

fn describe(error: &Error, limits: &Limits) -> String {
    // The library wraps errors of the reader into others.
    let text = error.to_string();
    if text.contains("expands too far") || has_source(error) {
        return format!("the archive expands to more than {} MiB", limits.bytes / 1024 / 1024);
    }
    match error.kind() {
        ErrorKind::UnexpectedEof => "the archive is truncated".to_owned(),
        _ => format!("the archive is damaged: {text}"),
    }
}

fn has_source(error: &Error) -> bool {
    let mut current: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = current {
        if error.is::<ExpandsTooFar>() {
            return true;
        }
        current = error.source();
    }
    false
}

struct Unpacking<'a> {
    into: &'a Path,
    limits: &'a Limits,
    paths: Paths,
    count: usize,
    /// Created last, so that no file is written through one.
    links: Vec<(String, String)>,
}

impl Unpacking<'_> {
    fn add<R: Read>(&mut self, entry: &mut tar::Entry<'_, R>) -> Result<(), String> {
        let kind = entry.header().entry_type();
        if matches!(kind, EntryType::XGlobalHeader) {
            return Ok(());
        }
        let bytes = entry.path_bytes();
        let shown = String::from_utf8_lossy(&bytes).escape_debug().to_string();
        let path =
            std::str::from_utf8(&bytes).map_err(|_| format!("the name `{shown}` is not UTF-8 text"))?;
        let path = plain(path).to_owned();
        drop(bytes);
        match kind {
            EntryType::Directory if path.is_empty() => Ok(()),
            // Directories are created for their files, but their names are checked, too.
            EntryType::Directory => crate::tree_path::check(&path).map_err(|why| format!("`{shown}` {why}")),
            EntryType::Regular | EntryType::Continuous => self.file(entry, &path),
            EntryType::Symlink => self.link(entry, path),
            EntryType::Link => {
                Err(format!("`{shown}` is a hard link; only files and symbolic links are accepted"))
            }
            EntryType::Char | EntryType::Block | EntryType::Fifo => {
                Err(format!("`{shown}` is a device or pipe; only files and symbolic links are accepted"))
            }
            _ => Err(format!("`{shown}` is not a plain file; only files and symbolic links are accepted")),
        }
    }

    fn count(&mut self, path: &str) -> Result<(), String> {
        self.paths.add(path)?;
        self.count += 1;
        if self.count > self.limits.files {
            Err(format!("the archive has more than {} files", self.limits.files))
        } else {
            Ok(())
        }
    }

    fn file<R: Read>(&mut self, entry: &mut tar::Entry<'_, R>, path: &str) -> Result<(), String> {
        self.count(path)?;
        let full = self.place(path)?;
        let mut file = std::fs::File::create_new(&full)
            .map_err(|error| format!("`{path}` cannot be written: {error}"))?;
        let size = entry.size();
        let copied = std::io::copy(entry, &mut file).map_err(|error| describe(&error, self.limits))?;
        if copied != size {
            return Err(format!("the archive is truncated in `{path}`"));
        }
        drop(file);
        let is_executable = entry.header().mode().is_ok_and(|mode| mode & 0o100 != 0);
        let mode = if is_executable { Mode::Executable } else { Mode::File };
        tree::set_mode(&full, mode).map_err(|error| format!("`{path}` cannot be written: {error}"))
    }

    fn link<R: Read>(&mut self, entry: &tar::Entry<'_, R>, path: String) -> Result<(), String> {
        self.count(&path)?;
        let target = entry.link_name_bytes().unwrap_or_default();
        let target = String::from_utf8_lossy(&target).into_owned();
        if !link_stays(&path, &target) {
            return Err(format!(
                "`{path}` is a symbolic link that leads out of the tree, to `{}`",
                target.escape_debug()
            ));
        }
        self.links.push((path, target));
        Ok(())
    }

    /// The full path of an entry, after creating its directory.
    fn place(&self, path: &str) -> Result<PathBuf, String> {
        let full = self.into.join(path);
        let folder = full.parent().unwrap_or(self.into);
        std::fs::create_dir_all(folder).map_err(|error| format!("`{path}` cannot be written: {error}"))?;
        Ok(full)
    }

    fn make_links(self) -> Result<(), String> {
        for (path, target) in &self.links {
            let full = self.place(path)?;
            tree::make_link(target, &full).map_err(|error| format!("`{path}` cannot be created: {error}"))?;
        }
        Ok(())
    }
}

/// The path without what archivers add: `./` before it, `/` after directories.
fn plain(path: &str) -> &str {
    let path = path.strip_prefix("./").unwrap_or(path);
    let path = if path == "." { "" } else { path };
    match path.strip_suffix('/') {
        Some(rest) if !rest.is_empty() => rest,
        _ => path,
    }
}

#[cfg(test)]
mod tests {
    use super::{Limits, unpack};
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write;
    use tar::{Builder, EntryType, Header};

    type Written = (Header, Vec<u8>);

    /// An entry whose path is written as it is, which the library's own writer refuses to do.
    fn entry(path: &str, kind: EntryType, link: &str, content: &[u8]) -> Written {
        let mut header = Header::new_ustar();
        header.set_entry_type(kind);
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        let raw = header.as_old_mut();
        raw.name[..path.len()].copy_from_slice(path.as_bytes());
        raw.linkname[..link.len()].copy_from_slice(link.as_bytes());
        header.set_cksum();
        (header, content.to_vec())
    }

    fn file(path: &str) -> Written {
        entry(path, EntryType::Regular, "", b"a: 1\n")
    }

    fn tar(entries: &[Written]) -> Vec<u8> {
        let mut builder = Builder::new(Vec::new());
        for (header, content) in entries {
            builder.append(header, content.as_slice()).unwrap();
        }
        builder.into_inner().unwrap()
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn refused(archive: &[u8]) -> String {
        let above = tempfile::tempdir().unwrap();
        let folder = above.path().join("into");
        std::fs::create_dir(&folder).unwrap();
        let limits = Limits { bytes: 1024 * 1024, files: 100 };
        let why = unpack(archive, &folder, &limits).unwrap_err();
        let outside = std::fs::read_dir(above.path()).unwrap().count();
        assert_eq!(outside, 1, "something was written outside");
        why
    }

    #[test]
    fn a_plain_archive_is_unpacked() {
        let folder = tempfile::tempdir().unwrap();
        let entries = [
            file("./chart/a.yaml"),
            file("chart/b/c.yaml"),
            entry("chart/l", EntryType::Symlink, "b/c.yaml", b""),
        ];
        unpack(&gzip(&tar(&entries)), folder.path(), &Limits::default()).unwrap();
        assert_eq!(std::fs::read_to_string(folder.path().join("chart/l")).unwrap(), "a: 1\n");
    }

    #[test]
    fn entries_that_do_harm_are_refused_by_name() {
        let cases: [(Vec<Written>, &str); 13] = [
            (vec![file("../x")], "`../x` leads out"),
            (vec![file("a/../../x")], "`a/../../x` leads out"),
            (vec![file("/x")], "`/x` is an absolute path"),
            (vec![file("C:\\x")], "absolute path"),
            (vec![entry("l", EntryType::Symlink, "../x", b"")], "`l` is a symbolic link that leads out"),
            (vec![entry("l", EntryType::Symlink, "/etc", b"")], "to `/etc`"),
            (vec![entry("h", EntryType::Link, "a", b"")], "`h` is a hard link"),
            (vec![entry("d", EntryType::Char, "", b"")], "`d` is a device"),
            (vec![entry("p", EntryType::Fifo, "", b"")], "`p` is a device or pipe"),
            (vec![file("a.yaml"), file("A.yaml")], "differ only in case"),
            (vec![file("a.yaml"), file("a.yaml")], "`a.yaml` is defined more than once"),
            (vec![entry("l", EntryType::Symlink, "b", b""), file("l/x")], "a file and a directory"),
            (vec![file(".git/hooks/x")], "data of git"),
        ];
        for (entries, why) in cases {
            let found = refused(&gzip(&tar(&entries)));
            assert!(found.contains(why), "{why}: {found}");
        }
    }

    #[test]
    fn broken_and_boundless_archives_are_refused() {
        let many: Vec<_> = (0..200).map(|n| file(&format!("f{n}"))).collect();
        assert!(refused(&tar(&many)).contains("more than 100 files"));
        let bomb = gzip(&tar(&[entry("zeros", EntryType::Regular, "", &vec![0; 4 * 1024 * 1024])]));
        assert!(bomb.len() < 64 * 1024);
        assert!(refused(&bomb).contains("expands to more than 1 MiB"));
        let noise: Vec<u8> =
            (0..200_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13).to_le_bytes()[0]).collect();
        let whole = gzip(&tar(&[entry("noise", EntryType::Regular, "", &noise)]));
        assert!(refused(&whole[..whole.len() / 2]).contains("truncated"));
        assert!(refused(&whole[..whole.len() - 4]).contains("truncated"));
        let plain = tar(&[entry("noise", EntryType::Regular, "", &noise)]);
        assert!(refused(&plain[..plain.len() / 2]).contains("truncated"));
        let mut flipped = whole.clone();
        let last = flipped.len() - 6;
        flipped[last] ^= 1;
        assert!(refused(&flipped).contains("damaged"));
        assert!(refused(b"").contains("empty"));
        assert!(refused(b"<html>").contains("truncated") || refused(b"<html>").contains("damaged"));
    }
}
