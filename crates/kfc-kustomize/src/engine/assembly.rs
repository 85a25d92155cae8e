//! Bundles that are made of many roots, each with an owner, rather than of one kustomization tree.

use super::accumulate::{accumulate, apply_component};
use super::accumulated::{Accumulated, Track};
use super::bundle::Bundle;
use super::finish::{self, Settings};
use super::{load, openapi};
use crate::provenance::{Declared, Stage};
use crate::resource::{Resource, ResourceSet};
use crate::transform::TransformerConfig;
use kfc_diagnostics::{Code, Mark, Result};
use kfc_kube::schema::Schema;
use kfc_source::Loader;
use kfc_yaml::Node;
use std::sync::Arc;

/// What one root, or several, came to.
#[derive(Default)]
pub struct Part(Accumulated);

impl Part {
    /// Loads and accumulates a root, without fixing references: those may lead into other parts.
    ///
    /// # Errors
    /// Everything that is wrong with the root.
    pub fn build(loader: Loader, schema: &Arc<Schema>, keep_origins: bool) -> Result<Self> {
        let mut root = load::load(loader, schema)?;
        openapi::assign(&mut root, &mut openapi::InForce::default());
        accumulate(root, track(keep_origins)).map(Self)
    }

    /// As [`Part::build`], for a root whose kustomization is not a file: `document` has its fields, and locations in `file`, which
    /// is in the directory of `loader`.
    ///
    /// # Errors
    /// Everything that is wrong with the root.
    pub fn of_document(
        loader: Loader,
        document: &Node,
        file: &str,
        schema: &Arc<Schema>,
        keep_origins: bool,
    ) -> Result<Self> {
        let mut root = load::load_document(loader, document, file, schema)?;
        openapi::assign(&mut root, &mut openapi::InForce::default());
        accumulate(root, track(keep_origins)).map(Self)
    }

    /// Adds what another root came to.
    ///
    /// # Errors
    /// Resources and variables that already exist.
    pub fn join(&mut self, other: Self) -> Result<()> {
        let first_new = self.0.set.list.len();
        self.0.take(other.0)?;
        self.0.set.check_unique(first_new)
    }

    /// Leaves out the resources that do not fit: they belong to another part, which has the same root. So that no two parts have
    /// the same variables, those of this one get their values before, while all resources are there.
    ///
    /// # Errors
    /// Variables without a value.
    pub fn narrow(&mut self, fits: impl FnMut(&Resource) -> bool) -> Result<()> {
        let Accumulated { set, config, vars, .. } = &mut self.0;
        // A variable that nothing uses is upstream's affair.
        std::mem::take(vars).resolve(set, config.as_deref().unwrap_or(&TransformerConfig::default()))?;
        set.list.retain(fits);
        Ok(())
    }

    /// Drops the warnings of deprecated fields: who builds the files of others cannot change them.
    pub fn forgive_deprecated(&mut self) {
        self.0.warnings.0.retain(|warning| warning.code != Code::Deprecated);
    }

    /// Its resources.
    pub fn resources(&mut self) -> &mut ResourceSet {
        &mut self.0.set
    }
}

/// A bundle in the making.
#[derive(Default)]
pub struct Assembly {
    accumulated: Accumulated,
    schema: Arc<Schema>,
    keep_origins: bool,
    /// What the next steps are a part of, when origins are kept.
    stage: Option<Stage>,
}

fn track(fields: bool) -> Track {
    Track { fields, ..Track::default() }
}

impl Assembly {
    /// An empty one; parts and kustomize components merge with this schema.
    #[must_use]
    pub fn new(schema: Arc<Schema>, keep_origins: bool) -> Self {
        Self { schema, keep_origins, ..Self::default() }
    }

    /// Says what the next steps are a part of, when origins are kept.
    pub fn enter(&mut self, stage: impl FnOnce() -> Stage) {
        if self.keep_origins {
            let stage = stage();
            self.accumulated.set.list.iter_mut().for_each(|resource| resource.enter_stage(Some(&stage)));
            self.stage = Some(stage);
        }
    }

    /// Says that the next steps are a part of nothing.
    pub fn leave(&mut self) {
        if self.stage.take().is_some() {
            self.accumulated.set.list.iter_mut().for_each(|resource| resource.enter_stage(None));
        }
    }

    /// Adds an entry that asks for a change, when origins are kept.
    pub fn declare(&mut self, entry: impl FnOnce() -> Declared) {
        if self.keep_origins {
            self.accumulated.origins.get_or_insert_default().declared.push(entry());
        }
    }

    /// Adds a part; all its resources belong to `owner`.
    ///
    /// # Errors
    /// Resources that already exist.
    pub fn add(&mut self, mut part: Part, owner: u32) -> Result<()> {
        for resource in &mut part.0.set.list {
            resource.owner = Some(owner);
        }
        let first_new = self.accumulated.set.list.len();
        self.accumulated.take(part.0)?;
        self.accumulated.set.check_unique(first_new)
    }

    /// Applies a kustomize component, named at `entry`, to all that is there. What it adds belongs to `owner`.
    ///
    /// # Errors
    /// Everything that is wrong with it, and patches that find no target.
    pub fn apply(&mut self, loader: Loader, entry: Option<Mark>, owner: Option<u32>) -> Result<()> {
        let known = |resource: &Resource| resource.owner.is_some();
        let mut root = load::load_component(loader, entry, &self.schema)?;
        openapi::assign(&mut root, &mut openapi::InForce::after_others());
        let unowned_before = self.accumulated.set.list.iter().filter(|r| !known(r)).count();
        apply_component(root, &mut self.accumulated, track(self.keep_origins))?;
        let added = self.accumulated.set.list.iter_mut().filter(|r| !known(r)).skip(unowned_before);
        for resource in added {
            resource.owner = owner;
            if let Some(stage) = &self.stage {
                resource.came_with(stage);
            }
        }
        Ok(())
    }

    /// All resources so far.
    pub fn resources(&mut self) -> &mut ResourceSet {
        &mut self.accumulated.set
    }

    /// Fixes references, and hashes names. The resources keep the order in which they were added.
    ///
    /// # Errors
    /// References and variables that cannot be resolved.
    pub fn finish(mut self) -> Result<Bundle> {
        self.leave();
        finish::finish(self.accumulated, &Settings::unsorted())
    }
}
