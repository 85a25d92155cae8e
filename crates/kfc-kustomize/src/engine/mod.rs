//! The build of a kustomization root: loads the tree of roots ([`load`]), accumulates resources bottom-up with generators
//! and transformers ([`accumulate`]), then fixes references, resolves variables, sorts and cleans up ([`finish`]).

mod accumulate;
pub mod assembly;
mod declared;
mod finish;
mod load;
mod openapi;
mod origin;
mod plugin;
pub mod read;
mod transformers;

pub(crate) use load::inline_documents;

use crate::provenance::Origins;
use crate::resource::ResourceSet;
use accumulate::Track;
use kfc_diagnostics::{Diagnostics, Result, Sources};
use kfc_kube::schema::Schema;
use kfc_source::{self, HelmOptions, LoadRestrictor, Loader, RemoteOptions, Surroundings};
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
#[derive(Clone, Debug)]
pub struct Options {
    /// Which files may be read.
    pub restrictor: LoadRestrictor,
    /// Whether and how charts are rendered.
    pub helm: HelmOptions,
    /// Order of the output.
    pub reorder: Reorder,
    /// Adds the label `app.kubernetes.io/managed-by` to every resource.
    pub managed_by_label: bool,
    /// Where remote sources come from.
    pub remote: RemoteOptions,
    /// Keeps where the value of each field comes from; see [`crate::provenance`]. The output is the same.
    pub keep_origins: bool,
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
            reorder: Reorder::default(),
            managed_by_label: false,
            remote: RemoteOptions::default(),
            keep_origins: false,
            surroundings: Arc::clone(surroundings),
        }
    }

    /// What may be read and run.
    #[must_use]
    pub fn reads(&self) -> kfc_source::Options {
        kfc_source::Options {
            restrictor: self.restrictor,
            helm: self.helm.clone(),
            remote: self.remote.clone(),
            surroundings: Arc::clone(&self.surroundings),
        }
    }
}

/// What a build gives: the resources in order, and what was noticed on the way.
#[derive(Clone, Debug, Default)]
pub struct Bundle {
    /// The resources, ready to be emitted.
    pub resources: ResourceSet,
    /// Deprecated fields, variables that are never used, ….
    pub warnings: Diagnostics,
    /// What asked for changes, when origins are kept.
    pub origins: Option<Origins>,
}

/// Builds the kustomization root `target`, a folder or a remote URL. Every text that is read goes into `sources`, which
/// the marks of resources and diagnostics point into.
///
/// # Errors
/// Everything that is wrong with the tree, as far as it can be found in one run.
pub fn build(target: &str, options: &Options, sources: &Arc<Sources>) -> Result<Bundle> {
    build_root(Loader::open(target, options.reads(), sources)?, options)
}

/// Builds the kustomization root that a loader stands in.
///
/// # Errors
/// As [`build`].
pub fn build_root(loader: Loader, options: &Options) -> Result<Bundle> {
    let built = build_once(loader.clone(), options);
    if built.is_err() && options.keep_origins {
        // Marks that lead into trails mean nothing to who reads errors: they are told as a plain build tells them.
        return build_once(loader, &Options { keep_origins: false, ..options.clone() });
    }
    built
}

fn build_once(loader: Loader, options: &Options) -> Result<Bundle> {
    let mut root = load::load(loader.clone(), &Arc::new(Schema::builtin()))?;
    openapi::assign(&mut root, &mut openapi::InForce::default());
    let settings = finish::Settings::of(&root, options);
    let track = Track { annotations: settings.tracks_origins(), fields: options.keep_origins };
    let accumulated = accumulate::accumulate(root, track)?;
    let mut bundle = finish::finish(accumulated, &settings)?;
    bundle.warnings.extend(loader.remotes().warnings());
    Ok(bundle)
}
