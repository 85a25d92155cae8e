//! The forms in which bundles are written.

use clap::ValueEnum;
use kfc_diagnostics::Result;
use kfc_kustomize::engine::Bundle;
use kfc_kustomize::resource::{Resource, write_objects};
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
    let resources = &bundle.resources.list;
    match format {
        BundleFormat::Yaml => write_objects(resources, emit::emit_all),
        BundleFormat::Json => Ok(vec![write_objects(resources, json::list)?]),
    }
}

/// One resource as a file of its own.
pub(super) fn encode_resource(resource: &Resource, format: BundleFormat) -> Result<Vec<u8>> {
    match format {
        BundleFormat::Yaml => {
            let mut bytes = Vec::new();
            emit::emit(&resource.located_node(), &mut bytes).map(|()| bytes)
        }
        BundleFormat::Json => {
            let mut text = String::new();
            json::write(&resource.located_node(), &mut text).map(|()| (text + "\n").into_bytes())
        }
    }
}
