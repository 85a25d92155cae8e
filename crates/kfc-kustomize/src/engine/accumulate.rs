//! Accumulation: the resources of a root are those of its files and roots in order, then what its generators make; its
//! kustomize components, transformers and validators then work on all of them. Roots under `resources` are independent
//! of each other and accumulate in parallel.

use super::accumulated::{Accumulated, Track};
use super::load::{Entry, PluginConfigs, Root};
use super::{declared, function, origin, plugin, read, transformers};
use crate::generate;
use crate::provenance::{Step, StepKind};
use crate::resource::{Origin, Resource, ResourceSet};
use kfc_diagnostics::{Diagnostics, Mark, Result};
use kfc_kube::schema::Schema;
use kfc_yaml::Spanned;
use rayon::prelude::*;
use std::sync::Arc;

/// Accumulates a root.
///
/// # Errors
/// Everything that is wrong with the tree, as far as later errors do not follow from earlier ones.
pub(super) fn accumulate(root: Root, track: Track) -> Result<Accumulated> {
    let mut into = Accumulated::default();
    accumulate_into(root, &mut into, track)?;
    Ok(into)
}

/// Applies a kustomize component to what is there.
///
/// # Errors
/// As [`accumulate`].
pub(super) fn apply_component(component: Root, into: &mut Accumulated, track: Track) -> Result<()> {
    accumulate_into(component, into, track)
}

/// Accumulates a root on top of what is there: nothing for a root of its own, the resources of the parent for a
/// kustomize component.
fn accumulate_into(mut root: Root, into: &mut Accumulated, track: Track) -> Result<()> {
    into.warnings.extend(std::mem::take(&mut root.warnings));
    if track.fields {
        let origins = into.origins.get_or_insert_default();
        origins.declared.extend(declared::of_root(&root));
        origins.configurations.append(&mut root.configurations);
    }
    let entries = std::mem::take(&mut root.resources);
    add_entries((entries, &root.kustomization.resources), into, &root.schema, track)?;
    into.merge_config(&root.config)?;
    for config in &root.crds {
        into.merge_config(&Arc::new(config.clone()))?;
    }
    let generated = generate_resources(&mut root, &mut into.warnings, track)?;
    into.set.absorb(generated)?;
    for component in std::mem::take(&mut root.components) {
        accumulate_into(component, into, track)?;
    }
    if root.kustomization.extensions.crd_list_keys {
        root.schema = Arc::new(root.schema.with_crds(into.set.list.iter().map(|resource| &resource.node)));
    }
    transformers::run_fields(&root, into, track)?;
    let configs = plugin_configs(std::mem::take(&mut root.transformers), &root, track)?;
    transformers::run_configured(&configs, &root, into, track)?;
    let configs = plugin_configs(std::mem::take(&mut root.validators), &root, track)?;
    transformers::validate(&configs, &root, into)?;
    into.vars.merge(&root.kustomization.vars, &mut into.set)
}

/// Adds the resources of files and roots, in the order of the list, which has `paths`.
fn add_entries(
    (entries, paths): (Vec<Entry>, &[Spanned<String>]),
    into: &mut Accumulated,
    schema: &Schema,
    track: Track,
) -> Result<()> {
    let parts: Vec<Result<Accumulated>> = entries
        .into_par_iter()
        .with_max_len(1)
        .map(|entry| match entry {
            Entry::Root(root) => accumulate(*root, track),
            Entry::File { origin, documents, warnings, is_decrypted } => {
                let mut read = file_resources(documents, &origin, schema, track)?;
                for resource in &mut read.set.list {
                    resource.is_decrypted = is_decrypted;
                }
                Ok(Accumulated { warnings, ..read })
            }
        })
        .collect();
    let mut errors = Diagnostics::default();
    let first_new = into.set.list.len();
    // Where the resources of each entry begin.
    let mut starts = Vec::with_capacity(parts.len());
    for part in parts {
        starts.push(into.set.list.len());
        if let Some(part) = errors.collect(part) {
            errors.collect(into.take(part));
        }
    }
    let listed = |at: usize| {
        let entry = starts.partition_point(|start| *start <= at).checked_sub(1)?;
        paths.get(entry)
    };
    errors.collect(into.set.check_unique_listed(first_new, &listed));
    errors.into_result(())
}

