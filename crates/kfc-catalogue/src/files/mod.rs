//! Our own files as types, one file for each kind: `component.yaml`, `overlay.yaml`, `platforms/*.yaml`,
//! `releases/*.yaml` and `kfc.yaml`. Readers,
//! JSON Schemas and the reference in docs/files.md follow from their fields and doc comments. What a file means, and whether it
//! is right, is for [`crate::catalogue`].

mod component;
mod ignore;
mod overlay;
mod parameter;
mod platform;
mod readiness;
mod release;
mod secret;
mod setter;
mod source;
mod stack;
mod support;
mod user_profile;
mod words;

pub use component::{
    Awaited, ComponentFile, ComponentKind, ComponentSpec, Ready, ReadyKind, Requirement, Stage, Wanted,
};
pub use ignore::Ignore;
pub use overlay::{OverlayFile, OverlayKind, OverlaySpec};
pub use parameter::Declaration;
pub use platform::{LayerComponent, PlatformFile, PlatformKind, PlatformSpec, Role};
pub use readiness::ReadyWhen;
pub use release::{
    FixedParameter, ReleaseFile, ReleaseKind, ReleaseRoot, ReleaseSpec, ReleasedComponent, TreeDigest,
};
pub use secret::{
    Alphabet, CopiedKey, DeclaredSecret, ExternalStore, KeyReference, RandomText, SecretKey, SecretReader,
    SecretWay, SecretWord, StoreKind, TextLength, WayWord,
};
pub use setter::{Select, Setter};
pub use source::{ChartSource, Commit, ComponentSource, GitSource, Selected};
pub use stack::{ClusterSpec, Defaults, StackKind, StackSpec, StackText};
pub use support::Support;
pub use user_profile::{Contributor, ContributorName, ContributorRole, NamespaceName, UserName, UserProfile};

use kfc_yaml::Spanned;
use serde::Deserialize;
use words::words;

words! {
    /// The version of the format.
    ApiVersion is "an apiVersion of kfc" {
        /// The only version.
        V1Alpha1 = "kfc.dev/v1alpha1",
    }
}

/// The name of the file's object.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Metadata"))]
#[serde(rename = "`metadata`", deny_unknown_fields)]
pub struct Metadata {
    /// The name.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub name: Spanned<String>,
}
