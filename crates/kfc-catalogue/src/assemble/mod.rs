//! Assembles a plan into a bundle: builds the base of every component, applies setters and overlays, and
//! orders the resources by waves.

mod base;
mod credentials;
mod generator;
mod own_overlay;
mod schedule;
mod secrets;
mod setters;
mod step;
mod user_profiles;
mod waves;

use crate::catalogue::{Base, BaseOrigin, Stack};
use crate::resolve::{Inputs, Plan, Planned};
pub use base::roots as base_roots;
pub use credentials::known_credentials;
pub use generator::SECRET_GENERATOR;
use kfc_diagnostics::{Code, Diagnostics, Result};
use kfc_kube::schema::Schema;
use kfc_kustomize::engine::Bundle;
use kfc_kustomize::engine::assembly::{Assembly, Part};
use kfc_kustomize::resource::Resource;
use kfc_source::Loader;
use kfc_yaml::Spanned;
use own_overlay::OwnOverlay;
use rayon::prelude::*;
pub use schedule::schedule;
pub use secrets::{PlannedRecipe, SECRETS, secrets_of_others};
use std::sync::Arc;
pub use step::{AppliedOverlay, OVERLAY, PARAMETER, SETTER};

/// A bundle whose resources come in waves.
#[derive(Clone, Debug, Default)]
pub struct Assembled {
    /// The resources in order, and warnings.
    pub bundle: Bundle,
    /// The wave of each resource.
    pub waves: Vec<usize>,
    /// How the Secrets are made that are made when they do not exist; those that others copy come before them.
    pub recipes: Vec<PlannedRecipe>,
}

/// Assembles the components and overlays of a plan, then the overlays of the stack.
///
/// # Errors
/// Errors of bases and overlays, setters that select nothing, resources that two components have.
pub fn assemble(plan: &Plan, stack: &Stack, loader: &Loader) -> Result<Assembled> {
    run(plan, stack, loader, false)
}

/// As [`assemble`], with the origin of every field kept; see [`kfc_kustomize::provenance`].
///
/// # Errors
/// Those of [`assemble`].
pub fn assemble_with_origins(plan: &Plan, stack: &Stack, loader: &Loader) -> Result<Assembled> {
    run(plan, stack, loader, true)
}

fn run(plan: &Plan, stack: &Stack, loader: &Loader, keep_origins: bool) -> Result<Assembled> {
    let schema = Arc::new(Schema::builtin());
    let parts: Vec<Option<Result<Part>>> = plan
        .components
        .par_iter()
        .with_max_len(1)
        .map(|planned| {
            let inputs = Inputs { plan, stack, component: Some(&planned.component) };
            (!planned.present).then(|| part(planned, inputs, loader, &schema, keep_origins))
        })
        .collect();
    let mut errors = Diagnostics::default();
    let mut assembly = Assembly::new(Arc::clone(&schema), keep_origins);
    for (owner, part) in (0..).zip(parts) {
        if let Some(part) = part.and_then(|part| errors.collect(part)) {
            errors.collect(assembly.add(part, owner));
        }
    }
    errors.into_result(())?;
    apply_overlays(plan, stack, loader, &mut assembly)?;
    user_profiles::add(plan, &mut assembly)?;
    let departing = secrets::settle(plan, stack, loader, &mut assembly)?;
    apply_own_overlays(plan, stack, loader, &mut assembly)?;
    departing.rename(&mut assembly)?;
    let mut bundle = assembly.finish()?;
    let recipes = departing.leave(plan, &mut bundle)?;
    generator::equip(plan, &recipes, &mut bundle.resources);
    let has_sources = |planned: &Planned| matches!(planned.component.base.origin, BaseOrigin::Sources { .. });
    if plan.components.iter().any(has_sources) {
        // A setter may replace the only use of a variable of upstream.
        bundle.warnings.0.retain(|warning| warning.code != Code::Variable);
    }
    bundle.warnings.extend(plan.warnings.clone());
    let waves = waves::order(plan, &recipes, &mut bundle.resources);
    Ok(Assembled { bundle, waves, recipes })
}

/// The resources of one component, with its parameters.
fn part(
    planned: &Planned,
    inputs: Inputs<'_>,
    loader: &Loader,
    schema: &Arc<Schema>,
    keep_origins: bool,
) -> Result<Part> {
    let mut part = base::part(&planned.component.base, loader, schema, keep_origins)?;
    setters::apply(&planned.component.set, &planned.scope, inputs, &mut part.resources().list)?;
    Ok(part)
}

/// The resources of one base alone, before anything of the catalogue is set: what its roots build.
///
/// # Errors
/// Everything that is wrong with its roots and sources.
pub fn base_bundle(base: &Base, loader: &Loader) -> Result<Bundle> {
    let schema = Arc::new(Schema::builtin());
    let mut assembly = Assembly::new(Arc::clone(&schema), false);
    assembly.add(base::part(base, loader, &schema, false)?, 0)?;
    assembly.finish()
}

