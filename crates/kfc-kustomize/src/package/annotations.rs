//! Metadata of resources, and the annotations that reading sets.

use super::kind::wrong_kind;
use crate::types::LOCAL_CONFIG;
use kfc_diagnostics::Diagnostic;
use kfc_yaml::styled::{Content, Style, StyledDocument, StyledNode};
use std::collections::BTreeMap;

pub(super) const INDEX: &str = "internal.config.kubernetes.io/index";
pub(super) const PATH: &str = "internal.config.kubernetes.io/path";
pub(super) const ID: &str = "internal.config.kubernetes.io/id";
pub(super) const LEGACY_INDEX: &str = "config.kubernetes.io/index";
pub(super) const LEGACY_PATH: &str = "config.kubernetes.io/path";
pub(super) const LEGACY_ID: &str = "config.k8s.io/id";
pub(super) const INDENTATION: &str = "internal.config.kubernetes.io/seqindent";

/// The names of an annotation: the older one, and the one of today.
pub(super) const PAIRS: [(&str, &str); 3] = [(LEGACY_PATH, PATH), (LEGACY_INDEX, INDEX), (LEGACY_ID, ID)];

/// What identifies a resource, and its annotations. What is missing is empty, as in kustomize.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words of Kubernetes")]
pub struct Meta {
    pub api_version: String,
    pub kind: String,
    pub name: String,
    pub namespace: String,
    annotations: Vec<(String, String)>,
}

impl Meta {
    /// The metadata of a resource.
    #[must_use]
    pub fn of(root: &StyledNode) -> Self {
        let metadata = root.get("metadata");
        let below = |name: &str| metadata.map(|metadata| value_of(metadata, name)).unwrap_or_default();
        let annotations =
            match metadata.and_then(|metadata| metadata.get("annotations")).map(|node| &node.content) {
                Some(Content::Map { entries, .. }) => {
                    entries.iter().map(|(key, value)| (value_text(key), value_text(value))).collect()
                }
                _ => Vec::new(),
            };
        Self {
            api_version: value_of(root, "apiVersion"),
            kind: value_of(root, "kind"),
            name: below("name"),
            namespace: below("namespace"),
            annotations,
        }
    }

    /// The value of an annotation; of several with one name, the last one counts.
    #[must_use]
    pub fn annotation(&self, name: &str) -> Option<&str> {
        self.annotations.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// Whether a resource is for tools alone.
#[must_use]
pub fn is_local_config(root: &StyledNode) -> bool {
    Meta::of(root).annotation(LOCAL_CONFIG).is_some()
}

fn value_of(node: &StyledNode, name: &str) -> String {
    node.get(name).map(value_text).unwrap_or_default()
}

fn value_text(node: &StyledNode) -> String {
    if node.is_null() { String::new() } else { node.as_text().unwrap_or_default().to_owned() }
}

/// The value of a field of a mapping; nothing for one that is missing or null.
fn field<'n>(node: &'n mut StyledNode, name: &str) -> Result<Option<&'n mut StyledNode>, Diagnostic> {
    if node.is_null() {
        return Ok(None);
    }
    if !matches!(node.content, Content::Map { .. }) {
        return Err(wrong_kind("a mapping", node));
    }
    Ok(node.get_mut(name))
}

/// Sets an annotation, whose value is in single quotes; one that exists keeps its style.
///
/// # Errors
/// Metadata or annotations that are not mappings.
pub(super) fn set(root: &mut StyledNode, name: &str, value: &str) -> Result<(), Diagnostic> {
    clear_empty(root)?;
    let Some(metadata) = field_or_new(root, "metadata")? else { return Ok(()) };
    let Some(annotations) = field_or_new(metadata, "annotations")? else { return Ok(()) };
    let mut value = StyledNode::string(value, Style::SingleQuoted);
    if let Some(before) = field(annotations, name)? {
        if let (Content::Scalar { style, .. }, Content::Scalar { style: new, .. }) =
            (&before.content, &mut value.content)
        {
            *new = *style;
        }
        value.is_tagged = before.is_tagged;
        *before = value;
    } else if let Content::Map { entries, .. } = &mut annotations.content {
        entries.push((StyledNode::plain(name), value));
    }
    Ok(())
}

fn field_or_new<'n>(node: &'n mut StyledNode, name: &str) -> Result<Option<&'n mut StyledNode>, Diagnostic> {
    if field(node, name)?.is_none()
        && let Content::Map { entries, .. } = &mut node.content
    {
        entries.push((StyledNode::plain(name), StyledNode::mapping(Vec::new())));
    }
    field(node, name)
}

