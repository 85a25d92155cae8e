//! Who owns the fields of an object. Each inventory is a field manager of its own, so that two inventories that write one
//! field conflict, as server-side apply has it for any two managers. Earlier versions of kfc wrote everything as the one
//! manager `kfc`; what that one owns is moved to the manager of the inventory that lists the object, as
//! `kubectl apply --server-side` moves the fields of client-side applies.

use super::generate::MANAGER as GENERATOR;
use super::inventory_id::InventoryId;
use super::session::Session;
use crate::cluster::{Body, Failure};
use http::Method;
use kfc_kube::ObjectId;
use serde_json::{Map, Value, json};

/// The entries of the managed fields.
pub(super) fn entries(metadata: &Value) -> impl Iterator<Item = &Value> {
    metadata["managedFields"].as_array().into_iter().flatten()
}

fn is_applied_by(entry: &Value, manager: &str) -> bool {
    entry["manager"] == manager && entry["operation"] == "Apply" && entry["subresource"].as_str().is_none()
}

/// The entry of a manager that applies an object.
pub(super) fn applied_by<'m>(metadata: &'m Value, manager: &str) -> Option<&'m Value> {
    entries(metadata).find(|entry| is_applied_by(entry, manager))
}

/// The other inventories whose managers apply an object.
pub(super) fn other_stacks(metadata: &Value, own: &str) -> Vec<InventoryId> {
    let managers = entries(metadata).filter(|entry| entry["operation"] == "Apply");
    let managers = managers.filter_map(|entry| entry["manager"].as_str()).filter(|manager| *manager != own);
    managers.filter_map(InventoryId::of_manager).collect()
}

/// Whose fields are moved.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Former {
    /// Field managers that apply.
    pub(super) appliers: Vec<String>,
    /// Also those of other tools that install manifests.
    pub(super) tools: bool,
}

impl Former {
    pub(super) fn of(appliers: impl IntoIterator<Item = String>) -> Self {
        Self { appliers: appliers.into_iter().collect(), tools: false }
    }

    pub(super) fn is_nobody(&self) -> bool {
        self.appliers.is_empty() && !self.tools
    }

    pub(super) fn is_source(&self, entry: &Value) -> bool {
        self.appliers.iter().any(|manager| is_applied_by(entry, manager))
            || (self.tools && is_installer(entry))
    }
}

/// Whether a manager is a tool with which people write objects, not a controller.
pub(super) fn is_tool(manager: &str) -> bool {
    const TOOLS: [&str; 12] = [
        "kubectl",
        "helm",
        "Helm",
        "argocd",
        "kustomize",
        "flux",
        "kfc",
        "before-first-apply",
        "Terraform",
        "HashiCorp",
        "pulumi",
        "oc",
    ];
    ["k9s", GENERATOR].contains(&manager)
        || TOOLS.iter().any(|tool| manager.starts_with(tool))
        || manager.ends_with("helm-controller")
}

/// Whether a manager is a tool that installs whole manifests, so that what it no longer sends leaves the object: Helm, Argo
/// CD, Flux, kubectl's apply, create and replace, and what makes the values of Secrets. Other commands of kubectl change single fields.
fn is_installer_name(manager: &str) -> bool {
    const INSTALLERS: [&str; 12] = [
        GENERATOR,
        "kubectl",
        "kubectl-client-side-apply",
        "kubectl-create",
        "kubectl-replace",
        "helm",
        "Helm",
        "argocd-controller",
        "argocd-application-controller",
        "kustomize-controller",
        "helm-controller",
        "before-first-apply",
    ];
    INSTALLERS.contains(&manager)
}

/// Whether an entry is of such a tool. kubectl applies as `kubectl`; other writes under that name are of single fields.
pub(super) fn is_installer(entry: &Value) -> bool {
    let manager = entry["manager"].as_str().unwrap_or_default();
    is_installer_name(manager)
        && (manager != "kubectl" || entry["operation"] == "Apply")
        && entry["subresource"].is_null()
}

/// The managed fields after what `from` owns has been moved to `to`; `None` when none of them owns anything. Fields of
/// one version are joined; of another version `to` keeps its own, as there is one entry for each manager that applies.
pub(super) fn moved(metadata: &Value, from: &Former, to: &str) -> Option<Vec<Value>> {
    let is_source = |entry: &&Value| from.is_source(entry) && !is_applied_by(entry, to);
    let sources: Vec<&Value> = entries(metadata).filter(is_source).collect();
    let first = *sources.first()?;
    let mut target = applied_by(metadata, to).unwrap_or(first).clone();
    target["manager"] = Value::from(to);
    target["operation"] = Value::from("Apply");
    for source in sources {
        if source["apiVersion"] == target["apiVersion"] {
            join(&mut target["fieldsV1"], &source["fieldsV1"]);
        }
    }
    let others = entries(metadata).filter(|entry| !is_source(entry) && !is_applied_by(entry, to));
    Some(others.cloned().chain([target]).collect())
}

/// The managed fields without those that a manager applies; `None` when it applies none.
fn without(metadata: &Value, manager: &str) -> Option<Vec<Value>> {
    applied_by(metadata, manager)?;
    let left: Vec<Value> =
        entries(metadata).filter(|entry| !is_applied_by(entry, manager)).cloned().collect();
    // The server ignores an empty list.
    Some(if left.is_empty() { vec![json!({})] } else { left })
}

