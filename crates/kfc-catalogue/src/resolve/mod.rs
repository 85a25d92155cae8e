//! Resolves a stack against a catalogue: from a profile and the names of components to a [`Plan`] that says which
//! components and overlays take part, why, with which parameters, and what waits for what. Reads no manifests.

mod expression;
mod graph;
mod inputs;
mod limits;
mod names;
mod overlays;
mod parameters;
mod profile;
mod requirements;
pub(crate) mod schema;

pub use expression::Scope;
pub(crate) use inputs::Inputs;
pub use names::{Expression, Name, names_in, touches};
pub use profile::{Fact, Profile};

use crate::catalogue::{Catalogue, Component, DEFAULTS, Overlay, Parameter, Stack};
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Mark, Result};
use kfc_yaml::fields::Spanned;
use serde_json::Value;

/// The resolved graph.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The stack's name.
    pub name: String,
    /// The profile with its facts.
    pub profile: Profile,
    /// The global parameters.
    pub parameters: Value,
    /// The global parameters as they are declared.
    pub declared: Vec<Parameter>,
    /// The components: those that others need come before them, and where nothing decides, by name.
    pub components: Vec<Planned>,
    /// Catalogue overlays in the order in which they are applied.
    pub overlays: Vec<PlannedOverlay>,
    /// What waits for what.
    pub edges: Vec<Edge>,
    /// Parameters of secrets whose defaults everybody knows: the global ones, then those of the components.
    pub published: Vec<Published>,
    /// What was noticed on the way.
    pub warnings: Diagnostics,
}

/// A parameter of a secret whose default everybody knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// The name by which it is set: `dex.passwordHash`.
    pub name: String,
    /// What it is, and how a value is made.
    pub description: String,
    /// The default.
    pub value: String,
}

/// A component of a plan.
#[derive(Clone, Debug)]
pub struct Planned {
    /// What the catalogue says of it.
    pub component: Component,
    /// Why it takes part.
    pub reason: Reason,
    /// Whether it is on the cluster already and only its capabilities count.
    pub present: bool,
    /// Its parameters.
    pub parameters: Value,
    /// What its expressions see.
    pub scope: Scope,
    /// How many components at most stand one on the other below it.
    pub depth: usize,
}

impl Planned {
    /// The component's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.component.name.text
    }
}

/// Why a component takes part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The user named it.
    Asked,
    /// A layer of the profile has it.
    Platform(String),
    /// Another component requires it, by name or for a capability.
    Required {
        /// The component that requires it.
        by: String,
        /// The capability, if it is not required by name.
        capability: Option<String>,
    },
}

impl Reason {
    /// In words.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Asked => "asked for".to_owned(),
            Self::Platform(layer) => format!("comes with `{layer}`"),
            Self::Required { by, capability: None } => format!("required by {by}"),
            Self::Required { by, capability: Some(capability) } => {
                format!("provides {capability} for {by}")
            }
        }
    }
}

/// An overlay of a plan.
#[derive(Clone, Debug)]
pub struct PlannedOverlay {
    /// What the catalogue says of it.
    pub overlay: Overlay,
    /// What its expressions see.
    pub scope: Scope,
}

/// A component that waits for another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edge {
    /// Index of the component that waits.
    pub from: usize,
    /// Index of the one that it waits for.
    pub to: usize,
    /// The capability, if it is not required by name.
    pub capability: Option<String>,
    /// Where the requirement stands.
    pub mark: Mark,
}

/// Resolves a stack.
///
/// # Errors
/// Everything that contradicts itself or is not there, in words: the whole chain, and what to change.
pub fn resolve(catalogue: &Catalogue, stack: &Stack) -> Result<Plan> {
    let profile = Profile::join(catalogue, &stack.platform, &stack.facts, &stack.observed)?;
    let parameters = parameters::Parameters::read(catalogue, &profile, &stack.parameters)?;
    let chosen = requirements::choose(catalogue, stack, &profile, &parameters)?;
    let order = graph::order(&chosen)?;
    let names: Vec<String> = order.iter().map(|place| chosen.list[place.index].name.clone()).collect();
    let mut warnings = Diagnostics::default();
    for (name, mark) in parameters.components_named().filter(|(name, _)| !names.iter().any(|n| n == name)) {
        let message = format!("parameters are set for `{name}`, which takes no part");
        warnings.push(Diagnostic::warning(Code::Parameter, message).at(mark));
    }
    let has_no_effect =
        |name: &&Spanned| !chosen.left_out.contains(&name.text) && !names.contains(&name.text);
    for name in stack.without.iter().filter(has_no_effect) {
        let message = format!("`{}` is left out, but nothing here would have it", name.text);
        let warning = Diagnostic::warning(Code::LeftOut, message);
        warnings.push(Diagnostic { mark: (name.mark != Mark::NONE).then_some(name.mark), ..warning });
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
    let overlays = overlays::choose(catalogue, &components, &profile, parameters.global())?;
    let published = published(catalogue, &components);
    let parameters = parameters.global().clone();
    let declared = catalogue.layers.get(DEFAULTS).map(|layer| layer.parameters.clone()).unwrap_or_default();
    let name = stack.name.clone();
    Ok(Plan { name, profile, parameters, declared, components, overlays, edges, published, warnings })
}

fn published(catalogue: &Catalogue, components: &[Planned]) -> Vec<Published> {
    let of = |prefix: &str, parameter: &Parameter| {
        let value = parameter.default.as_ref().filter(|_| parameter.published)?.as_str()?.to_owned();
        let description = parameter.schema.get("description").and_then(Value::as_str).unwrap_or_default();
        let name = format!("{prefix}{}", parameter.name.text);
        Some(Published { name, description: description.to_owned(), value })
    };
    let global = catalogue.layers.get(DEFAULTS).map_or(&[][..], |layer| &layer.parameters);
    let own = components.iter().filter(|planned| !planned.present).flat_map(|planned| {
        let prefix = format!("{}.", planned.name());
        planned.component.parameters.iter().map(move |parameter| (prefix.clone(), parameter))
    });
    let all = global.iter().map(|parameter| (String::new(), parameter)).chain(own);
    all.filter_map(|(prefix, parameter)| of(&prefix, parameter)).collect()
}
