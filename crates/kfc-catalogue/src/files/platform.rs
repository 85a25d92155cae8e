//! `platforms/*.yaml`.

use super::support::supports;
use super::{ApiVersion, Declaration, Metadata, Support, words};
use kfc_yaml::Spanned;
use kfc_yaml::de::{Entries, Mapping, TextOr};
use serde::Deserialize;

/// A layer of facts; layers joined by `+` make a profile.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "PlatformFile"))]
#[serde(rename = "a platform layer", rename_all = "camelCase", deny_unknown_fields)]
pub struct PlatformFile {
    /// The version of the format.
    pub api_version: ApiVersion,
    /// The kind of the file.
    pub kind: PlatformKind,
    /// The name of the layer, that of its file.
    pub metadata: Metadata,
    /// The layer.
    pub spec: PlatformSpec,
}

words! {
    /// The kind of a platform layer.
    PlatformKind is "the kind of a platform layer" {
        /// The only one.
        Platform = "Platform",
    }
}

/// A layer of facts.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "PlatformSpec"))]
#[serde(rename = "a platform layer", deny_unknown_fields)]
pub struct PlatformSpec {
    /// What it is, in one line.
    #[serde(default)]
    pub description: String,
    /// Its role.
    pub role: Role,
    /// Layers that it builds on and may contradict.
    #[serde(default)]
    pub extends: Vec<Spanned<String>>,
    /// Declarations of facts by name, as JSON Schemas with defaults; only in the layer `defaults`.
    #[serde(default)]
    pub declares: Entries<Declaration>,
    /// Declarations of parameters that all components see; only in the layer `defaults`.
    #[serde(default)]
    pub parameters: Entries<Declaration>,
    /// Values of facts.
    pub facts: Option<Mapping>,
    /// Which component provides a capability when there is a choice.
    #[serde(default)]
    pub prefers: Entries<Spanned<String>>,
    /// Components that a profile with this layer has.
    #[serde(default)]
    pub components: Vec<LayerComponent>,
    /// Components that are left out, though another layer has them.
    #[serde(default)]
    pub without: Vec<Spanned<String>>,
    /// Conditions on facts: an expression, or a list with reasons.
    #[serde(default, deserialize_with = "supports")]
    #[cfg_attr(feature = "schema", schemars(with = "TextOr<Vec<Support>>"))]
    pub supports: Vec<Support>,
}

words! {
    /// The role of a layer; a profile has at most one layer of each role, and exactly one platform.
    Role is "a role of a layer" {
        /// Where the cluster runs: `gke`, `onprem`.
        Platform = "platform",
        /// The accelerators: `gpu`, `tpu`, `cpu`.
        Accelerator = "accelerator",
        /// The processors: `amd64`, `arm64`.
        Architecture = "architecture",
        /// Which services of the platform are used.
        Services = "services",
        /// Something that other layers extend, or the defaults; not for profiles.
        Abstract = "abstract",
    }
}

/// A component of a layer.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(with = "TextOr<LayerComponentFields>"))]
#[serde(from = "TextOr<LayerComponentFields>")]
pub struct LayerComponent {
    /// Its name.
    pub name: Spanned<String>,
    /// Only when this is true.
    pub when: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "LayerComponentFields"))]
#[serde(rename = "a component of a layer", deny_unknown_fields)]
struct LayerComponentFields {
    /// The name of a component.
    name: Spanned<String>,
    /// An expression: it is selected only when this is true.
    when: Option<Spanned<String>>,
}

impl From<TextOr<LayerComponentFields>> for LayerComponent {
    fn from(written: TextOr<LayerComponentFields>) -> Self {
        match written {
            TextOr::Text(name) => Self { name, when: None },
            TextOr::Whole(LayerComponentFields { name, when }) => Self { name, when },
        }
    }
}
