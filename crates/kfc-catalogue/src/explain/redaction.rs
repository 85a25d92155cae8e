//! Redacted values: numbers that replace them in output.

use super::field::Segment;
use kfc_diagnostics::Numbers;
use kfc_diagnostics::address::{COVERED, without_credentials};
use kfc_kube::redaction::copied::hide_copied;
use kfc_kube::redaction::object;
use kfc_kustomize::provenance::Link;
use kfc_kustomize::redaction as resources;
use kfc_kustomize::resource::Resource;
use kfc_yaml::Entry;
use kfc_yaml::Node;

/// The replacement of a value at a path that is redacted.
fn number(segments: &[Segment], node: &Node, numbers: &mut Numbers) -> Node {
    let text = object::stand_in_at(&names(segments), node, &mut |bytes| numbers.of_bytes(bytes));
    Node::string(&text, node.mark)
}

/// The keys of the path; an index of a list has no name.
fn names(segments: &[Segment]) -> Vec<&str> {
    // Only a path of keys can be public: below a list, nothing is.
    let keys = segments.iter().map_while(|segment| match segment {
        Segment::Key(key) => Some(key.as_str()),
        Segment::Index(_) => None,
    });
    let keys: Vec<&str> = keys.collect();
    if keys.len() < segments.len() { [keys.as_slice(), &["", "", ""]].concat() } else { keys }
}

/// A copy of the value at a path, with numbers for every redacted value. The copy keeps the marks.
pub(super) fn redacted(
    resource: &Resource,
    segments: &[Segment],
    node: &Node,
    numbers: &mut Numbers,
) -> Node {
    let mut copy = node.clone();
    if resources::was_secret(resource) {
        let mut path: Vec<String> = names(segments).into_iter().map(str::to_owned).collect();
        object::hide(&mut copy, &mut path, &mut |bytes| numbers.of_bytes(bytes));
    } else if resources::has_copied(resource) {
        hide_copied(resource, &mut copy, &mut |bytes| numbers.of_bytes(bytes));
    }
    if !resources::was_secret(resource) {
        object::cover_credentials(&mut copy, &mut |_| COVERED.to_owned());
    }
    copy
}

/// The key of an entry as it may be shown.
pub(super) fn key(resource: &Resource, entry: &Entry, numbers: &mut Numbers) -> String {
    if resources::has_copied(resource) && resources::is_copied_key(resource, entry) {
        numbers.of_bytes(entry.key.text.as_bytes())
    } else {
        without_credentials(&entry.key.text).into_owned()
    }
}

/// As [`redacted`], for a value that a field had after these steps.
pub(super) fn redacted_after(
    resource: &Resource,
    segments: &[Segment],
    node: &Node,
    (links, numbers): (&[Link<'_>], &mut Numbers),
) -> Node {
    if resources::came_from_secret(links) && !node.is_null() {
        return number(segments, node, numbers);
    }
    redacted(resource, segments, node, numbers)
}
