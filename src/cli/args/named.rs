//! Flags of kubectl that name what a command works on, besides the argument that does.

use clap::Args;

/// What a command works on, as kubectl names it.
#[derive(Clone, Debug, Default, Args)]
pub(in crate::cli) struct NamedArgs {
    /// The target as kubectl names files: a file or directory of resources, or `-` for standard input.
    #[arg(short, long, value_name = "FILE|DIR|-", conflicts_with = "kustomize")]
    filename: Option<String>,
    /// The target as kubectl names kustomization roots.
    #[arg(short, long, value_name = "DIR")]
    kustomize: Option<String>,
}

impl NamedArgs {
    /// The target that a flag names.
    pub(in crate::cli) fn target(&self) -> Option<&str> {
        self.filename.as_deref().or(self.kustomize.as_deref())
    }
}

/// Where resources go that name no namespace.
#[cfg(feature = "cluster")]
#[derive(Clone, Debug, Default, Args)]
pub(in crate::cli) struct NamespaceArgs {
    /// Namespace of resources that name none, instead of that of the context.
    #[arg(short, long, value_name = "NAMESPACE")]
    pub(in crate::cli) namespace: Option<String>,
}
