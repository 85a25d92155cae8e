//! Random trees and documents, built by kfc and by the real kustomize. The same seed makes the same ones, each has a number, and
//! a run may begin with any: long runs can be done in pieces. Trees that differ are made small and kept in target/differential.

mod chance;
mod documents;
pub(crate) mod peers;
mod resources;
mod shrink;
mod trees;

use crate::program::{Failure, Finished, Outcome, SHIPPED, failed, on_each_core, passed, skipped, top};
use crate::records;
use chance::Chance;
use clap::{Args, ValueEnum};
use peers::{Answer, Kustomize, Verdict};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

#[derive(Args)]
pub(crate) struct Options {
    what: What,
    /// The program that is compared
    #[arg(long, default_value = SHIPPED)]
    program: PathBuf,
    /// How many; 0 for as many as there are
    #[arg(long, default_value_t = 1000)]
    count: usize,
    /// The number of the first
    #[arg(long, default_value_t = 0)]
    from: usize,
    /// Another seed makes other ones
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many of those that differ are made small; the others are kept as they are
    #[arg(long, default_value_t = 20)]
    shrink: usize,
}

impl Options {
    pub(crate) fn of(what: What, count: usize, seed: u64) -> Self {
        Self { what, program: PathBuf::from(SHIPPED), count, from: 0, seed, shrink: 20 }
    }
}

/// A few hundred of each.
pub(crate) fn check() -> Finished {
    let mut results = Vec::new();
    for what in [What::Trees, What::Documents, What::Words] {
        match run(&Options::of(what, 300, 1))? {
            Outcome::Passed(result) => results.push(result),
            skipped @ Outcome::Skipped(_) => return Ok(skipped),
        }
    }
    passed(results.join("\n"))
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum What {
    /// Kustomizations with every field, in one to three layers
    Trees,
    /// Documents by the grammar of YAML
    Documents,
    /// Every word that YAML reads as something else than a text, in every position
    Words,
}

impl What {
    fn name(self) -> &'static str {
        match self {
            Self::Trees => "trees",
            Self::Documents => "documents",
            Self::Words => "words",
        }
    }

    /// The tree with a number; `None` where there is none.
    fn tree(self, seed: u64, at: usize) -> Option<Tree> {
        // Neighbors must not begin with the same choices.
        let mut chance = Chance::new(seed.rotate_right(24) ^ (at as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        match self {
            Self::Trees => Some(trees::grown(&mut chance)),
            Self::Documents => Some(documents::grown(&mut chance)),
            Self::Words => documents::word(at),
        }
    }
}

/// Files of a kustomization root.
#[derive(Clone, Default)]
struct Tree {
    files: BTreeMap<String, String>,
    arguments: Vec<String>,
    /// What its kustomizations are, for the counts.
    kustomizations: Vec<Value>,
    /// What the generator of trees remembers: kinds and names of resources, and names of variables.
    ids: Vec<String>,
}

impl Tree {
    fn add(&mut self, name: &str, text: String) {
        self.files.insert(name.to_owned(), text);
    }

    fn size(&self) -> usize {
        self.files.values().map(String::len).sum::<usize>() + self.files.len()
    }

    fn write(&self, directory: &Path) -> Result<(), Failure> {
        if directory.exists() {
            std::fs::remove_dir_all(directory)?;
        }
        for (name, text) in &self.files {
            let path = directory.join(name);
            std::fs::create_dir_all(path.parent().unwrap_or(directory))?;
            std::fs::write(path, text)?;
        }
        Ok(())
    }
}

/// The paths of all fields of a value: `patches[].target.kind`.
fn paths(value: &Value, path: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                found.insert(path.clone());
                paths(value, &path, found);
            }
        }
        Value::Array(items) => {
            for item in items {
                found.insert(format!("{path}[]"));
                paths(item, &format!("{path}[]"), found);
            }
        }
        _ => {}
    }
}

/// What a run counts.
#[derive(Default)]
struct Counts {
    verdicts: BTreeMap<String, usize>,
    explained: BTreeMap<&'static str, usize>,
    fields: BTreeMap<String, usize>,
    pairs: BTreeMap<(String, String), usize>,
    differences: Vec<String>,
    /// Where the long-lived kustomize and one that was started for the tree give different answers.
    unfaithful: usize,
}

impl Counts {
    fn add_tree(&mut self, tree: &Tree) {
        let mut found = BTreeSet::new();
        for kustomization in &tree.kustomizations {
            paths(kustomization, "", &mut found);
            let fields: Vec<&str> =
                trees::paired().filter(|field| kustomization.get(field).is_some()).collect();
            for (at, one) in fields.iter().enumerate() {
                for other in &fields[at + 1..] {
                    *self.pairs.entry(((*one).to_owned(), (*other).to_owned())).or_default() += 1;
                }
            }
        }
        for field in found {
            *self.fields.entry(field).or_default() += 1;
        }
    }
}

