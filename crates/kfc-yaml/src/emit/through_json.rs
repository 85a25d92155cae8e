//! What becomes of strings between kustomize's two YAML libraries: they are written as JSON text, and that is read as
//! YAML, which is not quite the same language.

use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Mark, Result};
use std::borrow::Cow;

/// The line break that JSON leaves in a string as it is, and that YAML folds.
const NEXT_LINE: char = '\u{85}';

/// Characters of the JSON text, with its quotes, in which the YAML library looks for the colon after a key.
const LONGEST_KEY: usize = 1024;

/// The value that is read back for a string.
///
/// # Errors
/// Characters that YAML does not allow, and a next-line character before what looks like a document marker.
pub(super) fn value(text: &str, mark: Mark) -> Result<Cow<'_, str>> {
    check_characters(text, mark)?;
    if text.is_ascii() || !text.contains(NEXT_LINE) {
        return Ok(Cow::Borrowed(text));
    }
    if has_marker(text) {
        return Err(unreadable(mark, "`---` or `...` after a next-line character (U+0085)"));
    }
    Ok(Cow::Owned(fold(text)))
}

/// Checks that a key can be read back.
///
/// # Errors
/// Keys that are too long, that hold a next-line character, or characters that YAML does not allow.
pub(super) fn check_key(text: &str, mark: Mark) -> Result<()> {
    check_characters(text, mark)?;
    if !text.is_ascii() && text.contains(NEXT_LINE) {
        return Err(unreadable(mark, "a next-line character (U+0085) in a key"));
    }
    if text.len() * 6 + 2 > LONGEST_KEY && json_length(text) > LONGEST_KEY {
        return Err(unreadable(mark, "a key of more than 1,024 characters"));
    }
    Ok(())
}

fn unreadable(mark: Mark, what: &str) -> Diagnostics {
    Diagnostic::error(Code::Unwritable, format!("{what} cannot be written"))
        .at(mark)
        .note("kustomize fails here too: its YAML library cannot read this back")
        .into()
}

fn check_characters(text: &str, mark: Mark) -> Result<()> {
    if text.is_ascii() && !text.contains('\u{7F}') {
        return Ok(());
    }
    match text.chars().find(|c| is_refused(*c)) {
        None => Ok(()),
        Some(c) => {
            let message = format!("the control character U+{:04X} cannot be written", u32::from(c));
            let error = Diagnostic::error(Code::Unwritable, message).at(mark);
            Err(error.help("remove it, or encode the text in base64").into())
        }
    }
}

/// Characters that Go's JSON writes as they are and that its YAML reader refuses.
fn is_refused(c: char) -> bool {
    matches!(c, '\u{7F}'..='\u{84}' | '\u{86}'..='\u{9F}' | '\u{FFFE}' | '\u{FFFF}')
}

/// Folds next-line characters as in any quoted scalar: spaces around them go, one alone becomes a space, and of several
/// the first goes and the others become line feeds.
fn fold(text: &str) -> String {
    let is_blank = |c: char| c == ' ' || c == NEXT_LINE;
    let mut folded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(is_blank) {
        let (before, tail) = rest.split_at(start);
        let (blanks, after) = tail.split_at(tail.find(|c| !is_blank(c)).unwrap_or(tail.len()));
        folded.push_str(before);
        match blanks.matches(NEXT_LINE).count() {
            0 => folded.push_str(blanks),
            1 => folded.push(' '),
            breaks => folded.extend(std::iter::repeat_n('\n', breaks - 1)),
        }
        rest = after;
    }
    folded.push_str(rest);
    folded
}

/// Whether a line of the folded string would begin with a document marker.
fn has_marker(text: &str) -> bool {
    text.match_indices(NEXT_LINE).any(|(at, next_line)| {
        let line = &text[at + next_line.len()..];
        let behind = line.strip_prefix("---").or_else(|| line.strip_prefix("..."));
        behind.is_some_and(|rest| rest.starts_with([' ', NEXT_LINE]))
    })
}

/// Characters of a string in JSON, quotes included.
fn json_length(text: &str) -> usize {
    let escaped = |c: char| match c {
        '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
        '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\u{1f}' => 6,
        _ => 1,
    };
    2 + text.chars().map(escaped).sum::<usize>()
}
