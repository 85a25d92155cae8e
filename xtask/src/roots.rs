//! Real trees of others: every kustomization root below a directory, built by kfc and by kustomize, without restrictions, as Flux
//! builds: many of these trees are made for it.

use crate::differential::peers::{self, Answer, Kustomize, Verdict};
use crate::program::{Failure, Finished, SHIPPED, command, failed, passed, skipped, text, top};
use clap::Args;
use std::path::{Path, PathBuf};

#[derive(Args)]
pub(crate) struct Options {
    /// Checkouts
    #[arg(required = true)]
    directories: Vec<PathBuf>,
    /// The program that is compared
    #[arg(long, default_value = SHIPPED)]
    program: PathBuf,
}

const NAMES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// The roots at and below a directory, without kustomize components, which cannot be built alone.
fn roots_below(directory: &Path, roots: &mut Vec<PathBuf>) -> Result<(), Failure> {
    let mut entries = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        entries.push(entry?);
    }
    entries.sort_by_key(std::fs::DirEntry::path);
    for entry in entries {
        if entry.file_type()?.is_dir() {
            roots_below(&entry.path(), roots)?;
        } else if NAMES.iter().any(|name| entry.file_name() == *name) {
            let text = String::from_utf8_lossy(&std::fs::read(entry.path())?).into_owned();
            let is_component = text.lines().any(|line| line.trim_end() == "kind: Component");
            if !is_component && roots.last().is_none_or(|last| last != directory) {
                roots.push(directory.to_owned());
            }
        }
    }
    Ok(())
}

/// What became of the roots of a directory.
#[derive(Default)]
struct Counts {
    same: usize,
    /// Whose sources are elsewhere, or made by a program: neither can build them without a network.
    remote: usize,
    refused: usize,
    differ: usize,
}

impl Counts {
    fn roots(&self) -> usize {
        self.same + self.remote + self.refused + self.differ
    }
}

/// Whether kustomize fails for something that is not in the tree.
fn is_of_elsewhere(error: &str) -> bool {
    ["://", "git@", "git fetch", "github.com/", "--enable-helm", "plugins disabled"]
        .iter()
        .any(|sign| error.contains(sign))
}

fn visit(directory: &Path, kfc: &Path, kustomize: &mut Kustomize) -> Result<Counts, Failure> {
    let (mut counts, mut roots) = (Counts::default(), Vec::new());
    roots_below(&directory.canonicalize()?, &mut roots)?;
    let unrestricted = "--load-restrictor=LoadRestrictionsNone".to_owned();
    for root in roots {
        let theirs = kustomize.build(&root, std::slice::from_ref(&unrestricted))?;
        let ours = peers::kfc(kfc, &root, &[unrestricted.clone(), "--offline".to_owned()])?;
        let verdict = Verdict::of(&theirs, &ours);
        match (&theirs, verdict) {
            (_, Verdict::Same) => counts.same += 1,
            (Answer::Refused(error), Verdict::BothRefuse) if is_of_elsewhere(error) => counts.remote += 1,
            (_, Verdict::BothRefuse) => counts.refused += 1,
            (Answer::Refused(error), _) if is_of_elsewhere(error) => counts.remote += 1,
            _ => {
                println!("{verdict:?} {}", root.display());
                counts.differ += 1;
            }
        }
    }
    Ok(counts)
}

/// The commit of a checkout; `-` where there is no repository.
fn commit(directory: &Path) -> String {
    let directory = directory.to_string_lossy();
    let commit = text(&mut command("git", ["-C", &directory, "rev-parse", "--short=10", "HEAD"]));
    commit.map_or_else(|_| "-".to_owned(), |commit| commit.trim().to_owned())
}

pub(crate) fn run(options: &Options) -> Finished {
    let Some(repeat) = peers::compiled()? else {
        return skipped("there is no go to compile kustomize with");
    };
    let mut kustomize = Kustomize::start(&repeat)?;
    let kfc = top().join(&options.program);
    println!(
        "| repository | commit | roots | identical | refused by both | need the network or helm | differ |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- |");
    let (mut same, mut differ) = (0, 0);
    for directory in &options.directories {
        let counts = visit(directory, &kfc, &mut kustomize)?;
        let name = directory.file_name().unwrap_or_default().to_string_lossy();
        let Counts { same: identical, remote, refused, differ: different } = counts;
        let (commit, roots) = (commit(directory), counts.roots());
        println!("| {name} | {commit} | {roots} | {identical} | {refused} | {remote} | {different} |");
        (same, differ) = (same + identical, differ + different);
    }
    let result = format!("{same} roots are identical, {differ} differ");
    if differ > 0 { failed(result) } else { passed(result) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by a panic")]
    use super::{is_of_elsewhere, roots_below};

    #[test]
    fn components_are_not_roots_of_their_own() {
        let top = tempfile::tempdir().unwrap();
        for (name, text) in [("b", "resources: []\n"), ("c", "kind: Component\n"), ("a/d", "namePrefix: x\n")]
        {
            std::fs::create_dir_all(top.path().join(name)).unwrap();
            std::fs::write(top.path().join(name).join("kustomization.yaml"), text).unwrap();
        }
        let mut roots = Vec::new();
        roots_below(top.path(), &mut roots).unwrap();
        assert_eq!(roots, [top.path().join("a/d"), top.path().join("b")]);
    }

    #[test]
    fn what_is_elsewhere_is_in_the_error() {
        assert!(is_of_elsewhere("accumulating resources from 'https://a.b/c'"));
        assert!(!is_of_elsewhere("no matches for Id Deployment"));
    }
}
