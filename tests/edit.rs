//! Runs the folders under `tests/edit`: `command` holds lines of arguments for `kfc kustomize`, run one after the other in a
//! copy of `before/`; afterwards the folder has to be as `after/` says, and standard error as `messages.txt` does (empty
//! when there is none). With `KFC_UPDATE_CASES=1` the expected files are written anew, to be reviewed.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

fn files(folder: &Path) -> BTreeMap<String, String> {
    let entries =
        walkdir::WalkDir::new(folder).into_iter().map(Result::unwrap).filter(|e| e.file_type().is_file());
    entries
        .map(|entry| {
            let name = entry.path().strip_prefix(folder).unwrap().to_string_lossy().into_owned();
            (name, std::fs::read_to_string(entry.path()).unwrap())
        })
        .collect()
}

fn write(folder: &Path, files: &BTreeMap<String, String>) {
    for (name, text) in files {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
}

/// The messages of all commands, and the files that they leave.
fn run(case: &Path) -> (String, BTreeMap<String, String>) {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &files(&case.join("before")));
    let mut messages = String::new();
    for line in std::fs::read_to_string(case.join("command")).unwrap().lines() {
        let output = Command::new(env!("CARGO_BIN_EXE_kfc"))
            .arg("kustomize")
            .args(line.split(' '))
            .current_dir(folder.path())
            .output()
            .unwrap();
        assert!(output.stdout.is_empty(), "{line}: standard output is not for messages");
        messages += &String::from_utf8_lossy(&output.stderr);
    }
    (messages, files(folder.path()))
}

#[test]
fn every_case_leaves_what_its_folder_says() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/edit");
    let mut count = 0;
    for case in std::fs::read_dir(top).unwrap().map(|entry| entry.unwrap().path()) {
        count += 1;
        let (messages, left) = run(&case);
        let (after, told) = (case.join("after"), case.join("messages.txt"));
        if std::env::var_os("KFC_UPDATE_CASES").is_some() {
            drop(std::fs::remove_dir_all(&after));
            write(&after, &left);
            std::fs::write(&told, &messages).unwrap();
        }
        assert_eq!(messages, std::fs::read_to_string(told).unwrap_or_default(), "{}", case.display());
        assert_eq!(left, files(&after), "{}", case.display());
    }
    assert!(count > 0, "no case found");
}
