//! The config maps in which kfc keeps what it has to know of an inventory.

use super::inventory_id::InventoryId;
use serde_json::{Value, json};

/// How much kfc puts into one: config maps hold at most 1 MiB of data.
pub(super) const CONFIG_MAP_BYTES: usize = 900_000;

/// The path of all config maps of a namespace.
pub(super) fn config_maps(namespace: &str) -> String {
    format!("/api/v1/namespaces/{namespace}/configmaps")
}

/// A config map with one field of data; its label has the name of the inventory.
pub(super) fn config_map(
    id: &InventoryId,
    (label, name): (&str, &str),
    (field, data): (&str, Value),
) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": name,
            "namespace": id.namespace,
            "labels": {label: id.name, "app.kubernetes.io/managed-by": "kfc"},
        },
        field: data,
    })
}
