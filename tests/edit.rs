//! Runs the folders under `tests/edit`. `command` has lines of arguments for `kfc kustomize`, which run one after the other in a
//! copy of `before/`. The snapshot ends with the files that they create or change.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

mod case;

use case::{Outcome, Transcript, text};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, ExitCode};

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

fn edit(case: &Path) -> Outcome {
    let folder = tempfile::tempdir().unwrap();
    let before = files(&case.join("before"));
    write(folder.path(), &before);
    let mut transcript = Transcript::hiding(folder.path());
    for line in text(&case.join("command")).lines() {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kfc"));
        transcript.run(command.arg("kustomize").args(line.split(' ')).current_dir(folder.path()));
    }
    let after = files(folder.path());
    for name in before.keys().filter(|name| !after.contains_key(*name)) {
        transcript.section(&format!("{name} is removed"), "");
    }
    for (name, text) in after.iter().filter(|(name, text)| before.get(*name) != Some(text)) {
        transcript.section(name, text);
    }
    transcript.check(case)
}

fn main() -> ExitCode {
    case::run(case::trials("tests/edit", "", edit))
}
