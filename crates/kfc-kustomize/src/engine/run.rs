//! Builds one kustomization root.

use super::accumulated::Track;
use super::bundle::Bundle;
use super::options::Options;
use super::{accumulate, finish, load, openapi, read};
use kfc_diagnostics::{Code, Result, Sources};
use kfc_kube::schema::Schema;
use kfc_source::Loader;
use std::sync::Arc;

/// Builds the kustomization root `target`, a directory or a remote URL. Every text that is read goes into `sources`, which
/// the marks of resources and diagnostics point into.
///
/// # Errors
/// Everything that is wrong with the tree, as far as it can be found in one run.
pub fn build(target: &str, options: &Options, sources: &Arc<Sources>) -> Result<Bundle> {
    build_root(&Loader::open(target, options.reads(), sources)?, options)
}

/// Builds the kustomization root in the directory of a loader.
///
/// # Errors
/// As [`build`].
pub fn build_root(loader: &Loader, options: &Options) -> Result<Bundle> {
    let mut root = load::load(loader.clone(), &Arc::new(Schema::builtin()))?;
    if !options.extensions {
        root.refuse_extensions()?;
    }
    openapi::assign(&mut root, &mut openapi::InForce::default());
    let settings = finish::Settings::of(&root, options)?;
    let track = Track { annotations: settings.tracks_origins(), fields: options.keep_origins };
    let accumulated = accumulate::accumulate(root, track)?;
    if !options.extensions {
        read::refuse_generated_names(&accumulated.set.list)?;
    }
    let mut bundle = finish::finish(accumulated, &settings)?;
    bundle.warnings.extend(loader.remotes().warnings());
    if !options.extensions {
        // kustomize says nothing about patches without an effect.
        bundle.warnings.0.retain(|warning| !matches!(warning.code, Code::NoTarget | Code::OverwrittenPatch));
    }
    Ok(bundle)
}
