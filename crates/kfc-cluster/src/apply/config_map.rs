//! The config maps in which kfc keeps what it has to know of an inventory.

use super::inventory_id::InventoryId;
use super::session::Session;
use crate::cluster::{Body, Failure};
use http::Method;
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

/// Creates a config map, or replaces the one that has a version. Returns its new version.
///
/// # Errors
/// When the server refuses it: with 409 when it exists already, or is not that of the version any more.
pub(super) async fn write_config_map(
    session: &Session<'_>,
    mut object: Value,
    version: Option<&str>,
) -> Result<String, Failure> {
    let text = |field: &str| object["metadata"][field].as_str().unwrap_or_default().to_owned();
    let all = config_maps(&text("namespace"));
    let one = format!("{all}/{}", text("name"));
    let (method, path) = match version {
        Some(version) => {
            object["metadata"]["resourceVersion"] = Value::from(version);
            (Method::PUT, &one)
        }
        None => (Method::POST, &all),
    };
    let answer = match send_config_map(session, method, path, &object).await {
        // The answer to a first try may have been lost: then this run has written it.
        Err(failure) if failure.status == 409 => {
            let there = session.connection.get(&one).await.ok();
            there.filter(|there| has_content_of(there, &object)).ok_or(failure)?
        }
        sent => sent?,
    };
    Ok(answer["metadata"]["resourceVersion"].as_str().unwrap_or_default().to_owned())
}

/// Replaces a config map, whatever its version.
///
/// # Errors
/// When the server refuses it.
pub(super) async fn replace_config_map(session: &Session<'_>, object: &Value) -> Result<(), Failure> {
    let text = |field: &str| object["metadata"][field].as_str().unwrap_or_default();
    let path = format!("{}/{}", config_maps(text("namespace")), text("name"));
    send_config_map(session, Method::PUT, &path, object).await.map(drop)
}

async fn send_config_map(
    session: &Session<'_>,
    method: Method,
    path: &str,
    object: &Value,
) -> Result<Value, Failure> {
    let (path, body) = (format!("{path}?fieldManager=kfc"), object.to_string());
    let sent = session.connection.send(method, &path, "application/json", Body::Json(&body)).await;
    Ok(sent?.1)
}

/// Whether a config map has the data and the labels of another.
fn has_content_of(there: &Value, object: &Value) -> bool {
    let labels = |object: &Value| object["metadata"]["labels"].clone();
    ["data", "binaryData"].iter().all(|field| there[field] == object[field])
        && labels(there) == labels(object)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by a panic")]
    use super::{InventoryId, Value, config_map, has_content_of, json};

    #[test]
    fn content_is_data_and_labels() {
        let id = InventoryId::new("default", "shop");
        let map = |text: &str| config_map(&id, ("kfc.dev/inventory", "m"), ("data", json!({"list": text})));
        let mut there = map("a");
        there["metadata"]["resourceVersion"] = Value::from("7");
        assert!(has_content_of(&there, &map("a")) && !has_content_of(&there, &map("b")));
        there["metadata"]["labels"].as_object_mut().unwrap().clear();
        assert!(!has_content_of(&there, &map("a")));
    }
}
