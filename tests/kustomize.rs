//! Builds the trees under `tests/kustomize` and compares with what the real kustomize 5.8.1 gave for each of them
//! (`cargo xtask record`). `input/` is built, or `input/root` when that is there, with the arguments that `flags` has, one
//! a line, and with `plugin/` as the home of legacy plug-ins. `expected.yaml` is the output, to the byte; `refused` has the
//! error of a tree that kustomize refuses, whose words kfc need not share. `known` lists trees with another outcome, and the
//! reason; each is ignored, and fails once it has none.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

mod case;

use case::{Outcome, text};
use libtest_mimic::Completion;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, ExitCode};

const TOP: &str = "tests/kustomize";
/// The key of files that sops encrypted for tests.
const KEY: &str = "crates/kfc-sops/tests/files/test-only.agekey";

/// Trees that are known to differ, with the reason.
fn known() -> BTreeMap<String, String> {
    let list = text(&Path::new(env!("CARGO_MANIFEST_DIR")).join(TOP).join("known"));
    let lines = list.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(": "));
    lines.map(|(name, reason)| (name.to_owned(), reason.to_owned())).collect()
}

fn every_known_tree_is_there() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join(TOP);
    let gone: Vec<String> = known().into_keys().filter(|name| !top.join(name).is_dir()).collect();
    assert!(gone.is_empty(), "tests/kustomize/known has trees that are not there: {gone:?}");
}

fn compare(case: &Path) -> Outcome {
    let root = if case.join("input/root").is_dir() { "input/root" } else { "input" };
    let mut command = Command::new(env!("CARGO_BIN_EXE_kfc"));
    let output = command
        .current_dir(case)
        .args(["kustomize", "build", root])
        .args(text(&case.join("flags")).lines())
        .env("KUSTOMIZE_PLUGIN_HOME", Path::new(env!("CARGO_MANIFEST_DIR")).join(case).join("plugin"))
        .env("SOPS_AGE_KEY_FILE", Path::new(env!("CARGO_MANIFEST_DIR")).join(KEY))
        .output()
        .unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    let (expected, refused) = (case.join("expected.yaml"), case.join("refused"));
    match (output.status.code(), expected.exists(), refused.exists()) {
        (Some(0), true, false) => case::same(&text(&expected), &stdout, "kustomize", "kfc"),
        (Some(1), false, true) if stdout.is_empty() => Ok(Completion::Completed),
        (code, true, false) => Err(format!("exit code {code:?}: {stderr}").into()),
        (code, false, true) => {
            let error = text(&refused);
            Err(format!("kustomize refuses this tree: {error}\nkfc: exit code {code:?}, {stdout}{stderr}")
                .into())
        }
        _ => Err("one of `expected.yaml` and `refused` is expected: `cargo xtask record` makes it".into()),
    }
}

fn test(case: &Path) -> Outcome {
    let outcome = compare(case);
    match (known().remove(&*case.file_name().unwrap().to_string_lossy()), &outcome) {
        (Some(_), Ok(_)) => {
            Err("there is no difference any more: take it out of tests/kustomize/known".into())
        }
        (Some(reason), Err(_)) => Ok(Completion::ignored_with(reason)),
        (None, _) => outcome,
    }
}

fn main() -> ExitCode {
    let mut trials = case::trials(TOP, "", test);
    trials.push(case::trial("every_known_tree_is_there", every_known_tree_is_there));
    case::run(trials)
}
