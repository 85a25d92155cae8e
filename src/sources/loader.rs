//! A loader stands in one kustomization root and reads what the root names: files, further roots, remote repositories.

use super::remote::{Fetched, Remotes, Request, Source};
use super::url::{self, RemoteRoot};
use super::{LoadRestrictor, Options, file, folder};
use crate::diagnostics::{self, Code, Diagnostic, Diagnostics, Mark, Result, SourceId, Sources};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

/// The names that a kustomization file may have.
const FILE_NAMES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// A text that was read.
#[derive(Clone, Debug)]
pub struct File {
    /// Its number.
    pub id: SourceId,
    /// The text.
    pub source: Arc<diagnostics::Source>,
}

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

/// What an entry of `resources` turns out to be.
#[derive(Debug)]
pub enum Resolved {
    /// A file.
    File(File),
    /// A folder or remote repository.
    Root(Loader),
}

/// Where the root of a loader was fetched from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remote {
    /// The repository.
    pub repository: String,
    /// The folder in it.
    pub path: String,
    /// The ref.
    pub reference: String,
}

/// What all loaders of a run share.
#[derive(Debug)]
struct Shared {
    options: Options,
    sources: Arc<Sources>,
    remotes: Remotes,
    working_folder: PathBuf,
}

/// Reads for one kustomization root.
#[derive(Clone, Debug)]
pub struct Loader {
    shared: Arc<Shared>,
    /// The folder of the root, without symbolic links.
    root: PathBuf,
    /// How the root is shown.
    shown: String,
    remote: Option<Remote>,
    /// The checkout that the root lies in.
    checkout: Option<PathBuf>,
    /// The root that names this one.
    parent: Option<Arc<Loader>>,
}

impl Loader {
    /// A loader for the working folder, whether it is a root or not.
    #[must_use]
    pub fn here(options: Options, sources: &Arc<Sources>) -> Self {
        let working_folder = std::env::current_dir().unwrap_or_default();
        Self::starting(options, sources, working_folder.clone(), working_folder)
    }

    fn starting(options: Options, sources: &Arc<Sources>, working_folder: PathBuf, start: PathBuf) -> Self {
        let remotes = Remotes::new(options.remote.clone(), &start, sources);
        let shared = Arc::new(Shared {
            options,
            sources: Arc::clone(sources),
            remotes,
            working_folder: working_folder.clone(),
        });
        let shown = String::new();
        Self { shared, root: working_folder, shown, remote: None, checkout: None, parent: None }
    }

    /// A loader for the root that a build starts at: a folder or a remote URL. A lock is looked for from the folder
    /// upwards.
    ///
    /// # Errors
    /// When it is not there, is no folder or cannot be fetched.
    pub fn open(target: &str, options: Options, sources: &Arc<Sources>) -> Result<Self> {
        let here = std::env::current_dir().unwrap_or_default();
        match RemoteRoot::parse(target).filter(|_| !Path::new(target).is_dir()) {
            Some(url) => {
                let loader = Self::starting(options, sources, here.clone(), here);
                Ok(Self { parent: None, ..loader.fetch(target, url, Mark::NONE)? })
            }
            None => {
                let loader = Self::starting(options, sources, here.clone(), here.join(target));
                let root = loader.folder(&loader.absolute(target), target, Mark::NONE)?;
                Ok(Self { shown: target.trim_end_matches('/').to_owned(), root, ..loader })
            }
        }
    }

    /// A loader for a root of a catalogue or stack, shown under another name than its path. It shares options, texts and
    /// checkouts with this one, but is no child of it: nothing of the tree names it.
    ///
    /// # Errors
    /// When there is no such folder.
    pub fn beside(&self, folder: &Path, shown: &str, referrer: Mark) -> Result<Self> {
        let root = self.folder(folder, shown, referrer)?;
        let shared = Arc::clone(&self.shared);
        Ok(Self { shared, root, shown: shown.to_owned(), remote: None, checkout: None, parent: None })
    }

    /// The texts of the run.
    #[must_use]
    pub fn sources(&self) -> &Sources {
        &self.shared.sources
    }

    /// What may be read and run.
    #[must_use]
    pub fn options(&self) -> &Options {
        &self.shared.options
    }

    /// The remote sources of the run.
    #[must_use]
    pub fn remotes(&self) -> &Remotes {
        &self.shared.remotes
    }

