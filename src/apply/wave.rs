//! The waves of a bundle: what is sent together, and what must hold before the next wave.

use crate::assemble::Assembled;
use crate::catalogue::Ready;
use crate::cluster::{Discovery, ObjectRef};
use crate::diagnostics::{Mark, Result};
use crate::resolve::Plan;
use crate::resource::Resource;
use crate::yaml::json;
use serde_json::Value;
use std::collections::HashSet;

/// A resource that is to be applied.
#[derive(Clone, Debug)]
pub struct Item {
    /// Which object.
    pub object: ObjectRef,
    /// The resource as JSON.
    pub body: String,
    /// Where it stands.
    pub mark: Mark,
    /// Its place inside a wave: what others start with goes first.
    pub phase: u8,
}

/// What must hold before the next wave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// Everything in the wave is ready.
    All,
    /// What the next wave cannot be sent without: namespaces, definitions of kinds, servers of aggregated APIs. The rest
    /// may need the next wave to become ready.
    Definitions,
}

/// What is applied together once the earlier waves are ready.
#[derive(Clone, Debug)]
pub struct Wave {
    /// Its resources, by phase.
    pub items: Vec<Item>,
    /// What must hold before the next one.
    pub gate: Gate,
    /// Objects beside the wave's own that must be ready too.
    pub awaited: Vec<ObjectRef>,
}

/// Waves of an assembled plan: those of the graph. What components name under `ready` is awaited with the last wave that
/// they have resources in.
///
/// # Errors
/// Resources that cannot be written as JSON.
pub fn of_plan(plan: &Plan, assembled: &Assembled, namespace: &str) -> Result<Vec<Wave>> {
    let resources = &assembled.bundle.resources.list;
    let pairs = resources.iter().zip(assembled.waves.iter().copied());
    let mut waves = collect(pairs, namespace, Gate::All)?;
    for (owner, planned) in (0u32..).zip(&plan.components) {
        let of_owner = resources.iter().zip(&assembled.waves).filter(|(r, _)| r.owner == Some(owner));
        let Some(last) = of_owner.map(|(_, wave)| *wave).max() else { continue };
        let awaited = planned.component.ready.iter().map(|ready| awaited(ready, resources));
        if let Some(wave) = waves.get_mut(last) {
            wave.awaited.extend(awaited);
        }
    }
    Ok(waves)
}

/// Waves of any bundle, by kind: namespaces and definitions, then all else, then objects of kinds that the bundle defines.
///
/// # Errors
/// Resources that cannot be written as JSON.
pub fn of_bundle(resources: &[Resource], namespace: &str) -> Result<Vec<Wave>> {
    collect(resources.iter().zip(numbers_of(resources)), namespace, Gate::Definitions)
}

/// The wave of each resource of any bundle, from 0; see [`of_bundle`].
#[must_use]
pub fn numbers_of(resources: &[Resource]) -> Vec<usize> {
    let defined = defined_kinds(resources);
    let rank = |resource: &Resource| {
        let group = resource.api_version().split_once('/').map_or("", |(group, _)| group);
        match phase(resource.kind(), group) {
            0 => 0usize,
            _ if defined.contains(&(group, resource.kind())) => 2,
            _ => 1,
        }
    };
    let ranks: Vec<usize> = resources.iter().map(rank).collect();
    let mut used = ranks.clone();
    used.sort_unstable();
    used.dedup();
    ranks.iter().map(|rank| used.binary_search(rank).unwrap_or(0)).collect()
}

fn collect<'r>(
    resources: impl Iterator<Item = (&'r Resource, usize)>,
    namespace: &str,
    gate: Gate,
) -> Result<Vec<Wave>> {
    let mut waves: Vec<Wave> = Vec::new();
    for (resource, at) in resources {
        while waves.len() <= at {
            waves.push(Wave { items: Vec::new(), gate, awaited: Vec::new() });
        }
        if let Some(wave) = waves.get_mut(at) {
            wave.items.push(item(resource, namespace)?);
        }
    }
    for wave in &mut waves {
        wave.items.sort_by_key(|item| item.phase);
    }
    if let Some(last) = waves.last_mut() {
        last.gate = Gate::All;
    }
    Ok(waves)
}