/// Removes an annotation.
///
/// # Errors
/// Metadata or annotations that are not mappings.
pub(super) fn clear(root: &mut StyledNode, name: &str) -> Result<(), Diagnostic> {
    let Some(metadata) = field(root, "metadata")? else { return Ok(()) };
    let Some(annotations) = field(metadata, "annotations")? else { return Ok(()) };
    field(annotations, name)?;
    remove(annotations, name);
    Ok(())
}

fn remove(node: &mut StyledNode, name: &str) {
    if let Content::Map { entries, .. } = &mut node.content
        && let Some(at) = entries.iter().position(|(key, _)| key.as_text() == Some(name))
    {
        entries.remove(at);
    }
}

/// Removes annotations, and then metadata, if nothing is in them.
///
/// # Errors
/// A resource or metadata that is not a mapping.
pub(super) fn clear_empty(root: &mut StyledNode) -> Result<(), Diagnostic> {
    if let Some(metadata) = field(root, "metadata")?
        && field(metadata, "annotations")?.is_some_and(|annotations| is_empty(annotations))
    {
        remove(metadata, "annotations");
    }
    if field(root, "metadata")?.is_some_and(|metadata| is_empty(metadata)) {
        remove(root, "metadata");
    }
    Ok(())
}

/// Whether a node has nothing in it; a scalar never has.
fn is_empty(node: &StyledNode) -> bool {
    match &node.content {
        Content::Map { entries, .. } => entries.is_empty(),
        Content::Seq { items, .. } => items.is_empty(),
        Content::Scalar { .. } | Content::Alias(_) => true,
    }
}

/// Sets of each pair of annotations the one that is missing.
///
/// # Errors
/// As [`set`].
pub(super) fn complete_pairs(root: &mut StyledNode) -> Result<(), Diagnostic> {
    let meta = Meta::of(root);
    let value = |name: &str| meta.annotation(name).filter(|value| !value.is_empty());
    for (legacy, today) in PAIRS {
        match (value(legacy), value(today)) {
            (None, Some(value)) => set(root, legacy, value)?,
            (Some(value), None) => set(root, today, value)?,
            _ => {}
        }
    }
    Ok(())
}

/// Says in which file each resource belongs, and where in it; what does not say so itself comes after the others.
///
/// # Errors
/// As [`set`].
pub(super) fn default_index(resources: &mut [StyledDocument]) -> Result<(), Diagnostic> {
    let mut next: BTreeMap<String, usize> = BTreeMap::new();
    for resource in resources.iter_mut() {
        complete_pairs(&mut resource.root)?;
        let meta = Meta::of(&resource.root);
        if let Some(path) = meta.annotation(PATH)
            && let Some(index) = meta.annotation(INDEX)
        {
            let highest = next.entry(path.to_owned()).or_default();
            *highest = (*highest).max(index.parse().unwrap_or_default());
        }
    }
    for resource in resources {
        let meta = Meta::of(&resource.root);
        if meta.annotation(INDEX).is_some() {
            continue;
        }
        let next = next.entry(meta.annotation(PATH).unwrap_or_default().to_owned()).or_default();
        let index = next.to_string();
        *next += 1;
        set(&mut resource.root, INDEX, &index)?;
        set(&mut resource.root, LEGACY_INDEX, &index)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Meta, clear, clear_empty, complete_pairs, set};
    use kfc_yaml::styled::{StyledDocument, parse, write};

    fn changed(text: &str, change: impl FnOnce(&mut StyledDocument)) -> String {
        let mut document = parse(text).unwrap();
        change(&mut document);
        write(&document)
    }

    #[test]
    fn annotations_are_added_and_keep_their_style() {
        let text = "metadata:\n  annotations: {a: \"1\"}\n";
        let after = changed(text, |d| {
            set(&mut d.root, "a", "2").unwrap();
            set(&mut d.root, "b", "3").unwrap();
        });
        assert_eq!(after, "metadata:\n  annotations: {a: \"2\", b: '3'}\n");
        assert_eq!(
            changed("kind: A\nmetadata:\n", |d| set(&mut d.root, "a", "1").unwrap()),
            "kind: A\nmetadata:\n  annotations:\n    a: '1'\n"
        );
        assert!(set(&mut parse("[]").unwrap().root, "a", "1").is_err());
    }

    #[test]
    fn what_is_empty_goes() {
        let text = "kind: A\nmetadata:\n  annotations:\n    a: b\n";
        let after = changed(text, |d| {
            clear(&mut d.root, "a").unwrap();
            clear_empty(&mut d.root).unwrap();
        });
        assert_eq!(after, "kind: A\n");
    }

    #[test]
    fn the_other_name_of_an_annotation_is_set() {
        let text = "metadata: {annotations: {config.kubernetes.io/path: a}}\n";
        let mut document = parse(text).unwrap();
        complete_pairs(&mut document.root).unwrap();
        assert_eq!(Meta::of(&document.root).annotation(super::PATH), Some("a"));
    }
}
