//! Values of secrets are replaced by digests before anything is compared, so that no report can hold them.

use crate::resource::Resource;
use crate::yaml::{Map, Node};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use std::borrow::Cow;

/// Where kubectl keeps a copy of what was applied.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Bytes of a digest that are shown.
const SHOWN: usize = 6;

/// The object of a resource as reports may show it. The same value in `data` and in `stringData` has the same digest.
#[must_use]
pub(super) fn shown(resource: &Resource) -> Cow<'_, Node> {
    if resource.kind() != "Secret" {
        return Cow::Borrowed(&resource.node);
    }
    let mut node = resource.node.clone();
    mask(node.get_mut("data"), |text| {
        let compact: String = text.split_whitespace().collect();
        digest(&STANDARD.decode(compact).unwrap_or_else(|_| text.as_bytes().to_vec()))
    });
    mask(node.get_mut("stringData"), |text| digest(text.as_bytes()));
    if let Some(annotations) = node.get_mut("metadata").and_then(|node| node.get_mut("annotations")) {
        let applied = annotations.as_map_mut().and_then(|map| map.get_mut(LAST_APPLIED));
        mask_value(applied, &|text| digest(text.as_bytes()));
    }
    Cow::Owned(node)
}

fn mask(values: Option<&mut Node>, digest: impl Fn(&str) -> String) {
    let Some(values) = values else { return };
    match values.as_map_mut() {
        Some(map) => map.iter_mut().for_each(|entry| mask_value(Some(&mut entry.value), &digest)),
        // No mapping: refused by every API server, but to be hidden all the same.
        None => mask_value(Some(values), &digest),
    }
}

fn mask_value(value: Option<&mut Node>, digest: &impl Fn(&str) -> String) {
    let Some(value) = value else { return };
    match value.as_text() {
        Some(text) => *value = Node::string(&digest(text), value.mark),
        None if value.is_null() => {}
        None => *value = Node::map(Map::new(), value.mark),
    }
}

fn digest(bytes: &[u8]) -> String {
    let hash = Sha256::digest(bytes);
    let text: String = hash.iter().take(SHOWN).map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{text}")
}

#[cfg(test)]
mod tests {
    use super::shown;
    use crate::diagnostics::SourceId;
    use crate::resource::Resource;
    use crate::yaml::{emit, parse::parse};

    #[test]
    fn values_become_digests_wherever_they_stand() {
        let text = "kind: Secret\nmetadata: {name: s, annotations: {kubectl.kubernetes.io/last-applied-configuration: '{\"data\": \"cGxhbnRlZA==\"}'}}\ndata: {a: cGxhbnRlZA==, n: null}\nstringData: {a: planted, l: [planted]}\n";
        let node = parse(text, SourceId::NONE).unwrap().remove(0);
        let mut out = Vec::new();
        emit::emit(&shown(&Resource::new(node, false)), &mut out).unwrap();
        let out = String::from_utf8(out).unwrap();
        assert!(!out.contains("planted") && !out.contains("cGxhbnRlZA"), "{out}");
        assert_eq!(out.matches("a: sha256:").count(), 2);
        let digests: Vec<&str> = out.lines().filter_map(|line| line.strip_prefix("  a: ")).collect();
        assert_eq!(digests[0], digests[1]);
    }
}