    /// The folder of the root.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// How the root is shown.
    #[must_use]
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// Where the root was fetched from, if it was named by a URL.
    #[must_use]
    pub fn remote(&self) -> Option<&Remote> {
        self.remote.as_ref()
    }

    /// Reads a text file that the root names.
    ///
    /// # Errors
    /// When it is not there, lies outside the root, is too large or no text.
    pub fn load(&self, path: &str, referrer: Mark) -> Result<File> {
        let (file, shown) = self.locate(path, referrer)?;
        let bytes = file::read(&file, &shown, referrer)?;
        let text = file::text(bytes, &shown, referrer)?;
        let text = match text.strip_prefix('\u{feff}') {
            Some(rest) => rest.to_owned(),
            None => text,
        };
        let (id, source) = self.shared.sources.add(shown, text);
        Ok(File { id, source })
    }

    /// Reads a file that may be binary.
    ///
    /// # Errors
    /// As [`Loader::load`], but for what the bytes are.
    pub fn load_bytes(&self, path: &str, referrer: Mark) -> Result<Vec<u8>> {
        let (file, shown) = self.locate(path, referrer)?;
        Ok(file::read(&file, &shown, referrer)?)
    }

    /// Reads an entry of `resources` as a file when there is one, else as a root.
    ///
    /// # Errors
    /// Those of [`Loader::load`] or [`Loader::child`].
    pub fn resolve(&self, path: &str, referrer: Mark) -> Result<Resolved> {
        let full = self.absolute(path);
        if folder::is_file(&full) {
            return Ok(Resolved::File(self.load(path, referrer)?));
        }
        if url::is_web_address(path) && !folder::is_folder(&full) {
            return self.resolve_address(path, referrer);
        }
        match RemoteRoot::parse(path).is_some() || folder::is_folder(&full) {
            true => Ok(Resolved::Root(self.child(path, referrer)?)),
            false => Ok(Resolved::File(self.load(path, referrer)?)),
        }
    }

