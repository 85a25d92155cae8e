//! What an apply did to one object.

/// What an apply did to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Outcome {
    /// It did not exist before.
    Created,
    /// It existed and is different now.
    Changed,
    /// It existed, was deleted and created again.
    Recreated,
    /// It existed in the same form.
    Unchanged,
    /// It exists now; what it was before could not be read.
    Applied,
}

impl Outcome {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Changed => "changed",
            Self::Recreated => "recreated",
            Self::Unchanged => "unchanged",
            Self::Applied => "applied",
        }
    }
}
