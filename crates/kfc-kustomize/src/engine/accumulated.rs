//! The resources of a root before references are fixed.

use crate::provenance::Origins;
use crate::reference::vars::VarSet;
use crate::resource::ResourceSet;
use crate::transform::TransformerConfig;
use kfc_diagnostics::{Diagnostics, Result};
use std::sync::Arc;

/// The resources of a root, and of all roots below it, before references are fixed.
#[derive(Default)]
pub(super) struct Accumulated {
    /// The resources.
    pub set: ResourceSet,
    /// The field specs of the root and of all below it; none before the first root was entered.
    pub config: Option<Arc<TransformerConfig>>,
    /// The variables of the root and of all below it.
    pub vars: VarSet,
    /// Deprecated fields and other warnings.
    pub warnings: Diagnostics,
    /// What asked for changes, when origins are kept.
    pub origins: Option<Origins>,
}

/// What resources remember while they are accumulated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Track {
    /// Their files and what transformed them, for the annotations that `buildMetadata` asks for.
    pub annotations: bool,
    /// Where the value of each field comes from.
    pub fields: bool,
}

impl Accumulated {
    /// Takes in what another root came to; identities are checked by the caller, once for all.
    pub(super) fn take(&mut self, part: Accumulated) -> Result<()> {
        self.set.list.extend(part.set.list);
        self.set.gone.extend(part.set.gone);
        self.warnings.extend(part.warnings);
        if let Some(origins) = part.origins {
            self.origins.get_or_insert_default().take(origins);
        }
        if let Some(config) = &part.config {
            self.merge_config(config)?;
        }
        self.vars.absorb(part.vars)
    }

    /// Adds the field specs of a root.
    pub(super) fn merge_config(&mut self, more: &Arc<TransformerConfig>) -> Result<()> {
        match &mut self.config {
            None => self.config = Some(Arc::clone(more)),
            Some(config) => *config = TransformerConfig::merge_shared(config, more)?,
        }
        Ok(())
    }
}
