//! The components of the catalogue that are already in the cluster.

use super::answers::{Answers, name};
use crate::catalogue::{Catalogue, Component, ReadyKind};
use serde_json::Value;

/// CRDs that identify components without one under `ready`.
const DEFINITIONS: [(&str, &str); 2] =
    [("istio", "virtualservices.networking.istio.io"), ("knative-serving", "services.serving.knative.dev")];

const KINDS: [ReadyKind; 3] = [ReadyKind::Deployment, ReadyKind::StatefulSet, ReadyKind::DaemonSet];

/// Components that are installed, with the evidence: their CRDs exist, and their workloads, too, if the answers have workloads.
/// Only their workloads show components without CRDs.
pub(super) fn installed(
    answers: &Answers,
    catalogue: &Catalogue,
    notes: &mut Vec<String>,
) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (name, component) in &catalogue.components {
        let definitions = definitions(name, component);
        let has_definitions = !definitions.is_empty()
            && definitions.iter().all(|definition| answers.has("CustomResourceDefinition", definition));
        if !definitions.is_empty() && !has_definitions {
            continue;
        }
        match workloads(answers, component) {
            Workloads::There(evidence) if has_definitions => {
                found.push((name.clone(), format!("{} and {evidence}", definitions.join(", "))));
            }
            Workloads::There(evidence) => found.push((name.clone(), evidence)),
            Workloads::Unknown if has_definitions => found.push((name.clone(), definitions.join(", "))),
            Workloads::Missing(which) if has_definitions => {
                notes.push(format!("{name} is not counted as installed: its CRDs exist, but not {which}"));
            }
            _ => {}
        }
    }
    found
}

fn definitions<'c>(name: &str, component: &'c Component) -> Vec<&'c str> {
    let own: Vec<&str> = component
        .awaited
        .iter()
        .filter(|ready| ready.kind == ReadyKind::CustomResourceDefinition)
        .map(|ready| ready.name.as_str())
        .collect();
    if !own.is_empty() {
        return own;
    }
    DEFINITIONS.iter().filter(|(known, _)| *known == name).map(|(_, definition)| *definition).collect()
}

enum Workloads {
    There(String),
    Missing(String),
    /// The answers have no workloads, or the component has none.
    Unknown,
}

/// Whether the first workload that the component waits for exists. Other installations may have it in another namespace and
/// without some of the others.
fn workloads(answers: &Answers, component: &Component) -> Workloads {
    let workloads = component.awaited.iter().filter(|ready| KINDS.contains(&ready.kind));
    let mut named = workloads.map(|ready| (ready.kind.group_and_kind().1, ready));
    let Some((kind, ready)) = named.next().filter(|(kind, _)| answers.knows(kind)) else {
        return Workloads::Unknown;
    };
    let wanted = ready.namespace.as_deref().unwrap_or_default();
    let fits = |object: &&Value| {
        name(object) == ready.name && (!is_common(&ready.name) || object["metadata"]["namespace"] == wanted)
    };
    match answers.of(kind).iter().find(fits) {
        Some(object) => {
            let namespace = object["metadata"]["namespace"].as_str().unwrap_or_default();
            Workloads::There(format!("{kind} {namespace}/{}", ready.name))
        }
        None => Workloads::Missing(format!("{kind} {wanted}/{}", ready.name)),
    }
}

/// Names that say nothing without their namespace.
fn is_common(name: &str) -> bool {
    matches!(name, "webhook" | "controller" | "mysql")
}
