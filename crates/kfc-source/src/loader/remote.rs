//! Files, roots and charts that URLs name, from the remote sources of the run.

use super::super::door::{Limit, Named};
use super::super::remote::{Fetched, Request, Source};
use super::super::tree_path;
use super::super::url::{self, RemoteRoot, is_on_this_machine};
use super::{Loader, Resolved};
use crate::file::Os;
use kfc_diagnostics::address::bare_address;
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Mark, Result};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where the root of a loader was fetched from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remote {
    /// The repository.
    pub repository: String,
    /// The directory in it.
    pub path: String,
    /// The ref.
    pub reference: String,
}

impl Loader {
    /// A web address is a file when its server returns one, else a repository, as in kustomize.
    pub(super) fn resolve_address(&self, path: &str, referrer: Option<Mark>) -> Result<Resolved> {
        let file = Source::File { url: path.to_owned() };
        let root = RemoteRoot::parse(path).and_then(std::result::Result::ok);
        let remotes = &self.shared.remotes;
        let is_known_root = || root.as_ref().map_or(Ok(false), |root| remotes.knows(&root.source));
        if !remotes.knows(&file)? && (url::is_repository(path) || is_known_root()?) {
            return Ok(Resolved::Root(self.child(path, referrer)?));
        }
        let read = match self.load(path, referrer) {
            Ok(read) if !is_page(&read.source.text) => return Ok(Resolved::File(read)),
            read => read,
        };
        match root {
            Some(_) if !remotes.fetches_nothing()? && !has_manifest_ending(path) => {
                remotes.forget(&file);
                Ok(Resolved::Root(self.child(path, referrer)?))
            }
            _ => Ok(Resolved::File(read?)),
        }
    }

    /// The file at a web address.
    pub(super) fn locate_remote(&self, path: &str, referrer: Option<Mark>) -> Result<(PathBuf, String)> {
        let remotes = &self.shared.remotes;
        let file = Source::File { url: path.to_owned() };
        let in_repository = url::github_file(path).map(|url| RemoteRoot {
            path: url.path.clone(),
            timeout: url.timeout,
            source: url.source(),
        });
        let is_page = || path.contains("/blob/");
        let prefers_git = match &in_repository {
            Some(root) => {
                !remotes.knows(&file)?
                    && (is_page() || remotes.knows(&root.source)? || cfg!(not(feature = "fetch")))
            }
            None => false,
        };
        if let Some(root) = in_repository.filter(|_| prefers_git) {
            let fetched = self.get(&root.request(), referrer)?;
            return Ok((in_tree(&fetched.folder, &root.path, path, referrer)?, path.to_owned()));
        }
        let name = file.file_name().unwrap_or("file").to_owned();
        let fetched = self.get(&Request { source: file, timeout: url::TIMEOUT }, referrer)?;
        Ok((in_tree(&fetched.folder, &name, path, referrer)?, path.to_owned()))
    }

    pub(super) fn fetch(
        &self,
        text: &str,
        url: std::result::Result<RemoteRoot, String>,
        referrer: Option<Mark>,
    ) -> Result<Self> {
        let url = url.map_err(|why| {
            let error =
                Diagnostic::error(Code::Remote, format!("`{text}` is not a valid remote root: {why}"))
                    .at(referrer);
            Diagnostics::from(error.help("write it as `https://HOST/ORG/REPO//PATH?ref=REF`"))
        })?;
        let remote = remote_of(&url);
        self.refuse_remote_cycle(&remote, text, referrer)?;
        let fetched = self.get(&url.request(), referrer)?;
        let checkout = fetched.folder.canonicalize().unwrap_or_else(|_| fetched.folder.clone());
        let real = in_tree(&checkout, &url.path, text, referrer)?;
        // The limits of local files do not apply to what was fetched.
        let root = Self { boundary: None, ..self.clone() }.folder(&real, text, referrer)?;
        Ok(Self {
            shared: Arc::clone(&self.shared),
            root,
            shown: text.to_owned(),
            remote: Some(remote),
            checkout: Some(checkout),
            boundary: None,
            parent: Some(Arc::new(self.clone())),
        })
    }

    /// The chart of a repository: the directory that it was unpacked into.
    ///
    /// # Errors
    /// Charts that cannot be fetched.
    pub fn chart(
        &self,
        repository: &str,
        name: &str,
        version: &str,
        referrer: impl Into<Option<Mark>>,
    ) -> Result<PathBuf> {
        let referrer = referrer.into();
        if name.contains('/') || tree_path::check(name).is_err() {
            let error = Diagnostic::error(
                Code::RefusedContent,
                format!("`{}` is not a valid name of a chart", name.escape_debug()),
            );
            return Err(error.at(referrer).into());
        }
        let source = Source::Chart {
            repository: repository.trim_end_matches('/').to_owned(),
            name: name.to_owned(),
            version: version.to_owned(),
        };
        let fetched = self.get(&Request { source, timeout: url::TIMEOUT }, referrer)?;
        Ok(fetched.folder.join(name))
    }

