#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

use super::folder::{LIST, Listing, replace_all};
use super::*;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use tempfile::TempDir;

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// The names in a directory, sorted.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn files(files: &[(&str, &str)]) -> BTreeMap<String, Vec<u8>> {
    files.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec())).collect()
}

#[test]
fn a_file_is_another_one_with_the_permissions_of_the_old_one() {
    let folder = folder();
    let path = folder.path().join("a");
    fs::write(&path, "old").unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o4640)).unwrap();
    fs::hard_link(&path, folder.path().join("b")).unwrap();
    let before = path.metadata().unwrap();
    replace(&path, b"new").unwrap();
    let after = path.metadata().unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"new");
    assert_ne!(before.ino(), after.ino());
    assert_eq!(after.mode() & 0o7777, 0o640, "{:o}", after.mode());
    assert_eq!(fs::read(folder.path().join("b")).unwrap(), b"old");
    assert_eq!(names(folder.path()), ["a", "b"]);
}

#[test]
fn a_new_file_has_the_permissions_that_new_files_have() {
    let folder = folder();
    replace(&folder.path().join("a"), b"x").unwrap();
    fs::write(folder.path().join("b"), "x").unwrap();
    let mode = |name: &str| folder.path().join(name).metadata().unwrap().mode();
    assert_eq!(mode("a"), mode("b"));
}

#[test]
fn a_private_file_is_readable_by_its_owner_only() {
    let folder = folder();
    let path = folder.path().join("a");
    fs::write(&path, "old").unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
    super::replace_private(&path, b"new").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"new");
    assert_eq!(path.metadata().unwrap().mode() & 0o777, 0o600);
    assert_eq!(names(folder.path()), ["a"]);
}

#[test]
fn a_link_that_the_user_named_is_followed_and_stays() {
    let folder = folder();
    let path = |name: &str| folder.path().join(name);
    fs::create_dir(path("far")).unwrap();
    fs::write(path("far/a"), "old").unwrap();
    symlink("far/a", path("one")).unwrap();
    symlink("one", path("two")).unwrap();
    replace(&path("two"), b"new").unwrap();
    assert_eq!(fs::read(path("far/a")).unwrap(), b"new");
    assert!(path("one").is_symlink() && path("two").is_symlink());
    symlink("far/not-there", path("three")).unwrap();
    replace(&path("three"), b"new").unwrap();
    assert_eq!(fs::read(path("far/not-there")).unwrap(), b"new");
    symlink("circle", path("circle")).unwrap();
    assert!(replace(&path("circle"), b"").unwrap_err().to_string().contains("too many symbolic links"));
}

#[test]
fn a_name_of_ours_is_not_written_through_a_link() {
    let folder = folder();
    let path = |name: &str| folder.path().join(name);
    fs::create_dir_all(path("out")).unwrap();
    fs::create_dir_all(path("far")).unwrap();
    fs::write(path("far/a"), "old").unwrap();
    symlink("../far/a", path("out/a")).unwrap();
    symlink("../far/new", path("out/dangling")).unwrap();
    symlink("../far", path("out/sub")).unwrap();
    for name in ["a", "dangling", "sub/a", "sub/b/c", "../far/a", "/etc/x"] {
        let error = replace_below(&path("out"), Path::new(name), b"new").unwrap_err().to_string();
        assert!(
            error.contains("not written through") || error.contains("out of the directory"),
            "{name}: {error}"
        );
    }
    assert_eq!(fs::read(path("far/a")).unwrap(), b"old");
    assert_eq!(names(&path("far")), ["a"]);
    // The directory itself may be a link: the user named it.
    symlink("far", path("named")).unwrap();
    replace_below(&path("named"), Path::new("deep/er"), b"new").unwrap();
    assert_eq!(fs::read(path("far/deep/er")).unwrap(), b"new");
}

#[test]
fn pipes_and_devices_are_written_directly() {
    replace(Path::new("/dev/null"), b"x").unwrap();
    if Path::new("/dev/full").exists() {
        assert_eq!(replace(Path::new("/dev/full"), b"x").unwrap_err().kind(), ErrorKind::StorageFull);
    }
    let (mut reader, writer) = std::io::pipe().unwrap();
    let descriptor = std::os::fd::AsRawFd::as_raw_fd(&writer);
    replace(Path::new(&format!("/dev/fd/{descriptor}")), b"piped").unwrap();
    drop(writer);
    let mut text = String::new();
    std::io::Read::read_to_string(&mut reader, &mut text).unwrap();
    assert_eq!(text, "piped");
    assert_eq!(replace(Path::new("/"), b"x").unwrap_err().kind(), ErrorKind::IsADirectory);
}

#[test]
fn an_open_file_is_appended_to() {
    let folder = folder();
    let path = folder.path().join("log");
    let mut log = File::create(&path).unwrap();
    log.write_all(b"before ").unwrap();
    let descriptor = std::os::fd::AsRawFd::as_raw_fd(&log);
    replace(Path::new(&format!("/proc/self/fd/{descriptor}")), b"after").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"before after");
}

