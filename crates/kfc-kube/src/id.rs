//! Identities of resources.

use crate::group_version::GroupVersion;
use std::fmt;

/// Group, version and kind. An empty part, in a selector or field spec, stands for any.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Gvk {
    /// API group; empty for the core group.
    pub group: String,
    /// API version.
    pub version: String,
    /// Kind.
    pub kind: String,
}

impl Gvk {
    /// From `apiVersion` (`apps/v1`, `v1`) and kind.
    #[must_use]
    pub fn new(api_version: &str, kind: &str) -> Self {
        let GroupVersion { group, version } = GroupVersion::parse(api_version);
        Self { group: group.to_owned(), version: version.to_owned(), kind: kind.to_owned() }
    }

    /// `apps/v1`, `v1`.
    #[must_use]
    pub fn api_version(&self) -> String {
        match (self.group.as_str(), self.version.as_str()) {
            ("", version) => version.to_owned(),
            (group, "") => group.to_owned(),
            (group, version) => format!("{group}/{version}"),
        }
    }

    /// Whether this one, as a pattern with empty parts for "any", covers `other` (kustomize's `IsSelected`).
    #[must_use]
    pub fn selects(&self, other: &Gvk) -> bool {
        let part = |pattern: &str, value: &str| pattern.is_empty() || pattern == value;
        part(&self.group, &other.group)
            && part(&self.version, &other.version)
            && part(&self.kind, &other.kind)
    }
}

/// `Kind.version.group` with kustomize's words for the empty parts.
impl fmt::Display for Gvk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let or =
            |text: &str, none: &'static str| if text.is_empty() { none.to_owned() } else { text.to_owned() };
        write!(
            f,
            "{}.{}.{}",
            or(&self.kind, "[noKind]"),
            or(&self.version, "[noVer]"),
            or(&self.group, "[noGrp]")
        )
    }
}

/// The namespace that counts: none for a cluster-scoped kind, `default` for an empty one (kustomize's
/// `EffectiveNamespace`).
#[must_use]
pub fn effective_namespace(namespace: &str, cluster_scoped: bool) -> &str {
    if cluster_scoped {
        "_non_namespaceable_"
    } else if namespace.is_empty() {
        "default"
    } else {
        namespace
    }
}

/// The identity of a resource. [`ResId::same`] is the comparison that kustomize's `Equals` makes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ResId {
    /// Group, version, kind.
    pub gvk: Gvk,
    /// `metadata.name`.
    pub name: String,
    /// `metadata.namespace` as written; empty for none.
    pub namespace: String,
    /// Whether the kind lives in no namespace.
    pub cluster_scoped: bool,
}

impl ResId {
    /// The namespace that counts: none for a cluster-scoped kind, `default` for an empty one.
    #[must_use]
    pub fn effective_namespace(&self) -> &str {
        effective_namespace(&self.namespace, self.cluster_scoped)
    }

    /// Whether both live in the same namespace.
    #[must_use]
    pub fn same_namespace(&self, other: &ResId) -> bool {
        self.effective_namespace() == other.effective_namespace()
    }

    /// Whether both name the same resource.
    #[must_use]
    pub fn same(&self, other: &ResId) -> bool {
        self.name == other.name && self.gvk == other.gvk && self.same_namespace(other)
    }
}

/// `Kind.version.group/name.namespace` with kustomize's words for the empty parts.
impl fmt::Display for ResId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = if self.name.is_empty() { "[noName]" } else { &self.name };
        let namespace = if self.namespace.is_empty() { "[noNs]" } else { &self.namespace };
        write!(f, "{}/{name}.{namespace}", self.gvk)
    }
}
