//! The settings of a NamespaceTransformer.

/// Which subjects of role bindings get the namespace (`setSubjects`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Subjects {
    /// `defaultOnly`: those with the name `default`, of any kind.
    #[default]
    DefaultOnly,
    /// `allServiceAccounts`: all of the kind `ServiceAccount`.
    AllServiceAccounts,
    /// `none`.
    None,
}

/// How a namespace transformer goes about it; the default is what the field `namespace` of a kustomization does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NamespaceRules {
    /// What to do with role bindings.
    pub subjects: Subjects,
    /// Whether namespaces that are set already stay (`unsetOnly`).
    pub unset_only: bool,
}
