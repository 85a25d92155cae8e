//! Runs the folders under `tests/cases`: each has `input/` (with `root` inside, or itself the root), and either
//! `expected.yaml`, the bundle to the byte, or `error.txt`, the diagnostics to the byte. `flags` holds further arguments,
//! one a line; `command` holds all of them, for what is no build of `input`. With `KFC_UPDATE_CASES=1` the expected files are written anew, to be reviewed.

#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn cases() -> Vec<PathBuf> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut cases: Vec<PathBuf> =
        std::fs::read_dir(top).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    cases
}

fn build(case: &Path) -> Output {
    let flags = std::fs::read_to_string(case.join("flags")).unwrap_or_default();
    let root = if case.join("input/root").is_dir() { "input/root" } else { "input" };
    let command = std::fs::read_to_string(case.join("command")).unwrap_or(format!("build\n{root}\n{flags}"));
    Command::new(env!("CARGO_BIN_EXE_kfc")).current_dir(case).args(command.lines()).output().unwrap()
}

fn compare(case: &Path, file: &str, actual: &str, failures: &mut Vec<String>) {
    let path = case.join(file);
    if std::env::var_os("KFC_UPDATE_CASES").is_some() {
        std::fs::write(&path, actual).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    if expected != actual {
        failures.push(format!("{}\n--- expected\n{expected}\n--- actual\n{actual}", path.display()));
    }
}

#[test]
fn every_case_gives_what_its_folder_says() {
    let cases = cases();
    assert!(!cases.is_empty(), "no case found");
    let mut failures = Vec::new();
    for case in &cases {
        let output = build(case);
        let stdout = String::from_utf8_lossy(&output.stdout);
        let stderr = String::from_utf8_lossy(&output.stderr);
        if case.join("error.txt").exists() {
            assert!(stdout.is_empty(), "{}: standard output must stay empty", case.display());
            assert_eq!(output.status.code(), Some(1), "{}: {stderr}", case.display());
            compare(case, "error.txt", &stderr, &mut failures);
        } else {
            if !output.status.success() {
                failures.push(format!("{}: {stderr}", case.display()));
                continue;
            }
            compare(case, "expected.yaml", &stdout, &mut failures);
        }
    }
    assert!(
        failures.is_empty(),
        "{} of {} cases failed:\n{}",
        failures.len(),
        cases.len(),
        failures.join("\n\n")
    );
}
