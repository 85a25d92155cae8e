//! The name of an object of a cluster.

use crate::object::Object;
use serde_json::Value;
use std::fmt;

/// What identifies an object of a cluster, with the version that it was written in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectRef {
    /// API group; empty for the core.
    pub group: String,
    /// Version of the group.
    pub version: String,
    /// Kind.
    pub kind: String,
    /// Namespace; empty for what has none.
    pub namespace: String,
    /// Name.
    pub name: String,
}

impl ObjectRef {
    /// The object that a resource of a bundle describes. Namespaced resources without a namespace go to `namespace`.
    #[must_use]
    pub fn of(resource: &Object, namespace: &str) -> Self {
        let (group, version) = split(resource.api_version());
        let namespace = match (resource.cluster_scoped, resource.namespace()) {
            (true, _) => "",
            (false, "") => namespace,
            (false, own) => own,
        };
        Self {
            group: group.to_owned(),
            version: version.to_owned(),
            kind: resource.kind().to_owned(),
            namespace: namespace.to_owned(),
            name: resource.name().to_owned(),
        }
    }

    /// The object that a JSON value describes; `None` when it has no kind or no name.
    #[must_use]
    pub fn of_json(value: &Value) -> Option<Self> {
        let (group, version) = split(value["apiVersion"].as_str()?);
        Some(Self {
            group: group.to_owned(),
            version: version.to_owned(),
            kind: value["kind"].as_str()?.to_owned(),
            namespace: value["metadata"]["namespace"].as_str().unwrap_or_default().to_owned(),
            name: value["metadata"]["name"].as_str()?.to_owned(),
        })
    }

    /// `apps/v1`.
    #[must_use]
    pub fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.clone() } else { format!("{}/{}", self.group, self.version) }
    }

    /// Whether both name the same object, in any version.
    #[must_use]
    pub fn same_object(&self, other: &Self) -> bool {
        self.identity() == other.identity()
    }

    /// What identifies it in any version: group, kind, namespace, name.
    #[must_use]
    pub fn identity(&self) -> (&str, &str, &str, &str) {
        (&self.group, &self.kind, &self.namespace, &self.name)
    }
}

/// `Deployment kubeflow/katib-controller`, with the group only where the kind alone says too little.
impl fmt::Display for ObjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.namespace.as_str() {
            "" => write!(f, "{} {}", self.kind, self.name),
            namespace => write!(f, "{} {namespace}/{}", self.kind, self.name),
        }
    }
}

fn split(api_version: &str) -> (&str, &str) {
    api_version.split_once('/').unwrap_or(("", api_version))
}
