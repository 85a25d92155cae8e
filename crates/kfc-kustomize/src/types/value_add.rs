//! The configuration of a `ValueAddTransformer`.

use super::Selector;
use kfc_yaml::Spanned;

/// The value of a `ValueAddTransformer` and the fields that it sets.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ValueAddArgs {
    /// The value; empty for the name of the directory of the kustomization, which the caller knows.
    pub value: String,
    /// `targetFilePath`: a file with further targets, which the caller reads.
    pub target_file_path: Option<Spanned<String>>,
    /// The fields.
    pub targets: Vec<ValueAddTarget>,
}

/// One entry of `targets`.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ValueAddTarget {
    /// Selects the resources; an empty selector selects all.
    pub selector: Selector,
    /// Path with `/` between the parts. Missing fields are created. `0`, `-` (the last) and `[key=value]` are items of
    /// lists.
    pub field_path: String,
    /// Above 0: the field holds a file path, and the value becomes its part at this place, from 1.
    pub file_path_position: i64,
}
