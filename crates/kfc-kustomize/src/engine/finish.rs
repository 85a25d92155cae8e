//! The last steps, once for the whole build: content hashes, references, variables, order, and the notes of the build
//! taken out or written down.

use super::accumulated::Accumulated;
use super::bundle::Bundle;
use super::load::Root;
use super::options::{Options, Reorder};
use super::{declared, origin, read};
use crate::generate::hash;
use crate::kustomization::model::SortOptions;
use crate::provenance::{Step, StepKind};
use crate::reference::names;
use crate::resource::{Resource, ResourceSet, make_annotations_texts};
use crate::rules::KUSTOMIZE_VERSION;
use crate::transform::{TransformerConfig, labels, order};
use kfc_diagnostics::{Diagnostics, Result};
use kfc_yaml::Node;
use rayon::prelude::*;

/// What the top root and the command line say of the output.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a word of `buildMetadata`, and they are independent"
)]
pub(super) struct Settings {
    sort: Option<SortOptions>,
    managed_by_label: bool,
    origin_annotations: bool,
    transformer_annotations: bool,
    tracks_origins: bool,
}

impl Settings {
    /// The settings of a build of `root`. `sortOptions` goes before `--reorder`, as in kustomize.
    ///
    /// # Errors
    /// `sortOptions` that are wrong.
    pub(super) fn of(root: &Root, options: &Options) -> Result<Self> {
        let metadata = &root.kustomization.build_metadata;
        let asks = |word: &str| metadata.iter().any(|item| item.value == word);
        let sort = match (&root.kustomization.sort_options, options.reorder) {
            (Some(sort), _) => {
                sort.check()?;
                Some(sort.clone())
            }
            (None, Reorder::None) => None,
            (None, Reorder::Unspecified | Reorder::Legacy) => Some(SortOptions::legacy()),
        };
        Ok(Self {
            sort,
            managed_by_label: options.managed_by_label || asks("managedByLabel"),
            origin_annotations: asks("originAnnotations"),
            transformer_annotations: asks("transformerAnnotations"),
            tracks_origins: !metadata.is_empty(),
        })
    }

    /// Nothing is sorted, labelled or annotated.
    pub(super) fn unsorted() -> Self {
        Self {
            sort: None,
            managed_by_label: false,
            origin_annotations: false,
            transformer_annotations: false,
            tracks_origins: false,
        }
    }

    /// Whether resources have to remember where they come from.
    pub(super) fn tracks_origins(&self) -> bool {
        self.tracks_origins
    }
}

/// Finishes what the top root has accumulated.
///
/// # Errors
/// Names that cannot be hashed, references and variables that cannot be resolved, annotations of the wrong type.
pub(super) fn finish(accumulated: Accumulated, settings: &Settings) -> Result<Bundle> {
    let Accumulated { mut set, config, vars, mut warnings, mut origins } = accumulated;
    let config = config.unwrap_or_default();
    hash::append_to_names(&mut set)?;
    names::fix_back_references(&mut set, &config)?;
    let unused = vars.resolve(&mut set, &config)?;
    if let Some(origins) = &mut origins {
        origins.declared.extend(declared::unused_variables(&unused));
    }
    warnings.extend(unused);
    set.retain(|resource| !read::is_local_config(resource));
    if let Some(sort) = &settings.sort {
        order::sort(&mut set, sort);
    }
    if settings.managed_by_label {
        add_managed_by(&mut set)?;
    }
    clean(&mut set)?;
    origin::annotate(&mut set, settings.origin_annotations, settings.transformer_annotations)?;
    Ok(Bundle { resources: set, warnings, origins })
}

fn add_managed_by(set: &mut ResourceSet) -> Result<()> {
    let label = ("app.kubernetes.io/managed-by".to_owned(), format!("kustomize-{KUSTOMIZE_VERSION}"));
    let step = Step::new(StepKind::BuildMetadata, None);
    labels::apply(set.pass(&step), &[label], &TransformerConfig::metadata_labels())
}

fn clean(set: &mut ResourceSet) -> Result<()> {
    let results: Vec<Result<()>> = set.list.par_iter_mut().map(clean_one).collect();
    let mut errors = Diagnostics::default();
    for result in results {
        errors.collect(result);
    }
    errors.into_result(())
}

fn clean_one(resource: &mut Resource) -> Result<()> {
    resource.respell(clean_annotations)
}

fn clean_annotations(object: &mut Node) -> Result<()> {
    read::drop_notes(object);
    read::tidy_annotations(object)?;
    make_annotations_texts(object);
    Ok(())
}
