//! Profiles: layers joined by `+`, and their facts.

use super::expression::Scope;
use crate::catalogue::{Catalogue, DEFAULTS, Layer, Role};
use crate::expressions::{Expression, touches};
use crate::json_schema::{Checked, check_schema};
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Mark, Result, nearest};
use kfc_yaml::value::to_json;
use kfc_yaml::{Node, Spanned};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A fact with its origin.
#[derive(Clone, Debug)]
pub struct Fact {
    /// Its value.
    pub value: Value,
    /// Where it was set, if a text holds it.
    pub mark: Option<Mark>,
    /// The layer that set it, or `the stack`.
    pub layer: String,
}

/// Joined layers with their facts.
#[derive(Clone, Debug)]
pub struct Profile {
    /// As it is written, `gke+gpu`.
    pub name: String,
    /// All layers, extended ones before those that extend them; the defaults first.
    pub layers: Vec<String>,
    /// Facts by dotted name.
    pub facts: BTreeMap<String, Fact>,
}

impl Profile {
    /// The layer of facts that the stack sets.
    pub const STACK: &'static str = "the stack";
    /// The layer of facts that were observed in the cluster.
    pub const CLUSTER: &'static str = "the cluster";

    /// The version of Kubernetes that the bundle is for.
    #[must_use]
    pub fn kubernetes(&self) -> Option<&str> {
        self.facts.get("kubernetes")?.value.as_str()
    }

    /// Whether the Secrets whose values can be made are made, unless the stack says otherwise.
    #[must_use]
    pub fn generates_secrets(&self) -> bool {
        self.facts.get("secrets.default").is_some_and(|fact| fact.value == "generated")
    }

    /// The facts as a tree, for expressions.
    #[must_use]
    pub fn tree(&self) -> Value {
        let mut tree = json!({});
        for (name, fact) in &self.facts {
            let mut here = &mut tree;
            for step in name.split('.') {
                if !here.is_object() {
                    *here = json!({});
                }
                here = &mut here[step];
            }
            *here = fact.value.clone();
        }
        tree
    }

    /// Joins the layers of a profile; `own` has facts of the stack, which replace those of any layer, and `observed`
    /// those of the cluster, for facts that neither sets.
    ///
    /// # Errors
    /// Unknown layers, layers that do not go together, facts that are unknown, wrong, or set differently by two layers.
    pub fn join(
        catalogue: &Catalogue,
        written: &Spanned<String>,
        own: &Node,
        observed: &Node,
    ) -> Result<Self> {
        let named = named_layers(catalogue, written)?;
        let mut order: Vec<&Layer> = Vec::new();
        let defaults = catalogue.layers.get(DEFAULTS).ok_or_else(|| -> Diagnostics {
            let message = format!("the catalogue has no `platforms/{DEFAULTS}.yaml`");
            Diagnostic::error(Code::Profile, message).help("it declares the facts").into()
        })?;
        for layer in std::iter::once(defaults).chain(named.iter().copied()) {
            add_with_extended(catalogue, layer, &mut order, &mut Vec::new())?;
        }
        check_roles(catalogue, &named, written)?;
        let mut facts = declared(defaults)?;
        let mut errors = Diagnostics::default();
        let said_by = |layer: &str, value: &Node| Fact {
            value: to_json(value),
            mark: value.mark.known(),
            layer: layer.to_owned(),
        };
        for (name, value) in errors.collect(flatten(observed, defaults)).unwrap_or_default() {
            facts.insert(name, said_by(Self::CLUSTER, value));
        }
        for (at, layer) in order.iter().enumerate() {
            let Some(node) = &layer.facts else { continue };
            for (name, value) in errors.collect(flatten(node, defaults)).unwrap_or_default() {
                let new = said_by(&layer.name.value, value);
                if let Some(old) = facts.get(&name) {
                    let free = [DEFAULTS, Self::CLUSTER].contains(&old.layer.as_str())
                        || extends(catalogue, order[at], &old.layer);
                    if !free && old.value != new.value {
                        errors.push(contradiction(&name, old, &new));
                        continue;
                    }
                }
                facts.insert(name, new);
            }
        }
        for (name, value) in errors.collect(flatten(own, defaults)).unwrap_or_default() {
            facts.insert(name, said_by(Self::STACK, value));
        }
        errors.collect(check_facts(&facts, defaults));
        let profile = Self {
            name: written.value.clone(),
            layers: order.iter().map(|layer| layer.name.value.clone()).collect(),
            facts,
        };
        let profile = errors.into_result(profile)?;
        profile.check_supports(&order, written)?;
        Ok(profile)
    }

