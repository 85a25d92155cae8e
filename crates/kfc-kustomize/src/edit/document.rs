//! A kustomization file that is being changed.

use super::layout::{rewrite, style_of, whole};
use super::write::Style;
use crate::kustomization;
use kfc_diagnostics::{Code, Diagnostic, Result, SourceId};
use kfc_yaml::{Entry, Key, Map, Node, parse};

/// The text of a kustomization file, and the fields that commands change.
#[derive(Clone, Debug)]
pub struct Document {
    text: String,
    source: SourceId,
    before: Option<Node>,
    fields: Map,
}

impl Document {
    /// Reads a kustomization file; marks point into `source`. A file with only comments is empty.
    ///
    /// # Errors
    /// A text that is not YAML or not a kustomization, or that has several documents.
    pub fn read(text: &str, source: SourceId) -> Result<Self> {
        let mut documents = parse::parse(text, source)?;
        if documents.len() > 1 {
            let message = format!("the file has {} documents; expected one", documents.len());
            return Err(Diagnostic::error(Code::BadValue, message).at(documents[1].mark).into());
        }
        let before = documents.pop().filter(|node| !node.is_null());
        if let Some(node) = &before {
            kustomization::read(node).errors.into_result(())?;
        }
        let fields = before.as_ref().and_then(Node::as_map).cloned().unwrap_or_default();
        Ok(Self { text: text.to_owned(), source, before, fields })
    }

    /// The file as it is to be written.
    ///
    /// # Errors
    /// Values that cannot be written, and changes that make it no kustomization.
    pub fn finish(self) -> Result<String> {
        let root = Node::map(self.fields, None);
        kustomization::read(&root).errors.into_result(())?;
        let Some(before) = &self.before else {
            return Ok(format!("{}{}", self.text, whole(&root, Style::default())?));
        };
        let text = rewrite(&self.text, before, &root)?;
        let reads_as_meant = parse::parse(&text, self.source).is_ok_and(|read| match read.as_slice() {
            [node] => *node == root,
            _ => root.as_map().is_some_and(Map::is_empty),
        });
        if reads_as_meant {
            Ok(text)
        } else {
            // Anchors, odd indentation: nothing is left but to write all of it.
            whole(&root, style_of(&self.text, before))
        }
    }

    /// The fields, by the names that kustomize gives them.
    #[must_use]
    pub fn fields(&self) -> &Map {
        &self.fields
    }

    /// The fields, to be changed.
    pub fn fields_mut(&mut self) -> &mut Map {
        &mut self.fields
    }

    /// The text of a field, when it has one.
    #[must_use]
    pub fn text_of(&self, field: &str) -> Option<&str> {
        self.fields.get(field)?.as_text()
    }

    /// Sets a text field; an empty text takes the field out.
    pub fn set_text(&mut self, field: &str, text: &str) {
        match text {
            "" => drop(self.fields.remove(field)),
            text => self.fields.set(field, Node::string(text, None)),
        }
    }

    /// The items of a list field.
    #[must_use]
    pub fn items(&self, field: &str) -> &[Node] {
        self.fields.get(field).and_then(Node::as_seq).unwrap_or_default()
    }

    /// Sets a list field; an empty list takes the field out.
    pub fn set_items(&mut self, field: &str, items: Vec<Node>) {
        if items.is_empty() {
            drop(self.fields.remove(field));
        } else {
            self.fields.set(field, Node::seq(items, None));
        }
    }

    /// Appends to a list field.
    pub fn push_item(&mut self, field: &str, item: Node) {
        let mut items = self.items(field).to_vec();
        items.push(item);
        self.set_items(field, items);
    }
}

/// A mapping of texts, those that are empty left out.
pub(super) fn texts<'a>(entries: impl IntoIterator<Item = (&'a str, &'a str)>) -> Map {
    let filled = entries.into_iter().filter(|(_, text)| !text.is_empty());
    filled.map(|(key, text)| entry(key, Node::string(text, None))).collect()
}

/// An entry of a mapping.
pub(super) fn entry(key: &str, value: Node) -> Entry {
    Entry { key: Key::new(key, None), value }
}
