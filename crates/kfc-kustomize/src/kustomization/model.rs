//! The fields of a kustomization, typed. Names follow kustomize's `Kustomization` API type.
//!
//! Deprecated fields that mean the same as a newer one are folded into it when the file is read (`bases` into
//! `resources`, `patchesJson6902` into its own list of [`Patch`]es, …); those whose place in the order of steps differs
//! keep a field of their own.

use super::extensions::Extensions;
use crate::types::{Behavior, FieldSpec, KeyPlaces, Selector};
use kfc_diagnostics::{Code, Diagnostic, Mark, Result};
use kfc_yaml::{Node, Spanned};

/// `kind: Kustomization` or `kind: Component`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// A root of its own.
    #[default]
    Kustomization,
    /// A kustomize component: works on the resources of the root that names it.
    Component,
}

/// A whole kustomization file.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Kustomization {
    /// Which kind.
    pub kind: Kind,
    /// `resources` with `bases` appended, as kustomize's `FixKustomizationPostUnmarshalling` does.
    pub resources: Vec<Spanned<String>>,
    /// `components`.
    pub components: Vec<Spanned<String>>,
    /// `crds`: files with OpenAPI definitions that name reference fields.
    pub crds: Vec<Spanned<String>>,
    /// `namespace`.
    pub namespace: String,
    /// `namePrefix`.
    pub name_prefix: String,
    /// `nameSuffix`.
    pub name_suffix: String,
    /// `labels`.
    pub labels: Vec<Label>,
    /// `commonLabels`, in source order.
    pub common_labels: Vec<(String, String)>,
    /// `commonAnnotations`, in source order.
    pub common_annotations: Vec<(String, String)>,
    /// `patches`.
    pub patches: Vec<Patch>,
    /// `patchesStrategicMerge`: file paths or inline documents.
    pub patches_strategic_merge: Vec<Spanned<String>>,
    /// `patchesJson6902`.
    pub patches_json6902: Vec<Patch>,
    /// `images` with the older `imageTags` folded in.
    pub images: Vec<Image>,
    /// `replicas`.
    pub replicas: Vec<Replica>,
    /// `configMapGenerator`.
    pub config_maps: Vec<ConfigMapArgs>,
    /// `secretGenerator`.
    pub secrets: Vec<SecretArgs>,
    /// `generatorOptions`.
    pub generator_options: Option<GeneratorOptions>,
    /// `vars`.
    pub vars: Vec<Var>,
    /// `replacements`.
    pub replacements: Vec<ReplacementField>,
    /// `configurations`: files with transformer configuration.
    pub configurations: Vec<Spanned<String>>,
    /// `openapi.path`.
    pub openapi_path: Option<Spanned<String>>,
    /// `openapi.version`.
    pub openapi_version: Option<Spanned<String>>,
    /// `generators`: file paths, roots or inline documents.
    pub generators: Vec<Spanned<String>>,
    /// `transformers`.
    pub transformers: Vec<Spanned<String>>,
    /// `validators`.
    pub validators: Vec<Spanned<String>>,
    /// `helmCharts`, with the older `helmChartInflationGenerator` folded in.
    pub helm_charts: Vec<HelmChart>,
    /// `helmGlobals`.
    pub helm_globals: HelmGlobals,
    /// `sortOptions`.
    pub sort_options: Option<SortOptions>,
    /// `buildMetadata`: any of `managedByLabel`, `originAnnotations`, `transformerAnnotations`.
    pub build_metadata: Vec<Spanned<String>>,
    /// `kfc.dev`, which kustomize does not have.
    pub extensions: Extensions,
    /// Locations of the fields whose values have no location here.
    pub places: Places,
}

/// Locations of the fields whose values have none in a [`Kustomization`].
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Places {
    /// `namespace`.
    pub namespace: Option<Mark>,
    /// `namePrefix`.
    pub name_prefix: Option<Mark>,
    /// `nameSuffix`.
    pub name_suffix: Option<Mark>,
    /// Each of `commonLabels`.
    pub common_labels: KeyPlaces,
    /// Each of `commonAnnotations`.
    pub common_annotations: KeyPlaces,
}

