//! Live objects without what only the server writes.

use serde_json::Value;

/// An object without the fields that only the server writes: status, managed fields, numbers and times of its own.
#[must_use]
pub fn without_server_fields(mut object: Value) -> Value {
    if let Some(top) = object.as_object_mut() {
        top.remove("status");
    }
    if let Some(metadata) = object["metadata"].as_object_mut() {
        for field in
            ["managedFields", "resourceVersion", "generation", "uid", "creationTimestamp", "selfLink"]
        {
            metadata.remove(field);
        }
        if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
            annotations.remove("deployment.kubernetes.io/revision");
        }
    }
    object
}
