//! The waves of an assembled plan, with what each waits for.

use super::Assembled;
use crate::catalogue::{Awaited, ReadyKind};
use crate::resolve::Plan;
use kfc_diagnostics::Result;
use kfc_kube::ObjectId;
use kfc_kube::wave::{Gate, Wave, collect};
use kfc_kustomize::resource::Resource;

/// Waves of an assembled plan: those of the graph. The objects under `ready` of a component are awaited with the last wave
/// that has resources of it.
///
/// # Errors
/// Resources that cannot be written as JSON.
pub fn schedule(plan: &Plan, assembled: &Assembled, namespace: &str) -> Result<Vec<Wave>> {
    let resources = &assembled.bundle.resources.list;
    let objects = kfc_kustomize::resource::objects(resources).into_iter();
    let mut waves = collect(objects.zip(assembled.waves.iter().copied()), namespace, Gate::All)?;
    for (owner, planned) in (0u32..).zip(&plan.components) {
        let of_owner = resources.iter().zip(&assembled.waves).filter(|(r, _)| r.owner == Some(owner));
        let Some(last) = of_owner.map(|(_, wave)| *wave).max() else { continue };
        let awaited = planned.component.awaited.iter().map(|ready| awaited(ready, resources));
        if let Some(wave) = waves.get_mut(last) {
            wave.awaited.extend(awaited);
        }
    }
    Ok(waves)
}

/// The object that a component's `ready` names.
fn awaited(ready: &Awaited, resources: &[Resource]) -> ObjectId {
    let (group, mut kind) = ready.kind.group_and_kind();
    if ready.kind == ReadyKind::Webhook {
        // Of either kind, as the bundle has it.
        let is_it = |r: &&Resource| r.kind().ends_with("WebhookConfiguration") && r.name() == ready.name;
        kind = resources.iter().find(is_it).map_or(kind, |resource| resource.kind());
    }
    ObjectId {
        group: group.to_owned(),
        version: "v1".to_owned(),
        kind: kind.to_owned(),
        namespace: ready.namespace.clone().unwrap_or_default(),
        name: ready.name.clone(),
    }
}
