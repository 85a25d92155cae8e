//! Selects components: those that the user names, those of the platform, and all that they require, with one provider for each
//! capability.

use super::parameters::Parameters;
use super::plan::{Edge, Reason};
use super::profile::{Profile, reason};
use crate::catalogue::{Catalogue, Component, Requirement, Stack, Wanted};
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Mark, Result, nearest};
use kfc_yaml::{Node, Spanned};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// A selected component.
pub(super) struct Chosen {
    pub(super) name: String,
    pub(super) component: Component,
    pub(super) reason: Reason,
    pub(super) present: bool,
    pub(super) parameters: Value,
    /// The location of the entry that names it.
    pub(super) mark: Option<Mark>,
}

/// All selected components, in the order in which they were found, and which waits for which.
#[derive(Default)]
pub(super) struct Choice {
    pub(super) list: Vec<Chosen>,
    pub(super) edges: Vec<Edge>,
    /// Components that would be selected if the stack did not leave them out.
    pub(super) left_out: BTreeSet<String>,
}

impl Choice {
    fn find(&self, name: &str) -> Option<usize> {
        self.list.iter().position(|chosen| chosen.name == name)
    }

    fn providers(&self, capability: &str) -> Vec<usize> {
        let provides =
            |chosen: &Chosen| chosen.component.provides.iter().any(|word| word.value == capability);
        (0..self.list.len()).filter(|at| provides(&self.list[*at])).collect()
    }
}

struct Chooser<'c> {
    catalogue: &'c Catalogue,
    stack: &'c Stack,
    profile: &'c Profile,
    parameters: &'c Parameters<'c>,
    choice: Choice,
    /// Open requirements of capabilities: the component that requires it, and the capability.
    open: Vec<(usize, Requirement, String)>,
    /// Requirements of components that the stack leaves out: the component, who requires it, where.
    left_out: Vec<(Spanned<String>, usize, Option<Mark>)>,
    errors: Diagnostics,
}

/// Checks that the components exist that a stack names, where the choice itself has to wait until other errors are fixed.
///
/// # Errors
/// [`Code::UnknownComponent`] for each that does not.
pub(super) fn check_names(catalogue: &Catalogue, stack: &Stack) -> Result<()> {
    let names = stack.present.iter().chain(&stack.without).chain(stack.components.iter().flatten());
    let missing = names.filter(|name| !catalogue.components.contains_key(&name.value));
    let errors: Diagnostics = missing.map(|name| unknown(catalogue, &name.value, name.mark)).collect();
    errors.into_result(())
}

fn unknown(catalogue: &Catalogue, name: &str, mark: Option<Mark>) -> Diagnostic {
    let message = format!("the component `{name}` does not exist");
    let error = Diagnostic::error(Code::UnknownComponent, message).at(mark);
    match nearest(name, catalogue.components.keys().map(String::as_str)) {
        Some(near) => error.help(format!("did you mean `{near}`?")),
        None => error.help("`kfc list components` shows all"),
    }
}

/// Chooses the components of a stack.
///
/// # Errors
/// Unknown components, missing capabilities, several providers, conflicts, components that do not support the facts, wrong
/// parameters.
pub(super) fn choose(
    catalogue: &Catalogue,
    stack: &Stack,
    profile: &Profile,
    parameters: &Parameters<'_>,
) -> Result<Choice> {
    let mut chooser = Chooser {
        catalogue,
        stack,
        profile,
        parameters,
        choice: Choice::default(),
        open: Vec::new(),
        left_out: Vec::new(),
        errors: Diagnostics::default(),
    };
    chooser.add_present();
    chooser.add_asked();
    if !chooser.errors.is_empty() {
        // Capabilities would only seem to be missing.
        chooser.check_left_out();
        chooser.check_supports();
        return Err(chooser.errors);
    }
    chooser.settle_capabilities();
    chooser.check_left_out();
    chooser.check();
    chooser.errors.into_result(chooser.choice)
}

