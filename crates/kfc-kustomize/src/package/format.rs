//! The format of `cfg cat`: fields in a known order, and lists whose order means nothing sorted.

use super::annotations::Meta;
use super::field_order::place;
use kfc_diagnostics::{Code, Diagnostic};
use kfc_yaml::styled::{Content, StyledNode};
use std::cmp::Ordering;

const ANNOTATION: &str = "config.kubernetes.io/formatting";

/// The kinds, and their apiVersions, whose lists are sorted.
const SORTED_KINDS: [&str; 7] = [
    "CronJob",
    "DaemonSet",
    "Deployment",
    "Job",
    "ReplicaSet",
    "StatefulSet",
    "ValidatingWebhookConfiguration",
];
const SORTED_VERSIONS: [&str; 8] = [
    "admissionregistration.k8s.io/v1",
    "apps/v1",
    "apps/v1beta1",
    "apps/v1beta2",
    "batch/v1",
    "batch/v1beta1",
    "extensions/v1beta1",
    "v1",
];

/// The lists, and the field that their items are sorted by; the items themselves where there is none.
const SORTED_LISTS: [(&str, Option<&str>); 2] =
    [(".spec.template.spec.containers", Some("name")), (".webhooks.rules.operations", None)];

/// Formats a resource, unless an annotation says otherwise.
///
/// # Errors
/// [`Code::BadValue`] for another value of that annotation than `standard` and `none`.
pub fn format(root: &mut StyledNode) -> Result<(), Diagnostic> {
    let meta = Meta::of(root);
    match meta.annotation(ANNOTATION) {
        None | Some("standard") => {}
        Some("none") => return Ok(()),
        Some(other) => {
            let message = format!("the annotation `{ANNOTATION}` has the value `{other}`");
            return Err(Diagnostic::error(Code::BadValue, message).help("use `standard` or `none`"));
        }
    }
    if root.get("kind").is_some() && root.get("apiVersion").is_some() {
        let has_sorted_lists = SORTED_KINDS.contains(&meta.kind.as_str())
            && SORTED_VERSIONS.contains(&meta.api_version.as_str());
        format_node(root, &mut String::new(), has_sorted_lists);
    }
    Ok(())
}

fn format_node(node: &mut StyledNode, path: &mut String, has_sorted_lists: bool) {
    match &mut node.content {
        Content::Map { entries, .. } => {
            entries.sort_by(|(a, _), (b, _)| {
                compare_fields(a.as_text().unwrap_or_default(), b.as_text().unwrap_or_default())
            });
            for (key, value) in entries {
                format_node(key, path, has_sorted_lists);
                let length = path.len();
                path.push('.');
                path.push_str(key.as_text().unwrap_or_default());
                format_node(value, path, has_sorted_lists);
                path.truncate(length);
            }
        }
        Content::Seq { items, .. } => {
            let list = SORTED_LISTS.iter().find(|(list, _)| has_sorted_lists && *list == path.as_str());
            if let Some((_, field)) = list {
                items.sort_by(|a, b| sort_key(a, *field).cmp(sort_key(b, *field)));
            }
            for item in items {
                format_node(item, path, has_sorted_lists);
            }
        }
        Content::Scalar { .. } | Content::Alias(_) => {}
    }
}

fn sort_key<'n>(item: &'n StyledNode, field: Option<&str>) -> &'n str {
    let value = match field {
        None => Some(item),
        Some(field) => item.get(field),
    };
    value.and_then(StyledNode::as_text).unwrap_or_default()
}

/// Known fields come first, in their order; others follow by their names.
pub(super) fn compare_fields(a: &str, b: &str) -> Ordering {
    match (place(a), place(b)) {
        (Some(a), Some(b)) => a.cmp(&b),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => a.cmp(b),
    }
}

#[cfg(test)]
mod tests {
    use super::format;
    use kfc_yaml::styled::{parse, write};

    fn formatted(text: &str) -> String {
        let mut document = parse(text).unwrap();
        format(&mut document.root).unwrap();
        write(&document)
    }

    #[test]
    fn fields_and_lists_are_sorted() {
        let text = "kind: Deployment\napiVersion: apps/v1\nspec:\n  z: 1\n  a: 2 # two\n  template:\n    spec:\n      containers:\n      - name: b\n      - image: i\n        name: a\nmetadata: {name: x}\n";
        let expected = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x}\nspec:\n  template:\n    spec:\n      containers:\n      - name: a\n        image: i\n      - name: b\n  a: 2 # two\n  z: 1\n";
        assert_eq!(formatted(text), expected);
    }

    #[test]
    fn what_is_not_a_resource_or_asks_for_it_stays() {
        let text = "kind: B\na: 1\n";
        assert_eq!(formatted(text), text);
        let text =
            "kind: B\napiVersion: v1\nmetadata: {annotations: {config.kubernetes.io/formatting: none}}\n";
        assert_eq!(formatted(text), text);
        let mut wrong = parse(&text.replace("none", "some")).unwrap();
        assert!(format(&mut wrong.root).is_err());
    }
}