    /// Refuses layers that do not support these facts: `minikube+tpu`.
    fn check_supports(&self, layers: &[&Layer], written: &Spanned<String>) -> Result<()> {
        let scope = Scope::new(&self.tree(), &json!({}), &[]);
        let mut errors = Diagnostics::default();
        for layer in layers {
            for support in &layer.supports {
                if errors.collect(scope.holds(&support.when)) == Some(false) {
                    let why = reason(&support.reason, &support.when.value);
                    let name = layer.name.value.as_str();
                    let message = match name {
                        DEFAULTS => format!("the facts of `{}` do not go together: {why}", written.value),
                        _ => format!("the layer `{name}` does not go with `{}`: {why}", written.value),
                    };
                    let error =
                        Diagnostic::error(Code::Unsupported, message).at(written.mark.or(support.when.mark));
                    let facts = self.facts_in(&support.when.value);
                    errors.push(facts.into_iter().fold(error, Diagnostic::note));
                }
            }
        }
        errors.into_result(())
    }

    /// The facts that an expression names, with their values and layers.
    #[must_use]
    pub fn facts_in(&self, expression: &str) -> Vec<String> {
        let names = Expression(expression).names();
        let is_named = |fact: &str| {
            let steps: Vec<&str> = fact.split('.').collect();
            names.iter().any(|name| touches(name.below("facts").unwrap_or(name.steps()), &steps))
        };
        let said = |(name, fact): (&String, &Fact)| {
            format!("the fact `{name}` is `{}`, from `{}`", value_text(&fact.value), fact.layer)
        };
        self.facts.iter().filter(|(name, _)| is_named(name)).map(said).collect()
    }
}

/// A value in messages: strings without quotes.
pub(crate) fn value_text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

pub(super) fn reason(reason: &str, condition: &str) -> String {
    if reason.is_empty() { format!("it needs `{condition}`") } else { reason.to_owned() }
}

fn named_layers<'c>(catalogue: &'c Catalogue, written: &Spanned<String>) -> Result<Vec<&'c Layer>> {
    let mut errors = Diagnostics::default();
    let mut named: Vec<&Layer> = Vec::new();
    for name in written.value.split('+').map(str::trim) {
        match catalogue.layers.get(name).filter(|layer| layer.role != Role::Abstract) {
            Some(layer) if named.iter().any(|other| other.name.value == name) => {
                let message = format!("the profile `{}` names `{name}` more than once", written.value);
                errors.push(Diagnostic::error(Code::Profile, message).at(written.mark.or(layer.name.mark)));
            }
            Some(layer) => named.push(layer),
            None => errors.push(unknown_layer(catalogue, name, written)),
        }
    }
    errors.into_result(named)
}

fn unknown_layer(catalogue: &Catalogue, name: &str, written: &Spanned<String>) -> Diagnostic {
    let message = if name.is_empty() {
        format!("the profile `{}` has an empty layer", written.value)
    } else {
        format!("the platform layer `{name}` does not exist")
    };
    let error = Diagnostic::error(Code::Profile, message).at(written.mark);
    let names = catalogue.layers.values().filter(|layer| layer.role != Role::Abstract);
    let names: Vec<&str> = names.map(|layer| layer.name.value.as_str()).collect();
    match other_name(name).or_else(|| nearest(name, names.iter().copied())) {
        Some(near) => error.help(format!("did you mean `{near}`?")),
        None => error.help(format!("expected one of {}", names.join(", "))),
    }
}

