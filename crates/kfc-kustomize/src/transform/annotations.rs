//! The annotations transformer: `commonAnnotations`.

use super::{FieldSpec, labels};
use crate::resource::ResourceSet;
use kfc_diagnostics::Result;

/// Sets annotations as strings in every field of the specs, by default on resources and on the pod templates of
/// workloads.
///
/// # Errors
/// Fields that are not mappings, and paths that cannot be followed.
pub fn apply(set: &mut ResourceSet, pairs: &[(String, String)], fields: &[FieldSpec]) -> Result<()> {
    labels::apply(set, pairs, fields)
}