#[test]
fn what_a_run_does_not_write_any_more_goes() {
    let folder = folder();
    let out = folder.path().join("not/there");
    assert!(
        replace_all(&out, &files(&[("a", "1"), ("b", "2"), ("c", "3")]), Listing::Write).unwrap().is_empty()
    );
    fs::write(out.join("mine"), "x").unwrap();
    fs::write(out.join("c"), "changed").unwrap();
    let left = replace_all(&out, &files(&[("a", "1")]), Listing::Write).unwrap();
    assert_eq!(left, ["c"]);
    assert_eq!(names(&out), [LIST, "a", "c", "mine"]);
    // Reported until it is removed.
    assert_eq!(replace_all(&out, &files(&[]), Listing::Write).unwrap(), ["c"]);
    fs::remove_file(out.join("c")).unwrap();
    assert!(replace_all(&out, &files(&[]), Listing::Write).unwrap().is_empty());
    assert_eq!(names(&out), [LIST, "mine"]);
    assert_eq!(fs::read_to_string(out.join(LIST)).unwrap(), "");
}

#[test]
fn the_same_content_is_not_written_again() {
    let folder = folder();
    replace_all(folder.path(), &files(&[("a", "1"), ("b", "2")]), Listing::Write).unwrap();
    let inode = |name: &str| folder.path().join(name).metadata().unwrap().ino();
    let before = (inode("a"), inode("b"));
    replace_all(folder.path(), &files(&[("a", "1"), ("b", "3")]), Listing::Write).unwrap();
    assert_eq!(inode("a"), before.0);
    assert_ne!(inode("b"), before.1);
}

#[test]
fn a_folder_without_a_list_keeps_everything_when_none_is_asked_for() {
    let folder = folder();
    replace_all(folder.path(), &files(&[("a", "1")]), Listing::Keep).unwrap();
    replace_all(folder.path(), &files(&[("b", "1")]), Listing::Keep).unwrap();
    assert_eq!(names(folder.path()), ["a", "b"]);
    replace_all(folder.path(), &files(&[("c", "1")]), Listing::Write).unwrap();
    replace_all(folder.path(), &files(&[("d", "1")]), Listing::Keep).unwrap();
    assert_eq!(names(folder.path()), [LIST, "a", "b", "d"]);
}

#[test]
fn a_list_leads_nowhere_else() {
    let folder = folder();
    let out = folder.path().join("out");
    fs::create_dir(&out).unwrap();
    fs::write(folder.path().join("precious"), "").unwrap();
    let empty = crate::lock::tree::sha256(b"");
    for line in [
        format!("{empty}  ../precious"),
        format!("{empty}  ..\\precious"),
        "x".to_owned(),
        format!("{empty}  ."),
    ] {
        fs::write(out.join(LIST), line + "\n").unwrap();
        let error = replace_all(&out, &files(&[("a", "1")]), Listing::Write).unwrap_err();
        assert!(error.to_string().contains("was not written by kfc"), "{error}");
    }
    // A link with the right name, to a file with the right content.
    symlink("../precious", out.join("link")).unwrap();
    fs::write(out.join(LIST), format!("{empty}  link\n")).unwrap();
    assert_eq!(replace_all(&out, &files(&[]), Listing::Write).unwrap(), ["link"]);
    fs::remove_file(out.join(LIST)).unwrap();
    symlink("../precious", out.join(LIST)).unwrap();
    assert!(
        replace_all(&out, &files(&[]), Listing::Write).unwrap_err().to_string().contains("symbolic link")
    );
    assert_eq!(names(folder.path()), ["out", "precious"]);
}

#[test]
fn nothing_is_written_when_one_place_is_taken() {
    let folder = folder();
    replace_all(folder.path(), &files(&[("a", "1")]), Listing::Write).unwrap();
    fs::create_dir(folder.path().join("b")).unwrap();
    symlink("far", folder.path().join("c")).unwrap();
    for taken in ["b", "c"] {
        let error =
            replace_all(folder.path(), &files(&[("a", "2"), (taken, "2")]), Listing::Write).unwrap_err();
        assert!(error.to_string().contains(&format!("`{taken}`: it is a ")), "{error}");
    }
    assert_eq!(fs::read(folder.path().join("a")).unwrap(), b"1");
    assert_eq!(names(folder.path()), [LIST, "a", "b", "c"]);
}

#[test]
fn what_a_killed_run_left_is_removed() {
    let folder = folder();
    fs::create_dir_all(folder.path().join(".kfc-new-killed/files")).unwrap();
    fs::write(folder.path().join(".kfc-new-killed/files/a"), "half").unwrap();
    // It was killed after it had renamed a file: both contents are listed.
    let digest = crate::lock::tree::sha256;
    let list = format!("{}  gone\n{}  gone\n", digest(b"old"), digest(b"new"));
    fs::write(folder.path().join(LIST), list).unwrap();
    for content in ["old", "new"] {
        fs::write(folder.path().join("gone"), content).unwrap();
        let list = fs::read(folder.path().join(LIST)).unwrap();
        assert!(replace_all(folder.path(), &files(&[]), Listing::Write).unwrap().is_empty());
        assert_eq!(names(folder.path()), [LIST]);
        fs::write(folder.path().join(LIST), list).unwrap();
    }
}
