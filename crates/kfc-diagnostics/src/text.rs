//! What may be said of any text: credentials in addresses are taken out, and no character can break a line, steer a
//! terminal or turn the direction of reading.

use super::address::without_credentials;
use std::borrow::Cow;
use std::fmt::Write as _;

/// A text that came from elsewhere as one line of a message: without credentials, everything escaped that is not a
/// character to read.
#[must_use]
pub fn for_message(text: &str) -> Cow<'_, str> {
    match without_credentials(text) {
        Cow::Borrowed(text) => escaped(text),
        Cow::Owned(text) => Cow::Owned(escaped(&text).into_owned()),
    }
}

/// Whether a character breaks a line, steers a terminal, turns the direction of reading or cannot be seen.
#[must_use]
pub fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{feff}')
        || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fff9}'..='\u{fffb}')
        || matches!(c, '\u{e0000}'..='\u{e007f}')
}

/// The text with every [unsafe](is_unsafe) character written as an escape, a tab as a space.
#[must_use]
pub fn escaped(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '\t' => out.push(' '),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            c if is_unsafe(c) => drop(write!(out, "\\u{{{:x}}}", u32::from(c))),
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// The text with the characters of HTML's and XML's markup escaped, for content and for attributes in double quotes.
#[must_use]
pub fn escaped_markup(text: &str) -> Cow<'_, str> {
    if !text.contains(['&', '<', '>', '"']) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// A whole document, with the lines and tabs that it has, every other [unsafe](is_unsafe) character written as an escape.
#[must_use]
pub fn document(text: String) -> String {
    rewritten(text, |c, out| {
        let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
    })
}

/// A whole JSON document in which every [unsafe](is_unsafe) character is escaped as JSON has it: the same values.
#[must_use]
pub fn json_document(text: String) -> String {
    rewritten(text, |c, out| {
        for unit in c.encode_utf16(&mut [0; 2]) {
            let _ = write!(out, "\\u{unit:04x}");
        }
    })
}

fn rewritten(text: String, escape: impl Fn(char, &mut String)) -> String {
    let is_odd = |c: char| !matches!(c, '\n' | '\t') && is_unsafe(c);
    if !text.contains(is_odd) {
        return text;
    }
    let mut out = String::with_capacity(text.len() + 64);
    for c in text.chars() {
        if is_odd(c) { escape(c, &mut out) } else { out.push(c) }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{document, escaped, for_message, json_document};

    #[test]
    fn nothing_breaks_a_line_or_steers_a_terminal() {
        assert_eq!(
            escaped("a\n::error::x\r\tb\u{1b}[31m\u{9b}1m\0\u{202e}\u{2028}é"),
            "a\\n::error::x\\r b\\u{1b}[31m\\u{9b}1m\\u{0}\\u{202e}\\u{2028}é"
        );
        let twice = for_message("x\n\u{1b}").into_owned();
        assert_eq!(for_message(&twice), twice);
        assert_eq!(document("a\n\tb\r\u{9b}".to_owned()), "a\n\tb\\u{d}\\u{9b}");
        let value = serde_json::json!("a\u{9b}\u{202e}\u{e0041}\n");
        let json = json_document(format!("{value}\n"));
        assert_eq!(json, "\"a\\u009b\\u202e\\udb40\\udc41\\n\"\n");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&json).unwrap(), value);
    }
}
