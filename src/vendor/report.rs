//! What an update of vendored sources changes in a bundle.

use crate::build::Bundle;
use crate::diagnostics::{Mark, Result};
use crate::sources::lock::tree;
use crate::yaml::{Node, emit};
use similar::TextDiff;

/// Lines around a change that are shown with it.
const CONTEXT: usize = 3;

/// The text of a bundle with the values of secrets replaced by digests of them.
///
/// # Errors
/// Resources that cannot be written.
pub fn text(bundle: Bundle) -> Result<String> {
    let mut nodes: Vec<Node> = bundle.resources.list.into_iter().map(|resource| resource.node).collect();
    nodes.iter_mut().filter(|node| node.get("kind").and_then(Node::as_text) == Some("Secret")).for_each(hide);
    let nodes: Vec<&Node> = nodes.iter().collect();
    Ok(String::from_utf8_lossy(&emit::emit_all(&nodes)?.concat()).into_owned())
}

/// Where kubectl keeps a copy of what was applied.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

fn hide(secret: &mut Node) {
    for field in ["data", "stringData"] {
        hide_values(secret.get_mut(field), |_| true);
    }
    let annotations = secret.get_mut("metadata").and_then(|metadata| metadata.get_mut("annotations"));
    hide_values(annotations, |key| key == LAST_APPLIED);
}

fn hide_values(map: Option<&mut Node>, is_secret: impl Fn(&str) -> bool) {
    let Some(values) = map.and_then(Node::as_map_mut) else { return };
    let keys: Vec<String> = values.iter().map(|entry| entry.key.text.to_string()).collect();
    for key in keys.into_iter().filter(|key| is_secret(key)) {
        let digest = values.get(&key).and_then(Node::as_text).map(|text| tree::sha256(text.as_bytes()));
        let shown = format!("sha256:{}", digest.as_deref().map_or("?", |digest| &digest[..12]));
        values.set(&key, Node::string(&shown, Mark::NONE));
    }
}

/// What changes from one text of a bundle to another, as a unified diff; empty when nothing does.
#[must_use]
pub fn difference(target: &str, before: &str, after: &str) -> String {
    if before == after {
        return String::new();
    }
    let names = (format!("{target}, as kfc.lock pins it"), format!("{target}, updated"));
    TextDiff::from_lines(before, after)
        .unified_diff()
        .context_radius(CONTEXT)
        .header(&names.0, &names.1)
        .to_string()
}
