//! The parameters that a user set, as entries that ask for a change.

use crate::assemble::PARAMETER;
use crate::catalogue::{Catalogue, Stack};
use crate::resolve::{Expression, Inputs, Name, Plan, names_in};
use kfc_diagnostics::Mark;
use kfc_kustomize::provenance::{Declared, Step};
use kfc_yaml::{Node, Spanned};
use std::collections::HashSet;

/// The parameters of a stack, without those in conditions: they change which components and overlays are selected, not a
/// field.
#[must_use]
pub fn parameters(plan: &Plan, stack: &Stack, catalogue: &Catalogue) -> Vec<Declared> {
    let deciding = deciding(plan, stack, catalogue);
    let declared = |value: &Node, text: String| {
        let step = Step::new(PARAMETER, value.mark);
        (!deciding.contains(&value.mark)).then(|| Declared::new(step, text))
    };
    let mut list = Vec::new();
    for entry in stack.parameters.as_map().into_iter().flatten() {
        let name = entry.key.text.as_str();
        let is_component = plan.components.iter().any(|planned| planned.name() == name);
        match entry.value.as_map().filter(|_| is_component) {
            Some(own) => {
                list.extend(
                    own.iter().filter_map(|own| declared(&own.value, format!("{name}.{}", own.key.text))),
                );
            }
            None => list.extend(declared(&entry.value, name.to_owned())),
        }
    }
    list
}

/// The locations of parameters that conditions name.
fn deciding(plan: &Plan, stack: &Stack, catalogue: &Catalogue) -> HashSet<Mark> {
    let mut places = HashSet::new();
    let mut add = |inputs: Inputs<'_>, names: Vec<Name>| {
        places.extend(inputs.of_names(&names).into_iter().filter_map(|input| input.entry));
    };
    for planned in &plan.components {
        let component = &planned.component;
        let conditions = component.requires.iter().filter_map(|requirement| requirement.when.as_ref());
        let conditions = conditions.chain(component.set.iter().filter_map(|setter| setter.when.as_ref()));
        let conditions = conditions.chain(component.supports.iter().map(|support| &support.when));
        add(Inputs { plan, stack, component: Some(component) }, names_of(conditions));
    }
    let all = Inputs { plan, stack, component: None };
    // Also of overlays whose condition is false, as the parameter may cause that.
    let takes_part =
        |name: &Spanned<String>| plan.components.iter().any(|planned| planned.name() == name.value);
    for overlay in catalogue.overlays.values().filter(|o| o.components.iter().all(takes_part)) {
        add(all, names_of(&overlay.when));
    }
    for planned in &plan.overlays {
        add(all, names_of(planned.overlay.set.iter().filter_map(|setter| setter.when.as_ref())));
    }
    add(all, names_of(stack.set.iter().filter_map(|setter| setter.when.as_ref())));
    let layers = plan.profile.layers.iter().filter_map(|name| catalogue.layers.get(name));
    for layer in layers {
        add(all, names_of(layer.components.iter().filter_map(|entry| entry.when.as_ref())));
        layer.prefers.iter().for_each(|(_, preferred)| add(all, names_in_text(preferred)));
    }
    stack.prefers.iter().for_each(|(_, preferred)| add(all, names_in_text(preferred)));
    places
}

fn names_of<'c>(conditions: impl IntoIterator<Item = &'c Spanned<String>>) -> Vec<Name> {
    conditions.into_iter().flat_map(|condition| Expression(&condition.value).names()).collect()
}

fn names_in_text(text: &Spanned<String>) -> Vec<Name> {
    names_in(&Node::string(&text.value, text.mark))
}
