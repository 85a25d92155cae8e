//! What a kustomization names outside of itself: the one list of fields that hold files, roots, charts and patches. Whatever
//! follows these (`kfc vendor`, `kfc kustomize localize`) asks here, so that a new field is added once.

use super::model::{ConfigMapArgs, HelmChart, HelmGlobals, Kustomization, ReplacementField};
use super::plugin::Plugin;
use kfc_yaml::Spanned;

/// One thing that a kustomization, or the configuration of a plug-in, names.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Named<'k> {
    /// `resources`: a file or a root.
    Resource(&'k Spanned<String>),
    /// `components`: a root.
    Component(&'k Spanned<String>),
    /// `generators`, `transformers`, `validators`: a file, a root, or the configuration itself.
    Plugin(&'k Spanned<String>),
    /// A file: `crds`, `configurations`, `openapi.path`, the `path` of a patch or replacement.
    File(&'k Spanned<String>),
    /// `patchesStrategicMerge`: a file, or the patch itself.
    Patch(&'k Spanned<String>),
    /// The `files` and `envs` of a generator.
    Generator(&'k ConfigMapArgs),
    /// A chart with its values; the second part says where charts are.
    Chart(&'k HelmChart, &'k HelmGlobals),
}

impl Kustomization {
    /// Everything that it names.
    #[must_use]
    pub fn named(&self) -> Vec<Named<'_>> {
        let mut named: Vec<Named<'_>> = self.resources.iter().map(Named::Resource).collect();
        named.extend(self.components.iter().map(Named::Component));
        let plugins = self.generators.iter().chain(&self.transformers).chain(&self.validators);
        named.extend(plugins.map(Named::Plugin));
        named.extend(self.crds.iter().chain(&self.configurations).chain(&self.openapi_path).map(Named::File));
        let patches = self.patches.iter().chain(&self.patches_json6902);
        named.extend(patches.filter_map(|patch| patch.path.as_ref()).map(Named::File));
        named.extend(self.patches_strategic_merge.iter().map(Named::Patch));
        named.extend(files_of(&self.replacements));
        named.extend(self.config_maps.iter().map(Named::Generator));
        named.extend(self.secrets.iter().map(|args| Named::Generator(&args.common)));
        named.extend(self.helm_charts.iter().map(|chart| Named::Chart(chart, &self.helm_globals)));
        named
    }
}

impl Plugin {
    /// Everything that it names.
    #[must_use]
    pub fn named(&self) -> Vec<Named<'_>> {
        match self {
            Self::Patch(patch) => patch.path.iter().map(Named::File).collect(),
            Self::ValueAdd(args) => args.target_file_path.iter().map(Named::File).collect(),
            Self::PatchStrategicMerge(patches) => patches.iter().map(Named::Patch).collect(),
            Self::Replacements(fields) => files_of(fields).collect(),
            Self::ConfigMap(args) => vec![Named::Generator(args)],
            Self::Secret(args) => vec![Named::Generator(&args.common)],
            Self::HelmChart(chart, globals) => vec![Named::Chart(chart, globals)],
            Self::Annotations { .. }
            | Self::Labels { .. }
            | Self::Namespace { .. }
            | Self::Prefix { .. }
            | Self::Suffix { .. }
            | Self::PrefixSuffix { .. }
            | Self::Image { .. }
            | Self::Replicas { .. }
            | Self::Hash
            | Self::IamPolicy(_) => Vec::new(),
        }
    }
}

fn files_of(replacements: &[ReplacementField]) -> impl Iterator<Item = Named<'_>> {
    replacements.iter().filter_map(|field| match field {
        ReplacementField::File(path) => Some(Named::File(path)),
        ReplacementField::Inline(_) => None,
    })
}