/// What an error says, without names and numbers.
fn gist(answer: &Answer) -> String {
    let Answer::Refused(error) = answer else { return String::new() };
    let last = error.rsplit(": ").next().unwrap_or_default();
    let words = last.split_whitespace().filter(|word| word.chars().all(|c| c.is_ascii_lowercase()));
    words.collect::<Vec<_>>().join(" ")
}

/// A run, as all workers see it.
struct Run<'o> {
    options: &'o Options,
    kfc: PathBuf,
    kustomize: PathBuf,
    repeat: PathBuf,
    kept: PathBuf,
    next: AtomicUsize,
    started: std::time::Instant,
    counts: Mutex<Counts>,
}

/// Both programs and the directory of one worker.
struct Worker<'r> {
    run: &'r Run<'r>,
    kustomize: Kustomize,
    directory: tempfile::TempDir,
}

impl Worker<'_> {
    fn compare(&mut self, tree: &Tree) -> Result<(Answer, Answer), Failure> {
        let root = self.directory.path().join("root");
        tree.write(&root)?;
        let kustomize = self.kustomize.build(&root, &tree.arguments)?;
        Ok((kustomize, peers::kfc(&self.run.kfc, &root, &tree.arguments)?))
    }

    /// Compares the tree with a number.
    fn visit(&mut self, at: usize, tree: &Tree) -> Result<(), Failure> {
        let (kustomize, kfc) = self.compare(tree)?;
        let verdict = Verdict::of(&kustomize, &kfc);
        let mut reason = None;
        let mut is_unfaithful = false;
        if verdict.is_difference() {
            // The judge is the program itself.
            let root = self.directory.path().join("root");
            let own = peers::run(
                std::process::Command::new(&self.run.kustomize).arg("build").arg(root).args(&tree.arguments),
            )?;
            is_unfaithful = !Verdict::of(&own, &kfc).is_difference();
            reason = peers::explained(&kustomize, &kfc);
        }
        let is_open = verdict.is_difference() && reason.is_none() && !is_unfaithful;
        let mut counts = self.run.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(kustomize, Answer::Built(_)) {
            counts.add_tree(tree);
        }
        *counts.verdicts.entry(format!("{verdict:?}")).or_default() += 1;
        counts.unfaithful += usize::from(is_unfaithful);
        if let Some(reason) = reason {
            *counts.explained.entry(reason).or_default() += 1;
        }
        if is_open {
            counts.differences.push(format!("{verdict:?} {at}"));
            let is_shrunk = counts.differences.len() <= self.run.options.shrink;
            drop(counts);
            let gists = (gist(&kustomize), gist(&kfc));
            self.keep(at, tree, (verdict, gists), is_shrunk)?;
        }
        Ok(())
    }

    /// Keeps a tree that differs, made small, with both answers.
    fn keep(
        &mut self,
        at: usize,
        tree: &Tree,
        (verdict, gists): (Verdict, (String, String)),
        is_shrunk: bool,
    ) -> Result<(), Failure> {
        let is_same = |tree: &Tree| {
            let (kustomize, kfc) = self.compare(tree)?;
            let is_same_error = (gist(&kustomize), gist(&kfc)) == gists;
            Ok(Verdict::of(&kustomize, &kfc) == verdict
                && is_same_error
                && peers::explained(&kustomize, &kfc).is_none())
        };
        let small = if is_shrunk { shrink::smallest(tree, is_same)? } else { tree.clone() };
        let (kustomize, kfc) = self.compare(&small)?;
        let kept = self.run.kept.join(format!("{}-{at}", self.run.options.seed));
        small.write(&kept.join("input"))?;
        if !small.arguments.is_empty() {
            std::fs::write(kept.join("flags"), small.arguments.join("\n"))?;
        }
        for (name, answer) in [("kustomize", kustomize), ("kfc", kfc)] {
            let (extension, content) = answer.shown();
            std::fs::write(kept.join(format!("{name}.{extension}")), content)?;
        }
        Ok(())
    }

    fn work(&mut self) -> Result<(), Failure> {
        let options = self.run.options;
        loop {
            let at = self.run.next.fetch_add(1, Ordering::Relaxed);
            if options.count > 0 && at >= options.from + options.count {
                return Ok(());
            }
            let Some(tree) = options.what.tree(options.seed, at) else { return Ok(()) };
            self.visit(at, &tree)?;
            if (at + 1).is_multiple_of(1000) {
                println!(
                    "{} {} after {} s",
                    at + 1,
                    options.what.name(),
                    self.run.started.elapsed().as_secs()
                );
            }
        }
    }
}

