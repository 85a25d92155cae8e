//! Where the parameters and facts that expressions name were set.

use super::plan::Plan;
use super::profile::Profile;
use crate::catalogue::{Component, Parameter, Stack};
use crate::expressions::{Name, names_in, touches};
use kfc_kustomize::provenance::Input;
use kfc_yaml::Node;

/// What expressions of one component or overlay may name.
#[derive(Clone, Copy)]
pub(crate) struct Inputs<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) stack: &'a Stack,
    /// The component; none for an overlay, which sees the parameters of all.
    pub(crate) component: Option<&'a Component>,
}

/// A parameter that an expression may name.
struct Visible<'a> {
    /// Its path below `parameters`.
    path: Vec<&'a str>,
    declared: &'a Parameter,
    /// What the user set.
    given: Option<&'a Node>,
}

impl<'a> Inputs<'a> {
    /// The parameters and facts that go into a value, each once. Those that a default is made of come after it.
    pub(crate) fn of(self, value: &Node) -> Vec<Input> {
        self.of_names(&names_in(value))
    }

    /// The parameters and facts of these names.
    pub(crate) fn of_names(self, names: &[Name]) -> Vec<Input> {
        let mut found = Vec::new();
        for name in names {
            self.add(name, &mut found);
        }
        found
    }

    fn add(self, name: &Name, found: &mut Vec<Input>) {
        match name.below("parameters") {
            Some(path) => {
                for parameter in self.visible().iter().filter(|parameter| touches(path, &parameter.path)) {
                    self.add_parameter(parameter, path, found);
                }
            }
            None => self.add_facts(name, found),
        }
    }

    fn add_facts(self, name: &Name, found: &mut Vec<Input>) {
        let (before, path) = name.below("facts").map_or(("", name.steps()), |path| ("facts.", path));
        for (fact, value) in &self.plan.profile.facts {
            let steps: Vec<&str> = fact.split('.').collect();
            if touches(path, &steps) {
                let name = format!("{before}{fact}");
                add(Input::new(name, value.mark, value.layer.clone()), found);
            }
        }
    }

    /// The parameters in scope. A parameter of a component hides a global one of the same name.
    fn visible(self) -> Vec<Visible<'a>> {
        let given = &self.stack.parameters;
        let mut visible: Vec<Visible<'a>> = Vec::new();
        for planned in &self.plan.components {
            let name = planned.name();
            if self.component.is_some_and(|component| component.name.value != name) {
                continue;
            }
            for parameter in &planned.component.parameters {
                let own = parameter.name.value.as_str();
                let path = if self.component.is_some() { vec![own] } else { vec![name, own] };
                let given = given.get(name).and_then(|given| given.get(own));
                visible.push(Visible { path, declared: parameter, given });
            }
        }
        for parameter in &self.plan.declared {
            let name = parameter.name.value.as_str();
            if !visible.iter().any(|known| known.path.first() == Some(&name)) {
                visible.push(Visible { path: vec![name], declared: parameter, given: given.get(name) });
            }
        }
        visible
    }

    fn add_parameter(self, parameter: &Visible<'_>, named: &[String], found: &mut Vec<Input>) {
        let inside = named.get(parameter.path.len()..).unwrap_or_default();
        let path = parameter.path.iter().copied().chain(inside.iter().map(String::as_str));
        let name = format!("parameters.{}", path.collect::<Vec<_>>().join("."));
        let secret = parameter.declared.is_secret();
        if let Some(given) = parameter.given {
            let steps: Vec<&str> = inside.iter().map(String::as_str).collect();
            let place = given.at(&steps).map_or(given.mark, |value| value.mark);
            let mut input = Input::new(name, place, Profile::STACK);
            (input.entry, input.secret) = (given.mark.known(), secret);
            add(input, found);
            return;
        }
        let default = parameter.declared.default.as_ref();
        let place = default.map(|default| default.mark);
        let mut input = Input::new(name, place, "default");
        input.secret = secret;
        let is_new = add(input, found);
        // A default is followed once: one that names itself would never end.
        if let (true, Some(default)) = (is_new, default) {
            for name in &names_in(default) {
                self.add(name, found);
            }
        }
    }
}

/// Adds an input unless it exists; returns whether it did not.
fn add(input: Input, found: &mut Vec<Input>) -> bool {
    let is_new = !found.iter().any(|known| known.name == input.name);
    if is_new {
        found.push(input);
    }
    is_new
}
