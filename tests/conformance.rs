//! kustomize's own cases, where `../shared/conformance` has them: a test for each directory `GROUP/NAME`. `case.json` has the root
//! in `input`, the flags, and whether an output or an error is expected; `expected.yaml` is the output, to the byte, and
//! `expected-fifo.yaml` that with `--reorder none`.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

mod case;

use case::Outcome;
use libtest_mimic::{Completion, Trial};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// One build of a case.
struct Build {
    name: String,
    root: PathBuf,
    flags: Vec<String>,
    /// The file with the output; nothing when an error is expected.
    expected: Option<PathBuf>,
}

fn directories(top: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(top).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<PathBuf> = entries.filter(|path| path.is_dir()).collect();
    found.sort();
    found
}

/// The builds of a case: with its own flags, and in the order of the lists.
fn builds(case: &Path, name: &str) -> Vec<Build> {
    let spec: Value = serde_json::from_str(&case::text(&case.join("case.json"))).unwrap();
    let own: Vec<String> = spec["flags"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|flag| flag.as_str().unwrap().to_owned())
        .collect();
    let is_output = spec["expect"] == "output";
    let build = |name: String, file: &str, more: &[&str]| Build {
        name,
        root: case.join("input").join(spec["root"].as_str().unwrap()),
        flags: own.iter().cloned().chain(more.iter().map(|flag| (*flag).to_owned())).collect(),
        expected: is_output.then(|| case.join(file)),
    };
    let mut builds = vec![build(name.to_owned(), "expected.yaml", &[])];
    if case.join("expected-fifo.yaml").exists() {
        builds.push(build(format!("{name} --reorder none"), "expected-fifo.yaml", &["--reorder", "none"]));
    }
    builds
}

fn check(build: &Build) -> Outcome {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kfc"));
    let output = command.arg("build").arg(&build.root).args(&build.flags).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    match (&build.expected, output.status.code()) {
        (None, Some(1)) => Ok(Completion::Completed),
        (Some(file), Some(0)) => {
            // An empty first line is that of the program that recorded the output.
            let (expected, actual) = (case::text(file), String::from_utf8(output.stdout).unwrap());
            case::same(expected.trim_start_matches('\n'), actual.trim_start_matches('\n'), "kustomize", "kfc")
        }
        (_, code) => Err(format!("exit code {code:?}: {stderr}").into()),
    }
}

fn main() -> ExitCode {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/conformance");
    if !top.is_dir() {
        return case::run(vec![case::trial_over("conformance", "conformance", |_| ())]);
    }
    let mut trials = Vec::new();
    for group in directories(&top) {
        for folder in directories(&group) {
            let name = folder.strip_prefix(&top).unwrap().to_string_lossy().into_owned();
            let trial = |build: Build| Trial::ignorable_test(build.name.clone(), move || check(&build));
            trials.extend(builds(&folder, &name).into_iter().map(trial));
        }
    }
    assert!(trials.len() > 100, "only {} cases", trials.len());
    case::run(trials)
}
