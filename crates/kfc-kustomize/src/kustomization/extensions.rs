//! `kfc.dev` of a kustomization: what kfc does and kustomize does not. kustomize refuses a tree that has it, so that no tree builds
//! to two results.

use crate::types::Selector;
use kfc_diagnostics::Mark;

/// What a kustomization asks of kfc alone.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Extensions {
    /// Which resources keep their names or namespaces.
    pub skip: Vec<Skip>,
    /// Whether entries of `resources` may be patterns.
    pub resource_patterns: bool,
    /// Whether patches merge lists of custom resources by the keys that their CRDs name.
    pub crd_list_keys: bool,
    /// Location of the field; none without it.
    pub mark: Option<Mark>,
}

/// One entry of `skip`: transformers that leave resources alone.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Skip {
    /// The transformers.
    pub transformers: Vec<Skippable>,
    /// The resources.
    pub target: Selector,
}

/// A transformer that can leave resources alone, by the field of the kustomization that configures it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "named as the fields")]
pub enum Skippable {
    Namespace,
    NamePrefix,
    NameSuffix,
}

impl Skippable {
    /// All of them, by their fields.
    pub(super) const ALL: [(&'static str, Self); 3] =
        [("namespace", Self::Namespace), ("namePrefix", Self::NamePrefix), ("nameSuffix", Self::NameSuffix)];
}
