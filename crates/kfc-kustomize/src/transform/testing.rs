//! Resources for the unit tests of this directory.

use crate::provenance::Step;
use crate::resource::{Resource, ResourceSet};
use kfc_diagnostics::SourceId;
use kfc_yaml::Node;
use kfc_yaml::parse::parse;

/// The first document of a text.
pub(crate) fn yaml(text: &str) -> Node {
    parse(text, SourceId(0)).unwrap().remove(0)
}

/// Gives a resource another name; the earlier identity is not remembered.
pub(crate) fn rename(resource: &mut Resource, name: &str) {
    resource.edit(&Step::default()).set_name(name);
}

/// The resources of a text; a few well-known kinds live in no namespace.
pub(crate) fn resources(text: &str) -> ResourceSet {
    let list = parse(text, SourceId(0)).unwrap().into_iter().map(|node| {
        let mut resource = Resource::new(node, false);
        resource.set_cluster_scoped(match resource.kind() {
            "Namespace" => resource.api_version() == "v1",
            "APIService" | "CustomResourceDefinition" | "ClusterRoleBinding" => true,
            _ => false,
        });
        resource
    });
    ResourceSet::new(list.collect())
}
