//! Compares the command line of kfc with that of the real kustomize 5.8.1, as it is recorded in `tests/kustomize-cli`: `commands`
//! has its commands and flags, `calls/NAME/calls` lines that a shell runs in a copy of `calls/NAME/before`, and `expected` what
//! they print, end with and write. `differences` lists where kfc has something else, with the reason. What kfc prints on standard
//! error is its own, and kustomization files are compared by their values.
//!
//! With `KFC_KUSTOMIZE`, the path of that program, this compares the records with the program instead, or writes them
//! (`KFC_RECORD=write`): `cargo xtask record-cli`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by a panic")]

#[path = "kustomize_cli/calls.rs"]
mod calls;
mod case;
#[path = "kustomize_cli/help.rs"]
mod help;
#[path = "kustomize_cli/own.rs"]
mod own;

use case::{Outcome, same, text};
use libtest_mimic::{Completion, Trial};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/kustomize-cli")
}

/// The differences that are on purpose, each with its reason: `- COMMAND [FLAG]` of kustomize alone, `+ COMMAND [FLAG]` of kfc
/// alone, `$ NAME: CALL` for a call that gives something else.
fn differences() -> BTreeMap<String, String> {
    let list = text(&top().join("differences"));
    let lines = list.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let (what, reason) = line.split_once(" # ").unwrap_or_else(|| panic!("no reason: {line}"));
            (what.to_owned(), reason.to_owned())
        })
        .collect()
}

/// Every command and flag of kustomize is one of kfc, and the other way around, but for the listed differences.
fn the_commands_and_flags_are_those_of_kustomize() {
    let recorded = text(&top().join("commands"));
    let theirs: BTreeSet<&str> = recorded.lines().collect();
    let own = own::commands();
    let ours: BTreeSet<&str> = own.lines().collect();
    assert!(theirs.len() > 250, "{} commands and flags are recorded", theirs.len());
    let missing = theirs.difference(&ours).map(|line| format!("- {line}"));
    let added = ours.difference(&theirs).map(|line| format!("+ {line}"));
    let found: BTreeSet<String> = missing.chain(added).collect();
    let listed: BTreeSet<String> = differences().into_keys().filter(|what| !what.starts_with('$')).collect();
    let unlisted: Vec<_> = found.difference(&listed).map(String::as_str).collect();
    assert!(unlisted.is_empty(), "not in tests/kustomize-cli/differences:\n{}", unlisted.join("\n"));
    let gone: Vec<_> = listed.difference(&found).map(String::as_str).collect();
    assert!(gone.is_empty(), "there is no such difference any more:\n{}", gone.join("\n"));
}

fn every_listed_call_is_there() {
    for what in differences().into_keys().filter(|what| what.starts_with('$')) {
        let (name, call) = what.trim_start_matches("$ ").split_once(": ").unwrap();
        let calls = text(&top().join("calls").join(name).join("calls"));
        assert!(calls.lines().any(|line| line == call), "there is no call `{call}` in {name}");
    }
}

/// Runs the calls of a case with kfc under the name `kustomize`.
fn compare_calls(case: &Path) -> Outcome {
    let name = case.file_name().unwrap().to_string_lossy().into_owned();
    let programs = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_kfc"), programs.path().join("kustomize")).unwrap();
    let expected = calls::parse(&text(&case.join("expected")));
    let actual = calls::run(case, programs.path());
    let differences = differences();
    let (mut expected_text, mut actual_text) = (String::new(), String::new());
    for (theirs, ours) in expected.entries.iter().zip(&actual.entries) {
        let what = format!("$ {name}: {}", theirs.call);
        let is_same = theirs == ours;
        if !differences.contains_key(&what) {
            expected_text += &theirs.to_string();
            actual_text += &ours.to_string();
        } else if is_same {
            return Err(format!("there is no difference any more: take `{what}` out of the list").into());
        }
    }
    assert_eq!(expected.entries.len(), actual.entries.len(), "cargo xtask record-cli");
    for (text, files) in [(&mut expected_text, &expected.files), (&mut actual_text, &actual.files)] {
        for (name, content) in files {
            *text += &calls::file_by_value(name, content.as_deref());
        }
    }
    same(&expected_text, &actual_text, "kustomize", "kfc")
}

/// Compares a record with what the real program gives, or writes it.
fn record(path: &Path, content: &str) -> Outcome {
    if std::env::var("KFC_RECORD").is_ok_and(|what| what == "write") {
        std::fs::write(path, content).unwrap();
        return Ok(Completion::Completed);
    }
    same(&text(path), content, "the record", "kustomize")
}

fn record_calls(case: &Path) -> Outcome {
    let program = PathBuf::from(std::env::var_os("KFC_KUSTOMIZE").unwrap());
    record(&case.join("expected"), &calls::run(case, program.parent().unwrap()).to_string())
}

fn main() -> ExitCode {
    let calls = "tests/kustomize-cli/calls";
    if let Some(program) = std::env::var_os("KFC_KUSTOMIZE") {
        let mut trials = case::trials(calls, "", record_calls);
        let commands = move || record(&top().join("commands"), &help::commands(Path::new(&program)));
        trials.push(Trial::test("commands", move || commands().map(|_| ())));
        return case::run(trials);
    }
    let mut trials = case::trials(calls, "", compare_calls);
    trials.push(case::trial(
        "the_commands_and_flags_are_those_of_kustomize",
        the_commands_and_flags_are_those_of_kustomize,
    ));
    trials.push(case::trial("every_listed_call_is_there", every_listed_call_is_there));
    trials.push(case::trial(
        "records_are_read_as_they_are_written",
        calls::records_are_read_as_they_are_written,
    ));
    trials.push(case::trial("flags_of_a_help_are_read", help::flags_of_a_help_are_read));
    case::run(trials)
}
