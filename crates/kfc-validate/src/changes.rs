//! Changes that a running cluster would refuse: immutable fields that differ from an older bundle.

use super::finding::Finding;
use kfc_diagnostics::{Code, Diagnostic, Mark};
use kfc_diff::model::{Class, Report};
use kfc_kube::{Object, ObjectId};

/// An error for each immutable field that a report has as changed; `resources` are the new side.
#[must_use]
pub fn immutable(report: &Report, resources: &[&Object]) -> Vec<Finding> {
    let mut found = Vec::new();
    for change in &report.changes {
        let Some(resource) = resources.iter().copied().find(|resource| is(resource, &change.identity)) else {
            continue;
        };
        let recreates = change.findings.iter().filter(|finding| finding.class == Class::Recreate);
        found.extend(recreates.map(|recreate| {
            let error = Diagnostic::error(Code::Immutable, recreate.message.clone());
            Finding {
                subject: Some(ObjectId::of(resource, "")),
                path: recreate.path.clone(),
                diagnostic: error.at(place(resource, &recreate.path)),
                secret: kfc_kube::redaction::is_secret(resource.kind()),
            }
        }));
    }
    found
}

fn is(resource: &Object, identity: &ObjectId) -> bool {
    resource.group() == identity.group
        && resource.kind() == identity.kind
        && resource.namespace() == identity.namespace
        && resource.name() == identity.name
}

/// The location of a field, or of the nearest one above it that has a location.
fn place(resource: &Object, path: &str) -> Option<Mark> {
    let mut mark = resource.mark();
    let mut node = &resource.node;
    for key in path.split('.') {
        let Some(below) = node.get(key) else { break };
        mark = below.mark.known().or(mark);
        node = below;
    }
    mark
}
