//! What is lost with a resource: data, or other resources.

use super::changed::{Changed, finding};
use crate::model::{ChangeKind, Class, Finding, Severity};
use kfc_yaml::Node;

/// Findings of resources that are removed, or recreated under another name.
pub(super) fn findings(changed: &Changed<'_, '_>) -> Vec<Finding> {
    let Some(before) = changed.before else { return Vec::new() };
    let how = match changed.kind {
        ChangeKind::Removed => "is removed",
        ChangeKind::Renamed | ChangeKind::Moved => "is recreated under its new name",
        ChangeKind::Added | ChangeKind::Changed => return Vec::new(),
    };
    let name = &before.identity.name;
    let lost = |message: String| vec![finding(Class::DataLoss, Severity::Critical, "", message)];
    match before.identity.kind.as_str() {
        "Namespace" => lost(format!("the namespace `{name}` {how}: everything in it is deleted")),
        "CustomResourceDefinition" => {
            let kind = before.node.at(&["spec", "names", "kind"]).and_then(Node::as_text).unwrap_or(name);
            lost(format!("the CRD of `{kind}` {how}: every `{kind}` in the cluster is deleted"))
        }
        "PersistentVolumeClaim" => lost(format!("the PVC `{name}` {how}: its data may be deleted")),
        "PersistentVolume" => lost(format!("the PV `{name}` {how}: its data may be deleted")),
        "StatefulSet" if has_claims(&before.node) => {
            let message = format!("the StatefulSet `{name}` {how}: its PVCs are left behind");
            vec![finding(Class::DataLoss, Severity::High, "spec.volumeClaimTemplates", message)]
        }
        _ => Vec::new(),
    }
}

fn has_claims(node: &Node) -> bool {
    let claims = node.at(&["spec", "volumeClaimTemplates"]).and_then(Node::as_seq);
    claims.is_some_and(|claims| !claims.is_empty())
}
