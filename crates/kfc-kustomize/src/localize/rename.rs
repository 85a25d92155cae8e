//! Paths that change, by their location in a text.

use crate::edit;
use kfc_diagnostics::{Mark, SourceId};
use kfc_yaml::{Node, Spanned, Value};
use rustc_hash::FxHashMap;

/// New texts for scalars.
#[derive(Debug, Default)]
pub(super) struct Renames(FxHashMap<Mark, String>);

impl Renames {
    /// The scalar gets another text, when it differs.
    pub(super) fn set(&mut self, old: &Spanned<String>, new: String) {
        if let Some(mark) = old.mark.filter(|_| old.value != new) {
            self.0.insert(mark, new);
        }
    }

    /// The text with all of this carried out; what does not change keeps its layout.
    ///
    /// # Errors
    /// Values that cannot be written.
    pub(super) fn apply(
        &self,
        text: &str,
        id: SourceId,
        documents: &[Node],
    ) -> kfc_diagnostics::Result<String> {
        if self.0.is_empty() {
            return Ok(text.to_owned());
        }
        let mut changed = documents.to_vec();
        for document in &mut changed {
            self.change(document);
        }
        edit::carry(text, id, documents, &changed)
    }

    fn change(&self, node: &mut Node) {
        let mark = node.mark;
        match &mut node.value {
            Value::Map(map) => map.iter_mut().for_each(|entry| self.change(&mut entry.value)),
            Value::Seq(items) => items.iter_mut().for_each(|item| self.change(item)),
            Value::Scalar(_) => {
                if let Some(text) = self.0.get(&mark) {
                    *node = Node::string(text, mark);
                }
            }
        }
    }
}