fn file_resources(
    documents: Vec<kfc_yaml::Node>,
    from: &Origin,
    schema: &Schema,
    track: Track,
) -> Result<Accumulated> {
    let mut list = read::resources(documents, schema)?;
    if track.annotations {
        for resource in &mut list {
            resource.origin = Some(from.clone());
            origin::take_transformations(resource)?;
        }
    }
    if track.fields {
        for resource in &mut list {
            resource.keep_history(Step::default());
        }
    }
    Ok(Accumulated { set: ResourceSet::new(list), ..Accumulated::default() })
}

/// Runs the generators of a root: config maps, secrets and charts of its fields, then those configured by `generators`.
fn generate_resources(root: &mut Root, warnings: &mut Diagnostics, track: Track) -> Result<Vec<Resource>> {
    let mut errors = Diagnostics::default();
    let mut generated = Vec::new();
    for (kind, step, resources) in field_generators(root) {
        for mut resource in errors.collect(resources).unwrap_or_default() {
            if track.annotations {
                errors.collect(origin::made_by(
                    &mut resource,
                    &origin::of_field(&root.origin, &root.file, kind),
                ));
            }
            if track.fields {
                resource.keep_history(step.clone());
            }
            generated.push(resource);
        }
    }
    for config in plugin_configs(std::mem::take(&mut root.generators), root, track)? {
        generated
            .extend(errors.collect(plugin::generate(&config, root, warnings, track)).unwrap_or_default());
    }
    errors.into_result(generated)
}

/// The step of a generator; what it makes has places in its file.
fn generator(kind: StepKind, entry: Option<Mark>) -> Step {
    let step = Step::new(kind, entry);
    match entry {
        Some(start) => step.with_text(start),
        None => step,
    }
}

/// What each generator field makes, with the kind of its plug-in and its step.
fn field_generators(root: &Root) -> Vec<(&'static str, Step, Result<Vec<Resource>>)> {
    let kustomization = &root.kustomization;
    let options = kustomization.generator_options.as_ref();
    let maps = kustomization.config_maps.iter().map(|args| {
        let made = generate::config_map::generate(args, options, &root.loader);
        (
            "ConfigMapGenerator",
            generator(StepKind::ConfigMapGenerator, args.mark),
            made.map(|resource| vec![resource]),
        )
    });
    let secrets = kustomization.secrets.iter().map(|args| {
        let made = generate::secret::generate(args, options, &root.loader);
        let step = generator(StepKind::SecretGenerator, args.common.mark);
        ("SecretGenerator", step, made.map(|resource| vec![resource]))
    });
    let charts = kustomization.helm_charts.iter().map(|chart| {
        let made = plugin::chart(chart, &kustomization.helm_globals, root);
        ("HelmChartInflationGenerator", generator(StepKind::HelmCharts, chart.mark), made)
    });
    maps.chain(secrets).chain(charts).collect()
}

/// The configurations of plug-ins as resources: the inline ones, then those of files and roots.
///
/// # Errors
/// What is wrong with the files and roots, and configurations that have the same identity.
fn plugin_configs(configs: PluginConfigs, root: &Root, track: Track) -> Result<Vec<Resource>> {
    if configs.is_empty() {
        return Ok(Vec::new());
    }
    let is_fetched = configs.are_fetched(&root.loader);
    let mut into =
        file_resources(configs.inline, &origin::below(&root.origin, &root.file), &root.schema, track)?;
    into.set.check_unique(0)?;
    add_entries((configs.entries, &[]), &mut into, &root.schema, track)?;
    if is_fetched {
        function::refuse_from_elsewhere(&into.set.list)?;
    }
    Ok(into.set.list)
}
