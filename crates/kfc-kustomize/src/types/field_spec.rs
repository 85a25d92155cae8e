//! Which fields of which kinds a transformer changes.

use kfc_kube::Gvk;

/// One field of the kinds that `gvk` selects.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct FieldSpec {
    /// The kinds; an empty part means any.
    pub gvk: Gvk,
    /// The path with `/` between the parts, `\/` for a slash in a part, `[]` after the name of a list.
    pub path: String,
    /// Whether missing fields are created.
    pub create: bool,
}
