//! Whose a file is: nobody wants to read at every run what they cannot change.

use super::screen::{Detail, is_set, shows};
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Severity, Sources};
use kfc_source::{door, lock};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Files that are named when deprecations are one line.
const NAMED: usize = 3;

/// Codes of warnings about the text of a kustomization, which only its owner can change.
const OF_OWNERS: [Code; 3] = [Code::Deprecated, Code::NoTarget, Code::OverwrittenPatch];

/// The diagnostics with one line for all warnings of a kind that are about files of others, unless all are asked for. The command
/// line of kustomize has no such line.
pub(super) fn collapsed(diagnostics: &Diagnostics, sources: &Sources) -> Diagnostics {
    let is_of_owner = |one: &Diagnostic| one.severity == Severity::Warning && OF_OWNERS.contains(&one.code);
    if !is_set() || shows(Detail::Steps) || !diagnostics.0.iter().any(is_of_owner) {
        return diagnostics.clone();
    }
    let mut owners = Owners::default();
    let mut theirs: BTreeMap<&str, (Code, usize, BTreeSet<String>)> = BTreeMap::new();
    let mut kept = Diagnostics::default();
    for one in &diagnostics.0 {
        let name = one.mark.and_then(|mark| sources.get(mark.source)).map(|source| source.name.clone());
        match name {
            Some(name) if is_of_owner(one) && !owners.is_own(Path::new(&name)) => {
                let (_, count, files) =
                    theirs.entry(one.code.as_str()).or_insert_with(|| (one.code, 0, BTreeSet::new()));
                *count += 1;
                files.insert(name);
            }
            _ => kept.push(one.clone()),
        }
    }
    for (code, count, files) in theirs.into_values() {
        kept.push(summary(code, count, &files));
    }
    kept
}

fn summary(code: Code, count: usize, files: &BTreeSet<String>) -> Diagnostic {
    let warnings = if count == 1 { "1 warning".to_owned() } else { format!("{count} warnings") };
    let named: Vec<&str> = files.iter().take(NAMED).map(String::as_str).collect();
    let more = match files.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let message = format!("{warnings} about files of others: {}{more} (`-v` lists them)", named.join(", "));
    Diagnostic::warning(code, message)
}

/// Whose files are, by their directories.
#[derive(Default)]
struct Owners {
    known: BTreeMap<PathBuf, Option<PathBuf>>,
}

impl Owners {
    /// Whether a file is the user's own: on this machine, not vendored, and not in the checkout of another repository. What
    /// was fetched or is built in has a name that no file has.
    fn is_own(&mut self, file: &Path) -> bool {
        let absolute = |path: &Path| std::path::absolute(path).map(|path| door::clean(&path));
        let (Ok(top), Ok(path)) = (absolute(Path::new(".")), absolute(file)) else { return true };
        if !path.is_file() || is_vendored(&path) {
            return false;
        }
        let theirs = path.parent().and_then(|directory| self.repository(directory));
        theirs.is_none() || theirs == self.repository(&top)
    }

    /// The top of the checkout that a directory is in.
    fn repository(&mut self, directory: &Path) -> Option<PathBuf> {
        if let Some(known) = self.known.get(directory) {
            return known.clone();
        }
        let found = if directory.join(".git").exists() {
            Some(directory.to_owned())
        } else {
            directory.parent().and_then(|above| self.repository(above))
        };
        self.known.insert(directory.to_owned(), found.clone());
        found
    }
}

/// Whether a path is below the directory of a lock's trees.
fn is_vendored(path: &Path) -> bool {
    let is_trees = |directory: &&Path| directory.file_name().is_some_and(|name| name == lock::FOLDER);
    path.ancestors().filter(is_trees).any(|trees| trees.with_file_name(lock::FILE).is_file())
}

#[cfg(test)]
mod tests {
    use super::Owners;
    use kfc_source::lock;

    #[test]
    fn files_of_others_are_vendored_in_another_checkout_or_on_no_disk() {
        let folder = tempfile::tempdir().unwrap();
        let top = folder.path().canonicalize().unwrap();
        let write = |path: &str| {
            let path = top.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, "").unwrap();
            path
        };
        let own = write("a/kustomization.yaml");
        write("manifests/.git/HEAD");
        let theirs = write("manifests/b/kustomization.yaml");
        write(&format!("p/{}", lock::FILE));
        let vendored = write(&format!("p/{}/x/kustomization.yaml", lock::FOLDER));
        let mut owners = Owners::default();
        assert!(owners.is_own(&own));
        for file in [&theirs, &vendored, &top.join("github.com/o/r/kustomization.yaml")] {
            assert!(!owners.is_own(file), "{}", file.display());
        }
    }
}
