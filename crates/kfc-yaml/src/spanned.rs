//! Values with their location.

use kfc_diagnostics::Mark;
use std::ops::Deref;

/// A value with its location, if a text holds it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Its location; none for values of the command line, and defaults.
    pub mark: Option<Mark>,
}

impl<T> Spanned<T> {
    /// A value that no text holds.
    pub const fn nowhere(value: T) -> Self {
        Self { value, mark: None }
    }

    /// A value at a location.
    pub fn at(value: T, mark: impl Into<Option<Mark>>) -> Self {
        Self { value, mark: mark.into().and_then(Mark::known) }
    }
}

impl<T> Deref for Spanned<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.value
    }
}