fn item(resource: &Resource, namespace: &str) -> Result<Item> {
    let object = ObjectRef::of(resource, namespace);
    let mut body = String::new();
    json::write(&resource.node, &mut body)?;
    let phase = phase(&object.kind, &object.group);
    Ok(Item { object, body, mark: resource.mark(), phase })
}

/// The place of a resource inside a wave; see [`phase`].
#[must_use]
pub fn phase_of(resource: &Resource) -> u8 {
    phase(resource.kind(), resource.api_version().split_once('/').map_or("", |(group, _)| group))
}

/// The place of a kind inside a wave: what others live in, what they start with, they themselves, what watches them.
pub(super) fn phase(kind: &str, group: &str) -> u8 {
    match (group, kind) {
        ("", "Namespace")
        | ("apiextensions.k8s.io", "CustomResourceDefinition")
        | ("scheduling.k8s.io", "PriorityClass")
        | ("storage.k8s.io", _)
        | ("node.k8s.io", "RuntimeClass") => 0,
        (
            "",
            "ServiceAccount"
            | "ConfigMap"
            | "Secret"
            | "Service"
            | "ResourceQuota"
            | "LimitRange"
            | "PersistentVolume"
            | "PersistentVolumeClaim"
            | "Endpoints",
        )
        | ("rbac.authorization.k8s.io", _)
        | ("discovery.k8s.io", _) => 1,
        ("admissionregistration.k8s.io", _) | ("apiregistration.k8s.io", _) => 3,
        _ => 2,
    }
}

/// Takes the namespace off objects of kinds that live in none: the scope of a custom kind is known to its definition and
/// to the server only.
pub fn settle_scopes(waves: &mut [Wave], discovery: &Discovery) {
    let mut cluster_wide: HashSet<(String, String)> = HashSet::new();
    for item in waves.iter().flat_map(|wave| &wave.items) {
        if item.object.kind == "CustomResourceDefinition" {
            let spec = serde_json::from_str::<Value>(&item.body).unwrap_or_default()["spec"].take();
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            if spec["scope"] == "Cluster" {
                cluster_wide.insert((text(&spec["group"]), text(&spec["names"]["kind"])));
            }
        }
    }
    for item in waves.iter_mut().flat_map(|wave| &mut wave.items) {
        let object = &mut item.object;
        let key = (object.group.clone(), object.kind.clone());
        let is_cluster_wide =
            cluster_wide.contains(&key) || discovery.find(object).is_some_and(|kind| !kind.namespaced);
        if is_cluster_wide {
            object.namespace.clear();
        }
    }
}

/// Group and kind of every definition in the bundle.
fn defined_kinds(resources: &[Resource]) -> HashSet<(&str, &str)> {
    let definitions = resources.iter().filter(|resource| resource.kind() == "CustomResourceDefinition");
    definitions
        .filter_map(|resource| {
            let group = resource.node.at(&["spec", "group"])?.as_text()?;
            let kind = resource.node.at(&["spec", "names", "kind"])?.as_text()?;
            Some((group, kind))
        })
        .collect()
}

/// The object that a component's `ready` names.
fn awaited(ready: &Ready, resources: &[Resource]) -> ObjectRef {
    let (group, kind) = match ready.what {
        "deployment" => ("apps", "Deployment"),
        "statefulset" => ("apps", "StatefulSet"),
        "daemonset" => ("apps", "DaemonSet"),
        "job" => ("batch", "Job"),
        "crd" => ("apiextensions.k8s.io", "CustomResourceDefinition"),
        _ => {
            // Of either kind, as the bundle has it.
            let is_it = |r: &&Resource| r.kind().ends_with("WebhookConfiguration") && r.name() == ready.name;
            let kind = resources.iter().find(is_it).map_or("ValidatingWebhookConfiguration", Resource::kind);
            ("admissionregistration.k8s.io", kind)
        }
    };
    ObjectRef {
        group: group.to_owned(),
        version: "v1".to_owned(),
        kind: kind.to_owned(),
        namespace: ready.namespace.clone(),
        name: ready.name.clone(),
    }
}
