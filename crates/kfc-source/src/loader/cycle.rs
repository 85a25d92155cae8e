//! Roots that lead back to themselves.

use super::{Loader, Remote};
use kfc_diagnostics::{Code, Diagnostic, Mark, Result};
use std::path::Path;

impl Loader {
    /// The loaders from this one up to the root of the build.
    pub(super) fn chain(&self) -> impl Iterator<Item = &Loader> {
        std::iter::successors(Some(self), |loader| loader.parent.as_deref())
    }

    /// Refuses a root that is, or contains, one of the roots that name this one.
    pub(super) fn refuse_cycle(&self, root: &Path, shown: &str, referrer: Option<Mark>) -> Result<()> {
        let Some(visited) = self.chain().find(|loader| loader.root.starts_with(root)) else { return Ok(()) };
        if visited.root != root {
            let message = format!("`{shown}` contains the root `{}` that names it", visited.show(""));
            let error = Diagnostic::error(Code::Cycle, message).at(referrer);
            return Err(error
                .help("a root may name roots beside and below it, not the directories above it")
                .into());
        }
        Err(self.cycle(shown, |loader| loader.root == root, referrer).into())
    }

    pub(super) fn refuse_remote_cycle(
        &self,
        remote: &Remote,
        text: &str,
        referrer: Option<Mark>,
    ) -> Result<()> {
        let same = |loader: &Loader| loader.remote.as_ref() == Some(remote);
        if self.chain().any(same) { Err(self.cycle(text, same, referrer).into()) } else { Ok(()) }
    }

    fn cycle(&self, shown: &str, is_start: impl Fn(&Loader) -> bool, referrer: Option<Mark>) -> Diagnostic {
        let mut chain: Vec<String> = Vec::new();
        for loader in self.chain() {
            chain.push(format!("`{}`", loader.show("")));
            if is_start(loader) {
                break;
            }
        }
        chain.reverse();
        chain.push(format!("`{shown}`"));
        Diagnostic::error(Code::Cycle, "roots include each other in a circle")
            .at(referrer)
            .note(chain.join(" names "))
            .help("remove one of these entries")
    }
}
