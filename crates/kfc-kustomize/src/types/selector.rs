//! The selector of a patch, replacement or transformer, before its expressions are parsed.

use kfc_diagnostics::Mark;
use kfc_kube::Gvk;

/// kustomize's `Selector`: group, version, kind, name and namespace are regular expressions anchored at both ends,
/// empty for any; the two selectors are Kubernetes label selector expressions (`a=b,c!=d,e in (f,g),!h`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Selector {
    /// Expressions for group, version and kind.
    pub gvk: Gvk,
    /// Expression for the name.
    pub name: String,
    /// Expression for the namespace.
    pub namespace: String,
    /// Expression over annotations.
    pub annotation_selector: String,
    /// Expression over labels.
    pub label_selector: String,
    /// Location of the selector.
    pub mark: Option<Mark>,
}
