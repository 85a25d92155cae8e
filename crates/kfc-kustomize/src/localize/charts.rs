//! Charts: those in the chart home are copied; those of a repository are brought into it, so that the copy needs no network.

use super::root::{Root, Walk};
use crate::generate::helm;
use crate::kustomization::model::{HelmChart, HelmGlobals};
use kfc_diagnostics::{Code, Diagnostic, Mark, Result};
use kfc_source::door::{Limit, Named};
use kfc_source::{FileSystem as _, Os, walk};
use std::path::{Path, PathBuf};

impl Walk {
    /// Copies the directory of a chart. A missing chart is an error of the build, not of the copy.
    pub(super) fn chart(&mut self, root: &Root, chart: &HelmChart, globals: &HelmGlobals) -> Result<()> {
        let mark = chart.mark;
        if Path::new(&globals.chart_home).is_absolute() {
            let message = format!("the chart home `{}` is an absolute path", globals.chart_home);
            let error = Diagnostic::error(Code::LocalizeScope, message).at(mark);
            return Err(error.help("write it relative to the kustomization file").into());
        }
        if chart.name.is_empty() {
            return Ok(());
        }
        match helm::local(chart, globals, &root.loader)? {
            Some(folder) => {
                let real = self.within(root, &folder, &chart.name, mark)?;
                let place = root.lexical(&folder, mark)?;
                self.tree(&real, &root.scope.folder, &place, mark)
            }
            None if chart.repo.is_empty() => Ok(()),
            None => {
                let fetched = root.loader.chart(&chart.repo, &chart.name, &chart.version, mark)?;
                let folder = helm::pulled(chart, globals, &root.loader).join(&chart.name);
                let place = root.lexical(&folder, mark)?;
                let fetched = Os.canonicalize(&fetched).unwrap_or(fetched);
                self.tree(&fetched, &fetched, &place, mark)
            }
        }
    }

    /// Copies all files of a directory; symbolic links are followed as long as they stay in `limit`.
    fn tree(&mut self, folder: &Path, limit: &Path, place: &Path, mark: Option<Mark>) -> Result<()> {
        let locate = |path: &Path| -> Result<PathBuf> {
            let shown = path.strip_prefix(folder).unwrap_or(path).display().to_string();
            let limit = Some(Limit { folder: limit, what: "the scope" });
            Ok(Named { files: &Os, path, limit, shown: &shown, referrer: mark }.locate()?)
        };
        for file in walk::files(folder, mark, &locate)? {
            let bytes = file.read(&file.below.display().to_string(), mark)?;
            self.copy.put(place.join(&file.below), bytes, mark)?;
        }
        Ok(())
    }
}
