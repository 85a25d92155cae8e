//! Paths of facts: `rules[].verbs`, `labels{}`; and what they lead to in a value.

use kfc_yaml::Node;

/// Something that a path leads to.
pub(super) struct Target<'n> {
    /// `rules[0].verbs`
    pub(super) below: String,
    /// The value; none where the last step leads to nothing.
    pub(super) node: Option<&'n Node>,
}

/// Everything that a path leads to: `[]` are all items, `{}` all values of a mapping. Only the last step may lead to nothing.
pub(super) fn expand<'n>(top: &'n Node, path: &str) -> Vec<Target<'n>> {
    let mut all = vec![Target { below: String::new(), node: Some(top) }];
    if path == "." {
        return all;
    }
    for step in path.split('.') {
        let (name, kind) = match (step.strip_suffix("[]"), step.strip_suffix("{}")) {
            (Some(name), _) => (name, "[]"),
            (_, Some(name)) => (name, "{}"),
            _ => (step, ""),
        };
        let mut next = Vec::new();
        for target in all {
            let Some(parent) = target.node.filter(|node| node.as_map().is_some()) else { continue };
            let dot = if target.below.is_empty() { "" } else { "." };
            let below = format!("{}{dot}{name}", target.below);
            let node = parent.get(name).filter(|node| !node.is_null());
            match (kind, node) {
                ("[]", Some(list)) => {
                    for (index, item) in list.as_seq().into_iter().flatten().enumerate() {
                        next.push(Target { below: format!("{below}[{index}]"), node: Some(item) });
                    }
                }
                ("{}", Some(map)) => {
                    for entry in map.as_map().into_iter().flatten() {
                        let below = format!("{below}['{}']", entry.key.text);
                        next.push(Target { below, node: Some(&entry.value) });
                    }
                }
                ("", node) => next.push(Target { below, node }),
                _ => {}
            }
        }
        all = next;
    }
    all
}

/// The keys and numbers of a path.
pub(super) fn steps(path: &str) -> impl Iterator<Item = &str> {
    let mut rest = path;
    std::iter::from_fn(move || {
        loop {
            for (opens, closes) in [("['", "']"), ("[\"", "\"]")] {
                if let Some(quoted) = rest.strip_prefix(opens) {
                    let (key, after) = quoted.split_once(closes)?;
                    rest = after;
                    return Some(key);
                }
            }
            if let Some(index) = rest.strip_prefix('[') {
                let (index, after) = index.split_once(']')?;
                rest = after;
                return Some(index);
            }
            match rest.strip_prefix('.') {
                Some(after) => rest = after,
                None if rest.is_empty() => return None,
                None => {
                    let end = rest.find(['.', '[']).unwrap_or(rest.len());
                    let (name, after) = rest.split_at(end);
                    rest = after;
                    return Some(name);
                }
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::{expand, steps};
    use kfc_diagnostics::SourceId;
    use kfc_yaml::parse::parse;

    #[test]
    fn paths_lead_to_items_and_values() {
        let node = parse("{a: [{b: 1}, {c: 2}], m: {x/y: 1}}", SourceId::NONE).unwrap().remove(0);
        let places =
            |path| expand(&node, path).into_iter().map(|t| (t.below, t.node.is_some())).collect::<Vec<_>>();
        assert_eq!(places("a[].b"), [("a[0].b".to_owned(), true), ("a[1].b".to_owned(), false)]);
        assert_eq!(places("m{}"), [("m['x/y']".to_owned(), true)]);
        assert_eq!(places("n"), [("n".to_owned(), false)]);
        assert!(places("n.a").is_empty());
        assert_eq!(steps("a[0]['b.c'].d[\"e'\"]").collect::<Vec<_>>(), ["a", "0", "b.c", "d", "e'"]);
    }
}
