//! The annotations transformer: `commonAnnotations`.

use super::{FieldSpec, labels};
use crate::resource::Pass;
use kfc_diagnostics::Result;

/// Sets annotations as strings in every field of the specs, by default on resources and on the pod templates of
/// workloads.
///
/// # Errors
/// Fields that are not mappings, and paths that cannot be followed.
pub fn apply(pass: Pass<'_>, pairs: &[(String, String)], fields: &[FieldSpec]) -> Result<()> {
    labels::apply(pass, pairs, fields)
}
