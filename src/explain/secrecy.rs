//! Values of secrets are shown as digests, wherever they are shown.

use super::field::Segment;
use crate::origin::{Link, StepKind};
use crate::resource::Resource;
use crate::yaml::{Node, Value, json};
use sha2::{Digest, Sha256};

/// The annotation that `kubectl apply` keeps the whole resource in.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Hex digits of a digest that are shown.
const DIGITS: usize = 12;

/// What stands for a value that must not be shown: equal values have equal digests.
#[must_use]
pub fn digest(node: &Node) -> String {
    let mut text = String::new();
    match node.as_scalar() {
        Some(scalar) => text.push_str(&scalar.text),
        None => drop(json::write(node, &mut text)),
    }
    let hex: String = Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{}", &hex[..DIGITS])
}

/// Whether a resource is a secret, or was one before a patch changed its kind.
#[must_use]
pub fn is_secret(resource: &Resource) -> bool {
    resource.kind() == "Secret" || resource.previous.iter().any(|previous| previous.kind == "Secret")
}

/// Whether the values at and below a path of a secret are hidden.
fn is_hidden(segments: &[Segment]) -> bool {
    let is = |at: usize, wanted: &[&str]| match segments.get(at) {
        Some(Segment::Key(key)) => wanted.contains(&key.as_str()),
        _ => false,
    };
    is(0, &["data", "stringData"])
        || (is(0, &["metadata"]) && is(1, &["annotations"]) && is(2, &[LAST_APPLIED]))
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
        return Node::string(&digest(node), node.mark);
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
            let hidden = (secret && is_hidden(way)) || came_from_secret(&resource.trail.chain(node.mark));
            if hidden && !node.is_null() {
                *node = Node::string(&digest(node), node.mark);
            }
        }
    }
}
