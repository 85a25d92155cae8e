//! The lines of each file that are new since a git revision.

use crate::program::{Failure, command, text};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Default)]
pub(crate) struct Changed(BTreeMap<String, BTreeSet<usize>>);

impl Changed {
    pub(crate) fn has(&self, file: &str, line: usize) -> bool {
        self.0.get(file).is_some_and(|lines| lines.contains(&line))
    }

    /// Reads a diff without lines of context.
    fn parse(diff: &str) -> Self {
        let mut changed = Self::default();
        let mut file = "";
        for line in diff.lines() {
            if let Some(path) = line.strip_prefix("+++ ") {
                file = path.strip_prefix("b/").unwrap_or(path);
            } else if let Some(range) = new_lines(line) {
                changed.0.entry(file.to_owned()).or_default().extend(range);
            }
        }
        changed
    }
}

/// The lines that a hunk `@@ -1,2 +3,4 @@` adds.
fn new_lines(line: &str) -> Option<std::ops::Range<usize>> {
    let hunk = line.strip_prefix("@@ -")?.split_once(" +")?.1.split_once(" @@")?.0;
    let (start, length) = hunk.split_once(',').unwrap_or((hunk, "1"));
    let (start, length): (usize, usize) = (start.parse().ok()?, length.parse().ok()?);
    Some(start..start + length)
}

pub(crate) fn lines(revision: &str) -> Result<Changed, Failure> {
    let arguments = ["diff", "--unified=0", "--no-color", "--no-ext-diff", revision, "--"];
    Ok(Changed::parse(&text(&mut command("git", arguments))?))
}

#[cfg(test)]
mod tests {
    use super::Changed;

    #[test]
    fn lines_are_those_of_the_new_text() {
        let diff = "--- a/old.md\n+++ b/new.md\n@@ -1,2 +3,2 @@ head\n-x\n-y\n+a\n+b\n@@ -9 +8 @@\n-z\n+c\n@@ -12 +12,0 @@\n-gone\n";
        let changed = Changed::parse(diff);
        let found: Vec<usize> = (0..20).filter(|line| changed.has("new.md", *line)).collect();
        assert_eq!(found, [3, 4, 8]);
        assert!(!changed.has("old.md", 3));
    }
}
