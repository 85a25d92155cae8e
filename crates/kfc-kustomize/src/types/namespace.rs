//! The settings of a `NamespaceTransformer`.

/// Which subjects of role bindings get the namespace (`setSubjects`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Subjects {
    /// `defaultOnly`: those with the name `default`, of any kind.
    #[default]
    DefaultOnly,
    /// `allServiceAccounts`: all of the kind `ServiceAccount`.
    AllServiceAccounts,
    /// `none`.
    None,
}

/// How a namespace transformer treats existing namespaces; the default is that of the field `namespace` of a kustomization.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct NamespaceRules {
    /// Which subjects of role bindings get the namespace.
    pub subjects: Subjects,
    /// Whether existing namespaces stay (`unsetOnly`).
    pub unset_only: bool,
}
