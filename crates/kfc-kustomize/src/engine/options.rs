//! What a build may do.

use kfc_source::{FunctionOptions, HelmOptions, LoadRestrictor, RemoteOptions, Surroundings};
use std::sync::Arc;

/// How the output is ordered when the kustomization does not say (`--reorder`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reorder {
    /// Not said: legacy order.
    #[default]
    Unspecified,
    /// By kind, namespace and name.
    Legacy,
    /// As accumulated.
    None,
}

/// What a build may do and how its output is ordered.
///
/// ```
/// use kfc_kustomize::engine::{Options, Reorder};
/// use kfc_source::{LoadRestrictor, Memory, Surroundings};
/// use std::sync::Arc;
///
/// let surroundings = Arc::new(Surroundings::in_memory(Memory::default()));
/// let mut options = Options::new(&surroundings).restricted(LoadRestrictor::None);
/// options.reorder = Reorder::None;
/// assert!(!options.keep_origins);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// Which files may be read.
    pub restrictor: LoadRestrictor,
    /// Whether and how charts are rendered.
    pub helm: HelmOptions,
    /// Whether and how functions and external plug-ins run.
    pub functions: FunctionOptions,
    /// Order of the output.
    pub reorder: Reorder,
    /// Adds the label `app.kubernetes.io/managed-by` to every resource.
    pub managed_by_label: bool,
    /// Where remote sources come from.
    pub remote: RemoteOptions,
    /// Keeps where the value of each field comes from; see [`crate::provenance`]. The output is the same.
    pub keep_origins: bool,
    /// Takes what kustomize refuses: resources with `generateName` instead of a name, such as hooks of Argo CD, and `kfc.dev` in
    /// kustomizations.
    pub extensions: bool,
    /// What the run has around it.
    pub surroundings: Arc<Surroundings>,
}

impl Options {
    /// Options that allow as little as can be allowed.
    #[must_use]
    pub fn new(surroundings: &Arc<Surroundings>) -> Self {
        Self {
            restrictor: LoadRestrictor::default(),
            helm: HelmOptions::default(),
            functions: FunctionOptions::default(),
            reorder: Reorder::default(),
            managed_by_label: false,
            remote: RemoteOptions::default(),
            keep_origins: false,
            extensions: false,
            surroundings: Arc::clone(surroundings),
        }
    }

    /// With other files allowed to be read.
    #[must_use]
    pub fn restricted(self, restrictor: LoadRestrictor) -> Self {
        Self { restrictor, ..self }
    }

    /// With or without where the value of each field comes from.
    #[must_use]
    pub fn keeping_origins(self, keep_origins: bool) -> Self {
        Self { keep_origins, ..self }
    }

    /// What may be read and run.
    #[must_use]
    pub fn reads(&self) -> kfc_source::Options {
        let mut reads = kfc_source::Options::new(&self.surroundings);
        reads.restrictor = self.restrictor;
        reads.helm = self.helm.clone();
        reads.functions = self.functions.clone();
        reads.remote = self.remote.clone();
        reads
    }
}
