//! Text of others: what a program wrote to standard error, what a server answered, what a file holds.

use super::text;

/// A text that somebody else wrote. It may hold a password, a forged line or characters that steer a terminal, so it can
/// be put into a message in one way only, [`Foreign::message`]. It has neither `Display` nor `Debug` nor `Deref`:
/// printing it by mistake does not compile.
///
/// ```compile_fail
/// let text = kfc_diagnostics::Foreign::new("text of others");
/// println!("{text}");
/// ```
/// ```compile_fail
/// let text = kfc_diagnostics::Foreign::new("text of others");
/// println!("{text:?}");
/// ```
/// ```compile_fail
/// let text = kfc_diagnostics::Foreign::new("text of others");
/// let inner: &str = &text;
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Foreign(String);

impl Foreign {
    /// Takes a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Takes bytes; what is not UTF-8 becomes U+FFFD.
    #[must_use]
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self(String::from_utf8_lossy(bytes).into_owned())
    }

    /// The text as one line of a message: credentials of addresses taken out, line breaks, control characters and marks
    /// of direction escaped.
    #[must_use]
    pub fn message(&self) -> String {
        text::for_message(self.0.trim()).into_owned()
    }

    /// The part of it that says most.
    #[must_use]
    pub fn part(&self, choose: impl FnOnce(&str) -> &str) -> Self {
        Self(choose(&self.0).to_owned())
    }

    /// Its lines.
    #[must_use]
    pub fn lines(&self) -> Vec<Self> {
        self.0.lines().map(Self::new).collect()
    }

    /// The text with values that must not be shown replaced by what stands for them.
    #[must_use]
    pub fn with(&self, replace: impl FnOnce(&str) -> String) -> Self {
        Self(replace(&self.0))
    }

    /// Whether it has a word.
    #[must_use]
    pub fn mentions(&self, word: &str) -> bool {
        self.0.contains(word)
    }

    /// Whether there is nothing to be read in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.trim().is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::Foreign;

    #[test]
    fn a_message_has_one_line_without_credentials() {
        let text = Foreign::new("fatal: https://me:PLANTED@h/x\n::error::forged\u{202e}\n");
        assert_eq!(text.message(), "fatal: https://h/x\\n::error::forged\\u{202e}");
        let first = text.part(|text| text.lines().next().unwrap_or(""));
        assert_eq!(first.message(), "fatal: https://h/x");
        assert_eq!(Foreign::of_bytes(b"\xff\0").message(), "\u{fffd}\\u{0}");
        assert!(text.mentions("forged") && !text.is_empty());
    }
}
