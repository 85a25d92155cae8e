//! Functions that a command line describes.

use crate::kustomization::function::ANNOTATIONS;
use kfc_yaml::styled::{Comments, Content, Style, StyledDocument, StyledNode, write};

/// The description of a program, as the text of an annotation.
#[must_use]
pub fn exec_function(path: &str) -> String {
    description("exec", vec![("path", StyledNode::plain(path))])
}

/// The description of an image, as the text of an annotation.
#[must_use]
pub fn image_function(image: &str, network: bool) -> String {
    let mut fields = vec![("image", StyledNode::plain(image))];
    if network {
        fields.push(("network", StyledNode::plain("true")));
    }
    description("container", fields)
}

fn description(kind: &str, fields: Vec<(&str, StyledNode)>) -> String {
    let fields = fields.into_iter().map(|(name, value)| (StyledNode::plain(name), value)).collect();
    let program = StyledNode::new(Content::Map { entries: fields, in_flow: true });
    let root = StyledNode::mapping(vec![(StyledNode::plain(kind), program)]);
    write(&StyledDocument { root, comments: Comments::default() })
}

/// The configuration of a function: an object of a kind, `ConfigMap` when not given, with data. The values are what they look like:
/// `a=1` is a number.
#[must_use]
pub fn function_config(function: &str, kind: Option<&str>, data: &[(&str, &str)]) -> StyledNode {
    let mut entries: Vec<(StyledNode, StyledNode)> = Vec::new();
    for (key, value) in data {
        let value = StyledNode::plain(value);
        match entries.iter_mut().find(|(name, _)| name.as_text() == Some(key)) {
            Some((_, old)) => *old = value,
            None => entries.push((StyledNode::plain(key), value)),
        }
    }
    let data = StyledNode::new(Content::Map { entries, in_flow: true });
    let entry = |name: &str, value: StyledNode| (StyledNode::plain(name), value);
    let annotations = vec![entry(ANNOTATIONS[0], StyledNode::string(function, Style::Literal))];
    let metadata = vec![
        entry("name", StyledNode::plain("function-input")),
        entry("annotations", StyledNode::mapping(annotations)),
    ];
    StyledNode::mapping(vec![
        entry("metadata", StyledNode::mapping(metadata)),
        entry("data", data),
        entry("kind", StyledNode::plain(kind.unwrap_or("ConfigMap"))),
        entry("apiVersion", StyledNode::plain("v1")),
    ])
}
