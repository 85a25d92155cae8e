//! Configurations of plug-ins: inline, in files, and in roots of their own. What they name is named from the root that
//! lists them.

use super::rename::Renames;
use super::root::{Root, Walk, texts_at};
use crate::engine::inline_documents;
use crate::kustomization::plugin::{self, Plugin};
use kfc_diagnostics::{Diagnostics, Mark, Result};
use kfc_source::{File, Resolved};
use kfc_yaml::{Node, Spanned, parse};

impl Walk {
    /// One entry of `generators`, `transformers` or `validators`; returns the text that replaces it.
    pub(super) fn plugin_entry(&mut self, root: &Root, item: &Spanned<String>) -> Result<String> {
        if let Some(documents) = inline_documents(&root.loader, item)? {
            let source = documents.first().map(|document| document.mark.source);
            let text = match source.and_then(|id| Some((id, root.loader.sources().get(id)?))) {
                Some((id, source)) => {
                    self.configurations(root, &documents)?.apply(&source.text, id, &documents)?
                }
                None => item.value.clone(),
            };
            return Ok(text);
        }
        match root.loader.resolve(&item.value, item.mark)? {
            Resolved::Root(child) => self.child(root, &item.value, child, Some(root), item.mark),
            Resolved::File(file) => self.plugin_file(root, root, &item.value, &file, item.mark),
        }
    }

    /// A file of configurations that `root` names and that works for `of`.
    pub(super) fn plugin_file(
        &mut self,
        root: &Root,
        of: &Root,
        path: &str,
        file: &File,
        referrer: Option<Mark>,
    ) -> Result<String> {
        let documents = parse::parse(&file.source.text, file.id)?;
        let text = self.configurations(of, &documents)?.apply(&file.source.text, file.id, &documents)?;
        let (place, renamed) = self.place(root, path, referrer)?;
        self.copy.put(place, text.into_bytes(), referrer)?;
        Ok(renamed)
    }

    fn configurations(&mut self, of: &Root, documents: &[Node]) -> Result<Renames> {
        let mut errors = Diagnostics::default();
        let mut renames = Renames::default();
        for document in documents {
            errors.collect(self.configuration(of, document, &mut renames));
        }
        errors.into_result(renames)
    }

    /// What one configuration names. One that cannot be read is the build's to complain of.
    fn configuration(&mut self, of: &Root, config: &Node, renames: &mut Renames) -> Result<()> {
        let Ok((plugin, _)) = plugin::read(config) else { return Ok(()) };
        let mut errors = Diagnostics::default();
        if matches!(plugin, Plugin::HelmChart(..)) {
            let values = texts_at(config, &["valuesFile", "values", "additionalValuesFiles"]);
            errors.collect(self.files(of, values.iter(), renames));
        }
        for named in plugin.named() {
            errors.collect(self.files_of(of, named, renames));
        }
        errors.into_result(())
    }
}