/// The lines that say which fields and pairs occurred, and the paths that never did.
fn coverage(counts: &Counts, all: &[String]) -> (String, Vec<String>) {
    let mut missing: Vec<String> =
        all.iter().filter(|field| !counts.fields.contains_key(*field)).cloned().collect();
    let fields = all.len() - missing.len();
    let rarest = all.iter().filter_map(|field| Some((counts.fields.get(field)?, field))).min();
    let names: Vec<&str> = trees::paired().collect();
    let (mut pairs, mut least) = (0, usize::MAX);
    for (at, one) in names.iter().enumerate() {
        for other in &names[at + 1..] {
            let count = counts.pairs.get(&((*one).to_owned(), (*other).to_owned())).copied();
            match count {
                Some(count) => (pairs, least) = (pairs + 1, least.min(count)),
                None => missing.push(format!("{one} with {other}")),
            }
        }
    }
    let mut text = format!("{fields} of {} fields", all.len());
    if let Some((count, field)) = rarest {
        let _ = write!(text, " (fewest: {field}, {count} times)");
    }
    let _ = write!(text, ", {pairs} of {} pairs", names.len() * (names.len() - 1) / 2);
    if least < usize::MAX {
        let _ = write!(text, " (fewest: {least} times)");
    }
    (text, missing)
}

/// All fields of a kustomization, by kustomize's own types.
fn all_fields(repeat: &Path) -> Result<Vec<String>, Failure> {
    let list = crate::program::text(&mut crate::program::command(repeat, ["fields"]))?;
    Ok(list.lines().filter(|field| !field.starts_with("helm")).map(str::to_owned).collect())
}

pub(crate) fn run(options: &Options) -> Finished {
    let (Some(kustomize), Some(repeat)) = (records::kustomize()?, peers::compiled()?) else {
        return skipped("there is no go to compile kustomize with");
    };
    let kept = top().join("target/differential").join(options.what.name());
    if options.from == 0 && kept.exists() {
        std::fs::remove_dir_all(&kept)?;
    }
    let run = Run {
        options,
        kfc: top().join(&options.program),
        kustomize,
        kept,
        next: AtomicUsize::new(options.from),
        counts: Mutex::default(),
        started: std::time::Instant::now(),
        repeat,
    };
    let work = || -> Result<(), Failure> {
        let kustomize = Kustomize::start(&run.repeat)?;
        Worker { run: &run, kustomize, directory: tempfile::tempdir()? }.work()
    };
    on_each_core(work)?;
    let counts = run.counts.into_inner().unwrap_or_else(PoisonError::into_inner);
    let mut lines: Vec<String> =
        counts.verdicts.iter().map(|(verdict, count)| format!("{verdict}: {count}")).collect();
    lines.extend(counts.explained.iter().map(|(reason, count)| format!("explained, {reason}: {count}")));
    if counts.unfaithful > 0 {
        lines.push(format!("only in a process that built other trees before: {}", counts.unfaithful));
    }
    if options.what == What::Trees {
        let (text, missing) = coverage(&counts, &all_fields(&run.repeat)?);
        lines.push(text);
        for missing in missing {
            println!("never occurred: {missing}");
        }
    }
    counts.differences.iter().for_each(|difference| println!("{difference}"));
    let result = format!("{}: {}", options.what.name(), lines.join("; "));
    if counts.differences.is_empty() {
        passed(result)
    } else {
        failed(format!("{result}; {} differ, see {}", counts.differences.len(), run.kept.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::{Answer, Verdict, What, gist, paths};
    use serde_json::json;
    use std::collections::BTreeSet;

    #[test]
    fn the_same_seed_makes_the_same_trees() {
        for what in [What::Trees, What::Documents, What::Words] {
            let files = |seed, at| what.tree(seed, at).map(|tree| tree.files);
            assert_eq!(files(1, 3), files(1, 3));
            assert_ne!(files(1, 3), files(1, 4));
        }
        assert!(What::Words.tree(1, usize::MAX / 2).is_none());
    }

    #[test]
    fn fields_are_counted_by_their_paths() {
        let mut found = BTreeSet::new();
        paths(&json!({"patches": [{"target": {"kind": "A"}}], "crds": ["a"]}), "", &mut found);
        let expected =
            ["crds", "crds[]", "patches", "patches[]", "patches[].target", "patches[].target.kind"];
        assert_eq!(found.into_iter().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn an_error_stays_the_same_without_its_names() {
        let error = |text: &str| Answer::Refused(text.to_owned());
        assert_eq!(gist(&error("at 'a/b': no matches for Id X")), "no matches for");
        let built = Answer::Built(b"a".to_vec());
        assert_eq!(Verdict::of(&built, &error("no")), Verdict::OnlyKustomizeBuilds);
        assert!(Verdict::of(&built, &Answer::Built(b"b".to_vec())).is_difference());
        assert!(!Verdict::of(&error("no"), &error("not")).is_difference());
    }
}
