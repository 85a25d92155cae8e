//! Why serde gave up on a value.

use serde_core::de;
use std::fmt;

/// Why serde gave up on a value. Only values of other formats show it; errors of a tree are diagnostics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// A field that must be there is missing.
    Missing(&'static str),
    /// A type refuses its value.
    Refused(String),
    /// The error is noted, and the document is to be read again.
    Again,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(field) => write!(f, "the field `{field}` is missing"),
            Self::Refused(why) => f.write_str(why),
            Self::Again => f.write_str("the document is to be read again"),
        }
    }
}

impl std::error::Error for Error {}

impl de::Error for Error {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Refused(message.to_string())
    }

    fn missing_field(field: &'static str) -> Self {
        Self::Missing(field)
    }
}
