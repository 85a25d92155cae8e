//! The nearest of some names, for "did you mean".

/// The candidate that a misspelt word most likely stands for: the same but for case, else the one within the fewest
/// edits (a swap of neighbours is one), where a third of the word may be wrong.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wrong_at_most = (word.chars().count() / 3).clamp(1, 4);
    let lower = word.to_lowercase();
    let distance = |candidate: &str| match candidate.to_lowercase() {
        same if same == lower => 0,
        other => 1 + edits(&lower, &other),
    };
    let best = candidates.into_iter().map(|candidate| (distance(candidate), candidate)).min();
    best.filter(|(distance, _)| *distance <= 1 + wrong_at_most).map(|(_, candidate)| candidate)
}

/// The number of insertions, deletions, substitutions and swaps of neighbours between two words. Words over 100 characters
/// are not compared, so that hostile input costs nothing.
#[must_use]
pub fn edits(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().take(101).collect(), b.chars().take(101).collect());
    if a.len() > 100 || b.len() > 100 {
        return usize::MAX / 2;
    }
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1; b.len() + 1];
        for (j, y) in b.iter().enumerate() {
            let substituted = last[j] + usize::from(x != y);
            row[j + 1] = substituted.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                row[j + 1] = row[j + 1].min(before_last[j - 1] + 1);
            }
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn near_names_are_found_and_far_ones_are_not() {
        let fields = ["namePrefix", "nameSuffix", "namespace", "resources"];
        assert_eq!(nearest("namePrefx", fields), Some("namePrefix"));
        assert_eq!(nearest("RESOURCES", fields), Some("resources"));
        assert_eq!(nearest("resuorces", fields), Some("resources"));
        assert_eq!(nearest("foo", fields), None);
    }
}
