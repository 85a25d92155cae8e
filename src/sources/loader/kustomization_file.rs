//! Finds the kustomization file of a root.

use super::super::{file, folder};
use super::Loader;
use crate::diagnostics::{self, Code, Diagnostic, Mark, Result, SourceId};
use std::sync::Arc;

/// The names that a kustomization file may have.
const FILE_NAMES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// The kustomization file of a root.
#[derive(Clone, Debug)]
pub struct Found {
    /// Its name, `kustomization.yaml` most often.
    pub name: String,
    /// Its number.
    pub id: SourceId,
    /// Its text.
    pub source: Arc<diagnostics::Source>,
}

impl Loader {
    /// The kustomization file of the root.
    ///
    /// # Errors
    /// [`Code::NoKustomization`] when there is none, or more than one.
    pub fn find_kustomization(&self) -> Result<Found> {
        let names: Vec<&str> =
            FILE_NAMES.into_iter().filter(|name| folder::is_file(&self.root.join(name))).collect();
        match names.as_slice() {
            [name] => {
                let shown = self.show(name);
                let bytes = file::read(&self.root.join(name), &shown, Mark::NONE)?;
                let text = file::text(bytes, &shown, Mark::NONE)?;
                let (id, source) = self.shared.sources.add(shown, text.trim_start_matches('\u{feff}'));
                Ok(Found { name: (*name).to_owned(), id, source })
            }
            [] => Err(self.no_kustomization().into()),
            several => {
                let message =
                    format!("`{}` has several kustomization files: {}", self.show(""), several.join(", "));
                Err(Diagnostic::error(Code::NoKustomization, message).help("keep one of them").into())
            }
        }
    }

    fn no_kustomization(&self) -> Diagnostic {
        let message = format!("there is no kustomization file in `{}`", self.show(""));
        let error = Diagnostic::error(Code::NoKustomization, message)
            .help(format!("it is called {}", FILE_NAMES.join(", ")));
        let near =
            folder::names_in(&self.root).into_iter().find(|name| name.to_lowercase().starts_with("kustom"));
        match near {
            Some(name) if self.root.join(&name).is_dir() => {
                error.note(format!("`{name}` is a folder itself"))
            }
            Some(name) => error.note(format!("the folder has a `{name}`")),
            None => error,
        }
    }
}
