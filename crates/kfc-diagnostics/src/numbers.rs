//! Numbers for hidden values: `<hidden 1>`, `<hidden 2>`, in the order in which they appear in what is written.
//!
//! Where objects are compared, in any order and by several threads, a token stands for each value. It never leaves the
//! program: when a report or message is written, its tokens become numbers.

use base16ct::lower;
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::collections::HashMap;

/// What stands for a credential.
pub const COVERED: &str = "***";
/// Characters around a token: of the private use area, so that no text has them by chance.
const OPEN: char = '\u{f0f0}';
const CLOSE: char = '\u{f0f1}';
/// Hexadecimal digits of a token.
const DIGITS: usize = 32;
/// What the token of a credential has before its digits.
const STARRED: char = '*';

/// What stands for bytes inside the program: the same for the same bytes.
#[must_use]
pub fn token(bytes: &[u8]) -> String {
    let digits = lower::encode_string(&Sha256::digest(bytes)[..DIGITS / 2]);
    format!("{OPEN}{digits}{CLOSE}")
}

/// What stands for the credential of an address inside the program: stars when it is written, but the same only for the same
/// credential.
#[must_use]
pub fn credential(text: &str) -> String {
    token(text.as_bytes()).replace(OPEN, &format!("{OPEN}{STARRED}"))
}

/// The hidden values of one report or one run, in the order in which they appeared.
#[derive(Debug, Default)]
pub struct Numbers {
    known: HashMap<String, usize>,
}

impl Numbers {
    /// What is shown for bytes.
    pub fn of_bytes(&mut self, bytes: &[u8]) -> String {
        self.of_token(token(bytes))
    }

    fn of_token(&mut self, token: String) -> String {
        if token[OPEN.len_utf8()..].starts_with(STARRED) {
            return COVERED.to_owned();
        }
        let next = self.known.len() + 1;
        format!("<hidden {}>", self.known.entry(token).or_insert(next))
    }

    /// The text with numbers for its tokens.
    pub fn shown<'t>(&mut self, text: &'t str) -> Cow<'t, str> {
        if !text.contains(OPEN) {
            return Cow::Borrowed(text);
        }
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find(OPEN) {
            out.push_str(&rest[..at]);
            rest = &rest[at..];
            let end = rest.find(CLOSE).map(|end| end + CLOSE.len_utf8());
            if let Some(end) = end.filter(|end| is_token(&rest[..*end])) {
                out.push_str(&self.of_token(rest[..end].to_owned()));
                rest = &rest[end..];
            } else {
                out.push(OPEN);
                rest = &rest[OPEN.len_utf8()..];
            }
        }
        out.push_str(rest);
        Cow::Owned(out)
    }

    /// As [`Numbers::shown`], in place.
    pub fn show(&mut self, text: &mut String) {
        if let Cow::Owned(shown) = self.shown(text) {
            *text = shown;
        }
    }

    /// As [`Numbers::show`], for every text in a JSON value, keys too.
    pub fn show_json(&mut self, value: &mut serde_json::Value) {
        match value {
            serde_json::Value::String(text) => self.show(text),
            serde_json::Value::Array(items) => items.iter_mut().for_each(|item| self.show_json(item)),
            serde_json::Value::Object(map) => {
                if map.keys().any(|key| key.contains(OPEN)) {
                    let shown = |(key, value): (String, _)| (self.shown(&key).into_owned(), value);
                    *map = std::mem::take(map).into_iter().map(shown).collect();
                }
                map.values_mut().for_each(|value| self.show_json(value));
            }
            _ => {}
        }
    }
}

/// Whether a text is a token, and nothing else.
#[must_use]
pub fn is_token(text: &str) -> bool {
    let digits = text.strip_prefix(OPEN).and_then(|text| text.strip_suffix(CLOSE));
    let digits = digits.map(|digits| digits.strip_prefix(STARRED).unwrap_or(digits));
    digits.is_some_and(|digits| digits.len() == DIGITS && digits.bytes().all(|b| b.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::{CLOSE, Numbers, OPEN, credential, token};

    #[test]
    fn values_are_numbered_as_they_appear_and_equal_ones_share_a_number() {
        let mut numbers = Numbers::default();
        let text = format!("a {} b {} c {}{}", token(b"x"), token(b"y"), token(b"x"), token(b"z"));
        assert_eq!(numbers.shown(&text), "a <hidden 1> b <hidden 2> c <hidden 1><hidden 3>");
        assert_eq!(numbers.of_bytes(b"y"), "<hidden 2>");
        assert_eq!(Numbers::default().shown(&token(b"z")), "<hidden 1>");
    }

    #[test]
    fn what_only_looks_like_a_token_stays() {
        for text in [format!("a{OPEN}b"), format!("{OPEN}12{CLOSE}"), format!("{CLOSE}{OPEN}")] {
            assert_eq!(Numbers::default().shown(&text), text);
        }
        let credentials = format!("a {} b {}", credential("x"), credential("y"));
        assert_eq!(Numbers::default().shown(&credentials), "a *** b ***");
        assert_ne!(credential("x"), credential("y"));
        let mut json = serde_json::json!({token(b"x"): {"a": token(b"y")}});
        Numbers::default().show_json(&mut json);
        assert_eq!(json, serde_json::json!({"<hidden 1>": {"a": "<hidden 2>"}}));
        let broken = format!("{OPEN}{}", token(b"x"));
        assert_eq!(Numbers::default().shown(&broken), format!("{OPEN}<hidden 1>"));
    }
}
