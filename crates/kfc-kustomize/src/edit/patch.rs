//! `patches`.

use super::Document;
use super::document::{entry, texts};
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Result};
use kfc_yaml::{Map, Node};

/// An entry of `patches` as arguments tell it; empty texts are left out.
#[derive(Clone, Debug, Default)]
pub struct PatchEntry {
    /// The file.
    pub path: String,
    /// The inline text.
    pub patch: String,
    /// The fields of the target, by name: group, version, kind, name, namespace, annotationSelector, labelSelector.
    pub target: [(&'static str, String); 7],
    /// The options, by name: allowNameChange, allowKindChange.
    pub options: Vec<&'static str>,
}

impl PatchEntry {
    fn node(&self) -> Node {
        let mut map: Map = texts([("path", self.path.as_str()), ("patch", &self.patch)]);
        let target = texts(self.target.iter().map(|(field, text)| (*field, text.as_str())));
        let flag = || Node::scalar("true".into(), kfc_yaml::ScalarKind::Bool, None);
        let options: Map = self.options.iter().map(|name| entry(name, flag())).collect();
        for (field, value) in [("target", target), ("options", options)] {
            if !value.is_empty() {
                map.push(entry(field, Node::map(value, None)));
            }
        }
        Node::map(map, None)
    }

    /// Checks that it names a file or has a text, not both.
    ///
    /// # Errors
    /// [`Code::Usage`].
    pub fn check(&self) -> Result<()> {
        if self.path.is_empty() == self.patch.is_empty() {
            let error = Diagnostic::error(Code::Usage, "a patch is either a file or a text");
            return Err(error.help("give one of `--path FILE` and `--patch TEXT`").into());
        }
        Ok(())
    }
}

/// Appends a patch. Returns a warning when it already exists.
pub fn add(document: &mut Document, patch: &PatchEntry) -> Diagnostics {
    let node = patch.node();
    if let Some(old) = document.items("patches").iter().find(|item| **item == node) {
        return Diagnostic::warning(Code::EditExists, "this patch is already in `patches`")
            .at(old.mark)
            .into();
    }
    document.push_item("patches", node);
    Diagnostics::default()
}

/// Takes a patch out.
///
/// # Errors
/// [`Code::EditMissing`] when no entry is the same.
pub fn remove(document: &mut Document, patch: &PatchEntry) -> Result<()> {
    let node = patch.node();
    let left: Vec<Node> = document.items("patches").iter().filter(|item| **item != node).cloned().collect();
    if left.len() < document.items("patches").len() {
        document.set_items("patches", left);
        return Ok(());
    }
    let error = Diagnostic::error(Code::EditMissing, "there is no such patch in `patches`");
    let same_file = |item: &&Node| !patch.path.is_empty() && item.get("path") == node.get("path");
    Err(match document.items("patches").iter().find(same_file) {
        Some(near) => {
            error.label(near.mark, "this one has the same file, but another target or other options")
        }
        None => error,
    }
    .into())
}
