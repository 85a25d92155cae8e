//! `overlay.yaml`.

use super::{ApiVersion, Ignore, Metadata, ReadyWhen, Setter, words};
use kfc_yaml::Spanned;
use serde::Deserialize;

/// A kustomize component that is applied over bases when its condition holds.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "OverlayFile"))]
#[serde(rename = "an overlay", rename_all = "camelCase", deny_unknown_fields)]
pub struct OverlayFile {
    /// The version of the format.
    pub api_version: ApiVersion,
    /// The kind of the file.
    pub kind: OverlayKind,
    /// The name of the overlay, `area/name` like its directory.
    pub metadata: Metadata,
    /// The overlay.
    pub spec: OverlaySpec,
}

words! {
    /// The kind of an overlay.
    OverlayKind is "the kind of an overlay" {
        /// The only one.
        Overlay = "Overlay",
    }
}

/// What a platform changes.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "OverlaySpec"))]
#[serde(rename = "an overlay", deny_unknown_fields)]
pub struct OverlaySpec {
    /// What it changes, in one line.
    #[serde(default)]
    pub description: String,
    /// An expression over facts, parameters and components: applied when it is true; always without it.
    pub when: Option<Spanned<String>>,
    /// Components that must all be in the plan.
    #[serde(default)]
    pub components: Vec<Spanned<String>>,
    /// Overlays that are applied before it.
    #[serde(default)]
    pub after: Vec<Spanned<String>>,
    /// Setters for facts and parameters.
    #[serde(default)]
    pub set: Vec<Spanned<Setter>>,
    /// Fields of objects that are left to others.
    #[serde(default)]
    pub ignore: Vec<Ignore>,
    /// When objects are ready, instead of what their kind says.
    #[serde(default)]
    pub ready: Vec<ReadyWhen>,
}