    /// Refuses what a remote tree names on this machine: it must not read local repositories, nor servers that only this
    /// machine reaches.
    fn refuse_this_machine(&self, source: &Source, referrer: Option<Mark>) -> Result<()> {
        let nearest = self.chain().find_map(Self::remote);
        let Some(from) = nearest.filter(|from| !is_on_this_machine(&from.repository)) else { return Ok(()) };
        let address = match source {
            Source::Git { repository, .. } | Source::Oci { repository, .. } => repository,
            Source::Chart { repository, .. } => repository.trim_start_matches("oci://"),
            Source::File { url } => url,
        };
        if !is_on_this_machine(address) {
            return Ok(());
        }
        let message = format!("`{source}` is on this machine, and the root that names it is remote");
        let error = Diagnostic::error(Code::OutsideRoot, message).at(referrer);
        Err(error.note(format!("the root comes from `{}`", from.repository)).into())
    }

    /// A source of the run; its errors get the location of the entry that names it.
    fn get(&self, request: &Request, referrer: Option<Mark>) -> Result<Arc<Fetched>> {
        self.refuse_this_machine(&request.source, referrer)?;
        self.shared.remotes.get(request).map_err(|errors| {
            let placed = |error: Diagnostic| match (error.mark, error.code) {
                // Errors of a vendored tree or the lock do not depend on the entry.
                (None, code) if !matches!(code, Code::Tampered | Code::BadLock) => error.at(referrer),
                _ => error,
            };
            Diagnostics(errors.0.into_iter().map(placed).collect())
        })
    }
}

/// A path in the tree of a source, symbolic links resolved.
fn in_tree(tree: &Path, path: &str, shown: &str, referrer: Option<Mark>) -> Result<PathBuf> {
    let tree = tree.canonicalize().unwrap_or_else(|_| tree.to_owned());
    let limit = Some(Limit { folder: &tree, what: "its repository" });
    Ok(Named { files: &Os, path: &tree.join(path), limit, shown, referrer }.locate()?)
}

/// Where a root comes from, as origin annotations have it.
fn remote_of(root: &RemoteRoot) -> Remote {
    let (repository, reference) = match &root.source {
        Source::Git { repository, reference, .. } => (repository.clone(), reference.clone()),
        Source::Oci { repository, reference } => (format!("oci://{repository}"), reference.clone()),
        Source::File { url } => (url.clone(), String::new()),
        Source::Chart { repository, version, .. } => (repository.clone(), version.clone()),
    };
    Remote { repository: bare_address(&repository), path: root.path.clone(), reference }
}

/// Whether a text is a page for people rather than a manifest.
fn is_page(text: &str) -> bool {
    text.trim_start().starts_with('<')
}

fn has_manifest_ending(address: &str) -> bool {
    let path = address.split(['?', '#']).next().unwrap_or(address);
    [".yaml", ".yml", ".json"].iter().any(|ending| path.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use super::Remote;
    use crate::{Loader, Options, Surroundings};
    use kfc_diagnostics::{Code, Sources};
    use std::path::PathBuf;
    use std::sync::Arc;

    /// The code of the error for an entry of a root that was fetched from a repository.
    fn code(repository: &str, entry: &str) -> Code {
        let folder = PathBuf::from("/nowhere");
        let mut options = Options::new(&Arc::new(Surroundings::bare(folder.clone(), folder.clone())));
        options.remote.offline = true;
        let repository = repository.to_owned();
        let remote = Remote { repository, path: String::new(), reference: String::new() };
        let here = Loader::here(options, &Arc::new(Sources::default()));
        let fetched = Loader { remote: Some(remote), checkout: Some(folder), ..here };
        // A root below it comes from where it came from.
        let below = Loader { remote: None, parent: Some(Arc::new(fetched.clone())), ..fetched };
        let errors = below.resolve(entry, None).expect_err("nothing is fetched");
        errors.0[0].code
    }

    #[test]
    fn a_tree_from_elsewhere_names_nothing_on_this_machine() {
        let own = [
            "file:///home/me/private//base?ref=main",
            "http://127.0.0.1:8080/x.yaml",
            "http://localhost/o/r.git//base?ref=v1",
            "oci://localhost:5000/o/r:v1",
            "git@127.0.0.1:o/r.git//base?ref=v1",
        ];
        for entry in own {
            assert_eq!(code("https://example.com/o/r", entry), Code::OutsideRoot, "{entry}");
            // What came from this machine may.
            assert_eq!(code("file:///home/me/r", entry), Code::Offline, "{entry}");
        }
        assert_eq!(code("https://example.com/o/r", "https://example.com/o/s//b?ref=v1"), Code::Offline);
    }
}
