//! The build of a kustomization root: loads the tree of roots ([`load`]), accumulates resources bottom-up with generators
//! and transformers ([`accumulate`]), then fixes references, resolves variables, sorts and cleans up ([`finish`]).

mod accumulate;
pub mod assembly;
mod finish;
mod load;
mod openapi;
mod origin;
mod plugin;
pub mod read;
mod transformers;

use crate::diagnostics::{Diagnostics, Result, Sources};
use crate::resource::ResourceSet;
use crate::schema::Schema;
use crate::sources::{self, HelmOptions, LoadRestrictor, Loader};
use std::sync::Arc;

/// The kustomize release whose behaviour the engine has.
pub const KUSTOMIZE_VERSION: &str = "v5.5.0";

/// How the output is ordered when the kustomization does not say (`--reorder`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Which files may be read.
    pub restrictor: LoadRestrictor,
    /// Whether and how charts are rendered.
    pub helm: HelmOptions,
    /// Order of the output.
    pub reorder: Reorder,
    /// Adds the label `app.kubernetes.io/managed-by` to every resource.
    pub managed_by_label: bool,
}

/// What a build gives: the resources in order, and what was noticed on the way.
#[derive(Clone, Debug, Default)]
pub struct Bundle {
    /// The resources, ready to be emitted.
    pub resources: ResourceSet,
    /// Deprecated fields, variables that are never used, ….
    pub warnings: Diagnostics,
}

/// Builds the kustomization root `target`, a folder or a remote URL. Every text that is read goes into `sources`, which
/// the marks of resources and diagnostics point into.
///
/// # Errors
/// Everything that is wrong with the tree, as far as it can be found in one run.
pub fn build(target: &str, options: &Options, sources: &Arc<Sources>) -> Result<Bundle> {
    let loader = Loader::open(
        target,
        sources::Options { restrictor: options.restrictor, helm: options.helm.clone() },
        sources,
    )?;
    let mut root = load::load(loader, &Arc::new(Schema::builtin()))?;
    openapi::assign(&mut root, &mut None);
    let settings = finish::Settings::of(&root, options);
    let accumulated = accumulate::accumulate(root, settings.tracks_origins())?;
    finish::finish(accumulated, &settings)
}