    /// A web address is a file when its server gives one, else a repository, as in kustomize.
    fn resolve_address(&self, path: &str, referrer: Mark) -> Result<Resolved> {
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

    /// A loader for another root that this one names: a folder or a URL.
    ///
    /// # Errors
    /// When it is not there, is no folder, cannot be fetched, or is or contains a root that leads here.
    pub fn child(&self, path: &str, referrer: Mark) -> Result<Self> {
        if let Some(url) = RemoteRoot::parse(path).filter(|_| !folder::is_folder(&self.absolute(path))) {
            return self.fetch(path, url, referrer);
        }
        if Path::new(path).is_absolute() {
            let error = Diagnostic::error(
                Code::WrongFileType,
                format!("the root `{path}` may not be an absolute path"),
            );
            return Err(error.at(referrer).help("write it relative to the kustomization file").into());
        }
        let shown = self.show(path);
        let root = self.folder(&self.absolute(path), &shown, referrer)?;
        if let Some(checkout) = self.checkout.as_ref().filter(|checkout| !root.starts_with(checkout)) {
            let _ = checkout;
            let error =
                Diagnostic::error(Code::OutsideRoot, format!("`{path}` leaves the repository it is in"));
            return Err(error.at(referrer).into());
        }
        self.refuse_cycle(&root, &shown, referrer)?;
        Ok(Self {
            shared: Arc::clone(&self.shared),
            root,
            shown,
            remote: None,
            checkout: self.checkout.clone(),
            parent: Some(Arc::new(self.clone())),
        })
    }

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
            Some(name) => error.note(format!("the folder has a `{name}`")),
            None => error,
        }
    }

    fn absolute(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    /// How a path is shown: below the root as the root is shown, `..` taken out where that is plain to see.
    fn show(&self, path: &str) -> String {
        if self.checkout.is_none() && !Path::new(&self.shown).is_absolute() {
            let clean = clean(&self.root.join(path));
            if let Ok(below) = clean.strip_prefix(&self.shared.working_folder) {
                let text = below.to_string_lossy();
                return if text.is_empty() { ".".to_owned() } else { text.into_owned() };
            }
        }
        match (self.shown.as_str(), path) {
            ("", "") => ".".to_owned(),
            ("", path) => path.to_owned(),
            (root, "") => root.to_owned(),
            (root, path) if root.contains("://") => clean_address(&format!("{root}/{path}")),
            (root, path) => clean(&Path::new(root).join(path)).to_string_lossy().into_owned(),
        }
    }

    /// The folder at a path, symbolic links resolved.
    fn folder(&self, path: &Path, shown: &str, referrer: Mark) -> Result<PathBuf> {
        let real =
            folder::canonicalize(path).map_err(|error| file::unreadable(path, shown, &error, referrer))?;
        if folder::is_folder(&real) {
            return Ok(real);
        }
        let error =
            Diagnostic::error(Code::WrongFileType, format!("`{shown}` is a file, but a folder is due"));
        Err(error.at(referrer).into())
    }

    /// The file at a path, symbolic links resolved and the restrictor obeyed, with the name it is shown under.
    fn locate(&self, path: &str, referrer: Mark) -> Result<(PathBuf, String)> {
        if path.is_empty() {
            return Err(Diagnostic::error(Code::NotFound, "an empty path names no file").at(referrer).into());
        }
        if url::is_web_address(path) {
            return self.locate_remote(path, referrer);
        }
        let shown = self.show(path);
        let full = self.absolute(path);
        let real =
            folder::canonicalize(&full).map_err(|error| file::unreadable(&full, &shown, &error, referrer))?;
        if self.shared.options.restrictor == LoadRestrictor::RootOnly && !real.starts_with(&self.root) {
            return Err(self.outside(&full, &shown, referrer).into());
        }
        if let Some(checkout) = self.checkout.as_ref().filter(|checkout| !real.starts_with(checkout)) {
            let message = format!("`{shown}` leads out of the repository in {}", checkout.display());
            return Err(Diagnostic::error(Code::OutsideRoot, message).at(referrer).into());
        }
        Ok((real, shown))
    }

    fn outside(&self, full: &Path, shown: &str, referrer: Mark) -> Diagnostic {
        let is_link = clean(full).starts_with(&self.root);
        let how = if is_link { "is a symbolic link to a file outside" } else { "lies outside" };
        Diagnostic::error(Code::OutsideRoot, format!("`{shown}` {how} the root `{}`", self.show("")))
            .at(referrer)
            .help("allow it with `--load-restrictor LoadRestrictionsNone`, or move the file into the root")
            .note("a root may read files in and below its own folder only, so that nobody's tree reads yours")
    }

    /// The file behind a web address.
    fn locate_remote(&self, path: &str, referrer: Mark) -> Result<(PathBuf, String)> {
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
            return Ok((self.within(&fetched.folder, &root.path, path, referrer)?, path.to_owned()));
        }
        let name = file.file_name().unwrap_or("file").to_owned();
        let fetched = self.get(&Request { source: file, timeout: url::TIMEOUT }, referrer)?;
        Ok((self.within(&fetched.folder, &name, path, referrer)?, path.to_owned()))
    }

    /// A source of the run; its errors get the place of the entry that names it.
    fn get(&self, request: &Request, referrer: Mark) -> Result<Arc<Fetched>> {
        self.shared.remotes.get(request).map_err(|errors| {
            let placed = |error: Diagnostic| match (error.mark, error.code) {
                // What is wrong with a vendored tree or the lock is so wherever it is named.
                (None, code) if !matches!(code, Code::Tampered | Code::BadLock) => error.at(referrer),
                _ => error,
            };
            Diagnostics(errors.0.into_iter().map(placed).collect())
        })
    }

    /// The chart of a repository: the folder that it was unpacked into.
    ///
    /// # Errors
    /// When it cannot be had.
    pub fn chart(&self, repository: &str, name: &str, version: &str, referrer: Mark) -> Result<PathBuf> {
        if name.contains('/') || super::tree_path::check(name).is_err() {
            let error = Diagnostic::error(
                Code::RefusedContent,
                format!("`{}` is no name of a chart", name.escape_debug()),
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

    /// A path in the tree of a source, symbolic links resolved.
    fn within(&self, tree: &Path, path: &str, shown: &str, referrer: Mark) -> Result<PathBuf> {
        let tree = tree.canonicalize().unwrap_or_else(|_| tree.to_owned());
        let full = tree.join(path);
        let real = full.canonicalize().map_err(|error| file::unreadable(&full, shown, &error, referrer))?;
        if !real.starts_with(&tree) {
            let message = format!("`{shown}` leads out of its repository");
            return Err(Diagnostic::error(Code::OutsideRoot, message).at(referrer).into());
        }
        Ok(real)
    }

    fn fetch(
        &self,
        text: &str,
        url: std::result::Result<RemoteRoot, String>,
        referrer: Mark,
    ) -> Result<Self> {
        let url = url.map_err(|why| {
            let error =
                Diagnostic::error(Code::Remote, format!("`{text}` is no remote root: {why}")).at(referrer);
            Diagnostics::from(error.help("write it as `https://HOST/ORG/REPO//PATH?ref=REF`"))
        })?;
        let remote = remote_of(&url);
        self.refuse_remote_cycle(&remote, text, referrer)?;
        let fetched = self.get(&url.request(), referrer)?;
        let checkout = fetched.folder.canonicalize().unwrap_or_else(|_| fetched.folder.clone());
        let real = self.within(&checkout, &url.path, text, referrer)?;
        let root = self.folder(&real, text, referrer)?;
        Ok(Self {
            shared: Arc::clone(&self.shared),
            root,
            shown: text.to_owned(),
            remote: Some(remote),
            checkout: Some(checkout),
            parent: Some(Arc::new(self.clone())),
        })
    }

    /// The loaders from this one up to the root of the build.
    fn chain(&self) -> impl Iterator<Item = &Loader> {
        std::iter::successors(Some(self), |loader| loader.parent.as_deref())
    }

    /// Refuses a root that is, or contains, one that led here.
    fn refuse_cycle(&self, root: &Path, shown: &str, referrer: Mark) -> Result<()> {
        let Some(visited) = self.chain().find(|loader| loader.root.starts_with(root)) else { return Ok(()) };
        if visited.root != root {
            let message = format!("`{shown}` contains the root `{}` that names it", visited.show(""));
            let error = Diagnostic::error(Code::Cycle, message).at(referrer);
            return Err(error
                .help("a root may name roots beside and below it, not the folders it lies in")
                .into());
        }
        Err(self.cycle(shown, |loader| loader.root == root, referrer).into())
    }

    fn refuse_remote_cycle(&self, remote: &Remote, text: &str, referrer: Mark) -> Result<()> {
        let same = |loader: &Loader| loader.remote.as_ref() == Some(remote);
        match self.chain().any(same) {
            true => Err(self.cycle(text, same, referrer).into()),
            false => Ok(()),
        }
    }

    fn cycle(&self, shown: &str, is_start: impl Fn(&Loader) -> bool, referrer: Mark) -> Diagnostic {
        let mut way: Vec<String> = Vec::new();
        for loader in self.chain() {
            way.push(format!("`{}`", loader.show("")));
            if is_start(loader) {
                break;
            }
        }
        way.reverse();
        way.push(format!("`{shown}`"));
        Diagnostic::error(Code::Cycle, "roots include each other in a circle")
            .at(referrer)
            .note(way.join(" names "))
            .help("remove one of these entries")
    }
}

/// Where a root comes from, as origin annotations tell it.
fn remote_of(root: &RemoteRoot) -> Remote {
    let (repository, reference) = match &root.source {
        Source::Git { repository, reference, .. } => (repository.clone(), reference.clone()),
        Source::Oci { repository, reference } => (format!("oci://{repository}"), reference.clone()),
        Source::File { url } => (url.clone(), String::new()),
        Source::Chart { repository, version, .. } => (repository.clone(), version.clone()),
    };
    Remote { repository, path: root.path.clone(), reference }
}

/// Whether a text is a page for people rather than a manifest.
fn is_page(text: &str) -> bool {
    text.trim_start().starts_with('<')
}

fn has_manifest_ending(address: &str) -> bool {
    let path = address.split(['?', '#']).next().unwrap_or(address);
    [".yaml", ".yml", ".json"].iter().any(|ending| path.ends_with(ending))
}

/// Takes `.` and `..` out of an address; what parts the folder from the repository stays.
fn clean_address(address: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in address.split('/') {
        match part {
            "." => {}
            ".." if parts.last().is_some_and(|last| !matches!(*last, "" | "..")) => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// Takes `.` and `..` out of a path, in the text alone.
fn clean(path: &Path) -> PathBuf {
    let mut result = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(result.components().next_back(), Some(Component::Normal(_))) => {
                result.pop();
            }
            part => result.push(part),
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::clean_address;

    #[test]
    fn addresses_keep_their_slashes() {
        assert_eq!(clean_address("file:///r//base/../more/./b.yaml"), "file:///r//more/b.yaml");
        assert_eq!(clean_address("https://h/o/r?ref=v1/a.yaml"), "https://h/o/r?ref=v1/a.yaml");
    }
}
