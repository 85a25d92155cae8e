//! The plan for programs.

use crate::resolve::{Plan, Planned, Reason};
use kfc_diagnostics::Numbers;
use kfc_diagnostics::address::cover_json;
use serde_json::{Value, json};

/// The plan as JSON.
#[must_use]
pub fn json(plan: &Plan) -> Value {
    let name = |at: usize| plan.components[at].name();
    let edges = plan
        .edges
        .iter()
        .map(|edge| json!({"from": name(edge.from), "to": name(edge.to), "capability": edge.capability}));
    let overlays = plan.overlays.iter().map(|planned| {
        let when = planned.overlay.when.as_ref().map(|when| &when.value);
        json!({"name": planned.overlay.name.value, "when": when})
    });
    let mut hidden = Numbers::default();
    let components: Vec<Value> =
        plan.components.iter().map(|planned| component(planned, &mut hidden)).collect();
    let mut document = json!({
        "name": plan.name,
        "profile": plan.profile.name,
        "layers": plan.profile.layers,
        "facts": plan.profile.tree(),
        "components": components,
        "edges": edges.collect::<Vec<_>>(),
        "overlays": overlays.collect::<Vec<_>>(),
    });
    cover_json(&mut document);
    document
}

/// The parameters of a component; values that must not be shown are numbered.
fn parameters(planned: &Planned, hidden: &mut Numbers) -> Value {
    let mut parameters = planned.parameters.clone();
    for parameter in planned.component.parameters.iter().filter(|parameter| parameter.is_secret()) {
        if let Some(value) = parameters.get_mut(&parameter.name.value) {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            *value = hidden.of_bytes(text.as_bytes()).into();
        }
    }
    parameters
}

fn component(planned: &Planned, hidden: &mut Numbers) -> Value {
    let reason = match &planned.reason {
        Reason::Asked => json!({"kind": "asked"}),
        Reason::Platform(layer) => json!({"kind": "platform", "layer": layer}),
        Reason::Required { by, capability } => {
            json!({"kind": "required", "by": by, "capability": capability})
        }
    };
    json!({
        "name": planned.name(),
        "stage": planned.component.stage.word(),
        "version": planned.component.version,
        "present": planned.present,
        "depth": planned.depth,
        "reason": reason,
        "parameters": parameters(planned, hidden),
    })
}
