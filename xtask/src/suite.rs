//! kustomize's own tests: those of the module that has its engine run in a copy of it, in which every build is kept with its files,
//! its options and its result (xtask/kustomize/suite). The program builds each again, and then kfc has to give the same.

use crate::differential::peers::{self, Answer, Kustomize, Verdict};
use crate::passing::Recorded;
use crate::program::{Failure, Finished, SHIPPED, command, failed, passed, read, skipped, text, top};
use crate::records::{self, VERSION};
use clap::Args;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Stdio;

/// The module of the engine in kustomize 5.8.1.
const MODULE: &str = "sigs.k8s.io/kustomize/api@v0.21.1";

#[derive(Args)]
pub(crate) struct Options {
    /// A checkout of that module; by default Go's copy of it
    module: Option<PathBuf>,
    /// The program that is compared
    #[arg(long, default_value = SHIPPED)]
    program: PathBuf,
}

impl Options {
    pub(crate) fn all() -> Self {
        Self { module: None, program: PathBuf::from(SHIPPED) }
    }
}

/// Where Go has the module, which it fetches where it does not.
fn fetched() -> Result<PathBuf, Failure> {
    let described = text(&mut command("go", ["mod", "download", "-json", MODULE]))?;
    let described: serde_json::Value =
        serde_json::from_str(&described).map_err(|error| Failure(error.to_string()))?;
    match described["Dir"].as_str() {
        Some(directory) => Ok(PathBuf::from(directory)),
        None => failed(format!("go does not say where {MODULE} is")),
    }
}

fn copy(from: &Path, to: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            // Go's copy is read-only, and permissions would be copied, too.
            std::fs::write(target, std::fs::read(entry.path())?)?;
        }
    }
    Ok(())
}

/// Replaces code in a copied file.
fn replace(file: &Path, code: &str, instead: &str) -> Result<(), Failure> {
    let before = read(file)?;
    let after = before.replacen(code, instead, 1);
    if after == before {
        return failed(format!("{} does not have `{code}`", file.display()));
    }
    Ok(std::fs::write(file, after)?)
}

/// Runs the tests in a copy of the module; gives the directory of the cases, and the tests that fail.
fn recorded(module: &Path) -> Result<(PathBuf, BTreeSet<String>), Failure> {
    let folder = top().join("target/kustomize").join(VERSION).join("suite");
    let (sources, cases) = (folder.join("api"), folder.join("cases"));
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    copy(module, &sources)?;
    std::fs::create_dir_all(&cases)?;
    replace(&sources.join("krusty/kustomizer.go"), "func (b *Kustomizer) Run(", "func (b *Kustomizer) run(")?;
    // The built-in plug-ins are part of the engine; there is no need to compile them once more, from a directory that has to be there.
    let prepares = "return th.BuildGoPlugin(konfig.BuiltinPluginPackage, \"\", k)";
    let harness = "testutils/kusttest/harnessenhanced.go";
    replace(&sources.join(harness), prepares, "_ = konfig.BuiltinPluginPackage\n\treturn th")?;
    std::fs::create_dir_all(folder.join("plugin"))?;
    std::fs::copy(top().join("xtask/kustomize/suite/record.go"), sources.join("krusty/record.go"))?;
    let mut tests = command("go", ["test", "-tags", "suite", "./krusty"]);
    tests.current_dir(&sources).env("KFC_SUITE", &cases).stdin(Stdio::null()).stderr(Stdio::inherit());
    let output = tests.output()?;
    let log = String::from_utf8_lossy(&output.stdout);
    std::fs::write(folder.join("log"), log.as_bytes())?;
    let failures: BTreeSet<String> = log
        .lines()
        .filter_map(|line| line.strip_prefix("--- FAIL: ")?.split(' ').next())
        .map(str::to_owned)
        .collect();
    if !output.status.success() && failures.is_empty() {
        return failed(format!("the tests of kustomize do not run: see {}", folder.join("log").display()));
    }
    Ok((cases, failures))
}

/// A build of a test.
struct Case {
    test: String,
    tree: PathBuf,
    root: PathBuf,
    flags: Vec<String>,
    result: Answer,
}

impl Case {
    /// Reads a case; nothing when its files were not kept, because they are not of the test.
    fn load(directory: &Path) -> Result<Option<Self>, Failure> {
        let tree = directory.join("tree");
        if !tree.is_dir() {
            return Ok(None);
        }
        let output = directory.join("expected.yaml");
        let result = if output.exists() {
            Answer::Built(std::fs::read(output)?)
        } else {
            Answer::Refused(read(&directory.join("refused"))?)
        };
        let root = tree.join(read(&directory.join("root"))?);
        let flags = read(&directory.join("flags"))?.lines().map(str::to_owned).collect();
        Ok(Some(Self { test: read(&directory.join("test"))?, tree, root, flags, result }))
    }

    /// Whether the program gives what the test got. Errors have other paths there.
    fn is_reproduced(&self, answer: &Answer) -> bool {
        match (&self.result, answer) {
            (Answer::Built(one), Answer::Built(other)) => one == other,
            (Answer::Refused(_), Answer::Refused(_)) => true,
            _ => false,
        }
    }
}

pub(crate) fn run(options: &Options) -> Finished {
    let (Some(_), Some(repeat)) = (records::kustomize()?, peers::compiled()?) else {
        return skipped("there is no go to compile kustomize with");
    };
    let module = match &options.module {
        Some(module) => module.clone(),
        None => fetched()?,
    };
    let (cases, failures) = recorded(&module)?;
    let mut kustomize = Kustomize::start(&repeat)?;
    let kfc = top().join(&options.program);
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    let mut count = |what| *counts.entry(what).or_default() += 1;
    let (mut same, mut differ) = (0, 0);
    for directory in records::trees_in(&cases)? {
        let Some(case) = Case::load(&directory)? else {
            count("with files elsewhere");
            continue;
        };
        let test = case.test.split(['.', '/']).next().unwrap_or_default();
        let theirs = kustomize.build(&case.root, &case.flags)?;
        if failures.contains(test) {
            count("of a test that fails here");
        } else if !case.is_reproduced(&theirs) {
            count("that the program builds otherwise, as plug-ins");
        } else {
            let ours = peers::kfc(&kfc, &case.root, &case.flags)?;
            let verdict = Verdict::of(&theirs, &ours);
            if verdict.is_difference() && peers::explained(&theirs, &ours).is_none() {
                println!("{verdict:?} {} {}", case.test, case.tree.display());
                differ += 1;
            } else {
                same += 1;
            }
        }
    }
    let left: Vec<String> = counts.iter().map(|(what, count)| format!("{count} {what}")).collect();
    let result = format!("{same} builds are the same, {differ} differ; left out: {}", left.join(", "));
    if options.module.is_none() {
        Recorded::load()?.at_least("suite", same)?;
    }
    passed(result)
}