/// The layer that people also call by this name: that of a cloud, of its service, or of a vendor.
#[must_use]
pub fn other_name(word: &str) -> Option<&'static str> {
    const NAMES: [(&str, &str); 20] = [
        ("aks", "azure"),
        ("amazon", "aws"),
        ("amd", "amd-gpu"),
        ("arm", "arm64"),
        ("baremetal", "onprem"),
        ("bare-metal", "onprem"),
        ("cuda", "gpu"),
        ("eks", "aws"),
        ("gcloud", "gke"),
        ("gcp", "gke"),
        ("google", "gke"),
        ("inferentia", "neuron"),
        ("k3d", "k3s"),
        ("kubeadm", "onprem"),
        ("microsoft", "azure"),
        ("nvidia", "gpu"),
        ("ocp", "openshift"),
        ("okd", "openshift"),
        ("rocm", "amd-gpu"),
        ("trainium", "neuron"),
    ];
    let word = word.to_ascii_lowercase();
    NAMES.iter().find(|(other, _)| *other == word).map(|(_, name)| *name)
}

fn add_with_extended<'c>(
    catalogue: &'c Catalogue,
    layer: &'c Layer,
    order: &mut Vec<&'c Layer>,
    chain_so_far: &mut Vec<&'c str>,
) -> Result<()> {
    let name = layer.name.value.as_str();
    if order.iter().any(|known| known.name.value == name) {
        return Ok(());
    }
    if chain_so_far.contains(&name) {
        let chain = chain_so_far.iter().copied().chain([name]).map(|name| format!("`{name}`"));
        let message = "platform layers extend each other in a circle";
        let error = Diagnostic::error(Code::RequirementCycle, message).at(layer.name.mark);
        return Err(error.note(chain.collect::<Vec<_>>().join(" extends ")).into());
    }
    chain_so_far.push(name);
    for extended in &layer.extends {
        let Some(other) = catalogue.layers.get(&extended.value) else {
            let message = format!("the layer `{name}` extends `{}`, which does not exist", extended.value);
            let error = Diagnostic::error(Code::Profile, message).at(extended.mark);
            let near = nearest(&extended.value, catalogue.layers.keys().map(String::as_str));
            return Err(error.helped(near.map(|near| format!("did you mean `{near}`?"))).into());
        };
        add_with_extended(catalogue, other, order, chain_so_far)?;
    }
    chain_so_far.pop();
    order.push(layer);
    Ok(())
}

/// Whether `layer` extends the layer of this name, at any distance.
fn extends(catalogue: &Catalogue, layer: &Layer, name: &str) -> bool {
    layer.extends.iter().any(|extended| {
        extended.value == name
            || catalogue.layers.get(&extended.value).is_some_and(|other| extends(catalogue, other, name))
    })
}

/// One platform, and at most one layer of each other role.
fn check_roles(catalogue: &Catalogue, named: &[&Layer], written: &Spanned<String>) -> Result<()> {
    let mut errors = Diagnostics::default();
    for role in [Role::Platform, Role::Accelerator, Role::Architecture, Role::Services] {
        let of_role: Vec<&&Layer> = named.iter().filter(|layer| layer.role == role).collect();
        if let [first, second, ..] = of_role.as_slice() {
            let message = format!(
                "the profile `{}` has two layers for the {}: `{}` and `{}`",
                written.value,
                role.word(),
                first.name.value,
                second.name.value
            );
            let error = Diagnostic::error(Code::Contradiction, message)
                .at(written.mark.or(first.name.mark))
                .label(second.name.mark, "the second one");
            errors.push(error.help("keep one of them"));
        }
        if role == Role::Platform && of_role.is_empty() {
            let platforms = catalogue.layers.values().filter(|layer| layer.role == Role::Platform);
            let names: Vec<&str> = platforms.map(|layer| layer.name.value.as_str()).collect();
            let message = format!("the profile `{}` has no platform", written.value);
            let error = Diagnostic::error(Code::Profile, message).at(written.mark);
            errors.push(error.help(format!(
                "put one of {} before it: `{}+{}`",
                names.join(", "),
                names.first().unwrap_or(&"kind"),
                written.value
            )));
        }
    }
    errors.into_result(())
}

