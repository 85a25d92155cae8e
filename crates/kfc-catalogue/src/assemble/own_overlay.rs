//! An overlay of a stack: a kustomize component, an `overlay.yaml` with setters and a condition, or both.

use super::base::shown_below;
use crate::catalogue::{Overlay, Place, Setter};
use crate::resolve::Plan;
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Result, nearest};
use kfc_source::{KUSTOMIZATION_FILES, Loader};
use kfc_yaml::Spanned;

/// The file of an overlay.
const FILE: &str = "overlay.yaml";

/// An overlay of a stack.
pub(super) struct OwnOverlay(Option<Overlay>);

impl OwnOverlay {
    /// Reads the overlay at a path, relative to a directory.
    ///
    /// # Errors
    /// Those of its `overlay.yaml`, and fields that only overlays of a catalogue have.
    pub(super) fn read(folder: &Loader, path: &Spanned<String>) -> Result<Self> {
        let at = folder.root().join(&path.value);
        if !folder.files().is_file(&at.join(FILE)) {
            return Ok(Self(None));
        }
        let place = Place { folder: at, shown: shown_below(folder, &path.value) };
        let overlay = Overlay::load_own(folder, &place, FILE)?;
        Ok(Self(Some(overlay)))
    }

    /// Whether a directory has an `overlay.yaml`, but no kustomization.
    pub(super) fn is_only_setters(folder: &Loader, path: &Spanned<String>) -> bool {
        let at = folder.root().join(&path.value);
        let has = |name: &str| folder.files().is_file(&at.join(name));
        has(FILE) && !KUSTOMIZATION_FILES.iter().any(|name| has(name))
    }

    /// Whether its components are in the bundle and its condition holds.
    pub(super) fn is_applied(&self, plan: &Plan) -> Result<bool> {
        let Some(overlay) = &self.0 else { return Ok(true) };
        let mut errors = Diagnostics::default();
        let mut is_applied = errors.collect(plan.scope.allows(overlay.when.as_ref())) == Some(true);
        for name in &overlay.components {
            is_applied &=
                plan.components.iter().any(|planned| planned.name() == name.value && !planned.present);
            if !plan.known_components.contains(&name.value) {
                let message = format!("the component `{}` does not exist", name.value);
                let error = Diagnostic::error(Code::UnknownComponent, message).at(name.mark);
                let near = nearest(&name.value, plan.known_components.iter().map(String::as_str));
                errors.push(error.helped(near.map(|near| format!("did you mean `{near}`?"))));
            }
        }
        errors.into_result(is_applied)
    }

    /// Its condition.
    pub(super) fn when(&self) -> Option<&Spanned<String>> {
        self.0.as_ref()?.when.as_ref()
    }

    /// Whether it is a kustomize component.
    pub(super) fn patches(&self) -> bool {
        self.0.as_ref().is_none_or(|overlay| overlay.patches)
    }

    /// Its setters.
    pub(super) fn set(&self) -> &[Spanned<Setter>] {
        self.0.as_ref().map_or(&[], |overlay| &overlay.set)
    }
}
