//! Hidden values, as numbers stand for them wherever they are shown.

use super::field::Segment;
use crate::origin::{Link, StepKind};
use crate::resource::Resource;
use crate::secrecy::{Numbers, object};
use crate::yaml::{Node, Value};

/// What stands for a value at a path that must not be shown.
fn number(segments: &[Segment], node: &Node, numbers: &mut Numbers) -> Node {
    let text = object::stand_in_at(&names(segments), node, &mut |bytes| numbers.of_bytes(bytes));
    Node::string(&text, node.mark)
}

/// The keys on the way; a place in a list has no name.
fn names(segments: &[Segment]) -> Vec<&str> {
    // Only whole keys lead to what is open: below a list, nothing is.
    let keys = segments.iter().map_while(|segment| match segment {
        Segment::Key(key) => Some(key.as_str()),
        Segment::Index(_) => None,
    });
    let keys: Vec<&str> = keys.collect();
    if keys.len() < segments.len() { [keys.as_slice(), &["", "", ""]].concat() } else { keys }
}

/// Whether a value was copied out of a secret on its way.
fn came_from_secret(links: &[Link<'_>]) -> bool {
    links.iter().any(|link| {
        let text = link.step.details.as_ref().map_or("", |details| details.text.as_str());
        let from = text.strip_prefix("from ").and_then(|rest| rest.split(' ').next());
        link.step.kind == StepKind::Replacements && from.is_some_and(crate::secrecy::is_secret)
    })
}

/// A copy of what is at a path, numbers for every value that must not be shown. The copy keeps the marks.
pub(super) fn shown(resource: &Resource, segments: &[Segment], node: &Node, numbers: &mut Numbers) -> Node {
    let mut copy = node.clone();
    if object::was_secret(resource) {
        let mut path: Vec<String> = names(segments).into_iter().map(str::to_owned).collect();
        object::hide(&mut copy, &mut path, &mut |bytes| numbers.of_bytes(bytes));
    } else {
        hide_copied(resource, &mut segments.to_vec(), &mut copy, numbers);
    }
    copy
}

/// As [`shown`], for a value that a field had after these steps.
pub(super) fn shown_after(
    resource: &Resource,
    segments: &[Segment],
    node: &Node,
    (links, numbers): (&[Link<'_>], &mut Numbers),
) -> Node {
    if came_from_secret(links) && !node.is_null() {
        return number(segments, node, numbers);
    }
    shown(resource, segments, node, numbers)
}

fn hide_copied(resource: &Resource, way: &mut Vec<Segment>, node: &mut Node, numbers: &mut Numbers) {
    match &mut node.value {
        Value::Map(map) => {
            for entry in map.iter_mut() {
                way.push(Segment::Key(entry.key.text.to_string()));
                hide_copied(resource, way, &mut entry.value, numbers);
                way.pop();
            }
        }
        Value::Seq(items) => {
            for (at, item) in items.iter_mut().enumerate() {
                way.push(Segment::Index(at));
                hide_copied(resource, way, item, numbers);
                way.pop();
            }
        }
        Value::Scalar(_) => {
            if !node.is_null() && came_from_secret(&resource.trail.chain(node.mark)) {
                *node = number(way, node, numbers);
            }
        }
    }
}