/// The union of two sets of fields in the form `fieldsV1`.
fn join(into: &mut Value, more: &Value) {
    let Some(more) = more.as_object() else { return };
    if !into.is_object() {
        *into = Value::Object(Map::new());
    }
    for (key, below) in more {
        join(&mut into[key.as_str()], below);
    }
}

/// Moves what `from` owns of a live object to `to`. Returns the new metadata, `None` when there was nothing to move.
pub(super) async fn take_over(
    session: &Session<'_>,
    object: &ObjectId,
    metadata: &Value,
    from: &Former,
    to: &str,
) -> Result<Option<Value>, Failure> {
    match moved(metadata, from, to) {
        Some(fields) => write(session, object, metadata, fields, to).await.map(Some),
        None => Ok(None),
    }
}

/// Gives up the fields of a live object that stays: the manager no longer owns any; the object itself does not change.
pub(super) async fn let_go(session: &Session<'_>, object: &ObjectId, manager: &str) -> Result<(), Failure> {
    let Some(live) = session.read(object).await? else { return Ok(()) };
    let metadata = &live["metadata"];
    match without(metadata, manager) {
        Some(fields) => write(session, object, metadata, fields, manager).await.map(|_| ()),
        None => Ok(()),
    }
}

async fn write(
    session: &Session<'_>,
    object: &ObjectId,
    metadata: &Value,
    fields: Vec<Value>,
    manager: &str,
) -> Result<Value, Failure> {
    let Some(kind) = session.any_version(object).await else {
        return Err(Failure {
            status: 404,
            message: "its kind does not exist".to_owned(),
            ..Failure::default()
        });
    };
    let patch = json!({"metadata": {
        "managedFields": fields, "resourceVersion": metadata["resourceVersion"], "uid": metadata["uid"],
    }});
    let path = format!("{}?fieldManager={manager}", kind.path_of(object));
    let patch = patch.to_string();
    let sent = session.connection.send(Method::PATCH, &path, "application/json", Body::Merge(&patch));
    sent.await.map(|(_, mut answer)| answer["metadata"].take())
}

#[cfg(test)]
mod tests {
    use super::{Former, is_tool, moved, other_stacks, without};
    use crate::apply::InventoryId;
    use serde_json::{Value, json};

    #[expect(clippy::needless_pass_by_value, reason = "a test gives away what it makes")]
    fn entry(manager: &str, operation: &str, fields: Value) -> Value {
        json!({"manager": manager, "operation": operation, "apiVersion": "v1", "time": "2026-01-02T03:04:05Z",
               "fieldsType": "FieldsV1", "fieldsV1": fields})
    }

    #[test]
    fn fields_of_the_old_manager_are_moved_and_joined() {
        let old = entry("kfc", "Apply", json!({"f:data": {"f:a": {}, "f:b": {}}}));
        let kept = entry("kubectl-edit", "Update", json!({"f:data": {"f:c": {}}}));
        let metadata = json!({"managedFields": [old, kept]});
        let from = Former::of(["kfc".to_owned()]);
        let renamed = entry("kfc-shop", "Apply", json!({"f:data": {"f:a": {}, "f:b": {}}}));
        assert_eq!(moved(&metadata, &from, "kfc-shop"), Some(vec![kept.clone(), renamed]));
        let own = entry("kfc-shop", "Apply", json!({"f:data": {"f:a": {}, "f:d": {}}}));
        let metadata = json!({"managedFields": [metadata["managedFields"][0], own, kept]});
        let joined = entry("kfc-shop", "Apply", json!({"f:data": {"f:a": {}, "f:b": {}, "f:d": {}}}));
        assert_eq!(moved(&metadata, &from, "kfc-shop"), Some(vec![kept.clone(), joined]));
        assert_eq!(moved(&json!({"managedFields": [kept]}), &from, "kfc-shop"), None);
    }

    #[test]
    fn what_kubectl_applied_is_moved_but_not_what_was_edited() {
        let applied = entry("kubectl-client-side-apply", "Update", json!({"f:data": {"f:a": {}}}));
        let edited = entry("kubectl-edit", "Update", json!({"f:data": {"f:b": {}}}));
        let mut status = entry("helm", "Update", json!({"f:status": {}}));
        status["subresource"] = "status".into();
        let metadata = json!({"managedFields": [applied, edited, status]});
        let moved = moved(&metadata, &Former { tools: true, ..Former::default() }, "kfc-shop");
        let ours = entry("kfc-shop", "Apply", json!({"f:data": {"f:a": {}}}));
        assert_eq!(moved, Some(vec![edited, status, ours]));
        assert!(is_tool("kubectl-edit") && is_tool("helm") && !is_tool("kube-controller-manager"));
    }

    #[test]
    fn a_manager_lets_go_of_its_own_fields_only() {
        let own = entry("kfc-a", "Apply", json!({"f:data": {}}));
        let other = entry("kfc-b.team", "Apply", json!({"f:data": {}}));
        let metadata = json!({"managedFields": [own, other]});
        assert_eq!(without(&metadata, "kfc-a"), Some(vec![other.clone()]));
        assert_eq!(other_stacks(&metadata, "kfc-a"), [InventoryId::new("team", "b")]);
        assert_eq!(without(&json!({"managedFields": [own]}), "kfc-a"), Some(vec![json!({})]));
        assert_eq!(without(&metadata, "kfc-c"), None);
    }
}
