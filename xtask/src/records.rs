//! What the real kustomize gives for the trees in tests/kustomize: `expected.yaml`, or `refused` with its error. The program is
//! compiled from its Go module into target/kustomize, once. A tree whose program is missing (`needs`) keeps its record.

use crate::program::{
    Failure, Finished, failed, has_program, line, on_all_cores, passed, skipped, succeed, top,
};
use clap::Args;
use regex::bytes::Regex;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

pub(crate) const VERSION: &str = "v5.8.1";
/// The key of files that sops encrypted for tests.
const KEY: &str = "crates/kfc-sops/tests/files/test-only.agekey";

#[derive(Args)]
pub(crate) struct Options {
    /// Directories in tests/kustomize; all when none is given
    names: Vec<String>,
    /// Write nothing; fail where a record is not what kustomize gives
    #[arg(long)]
    check: bool,
}

/// What kustomize gives for a tree.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Record {
    is_refused: bool,
    content: Vec<u8>,
}

impl Record {
    fn name(&self) -> &'static str {
        if self.is_refused { "refused" } else { "expected.yaml" }
    }

    fn other(&self) -> &'static str {
        if self.is_refused { "expected.yaml" } else { "refused" }
    }

    /// How the record of a tree differs from this.
    fn difference(&self, tree: &Path) -> Option<String> {
        if tree.join(self.other()).exists() {
            return Some(format!("{} is recorded, kustomize gives {}", self.other(), self.name()));
        }
        let recorded = std::fs::read(tree.join(self.name()));
        let is_same = recorded.is_ok_and(|recorded| recorded == self.content);
        (!is_same).then(|| format!("{} is not what kustomize gives", self.name()))
    }

    fn write(&self, tree: &Path) -> Result<(), Failure> {
        let other = tree.join(self.other());
        if other.exists() {
            std::fs::remove_file(other)?;
        }
        Ok(std::fs::write(tree.join(self.name()), &self.content)?)
    }
}

/// The directories in one, sorted.
pub(crate) fn trees_in(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut trees = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        trees.push(entry?.path());
    }
    trees.retain(|path| path.is_dir());
    trees.sort();
    Ok(trees)
}

/// The program; nothing when there is no go to compile it with.
pub(crate) fn kustomize() -> Result<Option<PathBuf>, Failure> {
    let program = top().join("target/kustomize").join(VERSION).join("kustomize");
    if !program.exists() {
        if !has_program("go") {
            return Ok(None);
        }
        let module = format!("go install sigs.k8s.io/kustomize/kustomize/v5@{VERSION}");
        succeed(line(&module).env("GOBIN", program.parent().unwrap_or(top())))?;
    }
    Ok(Some(program))
}

fn lines(path: &Path) -> Vec<String> {
    std::fs::read_to_string(path).unwrap_or_default().lines().map(str::to_owned).collect()
}

/// An error without what differs from run to run: the directory, addresses in memory, and the stack of a panic.
fn settled(error: &[u8], tree: &Path) -> Result<Vec<u8>, Failure> {
    let patterns = [
        (regex::escape(&format!("{}/", tree.display())), &b""[..]),
        ("0x[0-9a-f]{6,}".to_owned(), &b"0x..."[..]),
        // Where it keeps the configuration of a legacy plug-in.
        (r"\S*/kust-plugin-config-\d+".to_owned(), &b"CONFIG"[..]),
        (r"(?s)\s*\ngoroutine \d+ .*".to_owned(), &b"\n"[..]),
    ];
    let mut error = error.to_owned();
    for (pattern, instead) in patterns {
        let pattern = Regex::new(&pattern).map_err(|error| Failure(error.to_string()))?;
        error = pattern.replace_all(&error, regex::bytes::NoExpand(instead)).into_owned();
    }
    Ok(error)
}

/// What kustomize gives for a tree, or the missing program that the tree needs.
fn record(kustomize: &Path, tree: &Path) -> Result<Result<Record, String>, Failure> {
    if let Some(missing) = lines(&tree.join("needs")).into_iter().find(|program| !has_program(program)) {
        return Ok(Err(missing));
    }
    let root = if tree.join("input/root").is_dir() { "input/root" } else { "input" };
    let mut command = Command::new(kustomize);
    command.args(["build", root]).args(lines(&tree.join("flags"))).current_dir(tree).stdin(Stdio::null());
    command.env("KUSTOMIZE_PLUGIN_HOME", tree.join("plugin")).env("SOPS_AGE_KEY_FILE", top().join(KEY));
    let output = command.output()?;
    Ok(Ok(if output.status.success() {
        Record { is_refused: false, content: output.stdout }
    } else {
        Record { is_refused: true, content: settled(&output.stderr, tree)? }
    }))
}

