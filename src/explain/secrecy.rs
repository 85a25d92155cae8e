//! Values of secrets are shown as digests, wherever they are shown.

use super::field::Segment;
use crate::origin::{Link, StepKind};
use crate::resource::Resource;
use crate::secrecy::{digest as digest_of, digest_at, is_hidden, is_secret as is_secret_kind};
use crate::yaml::{Node, Value, json};

/// What stands for a value at a path that must not be shown: equal values have equal digests.
fn digest(segments: &[Segment], node: &Node) -> String {
    match node.as_scalar() {
        Some(scalar) => digest_at(&names(segments), &scalar.text),
        None => {
            let mut text = String::new();
            drop(json::write(node, &mut text));
            digest_of(text.as_bytes())
        }
    }
}

/// Whether a resource is a secret, or was one before a patch changed its kind.
#[must_use]
pub fn is_secret(resource: &Resource) -> bool {
    is_secret_kind(resource.kind()) || resource.previous.iter().any(|previous| is_secret_kind(&previous.kind))
}

/// The keys on the way; a place in a list has no name.
fn names(segments: &[Segment]) -> Vec<&str> {
    let keys = segments.iter().map_while(|segment| match segment {
        Segment::Key(key) => Some(key.as_str()),
        Segment::Index(_) => None,
    });
    keys.collect()
}

/// Whether a value was copied out of a secret on its way.
fn came_from_secret(links: &[Link<'_>]) -> bool {
    links.iter().any(|link| {
        let text = link.step.details.as_ref().map_or("", |details| details.text.as_str());
        link.step.kind == StepKind::Replacements && text.starts_with("from Secret ")
    })
}

/// A copy of what stands at a path, every value that must not be shown replaced by its digest. The copy keeps the marks.
pub(super) fn shown(resource: &Resource, segments: &[Segment], node: &Node) -> Node {
    let mut copy = node.clone();
    let mut way = segments.to_vec();
    hide(resource, is_secret(resource), &mut way, &mut copy);
    copy
}

/// As [`shown`], for a value that a field had after these steps.
pub(super) fn shown_after(
    resource: &Resource,
    segments: &[Segment],
    node: &Node,
    links: &[Link<'_>],
) -> Node {
    if came_from_secret(links) {
        return Node::string(&digest(segments, node), node.mark);
    }
    shown(resource, segments, node)
}

fn hide(resource: &Resource, secret: bool, way: &mut Vec<Segment>, node: &mut Node) {
    match &mut node.value {
        Value::Map(map) => {
            for entry in map.iter_mut() {
                way.push(Segment::Key(entry.key.text.to_string()));
                hide(resource, secret, way, &mut entry.value);
                way.pop();
            }
        }
        Value::Seq(items) => {
            for (at, item) in items.iter_mut().enumerate() {
                way.push(Segment::Index(at));
                hide(resource, secret, way, item);
                way.pop();
            }
        }
        Value::Scalar(_) => {
            let hidden =
                (secret && is_hidden(&names(way))) || came_from_secret(&resource.trail.chain(node.mark));
            if hidden && !node.is_null() {
                *node = Node::string(&digest(way, node), node.mark);
            }
        }
    }
}
