//! What a cluster has, as far as detection of its profile needs it.

use crate::cluster::{Connection, Failure};
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Result};
use serde_json::Value;

/// Path, kind, and whether detection needs it.
const PATHS: [(&str, &str, bool); 11] = [
    ("/api/v1/nodes", "Node", true),
    ("/apis/storage.k8s.io/v1/storageclasses", "StorageClass", false),
    ("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", "CustomResourceDefinition", false),
    ("/apis/apiregistration.k8s.io/v1/apiservices", "APIService", false),
    ("/apis/apps/v1/deployments", "Deployment", false),
    ("/apis/apps/v1/daemonsets", "DaemonSet", false),
    ("/apis/apps/v1/statefulsets", "StatefulSet", false),
    ("/api/v1/services", "Service", false),
    ("/api/v1/namespaces", "Namespace", false),
    ("/apis/networking.k8s.io/v1/ingressclasses", "IngressClass", false),
    ("/api/v1/configmaps?labelSelector=kfc.dev/inventory", "ConfigMap", false),
];

/// A kind that only some clusters have, its path, and its CRD.
const OPTIONAL: (&str, &str, &str) =
    ("ClusterIssuer", "/apis/cert-manager.io/v1/clusterissuers", "clusterissuers.cert-manager.io");

/// The answers of a cluster: lists of objects, and its version. What we may not read is skipped and reported as a warning.
///
/// # Errors
/// [`Code::Unreachable`] when the server does not answer or does not show its nodes.
pub async fn snapshot(connection: &Connection) -> Result<(Vec<Value>, Diagnostics)> {
    let mut answers = Vec::new();
    let mut warnings = Diagnostics::default();
    let (kind, path, definition) = OPTIONAL;
    let paths = PATHS.into_iter().chain([(path, kind, false)]);
    for (path, kind, is_needed) in paths {
        if kind == OPTIONAL.0 && !has_definition(&answers, definition) {
            continue;
        }
        match connection.get(path).await {
            Ok(mut list) => {
                list["kind"] = Value::from(format!("{kind}List"));
                answers.push(list);
            }
            Err(failure) if is_needed || failure.status == 0 => {
                return Err(trouble(connection, kind, &failure));
            }
            Err(failure) => {
                let message = format!("{kind} objects cannot be read: {}", failure.message);
                let warning = Diagnostic::warning(Code::Unreachable, message);
                warnings.push(match kind {
                    "ConfigMap" => warning.note(
                        "the inventories of kfc are config maps: what kfc installed is found by the field managers of objects only",
                    ),
                    _ => warning,
                });
            }
        }
    }
    if let Ok(version) = connection.get("/version").await {
        answers.push(version);
    }
    Ok((answers, warnings))
}

/// Whether a cluster has a CRD, by its answers.
fn has_definition(answers: &[Value], name: &str) -> bool {
    let items = answers.iter().filter(|list| list["kind"] == "CustomResourceDefinitionList");
    let mut items = items.flat_map(|list| list["items"].as_array().into_iter().flatten());
    items.any(|item| item["metadata"]["name"] == name)
}

fn trouble(connection: &Connection, kind: &str, failure: &Failure) -> Diagnostics {
    let message = format!("{} does not show its {kind} objects: {}", connection.server(), failure.message);
    let help = "save the answers where you have access, and use `--from`";
    Diagnostic::error(Code::Unreachable, message).help(help).into()
}
