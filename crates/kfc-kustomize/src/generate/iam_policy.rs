//! `IAMPolicyGenerator`: a Kubernetes service account that acts as a Google Cloud one.

use crate::types::IamPolicyArgs;
use kfc_diagnostics::{Code, Diagnostic, Result};
use kfc_yaml::{Map, Node};

/// The annotation by which GKE knows the Google service account.
const ANNOTATION: &str = "iam.gke.io/gcp-service-account";

/// Makes the service account.
///
/// # Errors
/// A cloud that does not exist.
pub fn generate(args: &IamPolicyArgs) -> Result<Node> {
    if args.cloud != "gke" {
        let error = Diagnostic::error(
            Code::Generator,
            format!("IAMPolicyGenerator does not support the cloud `{}`", args.cloud),
        );
        return Err(error.help("set `cloud: gke`").into());
    }
    let text = |value: &str| Node::string(value, None);
    let account = format!("{}@{}.iam.gserviceaccount.com", args.account_name, args.account_project);
    let mut annotations = Map::new();
    annotations.set(ANNOTATION, text(&account));
    let mut metadata = Map::new();
    metadata.set("name", text(&args.kubernetes_name));
    if !args.kubernetes_namespace.is_empty() {
        metadata.set("namespace", text(&args.kubernetes_namespace));
    }
    metadata.set("annotations", Node::map(annotations, None));
    let mut root = Map::new();
    root.set("apiVersion", text("v1"));
    root.set("kind", text("ServiceAccount"));
    root.set("metadata", Node::map(metadata, None));
    Ok(Node::map(root, None))
}
