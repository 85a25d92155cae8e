//! What changes in a text of several lines.

use super::model::{Hunk, Line, Sign};
use similar::{ChangeTag, TextDiff};

/// Lines around a change that are shown with it.
const CONTEXT: usize = 2;

/// The changed lines of a text, when at least one side has several lines and they share some.
pub(super) fn hunks(before: &str, after: &str) -> Vec<Hunk> {
    if !before.trim_end().contains('\n') && !after.trim_end().contains('\n') {
        return Vec::new();
    }
    let diff = TextDiff::from_lines(before, after);
    let groups = diff.grouped_ops(CONTEXT);
    let hunk = |group: Vec<similar::DiffOp>| {
        let first = group.first();
        let lines = group.iter().flat_map(|op| diff.iter_changes(op)).map(|change| Line {
            sign: match change.tag() {
                ChangeTag::Equal => Sign::Same,
                ChangeTag::Delete => Sign::Removed,
                ChangeTag::Insert => Sign::Added,
            },
            text: change.value().trim_end_matches(['\n', '\r']).to_owned(),
        });
        Hunk {
            before_start: first.map_or(0, |op| op.old_range().start) + 1,
            after_start: first.map_or(0, |op| op.new_range().start) + 1,
            lines: lines.collect(),
        }
    };
    groups.into_iter().map(hunk).collect()
}