/// One entry of `labels`.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Label {
    /// The labels, in source order.
    pub pairs: Vec<(String, String)>,
    /// Whether selectors (and templates) get them too.
    pub include_selectors: bool,
    /// Whether pod templates get them.
    pub include_templates: bool,
    /// Whether templates of PVCs get them, where they do not belong to those of pods.
    pub include_claim_templates: bool,
    /// Further fields.
    pub fields: Vec<FieldSpec>,
    /// Location of each label.
    pub places: KeyPlaces,
    /// Location of the entry.
    pub mark: Option<Mark>,
}

/// One entry of `patches` or `patchesJson6902`.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Patch {
    /// The file.
    pub path: Option<Spanned<String>>,
    /// The inline text.
    pub patch: Option<Spanned<String>>,
    /// What it is applied to; none for a strategic merge patch that names its target itself.
    pub target: Option<Selector>,
    /// `options.allowNameChange`.
    pub allow_name_change: bool,
    /// `options.allowKindChange`.
    pub allow_kind_change: bool,
    /// Location of the entry.
    pub mark: Option<Mark>,
}

/// One entry of `images`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Image {
    /// Image name without tag or digest.
    pub name: String,
    /// `newName`.
    pub new_name: String,
    /// `newTag`.
    pub new_tag: String,
    /// `tagSuffix`.
    pub tag_suffix: String,
    /// `digest`.
    pub digest: String,
    /// Location of the entry.
    pub mark: Option<Mark>,
    /// Location of the first field with a new value.
    pub change_mark: Option<Mark>,
}

/// One entry of `replicas`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Replica {
    /// Name of the resource.
    pub name: String,
    /// The count.
    pub count: i64,
    /// Location of the entry.
    pub mark: Option<Mark>,
    /// Location of the count.
    pub count_mark: Option<Mark>,
}

/// Where key-value pairs of a generator come from.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct KvSources {
    /// `literals`: `key=value`.
    pub literals: Vec<Spanned<String>>,
    /// `files`: `path` or `key=path`.
    pub files: Vec<Spanned<String>>,
    /// `envs`, with the older `env` folded in.
    pub envs: Vec<Spanned<String>>,
}

/// `generatorOptions`, or the `options` of one generator.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct GeneratorOptions {
    /// Labels to add.
    pub labels: Vec<(String, String)>,
    /// Annotations to add.
    pub annotations: Vec<(String, String)>,
    /// The name gets no hash.
    pub disable_name_suffix_hash: bool,
    /// `immutable: true` in the generated resource.
    pub immutable: bool,
}

/// One entry of `configMapGenerator`.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ConfigMapArgs {
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// What to do with an existing one.
    pub behavior: Behavior,
    /// The data.
    pub sources: KvSources,
    /// Its options; merged with `generatorOptions` by the generator.
    pub options: Option<GeneratorOptions>,
    /// Location of the entry.
    pub mark: Option<Mark>,
}

/// One entry of `secretGenerator`.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct SecretArgs {
    /// What it shares with config maps.
    pub common: ConfigMapArgs,
    /// `type`; empty for `Opaque`.
    pub secret_type: String,
}

/// One entry of `vars`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Var {
    /// The variable, used as `$(NAME)`.
    pub name: String,
    /// apiVersion, kind, name and namespace of the resource that holds the value.
    pub target: VarTarget,
    /// Path of the value, `metadata.name` when not given.
    pub field_path: String,
    /// Location of the entry.
    pub mark: Option<Mark>,
}

/// `objref` of a var.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct VarTarget {
    /// `apiVersion`.
    pub api_version: String,
    /// Kind.
    pub kind: String,
    /// Name.
    pub name: String,
    /// Namespace.
    pub namespace: String,
}

/// One entry of `replacements`: inline or in a file.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ReplacementField {
    /// `path`: a file with one replacement or a list of them.
    File(Spanned<String>),
    /// An inline one.
    Inline(Box<Replacement>),
}

/// A replacement.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Replacement {
    /// Where the value is copied from.
    pub source: Option<ReplacementSource>,
    /// `sourceValue`: the value itself, instead of a source.
    pub source_value: Option<Spanned<String>>,
    /// Where it goes.
    pub targets: Vec<ReplacementTarget>,
    /// Location of the entry.
    pub mark: Option<Mark>,
}

