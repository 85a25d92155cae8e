//! The order of keys: the natural order of Go's YAML v2 library, in which kustomize's output is sorted.

use std::cmp::Ordering;

/// Compares two keys. Runs of digits compare by value, letters come behind everything else, the rest by code point.
#[must_use]
pub fn compare(a: &str, b: &str) -> Ordering {
    let same = a.bytes().zip(b.bytes()).take_while(|(x, y)| x == y).count();
    if a.is_ascii() && b.is_ascii() {
        return differ_at(
            a.as_bytes(),
            b.as_bytes(),
            same,
            |byte| byte.is_ascii_alphabetic(),
            |byte| digit(u32::from(byte)),
        );
    }
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let same = a.iter().zip(&b).take_while(|(x, y)| x == y).count();
    differ_at(&a, &b, same, char::is_alphabetic, |c| digit(u32::from(c)))
}

/// Sorts by key, stably. [`compare`] is no total order for odd keys (`5.`, `08` and `1e`, say), which the standard
/// library's sort answers with a panic; a merge sort puts up with it.
pub(super) fn sort<T>(items: &mut Vec<&T>, key: impl Fn(&T) -> &str + Copy) {
    if items.len() < 2 {
        return;
    }
    let mut right = items.split_off(items.len() / 2);
    let mut left = std::mem::take(items);
    sort(&mut left, key);
    sort(&mut right, key);
    let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
    while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
        let next = if compare(key(b), key(a)).is_lt() { right.next() } else { left.next() };
        items.extend(next);
    }
    items.extend(left.chain(right));
}

fn digit(code: u32) -> Option<i64> {
    (0x30..=0x39).contains(&code).then(|| i64::from(code) - 0x30)
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
    use super::{compare, sort};

    #[test]
    fn odd_keys_are_sorted_without_a_panic() {
        let keys: Vec<String> =
            (0..200).map(|n| format!("{}{}", n % 20, ["", ".", "e", "-1", "0"][n % 5])).collect();
        let mut sorted: Vec<&String> = keys.iter().collect();
        sort(&mut sorted, |key| key);
        assert_eq!(sorted.len(), keys.len());
    }

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
}
