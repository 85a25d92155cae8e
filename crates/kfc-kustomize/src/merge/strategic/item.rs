//! What lists and the items in them are merged with.

use super::location::Location;
use kfc_diagnostics::Result;
use kfc_kube::schema::TypeRef;
use kfc_yaml::Node;

/// What became of a value that a patch was merged into.
pub(super) enum Merged {
    /// It was changed in place.
    Kept,
    /// It is to go.
    Removed,
    /// This is to take its place.
    Instead(Node),
}

/// What is merged into a list.
#[derive(Clone, Copy)]
pub(super) enum ListPatch<'p> {
    /// Nothing.
    None,
    /// The items of a patch.
    Items(&'p [Node]),
    /// The list itself: it came in with the patch.
    Itself,
}

impl<'p> ListPatch<'p> {
    pub(super) fn items(self) -> &'p [Node] {
        match self {
            Self::Items(items) => items,
            Self::None | Self::Itself => &[],
        }
    }
}

/// How the items of a list are merged: the merge of the tree that has the list.
pub(super) trait MergeItem<'s> {
    /// Merges `patch` into `target`.
    fn merge(
        &self,
        target: &mut Node,
        patch: &Node,
        known: Option<TypeRef<'s>>,
        at: &Location<'_>,
    ) -> Result<Merged>;

    /// A value of the patch where the target has none. Nothing when the patch says that it is to go.
    fn adopt(&self, patch: &Node, known: Option<TypeRef<'s>>, at: &Location<'_>) -> Result<Option<Node>>;

    /// Carries out the directives inside a new value and drops its nulls. False when the value itself is to go.
    fn settle(&self, node: &mut Node, known: Option<TypeRef<'s>>, at: &Location<'_>) -> Result<bool>;

    /// Cleans up a value that the patch does not touch: joins duplicates in its keyed lists and drops fields that have
    /// nothing after the colon (a written `null` stays).
    fn tidy(&self, node: &mut Node, known: Option<TypeRef<'s>>, at: &Location<'_>) -> Result<()>;
}