/// `source` of a replacement.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ReplacementSource {
    /// The resource: group, version, kind, name, namespace are compared as they are, empty for any.
    pub resource: Selector,
    /// The field, `metadata.name` when not given.
    pub field_path: String,
    /// How the field's value is cut.
    pub options: FieldOptions,
    /// Its location.
    pub mark: Option<Mark>,
}

/// One of `targets` of a replacement.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ReplacementTarget {
    /// The resources; none is an error.
    pub select: Option<Selector>,
    /// Resources left out.
    pub reject: Vec<Selector>,
    /// The fields, `metadata.name` when not given.
    pub field_paths: Vec<Spanned<String>>,
    /// How the value is put in.
    pub options: FieldOptions,
    /// Its location.
    pub mark: Option<Mark>,
}

/// `options` of a replacement's source or target.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FieldOptions {
    /// Splits the value.
    pub delimiter: String,
    /// Which part.
    pub index: i64,
    /// `base64` or empty.
    pub encoding: String,
    /// Creates missing fields.
    pub create: bool,
}

/// One entry of `helmCharts`. Field names as in kustomize.
#[derive(Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "they are the fields of kustomize's type")]
#[non_exhaustive]
pub struct HelmChart {
    /// The chart.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its repository.
    pub repo: String,
    /// Release name.
    pub release_name: String,
    /// Namespace.
    pub namespace: String,
    /// Values file.
    pub values_file: String,
    /// Further values files.
    pub additional_values_files: Vec<String>,
    /// Inline values.
    pub values_inline: Option<Node>,
    /// `merge`, `override` or `replace`.
    pub values_merge: String,
    /// `--include-crds`.
    pub include_crds: bool,
    /// `--skip-hooks`.
    pub skip_hooks: bool,
    /// `--api-versions`.
    pub api_versions: Vec<String>,
    /// `--kube-version`.
    pub kube_version: String,
    /// `--name-template`.
    pub name_template: String,
    /// `--skip-tests`.
    pub skip_tests: bool,
    /// `--debug`.
    pub debug: bool,
    /// `--devel`.
    pub devel: bool,
    /// Location of the entry.
    pub mark: Option<Mark>,
}

/// `helmGlobals`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct HelmGlobals {
    /// Where charts are kept, `charts` when not given.
    pub chart_home: String,
    /// helm's own configuration directory.
    pub config_home: String,
}

/// `sortOptions`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SortOptions {
    /// `order`.
    pub order: Order,
    /// `legacySortOptions`, when given.
    pub legacy_options: Option<LegacySortOptions>,
    /// Their location.
    pub mark: Option<Mark>,
}

/// `order` of `sortOptions`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Order {
    /// Another word, or none.
    #[default]
    Unknown,
    /// `fifo`: as listed.
    Fifo,
    /// `legacy`: by kind.
    Legacy,
}

impl SortOptions {
    /// `legacy`: the order of kustomize's built-in list of kinds.
    #[must_use]
    pub fn legacy() -> Self {
        Self { order: Order::Legacy, ..Self::default() }
    }

    /// Refuses an unknown order, and options of another one. Only those of the root that is built count: kustomize does not
    /// look at the `sortOptions` of a base.
    ///
    /// # Errors
    /// [`Code::BadValue`] and [`Code::FieldConflict`].
    pub fn check(&self) -> Result<()> {
        let error = match (self.order, &self.legacy_options) {
            (Order::Legacy, _) | (Order::Fifo, None) => return Ok(()),
            (Order::Fifo, Some(_)) => {
                Diagnostic::error(Code::FieldConflict, "`legacySortOptions` goes with `order: legacy` only")
                    .help("set `order: legacy`, or remove `legacySortOptions`")
            }
            (Order::Unknown, _) => {
                Diagnostic::error(Code::BadValue, "`sortOptions.order` must be `legacy` or `fifo`")
            }
        };
        Err(error.at(self.mark).into())
    }
}

/// `legacySortOptions`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LegacySortOptions {
    /// Kinds that come first, in this order.
    pub order_first: Vec<String>,
    /// Kinds that come last, in this order.
    pub order_last: Vec<String>,
}
