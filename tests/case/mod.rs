//! What the tests share that are no functions of libtest: those with a folder per case, and those over trees of others in
//! `../shared`, which are ignored, with the reason, where these do not exist.
//!
//! A case is a test that has the name of its folder: it can be run alone, and it is
//! ignored when a program that its file `needs` lists (one a line) is not there. All that its commands print and their exit
//! codes are one text, which `insta` compares with `expected.snap` in the folder.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]
#![allow(clippy::print_stderr, reason = "says what it skips or measures")]
#![allow(dead_code, reason = "each program that has it uses part of it")]

use libtest_mimic::{Arguments, Completion, Failed, Trial};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::{Mutex, PoisonError};

/// What a test ends with, unless it panics.
pub(crate) type Outcome = Result<Completion, Failed>;

/// Runs the tests that the arguments of the program choose.
pub(crate) fn run(trials: Vec<Trial>) -> ExitCode {
    // Where it happened, without the frames below it: a case fails by a panic of `insta`.
    std::panic::set_hook(Box::new(|info| eprintln!("{info}")));
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// A test for each folder in `top`, a path in the repository. The names begin with `prefix`.
pub(crate) fn trials(top: &str, prefix: &str, test: fn(&Path) -> Outcome) -> Vec<Trial> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join(top);
    let entries = std::fs::read_dir(&top).unwrap().map(|entry| entry.unwrap().path());
    let folders: Vec<PathBuf> = entries.filter(|path| path.is_dir()).collect();
    assert!(!folders.is_empty(), "there is no case in {}", top.display());
    let trial = |folder: PathBuf| {
        let name = format!("{prefix}{}", folder.file_name().unwrap().to_string_lossy());
        Trial::ignorable_test(name, move || match missing_program(&folder) {
            Some(program) => Ok(Completion::ignored_with(format!("there is no {program}"))),
            None => test(&folder),
        })
    };
    folders.into_iter().map(trial).collect()
}

/// A test that is a function.
pub(crate) fn trial(name: &str, test: fn()) -> Trial {
    Trial::test(name, move || {
        test();
        Ok(())
    })
}

/// A test over `../shared/PATH`; it is ignored where that does not exist.
pub(crate) fn trial_over(name: &str, path: &'static str, test: fn(&Path)) -> Trial {
    Trial::ignorable_test(name, move || {
        let place = Path::new("../shared").join(path);
        let trees = Path::new(env!("CARGO_MANIFEST_DIR")).join(&place);
        if !trees.exists() {
            return Ok(Completion::ignored_with(format!("there is no {}", place.display())));
        }
        test(&trees);
        Ok(Completion::Completed)
    })
}

/// The text of a file, empty when it is not there.
pub(crate) fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

/// The first program that a case needs and that is not there.
fn missing_program(case: &Path) -> Option<String> {
    text(&case.join("needs")).lines().find(|program| !has_program(program)).map(str::to_owned)
}

pub(crate) fn has_program(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(name).is_file())
}

/// Compares two texts to the byte.
pub(crate) fn same(expected: &str, actual: &str, from: &str, to: &str) -> Outcome {
    if expected == actual {
        return Ok(Completion::Completed);
    }
    let diff = similar::TextDiff::from_lines(expected, actual);
    Err(diff.unified_diff().header(from, to).to_string().into())
}

/// What the commands of a case print and end with, in order.
#[derive(Default)]
pub(crate) struct Transcript {
    text: String,
    hidden: Option<String>,
}

impl Transcript {
    /// A transcript that has `{path}` for the path of a temporary folder.
    pub(crate) fn hiding(folder: &Path) -> Self {
        Self { text: String::new(), hidden: Some(folder.display().to_string()) }
    }

    /// Runs a command, adds what it prints, and gives its standard output.
    pub(crate) fn run(&mut self, command: &mut Command) -> String {
        let output = command.output().unwrap();
        let arguments: Vec<_> = command.get_args().map(|argument| argument.to_string_lossy()).collect();
        let code = output.status.code().map_or("a signal".to_owned(), |code| code.to_string());
        let stdout = String::from_utf8(output.stdout).unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        self.section(&format!("kfc {}", self.hide(&arguments.join(" "))), &format!("exit code: {code}\n"));
        for (title, text) in [("standard output", &stdout), ("standard error", &stderr)] {
            if !text.is_empty() {
                self.section(title, &self.hide(text));
            }
        }
        stdout
    }

    fn hide(&self, text: &str) -> String {
        self.hidden.as_ref().map_or(text.to_owned(), |path| text.replace(path.as_str(), "{path}"))
    }

    /// Adds a text to the letter. `insta` sees no difference between line breaks and ignores those at the end, so that a
    /// carriage return and a missing line break are written out.
    pub(crate) fn section(&mut self, title: &str, text: &str) {
        writeln!(self.text, "----- {title}").unwrap();
        self.text += &text.replace('\r', "␍");
        if !text.is_empty() && !text.ends_with('\n') {
            self.text += "\n----- no line break at the end\n";
        }
    }

    /// Compares with `expected.snap` of the case. `insta` prints the difference.
    pub(crate) fn check(mut self, case: &Path) -> Outcome {
        // Tests run at the same time, `insta` prints the difference: one after the other.
        static PRINTING: Mutex<()> = Mutex::new(());
        let _guard = PRINTING.lock().unwrap_or_else(PoisonError::into_inner);
        self.text += "----- end\n";
        let mut settings = insta::Settings::new();
        settings.set_snapshot_path(case);
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        let text = &self.text;
        let assert = || settings.bind(|| insta::assert_snapshot!("expected", text));
        let compared = std::panic::catch_unwind(std::panic::AssertUnwindSafe(assert));
        let advice =
            "accept it with `cargo insta review`, or with INSTA_UPDATE=always and a look at `git diff`";
        match compared {
            Ok(()) => Ok(Completion::Completed),
            Err(_) => Err(format!("{}/expected.snap differs, see above; {advice}", case.display()).into()),
        }
    }
}