impl Chooser<'_> {
    fn add_present(&mut self) {
        for name in &self.stack.present {
            match self.catalogue.components.get(&name.value) {
                Some(component) if self.choice.find(&name.value).is_none() => self.choice.list.push(Chosen {
                    name: name.value.clone(),
                    component: component.clone(),
                    reason: Reason::Asked,
                    present: true,
                    parameters: Value::Object(serde_json::Map::new()),
                    mark: name.mark,
                }),
                Some(_) => {}
                None => self.errors.push(unknown(self.catalogue, &name.value, name.mark)),
            }
        }
    }

    /// Adds the components of the stack, or else those of the profile's layers.
    fn add_asked(&mut self) {
        let without: Vec<&str> = self.stack.without.iter().map(|name| name.value.as_str()).collect();
        for name in &self.stack.without {
            if !self.catalogue.components.contains_key(&name.value) {
                self.errors.push(unknown(self.catalogue, &name.value, name.mark));
            }
        }
        let asked: Vec<(Spanned<String>, Reason)> = match &self.stack.components {
            Some(names) => names.iter().map(|name| (name.clone(), Reason::Asked)).collect(),
            None => self.of_platform(),
        };
        for (name, reason) in asked {
            if without.contains(&name.value.as_str()) {
                self.choice.left_out.insert(name.value);
            } else {
                self.add(&name.value, reason, name.mark);
            }
        }
    }

    /// The components of the layers, without those that a layer leaves out.
    fn of_platform(&mut self) -> Vec<(Spanned<String>, Reason)> {
        let layers = self.profile.layers.iter().filter_map(|name| self.catalogue.layers.get(name));
        let left_out: Vec<&str> =
            layers.clone().flat_map(|layer| &layer.without).map(|name| name.value.as_str()).collect();
        let scope = self.parameters.scope(&Value::Null, &[]);
        let mut found: Vec<(Spanned<String>, Reason)> = Vec::new();
        for layer in layers {
            for entry in &layer.components {
                let holds = self.errors.collect(scope.allows(entry.when.as_ref())) == Some(true);
                let is_new = !found.iter().any(|(name, _)| name.value == entry.name.value);
                if holds && is_new && !left_out.contains(&entry.name.value.as_str()) {
                    found.push((entry.name.clone(), Reason::Platform(layer.name.value.clone())));
                }
            }
        }
        found
    }

    /// Adds a component and all that it requires by name; returns its index.
    fn add(&mut self, name: &str, reason: Reason, mark: Option<Mark>) -> Option<usize> {
        if let Some(known) = self.choice.find(name) {
            return Some(known);
        }
        let Some(component) = self.catalogue.components.get(name) else {
            self.errors.push(unknown(self.catalogue, name, mark));
            return None;
        };
        let parameters = self.errors.collect(self.parameters.of(component))?;
        let index = self.choice.list.len();
        let scope = self.parameters.scope(&parameters, &[]);
        self.choice.list.push(Chosen {
            name: name.to_owned(),
            component: component.clone(),
            reason,
            present: false,
            parameters,
            mark,
        });
        for requirement in &component.requires {
            if self.errors.collect(scope.allows(requirement.when.as_ref())) != Some(true) {
                continue;
            }
            match &requirement.wanted {
                Wanted::Component(wanted) if self.leaves_out(wanted).is_some() => {
                    let left_out = self.leaves_out(wanted).cloned();
                    self.left_out.extend(left_out.map(|name| (name, index, requirement.mark)));
                }
                Wanted::Component(wanted) => {
                    let reason = Reason::Required { by: name.to_owned(), capability: None };
                    if let Some(to) = self.add(wanted, reason, requirement.mark) {
                        self.choice.edges.push(Edge {
                            from: index,
                            to,
                            capability: None,
                            mark: requirement.mark,
                        });
                    }
                }
                Wanted::Capability(capability) => {
                    self.open.push((index, requirement.clone(), capability.clone()));
                }
            }
        }
        Some(index)
    }

    /// The entry of the stack that leaves a component out. It does not apply to components that are already in the cluster.
    fn leaves_out(&self, name: &str) -> Option<&Spanned<String>> {
        let is_present = self.choice.find(name).is_some_and(|at| self.choice.list[at].present);
        self.stack.without.iter().find(|word| word.value == name && !is_present)
    }

    /// Refuses to leave out components that a selected one requires: the bundle would not work.
    fn check_left_out(&mut self) {
        for (at, word) in self.stack.without.iter().enumerate() {
            let is_first = !self.stack.without[..at].iter().any(|earlier| earlier.value == word.value);
            let requirers: Vec<&(Spanned<String>, usize, Option<Mark>)> =
                self.left_out.iter().filter(|(name, ..)| is_first && name.value == word.value).collect();
            let Some((_, _, mark)) = requirers.first() else { continue };
            let names: Vec<String> = requirers.iter().map(|(_, by, _)| self.quoted(*by)).collect();
            let message = format!("`{}` is left out, but {} it", word.value, require(&names));
            let mut error = Diagnostic::error(Code::LeftOut, message).at(word.mark.or(*mark));
            for (_, by, mark) in &requirers {
                let chosen = &self.choice.list[*by];
                if word.mark.is_some() {
                    error = error.label(*mark, format!("`{}` requires it here", chosen.name));
                }
                error = error.note(format!("`{}`: {}", chosen.name, self.chain(*by)));
            }
            self.errors.push(error.help(how_to_leave_out(&word.value)));
        }
    }

    fn quoted(&self, at: usize) -> String {
        format!("`{}`", self.choice.list[at].name)
    }

    /// Why a component is selected, back to what the user or the platform names: "required by katib, which comes with `gke`".
    fn chain(&self, at: usize) -> String {
        let mut text = self.choice.list[at].reason.text();
        let mut here = at;
        // A chain leads to an earlier component each time.
        while let Reason::Required { by, .. } = &self.choice.list[here].reason {
            let Some(next) = self.choice.find(by).filter(|next| *next < here) else { break };
            here = next;
            let reason = &self.choice.list[here].reason;
            let is = match reason {
                Reason::Asked | Reason::Required { capability: None, .. } => "is ",
                Reason::Platform(_) | Reason::Required { .. } => "",
            };
            let _ = write!(text, ", which {is}{}", reason.text());
        }
        text
    }

    /// Finds a provider for every capability that is required. A provider may require further ones.
    fn settle_capabilities(&mut self) {
        let mut at = 0;
        while at < self.open.len() {
            let (from, requirement, capability) = self.open[at].clone();
            at += 1;
            let provider = match self.choice.providers(&capability).as_slice() {
                [] => self.pick(&capability, from, requirement.mark),
                [first, ..] => Some(*first),
            };
            if let Some(to) = provider.filter(|to| *to != from) {
                let capability = Some(capability);
                self.choice.edges.push(Edge { from, to, capability, mark: requirement.mark });
            }
        }
    }

    /// Picks a component that provides a capability: the preferred one, or the only one that the facts allow.
    fn pick(&mut self, capability: &str, from: usize, mark: Option<Mark>) -> Option<usize> {
        let by = self.choice.list[from].name.clone();
        let reason = || Reason::Required { by: by.clone(), capability: Some(capability.to_owned()) };
        if let Some(preferred) = self.preference(capability)? {
            let provides = |c: &Component| c.provides.iter().any(|word| word.value == capability);
            match self.catalogue.components.get(&preferred.value) {
                Some(component) if provides(component) && self.leaves_out(&preferred.value).is_some() => {
                    let word = self.leaves_out(&preferred.value).cloned();
                    let error = self.provider_left_out(capability, from, mark, word.as_ref());
                    self.errors.push(error);
                }
                Some(component) if provides(component) => {
                    return self.add(&preferred.value, reason(), preferred.mark);
                }
                Some(_) => {
                    let message = format!(
                        "`{}` is preferred for `{capability}`, but does not provide it",
                        preferred.value
                    );
                    self.errors.push(Diagnostic::error(Code::Capability, message).at(preferred.mark));
                }
                None => self.errors.push(unknown(self.catalogue, &preferred.value, preferred.mark)),
            }
            return None;
        }
        let mut fitting: Vec<String> = Vec::new();
        let mut ruled_out: BTreeMap<String, String> = BTreeMap::new();
        let mut left_out: Option<Spanned<String>> = None;
        for component in self.catalogue.components.values() {
            if component.provides.iter().any(|word| word.value == capability) {
                if let Some(word) = self.leaves_out(&component.name.value).cloned() {
                    self.choice.left_out.insert(word.value.clone());
                    left_out = left_out.or(Some(word));
                    continue;
                }
                match self.refusal(component) {
                    None => fitting.push(component.name.value.clone()),
                    Some(why) => {
                        ruled_out.insert(component.name.value.clone(), why);
                    }
                }
            }
        }
        match fitting.as_slice() {
            [only] => self.add(&only.clone(), reason(), mark),
            [] if left_out.is_some() => {
                self.errors.push(self.provider_left_out(capability, from, mark, left_out.as_ref()));
                None
            }
            [] => {
                self.errors.push(self.no_provider(capability, &by, &ruled_out, mark));
                None
            }
            several => {
                let message = format!(
                    "`{by}` requires `{capability}`, which several components provide: {}",
                    several.join(", ")
                );
                let error = Diagnostic::error(Code::Capability, message).at(mark);
                let help = format!(
                    "name one of them under `components`, or say `prefers: {{{capability}: {}}}` in the stack",
                    several[0]
                );
                self.errors.push(error.help(help));
                None
            }
        }
    }

    /// The error for a capability whose provider the stack leaves out.
    fn provider_left_out(
        &self,
        capability: &str,
        from: usize,
        mark: Option<Mark>,
        word: Option<&Spanned<String>>,
    ) -> Diagnostic {
        let by = &self.choice.list[from].name;
        let name = word.map_or("", |word| word.value.as_str());
        let message = format!(
            "`{name}` is left out, but `{by}` requires the capability `{capability}` that it provides"
        );
        let error = Diagnostic::error(Code::LeftOut, message);
        let error = match word.filter(|word| word.mark.is_some()) {
            Some(word) => error.at(word.mark).label(mark, format!("`{by}` requires `{capability}` here")),
            None => error.at(mark),
        };
        error.note(format!("`{by}`: {}", self.chain(from))).help(how_to_leave_out(name))
    }

    /// The provider that the stack prefers, else the layers, later ones first. `None` after an error.
    #[allow(clippy::option_option, reason = "the outer one is an error, the inner one no preference")]
    fn preference(&mut self, capability: &str) -> Option<Option<Spanned<String>>> {
        let layers = self.profile.layers.iter().rev().filter_map(|name| self.catalogue.layers.get(name));
        let of_layers = layers.flat_map(|layer| &layer.prefers).map(|entry| (entry, false));
        let all = self.stack.prefers.iter().map(|entry| (entry, true)).chain(of_layers);
        let scope = self.parameters.scope(&Value::Null, &[]);
        for ((_, written), is_own) in all.filter(|((name, _), _)| name.value == capability) {
            let value = self.errors.collect(scope.value(&Node::string(&written.value, written.mark)))?;
            let text = value.as_text().unwrap_or_default().to_owned();
            // A stack may leave out what a layer prefers, but not what it prefers itself.
            if is_own || self.leaves_out(&text).is_none() {
                return Some(Some(Spanned { value: text, mark: written.mark }));
            }
            self.choice.left_out.insert(text);
        }
        Some(None)
    }

    /// Why a component does not support the facts; `None` when it does.
    fn refusal(&self, component: &Component) -> Option<String> {
        let scope = self.parameters.scope(&Value::Null, &[]);
        let fails = |when| matches!(scope.holds(when), Ok(false));
        let refused = component.supports.iter().find(|support| fails(&support.when))?;
        Some(reason(&refused.reason, &refused.when.value))
    }

    fn no_provider(
        &self,
        capability: &str,
        by: &str,
        ruled_out: &BTreeMap<String, String>,
        mark: Option<Mark>,
    ) -> Diagnostic {
        let message = format!("`{by}` requires the capability `{capability}`, which no component provides");
        let error = Diagnostic::error(Code::Capability, message).at(mark);
        if !ruled_out.is_empty() {
            let notes = ruled_out.iter().map(|(name, why)| format!("`{name}` would, but {why}"));
            return notes
                .fold(error, Diagnostic::note)
                .help("choose another profile, or leave the component out");
        }
        let provided = self.catalogue.components.values().flat_map(|component| &component.provides);
        match nearest(capability, provided.map(|word| word.value.as_str())) {
            Some(near) => error.help(format!("did you mean `{near}`?")),
            None => error.help("add a component that provides it, in your own catalogue"),
        }
    }

    /// Checks that need all components.
    fn check(&mut self) {
        self.check_supports();
        self.check_single_providers();
        self.check_conflicts();
    }

    fn check_supports(&mut self) {
        for chosen in self.choice.list.iter().filter(|chosen| !chosen.present) {
            let scope = self.parameters.scope(&chosen.parameters, &[]);
            for support in &chosen.component.supports {
                if self.errors.collect(scope.holds(&support.when)) != Some(false) {
                    continue;
                }
                let message = format!(
                    "the component `{}` cannot be on `{}`: {}",
                    chosen.name,
                    self.profile.name,
                    reason(&support.reason, &support.when.value)
                );
                let error =
                    Diagnostic::error(Code::Unsupported, message).at(chosen.mark.or(support.when.mark));
                let facts = self.profile.facts_in(&support.when.value);
                let parameters =
                    self.parameters.named_in(&support.when.value, &chosen.component, &chosen.parameters);
                let error = facts.into_iter().chain(parameters).fold(error, Diagnostic::note);
                self.errors.push(error.note(format!("why it is selected: {}", chosen.reason.text())));
            }
        }
    }

    fn check_single_providers(&mut self) {
        let mut providers: BTreeMap<&str, Vec<(usize, Option<Mark>)>> = BTreeMap::new();
        for (at, chosen) in self.choice.list.iter().enumerate() {
            for capability in &chosen.component.provides {
                providers.entry(&capability.value).or_default().push((at, capability.mark));
            }
        }
        for (capability, list) in providers {
            let [(first, mark), (second, other), ..] = list.as_slice() else { continue };
            let (first, second) = (&self.choice.list[*first], &self.choice.list[*second]);
            let message =
                format!("two components provide `{capability}`: `{}` and `{}`", first.name, second.name);
            let error = Diagnostic::error(Code::Capability, message)
                .at(*mark)
                .label(*other, "the second one")
                .note(format!("`{}`: {}", first.name, first.reason.text()))
                .note(format!("`{}`: {}", second.name, second.reason.text()));
            self.errors.push(error.help("keep one of them"));
        }
    }

    fn check_conflicts(&mut self) {
        for chosen in &self.choice.list {
            for conflict in &chosen.component.conflicts {
                if let Some(other) = self.choice.find(&conflict.value).map(|at| &self.choice.list[at]) {
                    let message = format!("`{}` and `{}` conflict", chosen.name, other.name);
                    let error = Diagnostic::error(Code::ComponentConflict, message)
                        .at(conflict.mark)
                        .note(format!("`{}`: {}", chosen.name, chosen.reason.text()))
                        .note(format!("`{}`: {}", other.name, other.reason.text()));
                    self.errors.push(error.help("keep one of them"));
                }
            }
        }
    }
}

/// "`a` requires", "`a` and `b` require", "`a`, `b` and `c` require".
fn require(names: &[String]) -> String {
    match names {
        [one] => format!("{one} requires"),
        [first @ .., last] => format!("{} and {last} require", first.join(", ")),
        [] => "something requires".to_owned(),
    }
}

/// How to leave out a component that others require.
fn how_to_leave_out(name: &str) -> String {
    format!(
        "if it is already in the cluster, name it under `present` (`--present {name}`) instead; \
         else leave out what requires it too"
    )
}
