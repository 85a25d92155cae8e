//! The selector of a patch, replacement or transformer, as it is written.

use kfc_diagnostics::Mark;
use kfc_kube::Gvk;

/// kustomize's `Selector`: group, version, kind, name and namespace are regular expressions anchored at both ends,
/// empty for any; the two selectors are Kubernetes label selector expressions (`a=b,c!=d,e in (f,g),!h`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selector {
    /// Group, version, kind.
    pub gvk: Gvk,
    /// Name.
    pub name: String,
    /// Namespace.
    pub namespace: String,
    /// Expression over annotations.
    pub annotation_selector: String,
    /// Expression over labels.
    pub label_selector: String,
    /// Location of the selector.
    pub mark: Option<Mark>,
}
