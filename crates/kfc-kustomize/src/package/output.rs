//! Printing resources.

use super::annotations::{self, INDENTATION, INDEX, LEGACY_INDEX, LEGACY_PATH, Meta, PATH};
use kfc_diagnostics::{Result, SourceId};
use kfc_yaml::styled::{Comments, Content, Layout, Style, StyledDocument, StyledNode, write_all, write_in};
use kfc_yaml::{json, parse};

/// A list that resources are printed in.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "the fields of the list")]
pub struct Wrapping {
    pub kind: String,
    pub api_version: String,
    pub function_config: Option<StyledNode>,
}

/// How resources are printed.
#[derive(Clone, Debug, Default)]
pub struct Output {
    /// Whether the annotations of `config.kubernetes.io` for the document in the file stay.
    pub keeps_index: bool,
    /// Whether those for the file stay.
    pub keeps_path: bool,
    /// The list that they are in.
    pub wrapping: Option<Wrapping>,
    /// The style of each resource; of a style, only these two parts change a mapping.
    pub style: Option<MappingStyle>,
}

/// How a mapping is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MappingStyle {
    /// In braces.
    pub in_flow: bool,
    /// With its tag.
    pub is_tagged: bool,
}

impl MappingStyle {
    fn apply(self, node: &mut StyledNode) {
        node.is_tagged = self.is_tagged && !node.tag.is_empty();
        if let Content::Map { in_flow, .. } = &mut node.content {
            *in_flow = self.in_flow;
        }
    }
}

/// Prints resources.
///
/// # Errors
/// Annotations that are not a mapping; a resource that is to be JSON and cannot be.
pub fn write(mut documents: Vec<StyledDocument>, output: &Output) -> Result<String> {
    let is_json = output.wrapping.is_none() && is_json_alone(&documents);
    let layouts: Vec<Layout> = documents.iter().map(|document| layout_of(&document.root)).collect();
    for StyledDocument { root, .. } in &mut documents {
        let index = [INDEX, LEGACY_INDEX, INDENTATION].into_iter().filter(|_| !output.keeps_index);
        let path = [LEGACY_PATH, PATH].into_iter().filter(|_| !output.keeps_path);
        for name in index.chain(path) {
            annotations::clear(root, name)?;
        }
        annotations::clear_empty(root)?;
        if let Some(style) = output.style {
            style.apply(root);
        }
    }
    if is_json {
        return json_of(&documents);
    }
    Ok(match &output.wrapping {
        None => {
            let texts = documents.iter().zip(layouts);
            texts.map(|(document, layout)| write_in(document, layout)).collect::<Vec<_>>().join("---\n")
        }
        Some(wrapping) => {
            let root = wrapped(documents, wrapping, output.style);
            write_all(&[StyledDocument { root, comments: Comments::default() }])
        }
    })
}

/// Where the lists of a resource begin: two columns further in than their keys where an annotation says so.
fn layout_of(root: &StyledNode) -> Layout {
    let is_wide = Meta::of(root).annotation(INDENTATION) == Some("wide");
    Layout { is_compact: !is_wide, ..Layout::KUSTOMIZE }
}

/// Whether there is one resource, which is from a JSON file: it is printed as JSON.
fn is_json_alone(documents: &[StyledDocument]) -> bool {
    let [document] = documents else { return false };
    let meta = Meta::of(&document.root);
    meta.annotation(PATH).or_else(|| meta.annotation(LEGACY_PATH)).is_some_and(|path| path.ends_with(".json"))
}

fn json_of(documents: &[StyledDocument]) -> Result<String> {
    let mut text = String::new();
    for node in &parse::parse(&write_all(documents), SourceId::NONE)? {
        let mut compact = String::new();
        json::write(node, &mut compact)?;
        text += &json::indented(&compact);
        text.push('\n');
    }
    Ok(text)
}

fn wrapped(documents: Vec<StyledDocument>, wrapping: &Wrapping, style: Option<MappingStyle>) -> StyledNode {
    let text = |text: &str| StyledNode::new(Content::Scalar { text: text.to_owned(), style: Style::Plain });
    let items = documents.into_iter().map(|document| document.root).collect();
    let mut entries = vec![
        (text("apiVersion"), text(&wrapping.api_version)),
        (text("kind"), text(&wrapping.kind)),
        (text("items"), StyledNode::new(Content::Seq { items, in_flow: false })),
    ];
    entries.extend(wrapping.function_config.clone().map(|config| (text("functionConfig"), config)));
    let mut root = StyledNode::mapping(entries);
    if let Some(style) = style {
        style.apply(&mut root);
    }
    root
}
