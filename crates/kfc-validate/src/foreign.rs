//! Kinds that a platform of the catalogue defines, not Kubernetes or a bundle: OpenShift's Route, Multus'
//! `NetworkAttachmentDefinition`.

use kfc_diagnostics::SourceId;
use kfc_kube::Object;
use kfc_yaml::parse::parse;

/// Our own CRDs for them, which the tests against a real API server install too.
const DEFINITIONS: &str = include_str!("../schemas/foreign.yaml");

/// The CRDs of these kinds. Those of a bundle or a user come after them and replace them.
pub(super) fn definitions() -> Vec<Object> {
    let documents = parse(DEFINITIONS, SourceId::NONE).unwrap_or_default();
    documents.into_iter().map(|node| Object::new(node, true)).collect()
}

#[cfg(test)]
mod tests {
    use super::definitions;
    use crate::{Options, validate};

    #[test]
    fn the_definitions_are_valid_themselves() {
        let all = definitions();
        let names: Vec<&str> = all.iter().map(kfc_kube::Object::name).collect();
        assert_eq!(names, ["routes.route.openshift.io", "network-attachment-definitions.k8s.cni.cncf.io"]);
        let found =
            validate(&all.iter().collect::<Vec<_>>(), &[], &Options { strict: true, ..Options::default() })
                .findings;
        assert!(found.is_empty(), "{found:?}");
    }
}
