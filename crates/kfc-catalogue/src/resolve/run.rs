//! Resolves a stack, step by step.

use super::plan::{Edge, Plan, Planned, Published};
use super::profile::Profile;
use super::{graph, overlays, parameters, requirements, secrets, user_profiles};
use crate::catalogue::{Catalogue, Parameter, Stack};
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Result};
use kfc_yaml::Spanned;
use serde_json::Value;

/// Resolves a stack.
///
/// # Errors
/// Contradictions and names that do not exist, with the whole chain of requirements and what to change. Every parameter that
/// is refused is reported, also when the profile or the choice of components fails, and so is every component that does not
/// exist.
pub fn resolve(catalogue: &Catalogue, stack: &Stack) -> Result<Plan> {
    let mut errors = Diagnostics::default();
    errors.collect(parameters::check(catalogue, &stack.parameters));
    let joined = Profile::join(catalogue, &stack.platform, &stack.facts, &stack.observed);
    let Some(profile) = errors.collect(joined) else { return Err(with_names(errors, catalogue, stack)) };
    let read = parameters::Parameters::read(catalogue, &profile, &stack.parameters);
    let Some(parameters) = errors.collect(read) else { return Err(with_names(errors, catalogue, stack)) };
    let chosen = errors.collect(requirements::choose(catalogue, stack, &profile, &parameters));
    let Some(chosen) = chosen.filter(|_| errors.is_empty()) else { return Err(errors) };
    let order = graph::order(&chosen)?;
    let names: Vec<String> = order.iter().map(|place| chosen.list[place.index].name.clone()).collect();
    let mut warnings = parameters::former_words(catalogue, &stack.parameters);
    for (name, mark) in parameters.components_named().filter(|(name, _)| !names.iter().any(|n| n == name)) {
        let message = format!("parameters are set for `{name}`, which is not selected");
        warnings.push(Diagnostic::warning(Code::Parameter, message).at(mark));
    }
    let has_no_effect =
        |name: &&Spanned<String>| !chosen.left_out.contains(&name.value) && !names.contains(&name.value);
    for name in stack.without.iter().filter(has_no_effect) {
        let message = format!("`{}` is left out, but nothing would select it", name.value);
        warnings.push(Diagnostic::warning(Code::LeftOut, message).at(name.mark));
    }
    let position = |index: usize| order.iter().position(|place| place.index == index).unwrap_or(0);
    let edges = chosen.edges.iter().map(|edge| Edge {
        from: position(edge.from),
        to: position(edge.to),
        ..edge.clone()
    });
    let mut edges: Vec<Edge> = edges.collect();
    edges.sort_by_key(|edge| (edge.from, edge.to));
    let components: Vec<Planned> = order
        .iter()
        .map(|place| {
            let one = &chosen.list[place.index];
            Planned {
                component: one.component.clone(),
                reason: one.reason.clone(),
                present: one.present,
                scope: parameters.scope(&one.parameters, &names),
                parameters: one.parameters.clone(),
                depth: place.depth,
            }
        })
        .collect();
    let scope = overlays::scope(&components, &profile, parameters.global());
    let overlays = overlays::choose(catalogue, &components, &scope)?;
    let secrets = secrets::plan((catalogue, &profile), stack, &components, &mut warnings)?;
    let user_profiles = user_profiles::plan(catalogue, stack, &components)?;
    let published = published(catalogue, &components);
    let parameters = parameters.global().clone();
    let declared = catalogue.global_parameters().to_vec();
    let name = stack.name.clone();
    let installed = || components.iter().filter(|planned| !planned.present).map(|planned| &planned.component);
    let of_overlays = || overlays.iter().map(|planned| &planned.overlay);
    let ignore = installed().map(|component| &component.ignore);
    let ignore = ignore.chain(of_overlays().map(|overlay| &overlay.ignore)).chain([&stack.ignore]);
    let ignore = ignore.flatten().cloned().collect();
    let ready = installed().map(|component| &component.ready);
    let ready = ready.chain(of_overlays().map(|overlay| &overlay.ready)).chain([&stack.ready]);
    let ready = ready.flatten().cloned().collect();
    Ok(Plan {
        name,
        profile,
        parameters,
        scope,
        known_components: catalogue.components.keys().cloned().collect(),
        declared,
        components,
        overlays,
        secrets,
        user_profiles,
        ignore,
        ready,
        edges,
        published,
        warnings,
    })
}

/// The errors, with those of components that do not exist: choosing them needs what is wrong.
fn with_names(mut errors: Diagnostics, catalogue: &Catalogue, stack: &Stack) -> Diagnostics {
    errors.collect(requirements::check_names(catalogue, stack));
    errors
}

fn published(catalogue: &Catalogue, components: &[Planned]) -> Vec<Published> {
    let of = |prefix: &str, parameter: &Parameter| {
        let value = parameter.default.as_ref().filter(|_| parameter.published)?.as_str()?.to_owned();
        let description = parameter.schema.get("description").and_then(Value::as_str).unwrap_or_default();
        let name = format!("{prefix}{}", parameter.name.value);
        Some(Published { name, description: description.to_owned(), value })
    };
    let global = catalogue.global_parameters();
    let own = components.iter().filter(|planned| !planned.present).flat_map(|planned| {
        let prefix = format!("{}.", planned.name());
        planned.component.parameters.iter().map(move |parameter| (prefix.clone(), parameter))
    });
    let all = global.iter().map(|parameter| (String::new(), parameter)).chain(own);
    all.filter_map(|(prefix, parameter)| of(&prefix, parameter)).collect()
}
