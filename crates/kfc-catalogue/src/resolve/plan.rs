//! The plan of a stack: the resolved graph.

use super::expression::Scope;
use super::profile::Profile;
use crate::catalogue::{Component, ContributorRole, DeclaredSecret, Overlay, Parameter, SecretWay};
use kfc_diagnostics::{Diagnostics, Mark};
use kfc_kube::ignore::IgnoreRule;
use kfc_kube::readiness::ReadyRule;
use serde_json::Value;
use std::collections::BTreeSet;

/// The resolved graph.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The stack's name.
    pub name: String,
    /// The profile with its facts.
    pub profile: Profile,
    /// The global parameters.
    pub parameters: Value,
    /// The scope of expressions of overlays and of the stack's setters.
    pub scope: Scope,
    /// The global parameters as they are declared.
    pub declared: Vec<Parameter>,
    /// The names of all components of the catalogue.
    pub known_components: BTreeSet<String>,
    /// The components: required ones before those that require them, then by name.
    pub components: Vec<Planned>,
    /// Catalogue overlays in the order in which they are applied.
    pub overlays: Vec<PlannedOverlay>,
    /// The Secrets of the components.
    pub secrets: Vec<PlannedSecret>,
    /// The profiles of users and teams.
    pub user_profiles: Vec<PlannedUserProfile>,
    /// Fields of objects that are left to others, as the components, the overlays and the stack declare them.
    pub ignore: Vec<IgnoreRule>,
    /// When objects are ready, as the components, the overlays and the stack declare it: of several rules for an object, the
    /// last one holds.
    pub ready: Vec<ReadyRule>,
    /// Which component waits for which.
    pub edges: Vec<Edge>,
    /// Parameters whose defaults are published credentials: the global ones, then those of the components.
    pub published: Vec<Published>,
    /// Warnings.
    pub warnings: Diagnostics,
}

/// A Secret of a plan.
#[derive(Clone, Debug)]
pub struct PlannedSecret {
    /// Index of the component that declares it.
    pub component: usize,
    /// Its declaration.
    pub declared: DeclaredSecret,
    /// Where its values come from.
    pub source: SecretWay,
    /// The location of that in the stack.
    pub mark: Option<Mark>,
}

/// A parameter whose default is a published credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// The name by which it is set: `dex.passwordHash`.
    pub name: String,
    /// What it is, and how to create a value.
    pub description: String,
    /// The default.
    pub value: String,
}

/// A component of a plan.
#[derive(Clone, Debug)]
pub struct Planned {
    /// Its entry in the catalogue.
    pub component: Component,
    /// Why it is selected.
    pub reason: Reason,
    /// Whether it is already in the cluster, so that only its capabilities count.
    pub present: bool,
    /// Its parameters.
    pub parameters: Value,
    /// The scope of its expressions.
    pub scope: Scope,
    /// The length of the longest chain of components below it.
    pub depth: usize,
}

impl Planned {
    /// The component's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.component.name.value
    }
}

/// Why a component is selected.
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
    /// Its entry in the catalogue.
    pub overlay: Overlay,
    /// The scope of its expressions.
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
    /// The location of the requirement.
    pub mark: Option<Mark>,
}

/// A profile of a user or team.
#[derive(Clone, Debug)]
pub struct PlannedUserProfile {
    /// Its name, and that of its namespace.
    pub name: String,
    /// Who owns it.
    pub owner: String,
    /// Who else may work in it, in the order of the stack.
    pub bindings: Vec<PlannedBinding>,
    /// What its pods and claims may ask for in all.
    pub quota: Option<Value>,
    /// The location of its name.
    pub mark: Option<Mark>,
}

/// A user with a role in a profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedBinding {
    /// The name of the objects.
    pub name: String,
    /// The user.
    pub user: String,
    /// The role.
    pub role: ContributorRole,
    /// The location of the contributor in the stack.
    pub mark: Option<Mark>,
}
