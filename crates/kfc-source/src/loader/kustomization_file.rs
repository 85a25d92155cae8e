//! Finds the kustomization file of a root.

use super::Loader;
use kfc_diagnostics::{self as diagnostics, Code, Diagnostic, Diagnostics, Result, SourceId};
use std::sync::Arc;

/// The names that a kustomization file may have.
pub const KUSTOMIZATION_FILES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

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
    /// [`Code::NoKustomization`] when there is none, or more than one; [`Code::OutsideRoot`] when it is a symbolic link that
    /// the load restrictor refuses, and there is no other: kustomize ignores such a file, too.
    pub fn find_kustomization(&self) -> Result<Found> {
        let mut refused = Diagnostics::default();
        let mut names = Vec::new();
        for name in KUSTOMIZATION_FILES.into_iter().filter(|name| self.files().exists(&self.root.join(name)))
        {
            match self.locate(name, None) {
                Ok((real, _)) if self.files().is_directory(&real) => {}
                Ok(_) => names.push(name),
                Err(errors) => refused.extend(errors),
            }
        }
        match names.as_slice() {
            [name] => {
                let file = self.load(name, None)?;
                Ok(Found { name: (*name).to_owned(), id: file.id, source: file.source })
            }
            [] if !refused.is_empty() => Err(refused),
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
            .help(format!("add one of {}", KUSTOMIZATION_FILES.join(", ")));
        let near = self
            .files()
            .names_in(&self.root)
            .into_iter()
            .find(|name| name.to_lowercase().starts_with("kustom"));
        match near {
            Some(name) if self.files().is_directory(&self.root.join(&name)) => {
                error.note(format!("`{name}` is a directory itself"))
            }
            Some(name) => error.note(format!("the directory has a `{name}`")),
            None => error,
        }
    }
}
