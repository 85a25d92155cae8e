//! `kfc.lock` as types. `kfc vendor` writes it; what else it must be is checked after it is read.

use kfc_yaml::Spanned;
use serde::Deserialize;

/// Which remote sources a tree has, and what each was when it was vendored.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "LockFile"))]
#[serde(rename = "a lock", deny_unknown_fields)]
pub struct LockFile {
    /// The version of the format.
    #[cfg_attr(feature = "schema", schemars(with = "i64", extend("const" = 1)))]
    #[allow(dead_code, reason = "it is checked before everything else")]
    version: i64,
    /// What was vendored: directories relative to that of the lock, or URLs; sorted.
    #[serde(default)]
    pub(super) targets: Vec<Spanned<String>>,
    /// The remote sources of the targets, sorted.
    #[serde(default)]
    pub(super) sources: Vec<Spanned<LockedSource>>,
    /// The digest of the text above it.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = "^sha256:[0-9a-f]{64}$")))]
    pub(super) seal: Spanned<String>,
}

/// A remote source; its kind is the field that it has.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(untagged))]
#[serde(rename = "$keyed a source", rename_all = "lowercase")]
pub(super) enum LockedSource {
    Chart(LockedChart),
    File(LockedFile),
    Git(LockedGit),
    Oci(LockedArtifact),
}

/// A Helm chart.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "LockedChart"))]
#[serde(rename = "a source", deny_unknown_fields)]
pub(super) struct LockedChart {
    /// The name of a Helm chart.
    pub(super) chart: String,
    /// The repository of the chart.
    pub(super) repository: String,
    /// The version that was requested, perhaps a range; the latest without it.
    #[serde(default)]
    pub(super) version: String,
    /// The version that the chart had.
    pub(super) resolved: String,
    /// The digest of the archive.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = "^sha256:[0-9a-f]{64}$")))]
    pub(super) archive: Spanned<String>,
    /// The digest of the vendored tree.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = "^sha256:[0-9a-f]{64}$")))]
    pub(super) tree: Spanned<String>,
}

/// A single file.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "LockedFile"))]
#[serde(rename = "a source", deny_unknown_fields)]
pub(super) struct LockedFile {
    /// The address of a file.
    pub(super) file: String,
    /// The digest of the vendored tree.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = "^sha256:[0-9a-f]{64}$")))]
    pub(super) tree: Spanned<String>,
}

/// A git repository.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "LockedGit"))]
#[serde(rename = "a source", deny_unknown_fields)]
pub(super) struct LockedGit {
    /// The address of a git repository.
    pub(super) git: String,
    /// The branch, tag or commit that was requested; the default branch without it.
    #[serde(default, rename = "ref")]
    pub(super) reference: String,
    /// Whether its submodules are included.
    #[serde(default = "yes")]
    pub(super) submodules: bool,
    /// The commit that it was.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = "^([0-9a-f]{40}|[0-9a-f]{64})$")))]
    pub(super) commit: Spanned<String>,
    /// The digest of the vendored tree.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = "^sha256:[0-9a-f]{64}$")))]
    pub(super) tree: Spanned<String>,
}

/// An OCI artifact.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "LockedArtifact"))]
#[serde(rename = "a source", deny_unknown_fields)]
pub(super) struct LockedArtifact {
    /// The repository of an OCI artifact.
    pub(super) oci: String,
    /// The tag or digest that was requested.
    #[serde(rename = "ref")]
    pub(super) reference: String,
    /// The digest of its manifest.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = "^sha256:[0-9a-f]{64}$")))]
    pub(super) manifest: Spanned<String>,
    /// The digest of the vendored tree.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = "^sha256:[0-9a-f]{64}$")))]
    pub(super) tree: Spanned<String>,
}

const fn yes() -> bool {
    true
}
