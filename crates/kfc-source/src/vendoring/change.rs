//! What changed from one lock to the next.

use super::store::Listed;
use crate::lock::{Entry, Lock};
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Result};
use std::fmt;

/// A source that differs between two locks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Only the new lock has it.
    New(Entry),
    /// Its tree or revision differs.
    Updated {
        /// Before.
        from: Entry,
        /// Now.
        to: Entry,
    },
    /// Only the old lock has it.
    Removed(Entry),
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::New(entry) => write!(f, "new      {}  {}", entry.source, revision(entry)),
            Self::Updated { from, to } => {
                write!(f, "updated  {}  {} -> {}", to.source, revision(from), revision(to))
            }
            Self::Removed(entry) => write!(f, "removed  {}", entry.source),
        }
    }
}

/// What distinguishes two entries of the same source: the revision, or the digest of the tree without one.
fn revision(entry: &Entry) -> String {
    let pin = entry.pin.to_string();
    if pin.is_empty() || pin.starts_with("sha256:") {
        let digest = pin.trim_start_matches("sha256:");
        let digest = if digest.is_empty() { &entry.tree } else { digest };
        return format!("sha256:{}", &digest[..12.min(digest.len())]);
    }
    pin
}

/// The changes from a lock to the next, in the order of the sources.
#[must_use]
pub fn changes(before: &Lock, after: &Lock) -> Vec<Change> {
    let mut changes: Vec<Change> = Vec::new();
    for entry in &after.entries {
        match before.entry(&entry.source) {
            None => changes.push(Change::New(entry.clone())),
            Some(old) if old != entry => {
                changes.push(Change::Updated { from: old.clone(), to: entry.clone() });
            }
            Some(_) => {}
        }
    }
    let removed = before.entries.iter().filter(|entry| after.entry(&entry.source).is_none());
    changes.extend(removed.cloned().map(Change::Removed));
    changes
}

/// Refuses tags and versions whose content has changed.
///
/// # Errors
/// [`Code::Moved`] for each.
pub fn refuse_moved(before: &Lock, listed: &[Listed]) -> Result<()> {
    let mut errors = Diagnostics::default();
    for Listed { entry, fetched, .. } in listed {
        let Some(old) = before.entry(&entry.source).filter(|old| old.tree != entry.tree) else { continue };
        // A range of versions may select a newer one.
        let is_same_version = entry.pin.archive.is_empty() || old.pin.revision == entry.pin.revision;
        if fetched.fixed && fetched.vendored.is_none() && is_same_version {
            let message =
                format!("`{}` has moved from {} to {}", entry.source, revision(old), revision(entry));
            let error = Diagnostic::error(Code::Moved, message)
                .note(
                    "tags and versions are meant never to change; one that moved may have been tampered with",
                )
                .help("accept it with `--allow-moved` if its owner confirms the change");
            errors.push(error);
        }
    }
    errors.into_result(())
}

#[cfg(test)]
mod tests {
    use super::{Change, changes};
    use crate::lock::{Entry, Lock};
    use crate::source::{Pin, Source};

    fn entry(name: &str, revision: &str, tree: &str) -> Entry {
        Entry {
            source: Source::File { url: format!("https://host/{name}") },
            pin: Pin { revision: revision.to_owned(), archive: String::new() },
            tree: tree.to_owned(),
        }
    }

    fn lock(entries: &[Entry]) -> Lock {
        Lock { entries: entries.to_vec(), ..Lock::default() }
    }

    #[test]
    fn new_updated_and_removed_sources_are_listed() {
        let (kept, old, new) = (entry("kept", "", "0"), entry("a", "v1", "1"), entry("a", "v2", "2"));
        let (gone, more) = (entry("gone", "", "3"), entry("more", "", "0123456789abcdef"));
        let before = lock(&[kept.clone(), old.clone(), gone.clone()]);
        let after = lock(&[kept, new.clone(), more.clone()]);
        let found = changes(&before, &after);
        assert_eq!(
            found,
            [Change::Updated { from: old, to: new }, Change::New(more), Change::Removed(gone),]
        );
        let lines: Vec<String> = found.iter().map(Change::to_string).collect();
        assert_eq!(
            lines,
            [
                "updated  https://host/a  v1 -> v2",
                "new      https://host/more  sha256:0123456789ab",
                "removed  https://host/gone",
            ]
        );
        assert_eq!(changes(&after, &after), []);
    }
}
