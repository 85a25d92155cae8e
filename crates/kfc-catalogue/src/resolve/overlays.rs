//! Which overlays of the catalogue are applied, and in which order.

use super::expression::Scope;
use super::plan::{Planned, PlannedOverlay};
use super::profile::Profile;
use crate::catalogue::{Catalogue, Overlay};
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Result, nearest};
use serde_json::Value;

/// Chooses the overlays whose components are all selected and whose conditions hold, ordered by `after`, then by name.
///
/// # Errors
/// Unknown names, conditions that cannot be computed, overlays that come after each other in a circle.
pub(super) fn choose(
    catalogue: &Catalogue,
    components: &[Planned],
    scope: &Scope,
) -> Result<Vec<PlannedOverlay>> {
    let mut errors = Diagnostics::default();
    let mut chosen: Vec<&Overlay> = Vec::new();
    for overlay in catalogue.overlays.values() {
        errors.collect(check_names(catalogue, overlay));
        let takes_part = |name: &str| components.iter().any(|c| c.name() == name && !c.present);
        let fits = overlay.components.iter().all(|name| takes_part(&name.value));
        if fits && errors.collect(scope.allows(overlay.when.as_ref())) == Some(true) {
            chosen.push(overlay);
        }
    }
    let ordered = errors.collect(order(&chosen)).unwrap_or_default();
    let planned = |overlay: &Overlay| PlannedOverlay { overlay: overlay.clone(), scope: scope.clone() };
    errors.into_result(ordered.into_iter().map(planned).collect())
}

/// Overlays see global parameters, and those of each component below its name.
pub(super) fn scope(components: &[Planned], profile: &Profile, global: &Value) -> Scope {
    let mut parameters = global.as_object().cloned().unwrap_or_default();
    parameters.extend(components.iter().map(|c| (c.name().to_owned(), c.parameters.clone())));
    let names: Vec<String> = components.iter().map(|c| c.name().to_owned()).collect();
    Scope::new(&profile.tree(), &Value::Object(parameters), &names)
}

fn check_names(catalogue: &Catalogue, overlay: &Overlay) -> Result<()> {
    let mut errors = Diagnostics::default();
    for name in overlay.components.iter().filter(|name| !catalogue.components.contains_key(&name.value)) {
        let message =
            format!("the overlay `{}` is for `{}`, which does not exist", overlay.name.value, name.value);
        let error = Diagnostic::error(Code::UnknownComponent, message).at(name.mark);
        let near = nearest(&name.value, catalogue.components.keys().map(String::as_str));
        errors.push(error.helped(near.map(|near| format!("did you mean `{near}`?"))));
    }
    for name in overlay.after.iter().filter(|name| !catalogue.overlays.contains_key(&name.value)) {
        let message = format!(
            "the overlay `{}` comes after `{}`, which does not exist",
            overlay.name.value, name.value
        );
        let error = Diagnostic::error(Code::UnknownOverlay, message).at(name.mark);
        let near = nearest(&name.value, catalogue.overlays.keys().map(String::as_str));
        errors.push(error.helped(near.map(|near| format!("did you mean `{near}`?"))));
    }
    errors.into_result(())
}

fn order<'o>(chosen: &[&'o Overlay]) -> Result<Vec<&'o Overlay>> {
    let mut left: Vec<&Overlay> = chosen.to_vec();
    let mut ordered: Vec<&Overlay> = Vec::with_capacity(left.len());
    while !left.is_empty() {
        let waits = |overlay: &Overlay| {
            overlay.after.iter().any(|name| left.iter().any(|other| other.name.value == name.value))
        };
        if let Some(at) = left.iter().position(|overlay| !waits(overlay)) {
            ordered.push(left.remove(at));
        } else {
            let names: Vec<String> = left.iter().map(|overlay| format!("`{}`", overlay.name.value)).collect();
            let message = format!("overlays come after each other in a circle: {}", names.join(", "));
            return Err(Diagnostic::error(Code::RequirementCycle, message).at(left[0].name.mark).into());
        }
    }
    Ok(ordered)
}
