//! Objects whose immutable fields change: they can only be deleted and created again, when somebody agreed to that.

use crate::cluster::Failure;
use kfc_kube::ObjectId;
use serde_json::Value;

/// With the value `enabled`, an object may be deleted and created again when one of its immutable fields changes.
pub const RECREATE_ANNOTATION: &str = "kfc.dev/recreate";

/// What may be recreated, and how.
#[derive(Clone, Debug, Default)]
pub struct Recreate {
    /// Everything but namespaces, CRDs, PVCs and PVs.
    pub all: bool,
    /// These objects, of any kind.
    pub named: Vec<ObjectId>,
    /// What becomes of what an object owns, as of a Deployment's pods.
    pub cascade: Cascade,
}

/// What becomes of the objects that a deleted object owns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cascade {
    /// They are deleted, and the deletion waits for that.
    #[default]
    Foreground,
    /// They stay, and the new object takes them over when its selector fits.
    Orphan,
}

impl Cascade {
    /// The word of the API.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Foreground => "Foreground",
            Self::Orphan => "Orphan",
        }
    }
}

/// An object that is recreated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    /// Which object.
    pub object: ObjectId,
    /// Why: what the server says.
    pub why: String,
    /// What is lost with it.
    pub lost: &'static str,
}

/// What is lost when an object is recreated, when somebody agreed to that.
///
/// # Errors
/// How to agree.
pub(super) fn agreed(
    recreate: &Recreate,
    object: &ObjectId,
    live: Option<&Value>,
    failure: &Failure,
) -> Result<Loss, String> {
    let is_named = recreate.named.iter().any(|named| {
        named.kind == object.kind && named.name == object.name && named.namespace == object.namespace
    });
    let is_marked =
        live.is_some_and(|live| live["metadata"]["annotations"][RECREATE_ANNOTATION] == "enabled");
    let lost = lost(object, recreate.cascade);
    if is_named || (!holds_much(object) && (recreate.all || is_marked)) {
        return Ok(Loss { object: object.clone(), why: failure.message.clone(), lost });
    }
    let flag = if holds_much(object) {
        format!("`--recreate-object \"{object}\"` deletes it and creates it again")
    } else {
        "`--recreate` deletes it and creates it again".to_owned()
    };
    Err(format!("the field is immutable: {flag}, and {lost}; or keep the old value"))
}

/// Kinds that hold data or other objects: they have to be named.
fn holds_much(object: &ObjectId) -> bool {
    matches!(
        (object.group.as_str(), object.kind.as_str()),
        ("", "Namespace" | "PersistentVolumeClaim" | "PersistentVolume")
            | ("apiextensions.k8s.io", "CustomResourceDefinition")
    )
}

/// What is lost with an object, as the end of a sentence.
fn lost(object: &ObjectId, cascade: Cascade) -> &'static str {
    match (object.group.as_str(), object.kind.as_str()) {
        ("", "Namespace") => "everything in it is lost",
        ("", "PersistentVolumeClaim" | "PersistentVolume") => {
            "its data is lost unless its volume is retained"
        }
        ("apiextensions.k8s.io", "CustomResourceDefinition") => "all objects of its kind are lost",
        ("batch", "Job") => "its pods and their logs are lost, and it runs again",
        ("apps", "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet") => match cascade {
            Cascade::Foreground => "its pods end: nothing answers until new ones are ready",
            Cascade::Orphan => "its pods stay, and belong to the new one when its selector fits",
        },
        ("", "Service") => "its cluster IP and the address of its load balancer are lost",
        ("", "Pod") => "its logs and the data of its empty directories are lost",
        ("rbac.authorization.k8s.io", _) => "nothing is lost, but its rights are missing for a moment",
        ("", "ConfigMap" | "Secret") | ("storage.k8s.io" | "scheduling.k8s.io" | "node.k8s.io", _) => {
            "nothing is lost but what others added to it"
        }
        _ => "what its controller recorded in its status is lost",
    }
}

#[cfg(test)]
mod tests {
    use super::{Recreate, agreed};
    use crate::cluster::Failure;
    use kfc_kube::ObjectId;
    use serde_json::json;

    #[test]
    fn data_is_recreated_only_by_name() {
        let job = ObjectId { group: "batch".into(), .."Job shop/migrate".parse().unwrap() };
        let claim: ObjectId = "PersistentVolumeClaim shop/data".parse().unwrap();
        let failure = Failure::default();
        let none = Recreate::default();
        let help = agreed(&none, &job, None, &failure).unwrap_err();
        assert!(help.contains("`--recreate` deletes it") && help.contains("it runs again"), "{help}");
        let all = Recreate { all: true, ..Recreate::default() };
        assert!(agreed(&all, &job, None, &failure).is_ok());
        let help = agreed(&all, &claim, None, &failure).unwrap_err();
        assert!(help.contains("`--recreate-object \"PersistentVolumeClaim shop/data\"`"), "{help}");
        let named = Recreate { named: vec![claim.clone()], ..Recreate::default() };
        assert_eq!(
            agreed(&named, &claim, None, &failure).unwrap().lost,
            "its data is lost unless its volume is retained"
        );
        let marked = json!({"metadata": {"annotations": {"kfc.dev/recreate": "enabled"}}});
        assert!(agreed(&none, &job, Some(&marked), &failure).is_ok());
        assert!(agreed(&none, &claim, Some(&marked), &failure).is_err());
    }
}