fn contradiction(name: &str, old: &Fact, new: &Fact) -> Diagnostic {
    let message = format!(
        "the layers `{}` and `{}` contradict each other: `{name}` is `{}` in one and `{}` in the other",
        old.layer,
        new.layer,
        value_text(&old.value),
        value_text(&new.value)
    );
    Diagnostic::error(Code::Contradiction, message).at(new.mark).label(old.mark, "the other value").help(
        format!(
            "leave one layer out, or have one extend the other, or set `{name}` under `facts` of a stack"
        ),
    )
}

/// The declared facts with their defaults.
fn declared(defaults: &Layer) -> Result<BTreeMap<String, Fact>> {
    let mut errors = Diagnostics::default();
    let mut facts = BTreeMap::new();
    for fact in &defaults.declares {
        let Some(default) = &fact.default else {
            let message = format!("the fact `{}` has no default", fact.name.value);
            errors.push(Diagnostic::error(Code::Fact, message).at(fact.name.mark));
            continue;
        };
        let layer = DEFAULTS.to_owned();
        facts.insert(
            fact.name.value.clone(),
            Fact { value: to_json(default), mark: default.mark.known(), layer },
        );
    }
    errors.into_result(facts)
}

/// The declared facts that a mapping sets, with their nodes. Mappings nest at the dots of the names.
fn flatten<'n>(node: &'n Node, defaults: &Layer) -> Result<Vec<(String, &'n Node)>> {
    let mut errors = Diagnostics::default();
    let mut found = Vec::new();
    flatten_into(node, "", defaults, &mut found, &mut errors);
    errors.into_result(found)
}

fn flatten_into<'n>(
    node: &'n Node,
    before: &str,
    defaults: &Layer,
    found: &mut Vec<(String, &'n Node)>,
    errors: &mut Diagnostics,
) {
    for entry in node.as_map().into_iter().flatten() {
        let name = format!("{before}{}", entry.key.text);
        let inside = format!("{name}.");
        let mut names = defaults.declares.iter().map(|fact| fact.name.value.as_str());
        if names.any(|known| known == name) {
            found.push((name, &entry.value));
        } else if defaults.declares.iter().any(|fact| fact.name.value.starts_with(&inside)) {
            flatten_into(&entry.value, &inside, defaults, found, errors);
        } else {
            let error =
                Diagnostic::error(Code::Fact, format!("the fact `{name}` does not exist")).at(entry.key.mark);
            let near = nearest(&name, defaults.declares.iter().map(|fact| fact.name.value.as_str()));
            errors.push(match near {
                Some(near) => error.help(format!("did you mean `{near}`?")),
                None => error.help("`kfc list facts` shows all"),
            });
        }
    }
}

fn check_facts(facts: &BTreeMap<String, Fact>, defaults: &Layer) -> Result<()> {
    let mut errors = Diagnostics::default();
    for declaration in &defaults.declares {
        let Some(fact) = facts.get(&declaration.name.value) else { continue };
        let what = format!("the fact `{}`", declaration.name.value);
        let checked = Checked { what: &what, code: Code::Fact, value: &fact.value, is_secret: false };
        errors.collect(check_schema(&declaration.schema, &checked, |_| fact.mark));
    }
    errors.into_result(())
}
