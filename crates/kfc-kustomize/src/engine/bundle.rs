//! The result of a build.

use crate::provenance::Origins;
use crate::resource::ResourceSet;
use kfc_diagnostics::Diagnostics;

/// The result of a build: the resources in order, and warnings.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Bundle {
    /// The resources, ready to be emitted.
    pub resources: ResourceSet,
    /// Deprecated fields, variables that are never used, ….
    pub warnings: Diagnostics,
    /// What asked for changes, when origins are kept.
    pub origins: Option<Origins>,
}
