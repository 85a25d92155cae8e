//! Which words of a value changed, and how a long value is shortened so that they stay visible.

use kfc_diagnostics::text::is_unsafe;
use std::borrow::Cow;

/// Characters that are kept before the change when a value is cut.
const LEAD: usize = 12;

/// A text in three parts, of which the middle one changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pieces<'a> {
    pub(super) start: &'a str,
    pub(super) changed: &'a str,
    pub(super) end: &'a str,
}

/// Splits two texts into a common start, what differs, and a common end. The borders are between words.
pub(super) fn split<'a>(before: &'a str, after: &'a str) -> (Pieces<'a>, Pieces<'a>) {
    let alike = before.bytes().zip(after.bytes()).take_while(|(a, b)| a == b).count();
    let start = border_before(before, after, alike);
    let (b, a) = (&before[start..], &after[start..]);
    let alike = b.bytes().rev().zip(a.bytes().rev()).take_while(|(x, y)| x == y).count();
    let end = border_after(b, a, alike);
    (pieces(before, start, end), pieces(after, start, end))
}

fn pieces(text: &str, start: usize, end: usize) -> Pieces<'_> {
    let end = text.len() - end;
    Pieces { start: &text[..start], changed: &text[start..end], end: &text[end..] }
}

/// Whether a text may be split at a byte: not within a character, not within a word.
fn is_border(text: &str, at: usize) -> bool {
    let word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    text.is_char_boundary(at) && !(word(text[..at].chars().next_back()) && word(text[at..].chars().next()))
}

fn border_before(before: &str, after: &str, mut at: usize) -> usize {
    while at > 0 && !(is_border(before, at) && is_border(after, at)) {
        at -= 1;
    }
    at
}

fn border_after(before: &str, after: &str, mut length: usize) -> usize {
    while length > 0 && !(is_border(before, before.len() - length) && is_border(after, after.len() - length))
    {
        length -= 1;
    }
    length
}

/// The text in at most `width` characters with the first characters of its changed part.
pub(super) fn shorten(pieces: Pieces<'_>, width: usize) -> (String, String, String) {
    let Pieces { start, changed, end } = pieces;
    let lengths = [start, changed, end].map(|text| text.chars().count());
    if lengths.iter().sum::<usize>() <= width {
        return (start.to_owned(), changed.to_owned(), end.to_owned());
    }
    let start =
        keep_end(start, LEAD.max(width.saturating_sub(lengths[1] + lengths[2].min(LEAD))).min(width / 2));
    let left = width.saturating_sub(start.chars().count());
    let changed = keep_start(changed, left);
    let left = left.saturating_sub(changed.chars().count());
    let end = if left == 0 { Cow::Borrowed("") } else { keep_start(end, left) };
    (start.into_owned(), changed.into_owned(), end.into_owned())
}

/// The first characters of a text; an ellipsis shows that there are more.
pub(super) fn keep_start(text: &str, width: usize) -> Cow<'_, str> {
    if text.chars().nth(width).is_none() {
        return Cow::Borrowed(text);
    }
    let kept: String = text.chars().take(width.saturating_sub(1)).collect();
    Cow::Owned(format!("{kept}…"))
}

/// The last characters of a text.
fn keep_end(text: &str, width: usize) -> Cow<'_, str> {
    let count = text.chars().count();
    if count <= width {
        return Cow::Borrowed(text);
    }
    let kept: String = text.chars().skip(count - width.saturating_sub(1)).collect();
    Cow::Owned(format!("…{kept}"))
}

/// Replaces characters that control a terminal, break a line or change the direction of text by visible ones.
pub(super) fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let replaced = |c: char| match c {
        '\n' => '⏎',
        '\t' => '⇥',
        c if is_unsafe(c) => char::REPLACEMENT_CHARACTER,
        c => c,
    };
    Cow::Owned(text.chars().map(replaced).collect())
}

#[cfg(test)]
mod tests {
    use super::{Pieces, shorten, split};
    use proptest::prelude::*;

    #[test]
    fn the_changed_words_are_found() {
        let (before, after) = split("ghcr.io/kubeflow/katib:v0.18.0", "ghcr.io/kubeflow/katib:v0.19.0");
        assert_eq!(before, Pieces { start: "ghcr.io/kubeflow/katib:v0.", changed: "18", end: ".0" });
        assert_eq!(after.changed, "19");
    }

    #[test]
    fn a_long_value_is_cut_around_its_change() {
        let before = format!("{} old {}", "x".repeat(300), "y".repeat(300));
        let after = format!("{} new {}", "x".repeat(300), "y".repeat(300));
        let (pieces, _) = split(&before, &after);
        let (start, changed, end) = shorten(pieces, 40);
        let shown = format!("{start}{changed}{end}");
        assert!(shown.contains(" old ") && shown.chars().count() <= 40, "{shown}");
    }

    proptest! {
        #[test]
        fn the_pieces_are_the_texts(before in ".{0,30}", after in ".{0,30}", width in 4_usize..20) {
            let (b, a) = split(&before, &after);
            prop_assert_eq!(format!("{}{}{}", b.start, b.changed, b.end), before.as_str());
            prop_assert_eq!(format!("{}{}{}", a.start, a.changed, a.end), after.as_str());
            prop_assert_eq!((b.start, b.end), (a.start, a.end));
            let (start, changed, end) = shorten(b, width);
            prop_assert!(start.chars().count() + changed.chars().count() + end.chars().count() <= width);
        }
    }
}
