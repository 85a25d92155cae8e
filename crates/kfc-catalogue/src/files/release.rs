//! `releases/*.yaml`: where each component is in a release of upstream's manifests.

use super::source::Commit;
use super::support::supports;
use super::{ApiVersion, Metadata, Ready, Selected, Setter, Support, words};
use kfc_yaml::Node;
use kfc_yaml::Spanned;
use kfc_yaml::de::{Entries, TextOr};
use serde::Deserialize;

/// A release of upstream's manifests, and where each component of the catalogue is in it.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ReleaseFile"))]
#[serde(rename = "a release", rename_all = "camelCase", deny_unknown_fields)]
pub struct ReleaseFile {
    /// The version of the format.
    pub api_version: ApiVersion,
    /// The kind of the file.
    pub kind: ReleaseKind,
    /// The name of the release, that of its file.
    pub metadata: Metadata,
    /// The release.
    pub spec: ReleaseSpec,
}

words! {
    /// The kind of a release.
    ReleaseKind is "the kind of a release" {
        /// The only one.
        Release = "Release",
    }
}

/// A release.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ReleaseSpec"))]
#[serde(rename = "a release", rename_all = "camelCase", deny_unknown_fields)]
pub struct ReleaseSpec {
    /// What it is, in one line.
    #[serde(default)]
    pub description: String,
    /// The address of the git repository.
    pub git: Spanned<String>,
    /// The branch or tag of the release.
    #[serde(rename = "ref")]
    pub reference: Spanned<String>,
    /// The commit that `ref` was, which is fetched.
    pub commit: Commit,
    /// The digest of the tree of the commit, as in kfc.lock; any tree of the commit without it.
    pub tree: Option<TreeDigest>,
    /// Components by name. Those that are not here keep the base of the catalogue.
    pub components: Entries<ReleasedComponent>,
    /// Components of the catalogue that the release is without: profiles leave them out.
    #[serde(default)]
    pub without: Vec<Spanned<String>>,
    /// Overlays of the catalogue that do not fit the release, by name, each with the reason.
    #[serde(default)]
    pub left_out: Entries<Spanned<String>>,
}

/// The digest of a tree.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(with = "String", extend("pattern" = "^sha256:[0-9a-f]{64}$")))]
#[serde(try_from = "Spanned<String>")]
pub struct TreeDigest(pub Spanned<String>);

impl TryFrom<Spanned<String>> for TreeDigest {
    type Error = String;

    fn try_from(written: Spanned<String>) -> Result<Self, String> {
        let digest = written.value.strip_prefix("sha256:").unwrap_or_default();
        if digest.len() == 64 && digest.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
            return Ok(Self(written));
        }
        Err(format!("`{}` is not a digest; expected `sha256:` and 64 hexadecimal digits", written.value))
    }
}

/// A component as a release has it.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ReleasedComponent"))]
#[serde(rename = "a component of a release", deny_unknown_fields)]
pub struct ReleasedComponent {
    /// What it is in this release, when that differs.
    pub description: Option<String>,
    /// The version of what it installs.
    pub version: Option<String>,
    /// Its kustomization roots in the repository: a path, or a root with more fields.
    pub roots: Vec<ReleaseRoot>,
    /// Conditions on facts, in addition to those of the catalogue: an expression, or a list with reasons.
    #[serde(default, deserialize_with = "supports")]
    #[cfg_attr(feature = "schema", schemars(with = "TextOr<Vec<Support>>"))]
    pub supports: Vec<Support>,
    /// Setters instead of those of the catalogue.
    pub set: Option<Vec<Spanned<Setter>>>,
    /// What must be ready before the next wave, instead of what the catalogue says.
    pub ready: Option<Vec<Ready>>,
    /// Parameters that nothing in the release can set. Setters that name them are left out.
    #[serde(default)]
    pub fixed: Entries<FixedParameter>,
}

/// A parameter that a release cannot set.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "FixedParameter"))]
#[serde(rename = "a fixed parameter", deny_unknown_fields)]
pub struct FixedParameter {
    /// The value that it has.
    pub value: Node,
    /// Why another value has no effect.
    pub reason: Spanned<String>,
}

/// A kustomization root of a release.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(with = "TextOr<RootFields>"))]
#[serde(from = "TextOr<RootFields>")]
pub struct ReleaseRoot {
    /// The directory in the repository.
    pub path: Spanned<String>,
    /// The namespace that upstream's instructions install it to, when the root has none.
    pub namespace: Option<Spanned<String>>,
    /// Only these objects of it.
    pub only: Vec<Selected>,
    /// All objects of it but these.
    pub except: Vec<Selected>,
}

#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ReleaseRootFields"))]
#[serde(rename = "a root of a release", deny_unknown_fields)]
struct RootFields {
    /// The directory in the repository.
    path: Spanned<String>,
    /// The namespace that upstream's instructions install it to, when the root has none.
    namespace: Option<Spanned<String>>,
    /// Only these objects of it.
    #[serde(default)]
    only: Vec<Selected>,
    /// All objects of it but these.
    #[serde(default)]
    except: Vec<Selected>,
}

impl From<TextOr<RootFields>> for ReleaseRoot {
    fn from(written: TextOr<RootFields>) -> Self {
        match written {
            TextOr::Text(path) => Self { path, namespace: None, only: Vec::new(), except: Vec::new() },
            TextOr::Whole(RootFields { path, namespace, only, except }) => {
                Self { path, namespace, only, except }
            }
        }
    }
}
