//! `kfc.yaml`.

use super::{ApiVersion, Ignore, Metadata, ReadyWhen, SecretWay, Setter, UserName, UserProfile, words};
use kfc_yaml::Spanned;
use kfc_yaml::de::{Entries, Mapping, TextOr};
use serde::Deserialize;

/// The user's own file: a profile, components, parameters and overlays.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "StackText"))]
#[serde(rename = "a stack", rename_all = "camelCase", deny_unknown_fields)]
pub struct StackText {
    /// The version of the format.
    pub api_version: ApiVersion,
    /// The kind of the file.
    pub kind: StackKind,
    /// The name of the stack.
    pub metadata: Metadata,
    /// The stack.
    pub spec: StackSpec,
}

words! {
    /// The kind of a stack.
    StackKind is "the kind of a stack" {
        /// The only one.
        Stack = "Stack",
    }
}

/// What a user asks for: of a stack, or the lines by which an environment or a cluster of it differs.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "StackSpec"))]
#[serde(rename = "a stack", rename_all = "camelCase", deny_unknown_fields)]
pub struct StackSpec {
    /// The stack that this one builds on: a `kfc.yaml`, or its directory. Mappings merge, lists are added to, and anything else is
    /// replaced.
    pub extends: Option<Spanned<String>>,
    /// The profile: layers joined by `+`, such as `gke+gpu`.
    pub platform: Option<Spanned<String>>,
    /// The release of upstream's manifests that components are built from: one of the catalogue, or the directory of one that
    /// `kfc catalog fetch` wrote. The bases of the catalogue without it.
    pub release: Option<Spanned<String>>,
    /// Components by name; what they require is included. Those of the platform when not given.
    pub components: Option<Vec<Spanned<String>>>,
    /// Components that are already in the cluster: they are not emitted, but their capabilities count.
    #[serde(default)]
    pub present: Vec<Spanned<String>>,
    /// Components of the platform, or of what is below these lines, that are left out.
    #[serde(default)]
    pub without: Vec<Spanned<String>>,
    /// Files of values: parameters by name, as in `parameters`, and facts below `facts`. Later files replace values of earlier ones,
    /// and the lines here those of the files.
    #[serde(default)]
    pub values: Vec<Spanned<String>>,
    /// Facts that are known better here than in the profile.
    pub facts: Option<Mapping>,
    /// Values of parameters: global ones by name, those of a component below its name.
    pub parameters: Option<Mapping>,
    /// Where the values of Secrets come from, by the name of the Secret, or by NAMESPACE/NAME: `generated` for values that kfc makes
    /// when the Secret does not exist, `external` for a Secret that another tool creates, `bundle` for one with the values of
    /// parameters and overlays; or one of the fields below.
    #[serde(default)]
    pub secrets: Entries<SecretWay>,
    /// Namespaces of users and teams, with their owners, contributors and quotas.
    #[serde(default)]
    pub profiles: Vec<UserProfile>,
    /// Users by the name of a group, for `profiles`.
    #[serde(default)]
    pub groups: Entries<Vec<Spanned<UserName>>>,
    /// Setters for facts and parameters, applied before the overlays of the stack.
    #[serde(default)]
    pub set: Vec<Spanned<Setter>>,
    /// Directories of kustomize components, applied last. One with an `overlay.yaml` has its setters and its condition.
    #[serde(default)]
    pub overlays: Vec<Spanned<String>>,
    /// Overlays of what is below these lines that are left out.
    #[serde(default)]
    pub without_overlays: Vec<Spanned<String>>,
    /// Fields of objects that are left to others.
    #[serde(default)]
    pub ignore: Vec<Ignore>,
    /// When objects are ready, instead of what their kind says.
    #[serde(default)]
    pub ready: Vec<ReadyWhen>,
    /// Which component provides a capability when there is a choice.
    #[serde(default)]
    pub prefers: Entries<Spanned<String>>,
    /// Directories of further catalogues.
    #[serde(default)]
    pub catalogues: Vec<Spanned<String>>,
    /// Whether the built-in catalogue is below those of `catalogues`; with `false`, only those are used.
    pub builtin: Option<bool>,
    /// Environments by name, each with the lines by which it differs from the stack.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Entries<Mapping>"))]
    pub environments: Entries<Option<StackSpec>>,
    /// The clusters that the environments are applied to: a list, or a file with one.
    #[cfg_attr(feature = "schema", schemars(with = "Option<TextOr<Vec<ClusterSpec>>>"))]
    pub clusters: Option<TextOr<Vec<ClusterSpec>>>,
    /// Values of flags for commands that run in the directory of this file or below it; none changes a bundle.
    pub defaults: Option<Defaults>,
}

/// A cluster that an environment of a stack is applied to.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ClusterSpec"))]
#[serde(rename = "a cluster", deny_unknown_fields)]
pub struct ClusterSpec {
    /// Its name, unique in the stack.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub name: Spanned<String>,
    /// Its environment; needed when the stack has environments.
    pub environment: Option<Spanned<String>>,
    /// The context of the kubeconfig; the name of the cluster when not given.
    pub context: Option<Spanned<String>>,
    /// The lines by which it differs from its environment.
    #[cfg_attr(feature = "schema", schemars(with = "Option<Mapping>"))]
    pub spec: Option<StackSpec>,
}

/// Values of flags that are not given on the command line, nor by a variable of the environment.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Defaults"))]
#[serde(rename = "the defaults of flags", deny_unknown_fields)]
pub struct Defaults {
    /// `--concurrency`: the most requests at the same time.
    pub concurrency: Option<u32>,
    /// `--context`: the context of the kubeconfig, or several, separated by commas.
    pub context: Option<String>,
    /// `--jobs`: the number of threads.
    pub jobs: Option<u32>,
    /// `--offline`: fetch nothing.
    pub offline: Option<bool>,
    /// `--qps`: the most requests per second.
    pub qps: Option<u32>,
}
