//! The forms in which bundles are written.

use clap::ValueEnum;
use kfc_diagnostics::Result;
use kfc_kustomize::engine::Bundle;
use kfc_kustomize::resource::Resource;
use kfc_yaml::{emit, json};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum BundleFormat {
    /// YAML documents.
    #[default]
    Yaml,
    /// One JSON list.
    Json,
}

/// A bundle in parts that follow each other.
pub(super) fn encode_bundle(bundle: &Bundle, format: BundleFormat) -> Result<Vec<Vec<u8>>> {
    let nodes: Vec<_> = bundle.resources.list.iter().map(|resource| &resource.node).collect();
    match format {
        BundleFormat::Yaml => emit::emit_all(&nodes),
        BundleFormat::Json => Ok(vec![json::list(&nodes)?]),
    }
}

/// One resource as a file of its own.
pub(super) fn encode_resource(resource: &Resource, format: BundleFormat) -> Result<Vec<u8>> {
    match format {
        BundleFormat::Yaml => {
            let mut bytes = Vec::new();
            emit::emit(&resource.node, &mut bytes).map(|()| bytes)
        }
        BundleFormat::Json => {
            let mut text = String::new();
            json::write(&resource.node, &mut text).map(|()| (text + "\n").into_bytes())
        }
    }
}
