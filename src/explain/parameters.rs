//! The parameters that a user set, as entries that ask for a change.

use crate::catalogue::Stack;
use crate::fields::Spanned;
use crate::origin::{Declared, Step, StepKind};
use crate::resolve::Plan;
use crate::yaml::Node;

/// The parameters of a stack. One that a condition of the plan names is left out: what it changes is what takes part.
#[must_use]
pub fn parameters(plan: &Plan, stack: &Stack) -> Vec<Declared> {
    let conditions = conditions(plan);
    let mut list = Vec::new();
    for entry in stack.parameters.as_map().into_iter().flatten() {
        let name = entry.key.text.as_str();
        let is_component = plan.components.iter().any(|planned| planned.name() == name);
        match entry.value.as_map().filter(|_| is_component) {
            Some(own) => {
                for own in own {
                    add(
                        &format!("{name}.{}", own.key.text),
                        &own.key.text,
                        &own.value,
                        &conditions,
                        &mut list,
                    );
                }
            }
            None => add(name, name, &entry.value, &conditions, &mut list),
        }
    }
    list
}

fn add(shown: &str, name: &str, value: &Node, conditions: &[String], list: &mut Vec<Declared>) {
    let named = format!("parameters.{name}");
    if !conditions.iter().any(|condition| condition.contains(&named)) {
        let step = Step::new(StepKind::Parameter, value.mark);
        list.push(Declared { step, text: shown.to_owned() });
    }
}

/// The text of every condition that decides what takes part in a plan.
fn conditions(plan: &Plan) -> Vec<String> {
    let text = |condition: &Option<Spanned>| condition.as_ref().map(|condition| condition.text.clone());
    let components = plan.components.iter().map(|planned| &planned.component);
    let of_components = components.flat_map(|component| {
        let requires = component.requires.iter().filter_map(|requirement| text(&requirement.when));
        let setters = component.set.iter().filter_map(|setter| text(&setter.when));
        requires.chain(setters).collect::<Vec<_>>()
    });
    let of_overlays = plan.overlays.iter().flat_map(|planned| {
        let setters = planned.overlay.set.iter().filter_map(|setter| text(&setter.when));
        text(&planned.overlay.when).into_iter().chain(setters).collect::<Vec<_>>()
    });
    of_components.chain(of_overlays).collect()
}
