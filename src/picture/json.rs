//! The plan for programs.

use crate::resolve::{Plan, Planned, Reason};
use serde_json::{Value, json};

/// The plan as JSON.
#[must_use]
pub fn json(plan: &Plan) -> String {
    let name = |at: usize| plan.components[at].name();
    let edges = plan
        .edges
        .iter()
        .map(|edge| json!({"from": name(edge.from), "to": name(edge.to), "capability": edge.capability}));
    let overlays = plan.overlays.iter().map(|planned| {
        let when = planned.overlay.when.as_ref().map(|when| &when.text);
        json!({"name": planned.overlay.name.text, "when": when})
    });
    let document = json!({
        "name": plan.name,
        "profile": plan.profile.name,
        "layers": plan.profile.layers,
        "facts": plan.profile.tree(),
        "components": plan.components.iter().map(component).collect::<Vec<_>>(),
        "edges": edges.collect::<Vec<_>>(),
        "overlays": overlays.collect::<Vec<_>>(),
    });
    format!("{document:#}\n")
}

fn component(planned: &Planned) -> Value {
    let reason = match &planned.reason {
        Reason::Asked => json!({"kind": "asked"}),
        Reason::Platform(layer) => json!({"kind": "platform", "layer": layer}),
        Reason::Required { by, capability } => {
            json!({"kind": "required", "by": by, "capability": capability})
        }
    };
    json!({
        "name": planned.name(),
        "stage": planned.component.stage,
        "version": planned.component.version,
        "present": planned.present,
        "depth": planned.depth,
        "reason": reason,
        "parameters": planned.parameters,
    })
}
