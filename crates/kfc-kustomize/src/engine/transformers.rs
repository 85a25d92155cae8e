//! The transformers of a root, in kustomize's order: those that fields of the kustomization configure, then those that
//! `transformers` lists; and its validators.

use super::accumulated::{Accumulated, Track};
use super::load::Root;
use super::{declared, origin, plugin};
use crate::kustomization::Skippable;
use crate::kustomization::model::Kustomization;
use crate::provenance::{Step, StepKind};
use crate::reference::replacements;
use crate::resource::{CompiledSelector, Resource, ResourceSet};
use crate::transform::patch::{self, LoadedPatch};
use crate::transform::{TransformerConfig, annotations, images, labels, namespace, prefix, replicas, suffix};
use crate::types::NamespaceRules;
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Mark, Result};
use std::sync::LazyLock;

/// What one step of a root needs.
struct Steps<'a> {
    root: &'a Root,
    config: &'a TransformerConfig,
    set: &'a mut ResourceSet,
    errors: Diagnostics,
    warnings: &'a mut Diagnostics,
    track: Track,
}

/// Runs the transformers that fields of a root configure over all resources accumulated so far.
///
/// # Errors
/// The errors of each step; a step runs even when an earlier one failed, so that errors that have nothing to do with each
/// other come out in one run.
pub(super) fn run_fields(root: &Root, into: &mut Accumulated, track: Track) -> Result<()> {
    let default = TransformerConfig::default();
    let Accumulated { set, config, warnings, .. } = into;
    let config = config.as_deref().unwrap_or(&default);
    let mut steps = Steps { root, config, set, errors: Diagnostics::default(), warnings, track };
    steps.patches();
    steps.names();
    steps.metadata();
    steps.values();
    steps.errors.into_result(())
}

/// Runs the transformers that `transformers` of a root lists, each after the one before it succeeded.
///
/// # Errors
/// Those of the first transformer that fails.
pub(super) fn run_configured(
    configs: &[Resource],
    root: &Root,
    into: &mut Accumulated,
    track: Track,
) -> Result<()> {
    let Accumulated { set, warnings, origins, .. } = into;
    for config in configs {
        plugin::transform(config, root, set, warnings)?;
        if track.fields {
            let declared = declared::of_transformer(config.kind(), config.node.mark);
            origins.get_or_insert_default().declared.push(declared);
        }
        if track.annotations {
            origin::add_transformation(set, &origin::of_plugin(config));
        }
    }
    Ok(())
}

