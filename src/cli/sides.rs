//! Both sides of a comparison, of which one may be in a cluster.

use super::live::ask;
use super::side::{Reader, Side};
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Result};
use kfc_diff::Input;

/// Both sides of a comparison.
pub(super) struct Sides {
    pub(super) before: Input,
    pub(super) after: Input,
    /// Resources that the server refuses or does not show.
    pub(super) refused: Diagnostics,
}

impl Sides {
    fn here(before: Input, after: Input) -> Self {
        Self { before, after, refused: Diagnostics::default() }
    }
}

/// Both sides, of which one may be read from a cluster; `names` are what the user named.
pub(super) fn both(before: Side, after: Side, names: (&str, &str), reader: &Reader<'_>) -> Result<Sides> {
    let (old, new) = names;
    match (before, after) {
        (Side::Here(before), Side::Here(after)) => Ok(Sides::here(*before, *after)),
        (Side::Cluster { context }, Side::Here(after)) => {
            let asked = ask(context, &after, reader)?;
            let before = Input { label: old.to_owned(), ..asked.live };
            Ok(Sides { before, after: asked.applied, refused: asked.refused })
        }
        (Side::Here(before), Side::Cluster { context }) => {
            let asked = ask(context, &before, reader)?;
            let after = Input { label: new.to_owned(), why_removed: None, ..asked.live };
            Ok(Sides { before: asked.applied, after, refused: asked.refused })
        }
        (Side::Cluster { .. }, Side::Cluster { .. }) => {
            let error = Diagnostic::error(Code::Usage, "two clusters cannot be compared");
            Err(error
                .help(
                    "name a bundle, a profile or a root on one side; its resources are read from the cluster",
                )
                .into())
        }
    }
}