/// What is done with each tree, on all processors.
#[derive(Default)]
struct Results {
    known: usize,
    problems: Vec<String>,
    skipped: Vec<String>,
}

fn visit(kustomize: &Path, trees: &[PathBuf], check: bool) -> Result<Results, Failure> {
    let results = Mutex::new(Results::default());
    let visit_one = |tree: &Path| -> Result<(), Failure> {
        let name = tree.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let record = record(kustomize, tree)?;
        let difference = record.as_ref().ok().filter(|_| check).and_then(|record| record.difference(tree));
        if let (Ok(record), false) = (&record, check) {
            record.write(tree)?;
        }
        let mut results = results.lock().unwrap_or_else(PoisonError::into_inner);
        match record {
            Err(program) => results.skipped.push(format!("{name}: skipped, there is no {program}")),
            Ok(_) => results.known += 1,
        }
        results.problems.extend(difference.map(|difference| format!("{name}: {difference}")));
        Ok(())
    };
    on_all_cores(trees, |tree| visit_one(tree))?;
    let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.problems.sort();
    results.skipped.sort();
    Ok(results)
}

pub(crate) fn run(options: &Options) -> Finished {
    let folder = top().join("tests/kustomize");
    let trees: Vec<PathBuf> = if options.names.is_empty() {
        trees_in(&folder)?
    } else {
        options.names.iter().map(|name| folder.join(name)).collect()
    };
    if let Some(missing) = trees.iter().find(|tree| !tree.is_dir()) {
        return failed(format!("{} does not exist", missing.display()));
    }
    let Some(kustomize) = kustomize()? else { return skipped("there is no go to compile kustomize with") };
    let results = visit(&kustomize, &trees, options.check)?;
    results.skipped.iter().chain(&results.problems).for_each(|line| println!("{line}"));
    let what = if options.check { "compared with" } else { "recorded from" };
    let mut result = format!("{} trees {what} kustomize {VERSION}", results.known);
    if !results.skipped.is_empty() {
        let _ = write!(result, "; {} skipped, see above", results.skipped.len());
    }
    match results.problems.len() {
        0 => passed(result),
        differ => failed(format!("{result}, {differ} differ")),
    }
}

/// Compares all records.
pub(crate) fn check() -> Finished {
    run(&Options { names: Vec::new(), check: true })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by a panic")]
    use super::{Record, record, settled};
    use std::path::Path;

    fn output(content: &str) -> Record {
        Record { is_refused: false, content: content.into() }
    }

    #[test]
    fn errors_are_the_same_in_every_folder_and_run() {
        let error = b"at /a.b/tree/input: 0xc0001a2b3c and 0x1f, not /aXb/tree/";
        let expected = b"at input: 0x... and 0x1f, not /aXb/tree/";
        assert_eq!(settled(error, Path::new("/a.b/tree")).unwrap(), expected);
        let panicked = b"panic: wrong node\n\t\n\ngoroutine 1 [running]:\n/home/a/b.go:1\n";
        assert_eq!(settled(panicked, Path::new("/a.b/tree")).unwrap(), b"panic: wrong node\n");
    }

    #[test]
    fn a_record_is_compared_to_the_byte_and_the_kind() {
        let tree = tempfile::tempdir().unwrap();
        let refused = Record { is_refused: true, content: b"no".to_vec() };
        assert_eq!(output("a").difference(tree.path()).unwrap(), "expected.yaml is not what kustomize gives");
        output("a").write(tree.path()).unwrap();
        assert_eq!(output("a").difference(tree.path()), None);
        assert_eq!(
            output("a\n").difference(tree.path()).unwrap(),
            "expected.yaml is not what kustomize gives"
        );
        let difference = refused.difference(tree.path()).unwrap();
        assert_eq!(difference, "expected.yaml is recorded, kustomize gives refused");
        refused.write(tree.path()).unwrap();
        assert_eq!(refused.difference(tree.path()), None);
        assert!(!tree.path().join("expected.yaml").exists());
    }

    #[test]
    fn a_tree_is_left_when_a_program_is_missing() {
        let tree = tempfile::tempdir().unwrap();
        std::fs::write(tree.path().join("needs"), "no-such-program\nsh\n").unwrap();
        assert_eq!(record(Path::new("false"), tree.path()).unwrap().unwrap_err(), "no-such-program");
    }

    #[cfg(unix)]
    #[test]
    fn flags_and_the_inner_root_are_used() {
        let tree = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(tree.path().join("input/root")).unwrap();
        std::fs::write(tree.path().join("flags"), "--a\n--b c\n").unwrap();
        let made = record(Path::new("echo"), tree.path()).unwrap().unwrap();
        assert_eq!(made, output("build input/root --a --b c\n"));
    }
}
