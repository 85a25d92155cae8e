//! Runs the plug-ins that `generators`, `transformers` and `validators` configure, and charts.

use super::accumulated::Track;
use super::load::{self, Root};
use super::{function, origin, read};
use crate::generate;
use crate::kustomization::model::{HelmChart, HelmGlobals};
use crate::kustomization::plugin::{self, Plugin};
use crate::provenance::{Step, StepKind};
use crate::reference::replacements;
use crate::resource::{Resource, ResourceSet};
use crate::transform::patch;
use crate::transform::{annotations, images, labels, namespace, prefix, replicas, suffix, value_add};
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Result};
use kfc_yaml::parse;
use std::sync::LazyLock;

/// Runs one generator configuration.
///
/// # Errors
/// A configuration that is wrong or is not a generator, and what the generator itself finds.
pub(super) fn generate(
    config: &Resource,
    root: &Root,
    warnings: &mut Diagnostics,
    track: Track,
) -> Result<Vec<Resource>> {
    let mut made = match function::external(config, root)? {
        Some(external) => external.generate(warnings)?,
        None => generate_builtin(config, root, warnings)?,
    };
    if track.fields {
        let step = Step::new(StepKind::Generator, config.mark()).with_text(config.mark());
        for resource in &mut made {
            resource.keep_history(step.clone());
        }
    }
    if track.annotations {
        for resource in &mut made {
            origin::made_by(resource, &origin::of_plugin(config))?;
        }
    }
    Ok(made)
}

fn generate_builtin(config: &Resource, root: &Root, warnings: &mut Diagnostics) -> Result<Vec<Resource>> {
    let (plugin, found) = plugin::read(&config.located_node())?;
    warnings.extend(found);
    Ok(match plugin {
        Plugin::ConfigMap(args) => vec![generate::config_map::generate(&args, None, &root.loader)?],
        Plugin::Secret(args) => vec![generate::secret::generate(&args, None, &root.loader)?],
        Plugin::HelmChart(chart, globals) => self::chart(&chart, &globals, root)?,
        Plugin::IamPolicy(args) => {
            vec![read::resource(generate::iam_policy::generate(&args)?, &root.schema)?]
        }
        _ => return Err(wrong_field(config, "a transformer", "transformers").into()),
    })
}

/// Renders a chart.
///
/// # Errors
/// Helm's own, and output of it that is not a resource.
pub(super) fn chart(chart: &HelmChart, globals: &HelmGlobals, root: &Root) -> Result<Vec<Resource>> {
    let text = generate::helm::render(chart, globals, &root.loader)?;
    let (id, source) = root.loader.sources().add(format!("chart {}", chart.name), text);
    let (documents, _) = parse::parse_resources(&source.text, id)?;
    let mut resources = read::resources(documents, &root.schema)?;
    for resource in &mut resources {
        resource.helm_generated = true;
    }
    Ok(resources)
}

/// Runs one transformer or validator configuration on the resources.
///
/// # Errors
/// A configuration that is wrong or is not a transformer, and what the transformer itself finds.
pub(super) fn transform(
    config: &Resource,
    root: &Root,
    set: &mut ResourceSet,
    warnings: &mut Diagnostics,
) -> Result<()> {
    if let Some(external) = function::external(config, root)? {
        let step = Step::new(StepKind::Transformer, config.mark()).with_details(config.kind());
        return external.transform(set, &step, warnings);
    }
    let (plugin, found) = plugin::read(&config.located_node())?;
    warnings.extend(found);
    let step = LazyLock::new(|| Step::new(StepKind::Transformer, config.mark()).with_details(config.kind()));
    let mut pass = set.pass(&step);
    match plugin {
        Plugin::Annotations { annotations, fields } => annotations::apply(pass, &annotations, &fields),
        Plugin::Labels { labels, fields } => labels::apply(pass, &labels, &fields),
        Plugin::Namespace { namespace, fields, rules } => namespace::apply(pass, &namespace, &fields, rules),
        Plugin::Prefix { prefix, fields } => prefix::apply(pass, &prefix, &fields),
        Plugin::Suffix { suffix, fields } => suffix::apply(pass, &suffix, &fields),
        Plugin::PrefixSuffix { prefix, suffix, fields } => {
            prefix::apply(pass.again(), &prefix, &fields)?;
            suffix::apply(pass, &suffix, &fields)
        }
        Plugin::Image { image, fields } => images::apply(pass.set, &image, &fields),
        Plugin::Replicas { replica, fields } => replicas::apply(pass.set, &replica, &fields),
        Plugin::Patch(patch) => {
            let patch = load::load_patch(&root.loader, &patch)?;
            warnings.extend(patch::apply_patches(pass.set, &[patch], &root.schema)?);
            Ok(())
        }
        Plugin::PatchStrategicMerge(items) => {
            let patches = load::load_strategic_plugin(&root.loader, &items, config.mark().known())?;
            warnings.extend(patch::apply_patches(pass.set, &patches, &root.schema)?);
            Ok(())
        }
        Plugin::Replacements(fields) => {
            let (replacements, found) = load::load_replacements(&root.loader, &fields)?;
            warnings.extend(found);
            replacements::apply(pass.set, &replacements)
        }
        Plugin::Hash => generate::hash::append_to_names(pass.set),
        Plugin::ValueAdd(args) => {
            let (args, found) = load::load_value_add(&root.loader, args, config.mark().known())?;
            warnings.extend(found);
            value_add::apply(pass, &args)
        }
        Plugin::ConfigMap(_) | Plugin::Secret(_) | Plugin::HelmChart(..) | Plugin::IamPolicy(_) => {
            Err(wrong_field(config, "a generator", "generators").into())
        }
    }
}

fn wrong_field(config: &Resource, is: &str, field: &str) -> Diagnostic {
    Diagnostic::error(Code::Plugin, format!("{} is {is}", config.kind()))
        .at(config.node.mark)
        .help(format!("list it under `{field}`"))
}
