//! Which objects of a bundle are cluster-scoped.

use crate::cluster::Discovery;
use kfc_kube::ObjectId;
use kfc_kube::wave::Wave;
use serde_json::Value;
use std::collections::HashSet;

/// The kinds that are cluster-scoped: only its CRD and the server know the scope of a custom kind.
pub(super) struct Scopes<'d> {
    discovery: &'d Discovery,
    /// Those that the bundle defines.
    cluster_wide: HashSet<(String, String)>,
}

impl<'d> Scopes<'d> {
    pub(super) fn of(waves: &[Wave], discovery: &'d Discovery) -> Self {
        let mut cluster_wide = HashSet::new();
        for item in waves.iter().flat_map(|wave| &wave.items) {
            if item.object.kind == "CustomResourceDefinition" {
                let spec = serde_json::from_str::<Value>(&item.body).unwrap_or_default()["spec"].take();
                let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
                if spec["scope"] == "Cluster" {
                    cluster_wide.insert((text(&spec["group"]), text(&spec["names"]["kind"])));
                }
            }
        }
        Self { discovery, cluster_wide }
    }

    /// Removes the namespace of an object whose kind is cluster-scoped.
    pub(super) fn settle(&self, object: &mut ObjectId) {
        let key = (object.group.clone(), object.kind.clone());
        let is_cluster_wide = self.cluster_wide.contains(&key)
            || self.discovery.find(object).is_some_and(|kind| !kind.namespaced);
        if is_cluster_wide {
            object.namespace.clear();
        }
    }
}

/// Removes the namespace of objects whose kind is cluster-scoped.
pub fn settle_scopes(waves: &mut [Wave], discovery: &Discovery) {
    let scopes = Scopes::of(waves, discovery);
    for wave in waves {
        wave.items.iter_mut().for_each(|item| scopes.settle(&mut item.object));
        wave.hooks.iter_mut().for_each(|hook| scopes.settle(&mut hook.item.object));
    }
}
