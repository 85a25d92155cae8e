//! Makes a tree smaller for as long as it shows the same difference.

use super::Tree;
use crate::program::Failure;

/// The smallest tree found: without lines, and files, that the difference does not need.
pub(super) fn smallest(
    tree: &Tree,
    mut is_same: impl FnMut(&Tree) -> Result<bool, Failure>,
) -> Result<Tree, Failure> {
    let mut best = tree.clone();
    loop {
        let before = best.size();
        for name in tree.files.keys() {
            let mut without = best.clone();
            if without.files.remove(name).is_some() && is_same(&without)? {
                best = without;
                continue;
            }
            shorten(&mut best, name, &mut is_same)?;
        }
        if best.size() == before {
            return Ok(best);
        }
    }
}

/// Takes lines out of a file: first many at once, at last one by one.
fn shorten(
    best: &mut Tree,
    name: &str,
    is_same: &mut impl FnMut(&Tree) -> Result<bool, Failure>,
) -> Result<(), Failure> {
    let count = best.files.get(name).map_or(0, |text| text.lines().count());
    let mut many = count.div_ceil(2);
    while many > 0 {
        let mut at = 0;
        loop {
            let text = best.files.get(name).cloned().unwrap_or_default();
            let lines: Vec<&str> = text.split_inclusive('\n').collect();
            if at >= lines.len() {
                break;
            }
            let end = (at + many).min(lines.len());
            let rest = [&lines[..at], &lines[end..]].concat().concat();
            let mut shorter = best.clone();
            shorter.files.insert(name.to_owned(), rest);
            if is_same(&shorter)? {
                *best = shorter;
            } else {
                at = end;
            }
        }
        many /= 2;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by a panic")]
    use super::{Tree, smallest};

    #[test]
    fn what_the_difference_needs_stays() {
        let mut tree = Tree::default();
        tree.add("a", "1\n2\n3\n4\n5\n".to_owned());
        tree.add("b", "x\n".to_owned());
        tree.add("c", "y\n".to_owned());
        let needed = |tree: &Tree| {
            let a = tree.files.get("a").cloned().unwrap_or_default();
            Ok(a.contains('2') && a.contains('5') && tree.files.contains_key("b"))
        };
        let small = smallest(&tree, needed).unwrap();
        let files: Vec<(&str, &str)> = small.files.iter().map(|(name, text)| (&**name, &**text)).collect();
        assert_eq!(files, [("a", "2\n5\n"), ("b", "")]);
    }
}
