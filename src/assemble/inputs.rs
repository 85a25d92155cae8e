//! Where the parameters and facts that an expression names were set.

use crate::catalogue::{Component, Parameter, Stack};
use crate::diagnostics::Mark;
use crate::origin::Input;
use crate::resolve::{Plan, Profile, names};
use crate::yaml::{Node, Value};

/// What expressions of one component or overlay may name.
#[derive(Clone, Copy)]
pub(super) struct Inputs<'a> {
    pub(super) plan: &'a Plan,
    pub(super) stack: &'a Stack,
    /// The component; none for an overlay, which sees the parameters of all.
    pub(super) component: Option<&'a Component>,
}

impl Inputs<'_> {
    /// The parameters and facts that go into a value, each once. Those that a default is made of come behind it.
    pub(super) fn of(self, value: &Node) -> Vec<Input> {
        let mut found = Vec::new();
        self.add(value, &mut found);
        found
    }

    fn add(self, value: &Node, found: &mut Vec<Input>) {
        match &value.value {
            Value::Map(map) => map.iter().for_each(|entry| self.add(&entry.value, found)),
            Value::Seq(items) => items.iter().for_each(|item| self.add(item, found)),
            Value::Scalar(scalar) => {
                for name in names(&scalar.text) {
                    self.add_named(&name, found);
                }
            }
        }
    }

    fn add_named(self, name: &[String], found: &mut Vec<Input>) {
        let joined = name.join(".");
        if found.iter().any(|input| input.name == joined) {
            return;
        }
        match name {
            [first, rest @ ..] if first == "parameters" => self.add_parameter(joined, rest, found),
            [first, rest @ ..] if first == "facts" => self.add_fact(joined, &rest.join("."), found),
            _ => self.add_fact(joined.clone(), &joined, found),
        }
    }

    fn add_fact(self, name: String, fact: &str, found: &mut Vec<Input>) {
        if let Some(fact) = self.plan.profile.facts.get(fact) {
            found.push(Input { name, place: fact.mark, by: fact.layer.clone(), secret: false });
        }
    }

    fn add_parameter(self, name: String, path: &[String], found: &mut Vec<Input>) {
        let steps: Vec<&str> = path.iter().map(String::as_str).collect();
        let given = &self.stack.parameters;
        let of_component = self.component.and_then(|component| given.get(&component.name.text)?.at(&steps));
        let declared = self.declared(&steps);
        let secret = declared.is_some_and(Parameter::is_secret);
        if let Some(value) = of_component.or_else(|| given.at(&steps)) {
            found.push(Input { name, place: value.mark, by: Profile::STACK.to_owned(), secret });
            return;
        }
        let default = declared.and_then(|parameter| parameter.default.as_ref());
        let place = default.map_or(Mark::NONE, |default| default.mark);
        found.push(Input { name, place, by: "default".to_owned(), secret });
        if let Some(default) = default {
            self.add(default, found);
        }
    }

    /// The parameter that the steps behind `parameters` name: of the component, else a global one.
    fn declared(&self, steps: &[&str]) -> Option<&Parameter> {
        let (component, parameter) = match (self.component, steps) {
            (Some(component), [parameter, ..]) => (Some(component), *parameter),
            (None, [component, parameter, ..]) => {
                let planned = self.plan.components.iter().find(|planned| planned.name() == *component);
                (planned.map(|planned| &planned.component), *parameter)
            }
            _ => (None, ""),
        };
        let of_component = component.and_then(|c| c.parameters.iter().find(|p| p.name.text == parameter));
        of_component
            .or_else(|| self.plan.declared.iter().find(|p| Some(&p.name.text.as_str()) == steps.first()))
    }
}
