//! Checks of a finished bundle: that nothing in it refers to what is not there, that nothing comes before what it needs,
//! that its custom resource definitions are structural, and that namespaces let its pods in.

mod needs;
mod order;
mod pod_security;
mod references;
mod structural;

pub use order::order;
pub use pod_security::pod_security;
pub use references::references;
pub use structural::structural;

use crate::resource::Resource;
use crate::yaml::Node;

/// Kind and name of a resource, for messages.
fn title(resource: &Resource) -> String {
    match resource.namespace() {
        "" => format!("{} `{}`", resource.kind(), resource.name()),
        namespace => format!("{} `{}` in `{namespace}`", resource.kind(), resource.name()),
    }
}

/// The items of a list at a path; none when it is not there.
fn items<'n>(node: &'n Node, path: &[&str]) -> impl Iterator<Item = &'n Node> {
    node.at(path).and_then(Node::as_seq).into_iter().flatten()
}

/// The text at a path.
fn text<'n>(node: &'n Node, path: &[&str]) -> Option<&'n str> {
    node.at(path).and_then(Node::as_text).filter(|text| !text.is_empty())
}

/// The template of the pods that a workload starts, and its place in the resource: the mapping with `metadata` and `spec`.
fn pod_template(resource: &Resource) -> Option<&Node> {
    match resource.kind() {
        "Pod" => Some(&resource.node),
        "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "Job" => {
            resource.node.at(&["spec", "template"])
        }
        "CronJob" => resource.node.at(&["spec", "jobTemplate", "spec", "template"]),
        _ => None,
    }
}

/// All containers of a pod.
fn containers(pod: &Node) -> impl Iterator<Item = &Node> {
    items(pod, &["spec", "initContainers"]).chain(items(pod, &["spec", "containers"]))
}
