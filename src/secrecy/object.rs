//! Whole objects: values are replaced before anything is compared or written, so that no report can hold them.

use super::{digest_at, is_hidden, is_secret};
use crate::resource::Resource;
use crate::yaml::{Map, Node, Value};
use std::borrow::Cow;

/// The object of a resource as it may be shown.
#[must_use]
pub(crate) fn shown(resource: &Resource) -> Cow<'_, Node> {
    if !is_secret(resource.kind()) {
        return Cow::Borrowed(&resource.node);
    }
    let mut node = resource.node.clone();
    hide(&mut node, &mut Vec::new());
    Cow::Owned(node)
}

fn hide(node: &mut Node, path: &mut Vec<String>) {
    let hidden = {
        let names: Vec<&str> = path.iter().map(String::as_str).collect();
        is_hidden(&names).then(|| node.as_text().map(|text| digest_at(&names, text)))
    };
    match (hidden, &mut node.value) {
        (Some(Some(digest)), _) => *node = Node::string(&digest, node.mark),
        // Below a key, only texts are allowed: anything else is refused by every API server, but hidden all the same.
        (Some(None), Value::Map(_) | Value::Seq(_)) if path.len() > 1 => {
            *node = Node::map(Map::new(), node.mark);
        }
        (_, Value::Map(map)) => {
            for entry in map.iter_mut() {
                path.push(entry.key.text.to_string());
                hide(&mut entry.value, path);
                path.pop();
            }
        }
        (Some(None), Value::Seq(_)) => *node = Node::map(Map::new(), node.mark),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::shown;
    use crate::diagnostics::SourceId;
    use crate::resource::Resource;
    use crate::yaml::{emit, parse::parse};

    #[test]
    fn values_become_digests_wherever_they_stand() {
        let text = "kind: Secret\nmetadata: {name: s, annotations: {kubectl.kubernetes.io/last-applied-configuration: '{\"data\": \"cGxhbnRlZA==\"}'}}\ndata: {a: cGxhbnRlZA==, n: null}\nstringData: {a: planted, l: [planted], m: {x: planted}}\n";
        let node = parse(text, SourceId::NONE).unwrap().remove(0);
        let mut out = Vec::new();
        emit::emit(&shown(&Resource::new(node, false)), &mut out).unwrap();
        let out = String::from_utf8(out).unwrap();
        assert!(!out.contains("planted") && !out.contains("cGxhbnRlZA"), "{out}");
        assert_eq!(out.matches("a: sha256:").count(), 2);
        let digests: Vec<&str> = out.lines().filter_map(|line| line.strip_prefix("  a: ")).collect();
        assert_eq!(digests[0], digests[1]);
        let odd =
            parse("kind: Secret\ndata: [planted]\nstringData: planted\n", SourceId::NONE).unwrap().remove(0);
        let mut out = Vec::new();
        emit::emit(&shown(&Resource::new(odd, false)), &mut out).unwrap();
        assert!(!String::from_utf8(out).unwrap().contains("planted"));
    }
}