impl Steps<'_> {
    /// Notes the result of the transformer `kind`, and on every resource that it ran.
    fn ran(&mut self, kind: &str, result: Result<()>) {
        self.errors.collect(result);
        if self.track.annotations {
            origin::add_transformation(self.set, &origin::of_field(&self.root.origin, &self.root.file, kind));
        }
    }

    /// One transformer for all patches of `patchesStrategicMerge`, then one for each of `patches`.
    fn patches(&mut self) {
        let root = self.root;
        if !root.patches_strategic_merge.is_empty() {
            let result = self.patched(&root.patches_strategic_merge);
            self.ran("PatchStrategicMergeTransformer", result);
        }
        self.patch_each("PatchTransformer", &root.patches);
    }

    fn patch_each(&mut self, kind: &str, patches: &[LoadedPatch]) {
        if !self.track.annotations {
            let result = self.patched(patches);
            self.errors.collect(result);
            return;
        }
        for patch in patches {
            let result = self.patched(std::slice::from_ref(patch));
            self.ran(kind, result);
        }
    }

    fn patched(&mut self, patches: &[LoadedPatch]) -> Result<()> {
        self.warnings.extend(patch::apply_patches(self.set, patches, &self.root.schema)?);
        Ok(())
    }

    fn names(&mut self) {
        let root = self.root;
        let Kustomization { namespace, name_prefix, name_suffix, places, .. } = &root.kustomization;
        if !namespace.is_empty() {
            let step = Step::new(StepKind::Namespace, places.namespace);
            let exempt = self.exempt(Skippable::Namespace);
            let pass = self.set.pass(&step).except(&exempt);
            let result = namespace::apply(pass, namespace, &self.config.namespace, NamespaceRules::default());
            self.ran("NamespaceTransformer", result);
        }
        if !name_prefix.is_empty() {
            let step = Step::new(StepKind::NamePrefix, places.name_prefix);
            let exempt = self.exempt(Skippable::NamePrefix);
            let pass = self.set.pass(&step).except(&exempt);
            let result = prefix::apply(pass, name_prefix, &self.config.name_prefix);
            self.ran("PrefixTransformer", result);
        }
        if !name_suffix.is_empty() {
            let step = Step::new(StepKind::NameSuffix, places.name_suffix);
            let exempt = self.exempt(Skippable::NameSuffix);
            let pass = self.set.pass(&step).except(&exempt);
            let result = suffix::apply(pass, name_suffix, &self.config.name_suffix);
            self.ran("SuffixTransformer", result);
        }
    }

    /// The selectors of the resources that `kfc.dev` excepts from a transformer. One that selects nothing is an error: it has a
    /// mistake, or is not needed any more.
    fn exempt(&mut self, transformer: Skippable) -> Vec<CompiledSelector> {
        let mut exempt = Vec::new();
        let skip = &self.root.kustomization.extensions.skip;
        for skip in skip.iter().filter(|skip| skip.transformers.contains(&transformer)) {
            let Some(selector) = self.errors.collect(skip.target.compile()) else { continue };
            if !self.set.list.iter().any(|resource| selector.matches(resource)) {
                let error = Diagnostic::error(Code::NoTarget, "this target selects no resource");
                self.errors
                    .push(error.at(skip.target.mark).help("correct it, or remove the entry of `skip`"));
            }
            exempt.push(selector);
        }
        exempt
    }

    fn metadata(&mut self) {
        let kustomization = &self.root.kustomization;
        let places = &kustomization.places;
        for label in &kustomization.labels {
            let step = LazyLock::new(|| Step::new(StepKind::Labels, label.mark).with_keys(&label.places));
            let fields = labels::fields_of(label, self.config);
            let result = fields.and_then(|fields| labels::apply(self.set.pass(&step), &label.pairs, &fields));
            self.ran("LabelTransformer", result);
        }
        // With `labels` alone kustomize runs the transformer of `commonLabels` too: it changes nothing, but leaves a note.
        if !kustomization.common_labels.is_empty() || !kustomization.labels.is_empty() {
            let step = LazyLock::new(|| Step::of_keys(StepKind::CommonLabels, &places.common_labels));
            let pass = self.set.pass(&step);
            let result = labels::apply(pass, &kustomization.common_labels, &self.config.common_labels);
            self.ran("LabelTransformer", result);
        }
        if !kustomization.common_annotations.is_empty() {
            let annotations = &kustomization.common_annotations;
            let step =
                LazyLock::new(|| Step::of_keys(StepKind::CommonAnnotations, &places.common_annotations));
            let pass = self.set.pass(&step);
            let result = annotations::apply(pass, annotations, &self.config.common_annotations);
            self.ran("AnnotationsTransformer", result);
        }
    }

    fn values(&mut self) {
        let root = self.root;
        self.patch_each("PatchJson6902Transformer", &root.patches_json6902);
        for replica in &root.kustomization.replicas {
            let result = replicas::apply(self.set, replica, &self.config.replicas);
            self.ran("ReplicaCountTransformer", result);
        }
        self.images();
        if !root.replacements.is_empty() {
            let result = replacements::apply(self.set, &root.replacements);
            self.ran("ReplacementTransformer", result);
        }
    }

    /// All images in one walk, unless each has to leave a note on what it ran over.
    fn images(&mut self) {
        let images = &self.root.kustomization.images;
        if !self.track.annotations {
            let result = images::apply_all(self.set, images, &self.config.images);
            self.errors.collect(result);
            return;
        }
        for image in images {
            let result = images::apply(self.set, image, &self.config.images);
            self.ran("ImageTagTransformer", result);
        }
    }
}

/// Runs the validators of a root. A validator may fail; it may not change a resource.
///
/// # Errors
/// [`Code::Validation`] when one does, else its own errors.
pub(super) fn validate(configs: &[Resource], root: &Root, into: &mut Accumulated) -> Result<()> {
    for config in configs {
        let mut copy = into.set.clone();
        plugin::transform(config, root, &mut copy, &mut into.warnings)?;
        let changed = copy.list.len() != into.set.list.len()
            || copy.list.iter().zip(&into.set.list).any(|(after, before)| after.node != before.node);
        if changed {
            return Err(changes_resources(config.kind(), config.node.mark).into());
        }
    }
    Ok(())
}

fn changes_resources(kind: &str, mark: Mark) -> Diagnostic {
    Diagnostic::error(Code::Validation, format!("the validator {kind} changes resources"))
        .at(mark)
        .help("a validator must not change resources; list it under `transformers` if it should")
}
