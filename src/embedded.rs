//! What is built into the program: the catalogue (`bases`, `overlays`, `platforms` and `releases` of this repository), and the page
//! that explains errors.

use kfc_catalogue::catalogue::BUILT_IN;
use kfc_source::{Embedded, FileSystem, Memory, Os};
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

/// Made by build.rs: the files, one after the other, compressed.
static ARCHIVE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/catalogue.lz4"));

/// Unpacked at the first use.
static TREE: LazyLock<Memory> = LazyLock::new(unpacked);

/// The files of this machine, with the built-in catalogue at [`BUILT_IN`].
#[must_use]
pub fn files() -> Arc<dyn FileSystem> {
    Arc::new(Embedded::new(PathBuf::from(BUILT_IN), &TREE, Arc::new(Os)))
}

/// Made by build.rs: docs/errors.md, compressed.
static ERRORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/errors.lz4"));

/// The page with a section for each code.
#[must_use]
pub fn error_page() -> String {
    String::from_utf8(lz4_flex::decompress_size_prepended(ERRORS).unwrap_or_default()).unwrap_or_default()
}

/// build.rs writes the archive: an error in it leaves files out, which every test of the catalogue would notice.
fn unpacked() -> Memory {
    let bytes = lz4_flex::decompress_size_prepended(ARCHIVE).unwrap_or_default();
    let mut rest = bytes.as_slice();
    let mut files = Vec::new();
    while let (Some(path), Some(bytes)) = (field(&mut rest), field(&mut rest)) {
        files.push((String::from_utf8_lossy(path).into_owned(), bytes));
    }
    Memory::new(files)
}

/// The next field: its length in four bytes, the lowest first, and as many bytes.
fn field<'b>(rest: &mut &'b [u8]) -> Option<&'b [u8]> {
    let (length, after) = rest.split_first_chunk()?;
    let (field, after) = after.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    *rest = after;
    Some(field)
}

#[cfg(test)]
mod tests {
    use super::files;
    use kfc_catalogue::catalogue::BUILT_IN;
    use std::path::Path;

    #[test]
    fn every_file_of_the_catalogue_is_in_the_program() {
        let top = Path::new(env!("CARGO_MANIFEST_DIR"));
        let built_in = files();
        let mut count = 0;
        for directory in ["bases", "overlays", "platforms", "releases"] {
            for entry in walkdir::WalkDir::new(top.join(directory)) {
                let entry = entry.unwrap();
                if entry.file_type().is_file() {
                    let own = Path::new(BUILT_IN).join(entry.path().strip_prefix(top).unwrap());
                    let bytes = built_in.read(&own).unwrap_or_else(|error| panic!("{own:?}: {error:?}"));
                    assert_eq!(bytes, std::fs::read(entry.path()).unwrap(), "{own:?}");
                    count += 1;
                }
            }
        }
        assert!(count > 100, "{count}");
    }
}