/// Every root that [`assemble`] would build, in its order. The charts that components name are requested.
///
/// # Errors
/// Roots that do not exist or cannot be fetched.
pub fn roots(plan: &Plan, stack: &Stack, loader: &Loader) -> Result<Vec<Loader>> {
    let mut errors = Diagnostics::default();
    let mut roots = Vec::new();
    for planned in plan.components.iter().filter(|planned| !planned.present) {
        roots.extend(errors.collect(base::roots(&planned.component.base, loader)).unwrap_or_default());
    }
    for overlay in plan.overlays.iter().map(|planned| &planned.overlay).filter(|overlay| overlay.patches) {
        let root = loader.beside(&overlay.place.folder, &overlay.place.shown, overlay.name.mark);
        roots.extend(errors.collect(root));
    }
    for (path, folder) in own_overlays(stack, loader)? {
        if !OwnOverlay::is_only_setters(&folder, path) {
            roots.extend(errors.collect(base::root_at(&folder, path)));
        }
    }
    errors.into_result(roots)
}

/// Checks that the overlays of a stack are roots, where nothing can be assembled.
///
/// # Errors
/// Those that are not.
pub fn check_overlays(stack: &Stack, loader: &Loader) -> Result<()> {
    let mut errors = Diagnostics::default();
    for (path, folder) in own_overlays(stack, loader)? {
        if !OwnOverlay::is_only_setters(&folder, path) {
            let root = base::root_at(&folder, path);
            errors.collect(root.and_then(|root| root.find_kustomization().map(drop)));
        }
    }
    errors.into_result(())
}

fn apply_overlays(plan: &Plan, stack: &Stack, loader: &Loader, assembly: &mut Assembly) -> Result<()> {
    let mut errors = Diagnostics::default();
    for planned in &plan.overlays {
        let overlay = &planned.overlay;
        // Its resources may need all of its components, so they belong to the last one.
        let owner = overlay.components.iter().filter_map(|name| owner_of(plan, &name.value)).max();
        let applied = AppliedOverlay {
            name: overlay.name.value.clone(),
            when: overlay.when.as_ref().map(|when| when.value.clone()),
            place: overlay.name.mark,
        };
        assembly.enter(|| applied.stage());
        assembly.declare(|| applied.declared());
        if overlay.patches {
            let root = loader.beside(&overlay.place.folder, &overlay.place.shown, overlay.name.mark);
            errors.collect(root.and_then(|root| assembly.apply(root, overlay.name.mark, owner)));
        }
        let resources: &mut Vec<Resource> = &mut assembly.resources().list;
        let inputs = Inputs { plan, stack, component: None };
        errors.collect(setters::apply(&overlay.set, &planned.scope, inputs, resources));
    }
    errors.into_result(())
}

/// The overlays of a stack, each with the directory that its path is relative to.
fn own_overlays<'s>(stack: &'s Stack, loader: &Loader) -> Result<Vec<(&'s Spanned<String>, Loader)>> {
    let mut list = Vec::new();
    for path in &stack.overlays {
        if let Some(place) = stack.place_of(path) {
            list.push((path, loader.beside(&place.folder, &place.shown, path.mark)?));
        }
    }
    Ok(list)
}

/// Applies the setters of the stack, then its overlays.
fn apply_own_overlays(plan: &Plan, stack: &Stack, loader: &Loader, assembly: &mut Assembly) -> Result<()> {
    let mut errors = Diagnostics::default();
    let inputs = Inputs { plan, stack, component: None };
    assembly.leave();
    errors.collect(setters::apply(&stack.set, &plan.scope, inputs, &mut assembly.resources().list));
    for (path, folder) in own_overlays(stack, loader)? {
        let own = OwnOverlay::read(&folder, path);
        let Some(own) = errors.collect(own) else { continue };
        if errors.collect(own.is_applied(plan)) != Some(true) {
            continue;
        }
        let when = own.when().map(|when| when.value.clone());
        let applied = AppliedOverlay { name: path.value.clone(), when, place: path.mark };
        assembly.enter(|| applied.stage());
        assembly.declare(|| applied.declared());
        if own.patches() {
            let root = base::root_at(&folder, path);
            errors.collect(root.and_then(|root| assembly.apply(root, path.mark, None)));
        }
        errors.collect(setters::apply(own.set(), &plan.scope, inputs, &mut assembly.resources().list));
    }
    errors.into_result(())
}

fn owner_of(plan: &Plan, name: &str) -> Option<u32> {
    let at = plan.components.iter().position(|planned| planned.name() == name)?;
    u32::try_from(at).ok()
}
