//! The order of keys: the natural order of Go's YAML v2 library, in which kustomize's output is sorted.

use crate::node::Entry;
use std::cmp::Ordering;
use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};

/// Entries up to which sorting by insertion is the fastest.
const FEW: usize = 16;

/// Whether entries are in the order in which they are written.
pub(super) fn is_sorted(entries: &[Entry]) -> bool {
    entries.is_sorted_by(|a, b| compare(&a.key.text, &b.key.text).is_le())
}

/// The entries in the order in which they are written.
///
/// The order is not transitive (`12` < `1a` < `3` < `12`), and what kustomize writes for such keys changes from run to
/// run. Here it is always the same: a merge of sorted halves in which every two neighbours are in order. The sort of the
/// standard library may panic on such an order.
pub(super) fn sorted(entries: &[Entry]) -> Vec<&Entry> {
    let mut sorted: Vec<&Entry> = entries.iter().collect();
    let mut spare = Vec::with_capacity(entries.len() / 2);
    sort(&mut sorted, &mut spare);
    sorted
}

fn is_before(a: &Entry, b: &Entry) -> bool {
    compare(&a.key.text, &b.key.text).is_lt()
}

fn sort<'a>(entries: &mut [&'a Entry], spare: &mut Vec<&'a Entry>) {
    if entries.len() <= FEW {
        return sort_few(entries);
    }
    let middle = entries.len() / 2;
    sort(&mut entries[..middle], spare);
    sort(&mut entries[middle..], spare);
    spare.clear();
    spare.extend_from_slice(&entries[..middle]);
    let (mut left, mut right, mut at) = (0, middle, 0);
    while left < spare.len() {
        let takes_right = right < entries.len() && is_before(entries[right], spare[left]);
        if takes_right {
            entries[at] = entries[right];
            right += 1;
        } else {
            entries[at] = spare[left];
            left += 1;
        }
        at += 1;
    }
}

fn sort_few(entries: &mut [&Entry]) {
    for end in 1..entries.len() {
        let mut at = end;
        while at > 0 && is_before(entries[at], entries[at - 1]) {
            entries.swap(at, at - 1);
            at -= 1;
        }
    }
}

/// Compares two keys. Runs of digits compare by value, letters come after everything else, the rest by code point.
#[must_use]
pub fn compare(a: &str, b: &str) -> Ordering {
    let (left, right) = (a.as_bytes(), b.as_bytes());
    let Some(at) = left.iter().zip(right).position(|(x, y)| x != y) else { return a.len().cmp(&b.len()) };
    let (x, y) = (left[at], right[at]);
    if x.is_ascii_alphabetic() && y.is_ascii_alphabetic() {
        return x.cmp(&y);
    }
    if a.is_ascii() && b.is_ascii() {
        return differ_at(
            left,
            right,
            at,
            |byte| byte.is_ascii_alphabetic(),
            |byte| ascii_digit(u32::from(byte)),
        );
    }
    compare_unicode(a, b)
}

fn compare_unicode(a: &str, b: &str) -> Ordering {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let at = a.iter().zip(&b).take_while(|(x, y)| x == y).count();
    let is_letter = |c: char| c.general_category_group() == GeneralCategoryGroup::Letter;
    differ_at(&a, &b, at, is_letter, any_digit)
}

fn ascii_digit(code: u32) -> Option<i64> {
    (0x30..=0x39).contains(&code).then(|| i64::from(code) - 0x30)
}

/// The value that Go's library gives a digit: that of any script counts from the ASCII zero.
fn any_digit(c: char) -> Option<i64> {
    (c.general_category() == GeneralCategory::DecimalNumber).then(|| i64::from(u32::from(c)) - 0x30)
}

/// Compares two keys that are equal before `at`.
fn differ_at<T: Copy + Ord>(
    a: &[T],
    b: &[T],
    at: usize,
    is_letter: impl Fn(T) -> bool,
    digit: impl Fn(T) -> Option<i64>,
) -> Ordering {
    let (Some(&x), Some(&y)) = (a.get(at), b.get(at)) else { return a.len().cmp(&b.len()) };
    match (is_letter(x), is_letter(y)) {
        (true, true) => return x.cmp(&y),
        (true, false) => return Ordering::Greater,
        (false, true) => return Ordering::Less,
        (false, false) => {}
    }
    let zero_follows_number = (digit(x) == Some(0) || digit(y) == Some(0))
        && a[..at].iter().rev().map_while(|&c| digit(c)).any(|value| value != 0);
    let start = i64::from(zero_follows_number);
    let (left, left_end) = number(a, at, start, &digit);
    let (right, right_end) = number(b, at, start, &digit);
    left.cmp(&right).then(left_end.cmp(&right_end)).then(x.cmp(&y))
}

/// The value of the digits from `at` on, with `start` in front, and where they end.
fn number<T: Copy>(key: &[T], at: usize, start: i64, digit: &impl Fn(T) -> Option<i64>) -> (i64, usize) {
    let digits = key[at..].iter().map_while(|&c| digit(c));
    digits.fold((start, at), |(value, end), d| (value.wrapping_mul(10).wrapping_add(d), end + 1))
}

#[cfg(test)]
mod tests {
    use super::{compare, is_sorted, sorted};
    use crate::node::{Entry, Key, Node};
    use proptest::prelude::*;

    #[test]
    fn keys_come_in_natural_order() {
        let sorted =
            ["", "-", "_x", "9", "10", "A", "B", "a", "a-b", "a9", "a10", "a10b", "aB", "ab", "b", "é"];
        for pair in sorted.windows(2) {
            assert!(compare(pair[0], pair[1]).is_lt(), "{:?} must come before {:?}", pair[0], pair[1]);
        }
        assert!(compare("a01", "a1").is_gt(), "the shorter spelling of one value comes first");
        assert!(compare("a100", "a20").is_gt());
    }

    #[test]
    fn letters_and_digits_are_those_of_unicode() {
        for (before, after) in [("ⓐ१", "٣٣"), ("ाा", "1"), ("1", "१"), ("·१", "Ⅷ"), ("Ⅷ", "१"), ("1ｱ", "१ｱ")]
        {
            assert!(compare(before, after).is_lt(), "{before:?} must come before {after:?}");
        }
    }

    fn entries(keys: &[String]) -> Vec<Entry> {
        let entry = |key: &String| Entry { key: Key::new(key, None), value: Node::null(None) };
        keys.iter().map(entry).collect()
    }

    proptest! {
        #[test]
        fn sorting_keeps_all_keys_and_leaves_neighbours_in_order(
            keys in prop::collection::vec("[0-3a-cA-]{0,4}", 0..80)
        ) {
            let unsorted = entries(&keys);
            let in_order: Vec<Entry> = sorted(&unsorted).into_iter().cloned().collect();
            prop_assert!(is_sorted(&in_order));
            let mut before = keys.clone();
            let mut after: Vec<String> = in_order.iter().map(|entry| entry.key.text.to_string()).collect();
            before.sort();
            after.sort();
            prop_assert_eq!(before, after);
        }
    }
}
