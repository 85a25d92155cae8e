//! Runs the folders under `tests/cases`. Each has `input/`, which is built (or `input/root`, when that is there). `flags` has
//! further arguments, one a line; `command` has all arguments, for what is not a build of `input`.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

mod case;

use case::{Outcome, Transcript, text};
use std::path::Path;
use std::process::{Command, ExitCode};

fn build(case: &Path) -> Outcome {
    let root = if case.join("input/root").is_dir() { "input/root" } else { "input" };
    let arguments = match text(&case.join("command")) {
        command if command.is_empty() => format!("build\n{root}\n{}", text(&case.join("flags"))),
        command => command,
    };
    let mut transcript = Transcript::default();
    transcript.run(Command::new(env!("CARGO_BIN_EXE_kfc")).current_dir(case).args(arguments.lines()));
    transcript.check(case)
}

fn main() -> ExitCode {
    case::run(case::trials("tests/cases", "", build))
}
