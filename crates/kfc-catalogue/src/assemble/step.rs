//! The steps of the catalogue, as the provenance of fields names them.

use kfc_diagnostics::Mark;
use kfc_kustomize::provenance::{Declared, Stage, Step, StepKind};

/// `set` of a component or overlay.
pub const SETTER: StepKind = StepKind::Other("set");
/// An overlay as a whole.
pub const OVERLAY: StepKind = StepKind::Other("overlay");
/// A parameter that the user set.
pub const PARAMETER: StepKind = StepKind::Other("parameter");

/// An overlay of the catalogue or of a stack that was applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppliedOverlay {
    /// Its name or path.
    pub name: String,
    /// The condition that selected it.
    pub when: Option<String>,
    /// Location of its name.
    pub place: Option<Mark>,
}

impl AppliedOverlay {
    /// The overlay that a step is a part of.
    #[must_use]
    pub fn of(step: &Step) -> Option<&Self> {
        step.stage.as_ref()?.get()
    }

    /// The stage of its steps.
    pub(super) fn stage(&self) -> Stage {
        Stage::new(self.clone())
    }

    /// The entry that selects it.
    pub(super) fn declared(&self) -> Declared {
        Declared::new(Step::new(OVERLAY, self.place).in_stage(self.stage()), self.name.clone())
    }
}
