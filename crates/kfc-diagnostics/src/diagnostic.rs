//! Errors and warnings, one and many.

use crate::code::Code;
use crate::numbers::Numbers;
use crate::source::Mark;
use crate::text;
use std::borrow::Cow;
use std::fmt;

/// The result of a stage.
pub type Result<T> = std::result::Result<T, Diagnostics>;

/// Whether a diagnostic stops the build.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Severity {
    /// The build fails.
    #[default]
    Error,
    /// The build goes on.
    Warning,
    /// Nothing is wrong, as far as is known.
    Note,
}

impl Severity {
    /// Its word: `error`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

/// A place with a word on it: "first set here", "the nearest is this".
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Label {
    /// The place.
    pub mark: Mark,
    /// What is to be said of it; empty for the bare place.
    pub text: String,
}

/// One error or warning.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Diagnostic {
    /// Its severity.
    pub severity: Severity,
    /// Its code, stable between versions.
    pub code: Code,
    /// One sentence without a full stop: "unknown field `namePrefx`".
    pub message: String,
    /// The main place, if there is one.
    pub mark: Option<Mark>,
    /// Other places that explain it.
    pub labels: Vec<Label>,
    /// What to do: "did you mean `namePrefix`?".
    pub help: Option<String>,
    /// Facts that explain it, one sentence each.
    pub notes: Vec<String>,
}

/// A message on one line and without credentials, for every format of diagnostics: the last defence against quoted text.
fn one_line(words: impl Into<String>) -> String {
    let words = words.into();
    match text::for_message(&words) {
        Cow::Borrowed(_) => words,
        Cow::Owned(changed) => changed,
    }
}

impl Diagnostic {
    /// An error.
    #[must_use]
    pub fn error(code: Code, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            code,
            message: one_line(message),
            mark: None,
            labels: Vec::new(),
            help: None,
            notes: Vec::new(),
        }
    }

    /// A warning.
    #[must_use]
    pub fn warning(code: Code, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, message) }
    }

    /// A note.
    #[must_use]
    pub fn info(code: Code, message: impl Into<String>) -> Self {
        Self { severity: Severity::Note, ..Self::error(code, message) }
    }

    /// With another severity.
    #[must_use]
    pub fn with_severity(self, severity: Severity) -> Self {
        Self { severity, ..self }
    }

    /// With another code, where a step knows better what its error means.
    #[must_use]
    pub fn with_code(self, code: Code) -> Self {
        Self { code, ..self }
    }

    /// With the main place, if it is known.
    #[must_use]
    pub fn at(mut self, mark: impl Into<Option<Mark>>) -> Self {
        self.mark = mark.into().and_then(Mark::known);
        self
    }

    /// With another place, if it is known.
    #[must_use]
    pub fn label(mut self, mark: impl Into<Option<Mark>>, text: impl Into<String>) -> Self {
        self.labels.extend(mark.into().map(|mark| Label { mark, text: one_line(text) }));
        self
    }

    /// With another place and what is to be said of it, which is a note if the place is not known.
    #[must_use]
    pub fn label_or_note(self, mark: impl Into<Option<Mark>>, text: impl Into<String>) -> Self {
        match mark.into().and_then(Mark::known) {
            Some(mark) => self.label(mark, text),
            None => self.note(text),
        }
    }

    /// With a suggestion.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(one_line(help));
        self
    }

    /// With a suggestion, or with none.
    #[must_use]
    pub fn helped(self, help: Option<String>) -> Self {
        Self { help: help.map(one_line), ..self }
    }

    /// With an explaining fact.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(one_line(note));
        self
    }
}

impl Diagnostic {
    /// Numbers the hidden values that it quotes.
    pub fn number(&mut self, numbers: &mut Numbers) {
        numbers.show(&mut self.message);
        self.labels.iter_mut().for_each(|label| numbers.show(&mut label.text));
        self.notes.iter_mut().chain(&mut self.help).for_each(|text| numbers.show(text));
    }
}

/// The errors of a stage, in the order in which they were found; never empty when returned as an `Err`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagnostics(pub Vec<Diagnostic>);

impl Diagnostics {
    /// Whether nothing was found.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds one.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.0.push(diagnostic);
    }

    /// Adds all of another list.
    pub fn extend(&mut self, other: Diagnostics) {
        self.0.extend(other.0);
    }

    /// The list as warnings, where the work goes on without what they are about.
    #[must_use]
    pub fn into_warnings(self) -> Self {
        self.0.into_iter().map(|found| Diagnostic { severity: Severity::Warning, ..found }).collect()
    }

    /// The list in the order of the places, each source for itself.
    #[must_use]
    pub fn in_order(mut self) -> Self {
        self.0.sort_by_key(|found| found.mark.map_or(0, |mark| mark.offset));
        self
    }

    /// Keeps the value of a result; its errors go into this list.
    pub fn collect<T>(&mut self, result: Result<T>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(errors) => {
                self.extend(errors);
                None
            }
        }
    }

    /// The list, where what has no place gets the one that led to it.
    #[must_use]
    pub fn or_at(mut self, mark: impl Into<Option<Mark>>) -> Self {
        let mark = mark.into().and_then(Mark::known);
        self.0.iter_mut().filter(|found| found.mark.is_none()).for_each(|found| found.mark = mark);
        self
    }

    /// `Ok(value)` when nothing was found, else the list.
    ///
    /// # Errors
    /// The list itself, when it is not empty.
    pub fn into_result<T>(self, value: T) -> Result<T> {
        if self.is_empty() { Ok(value) } else { Err(self) }
    }
}

impl fmt::Display for Diagnostic {
    /// The severity, the code and the message; places and lines are for [`crate::render`].
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = self.severity.word();
        write!(f, "{severity}[{}]: {}", self.code.as_str(), Numbers::default().shown(&self.message))
    }
}

impl std::error::Error for Diagnostic {}

impl fmt::Display for Diagnostics {
    /// A line for each.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, diagnostic) in self.0.iter().enumerate() {
            let line_break = if at == 0 { "" } else { "\n" };
            write!(f, "{line_break}{diagnostic}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Diagnostics {}

impl FromIterator<Diagnostic> for Diagnostics {
    fn from_iter<I: IntoIterator<Item = Diagnostic>>(diagnostics: I) -> Self {
        Self(diagnostics.into_iter().collect())
    }
}

impl From<Diagnostic> for Diagnostics {
    fn from(diagnostic: Diagnostic) -> Self {
        Self(vec![diagnostic])
    }
}
