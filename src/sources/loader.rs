//! A loader stands in one kustomization root and reads what the root names: files, further roots, remote repositories.

use super::git::Repositories;
use super::url::{self, RemoteUrl};
use super::{LoadRestrictor, Options, file, folder};
use crate::diagnostics::{Code, Diagnostic, Diagnostics, Mark, Result, Source, SourceId, Sources};
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
    pub source: Arc<Source>,
}

/// The kustomization file of a root.
#[derive(Clone, Debug)]
pub struct Found {
    /// Its name, `kustomization.yaml` most often.
    pub name: String,
    /// Its number.
    pub id: SourceId,
    /// Its text.
    pub source: Arc<Source>,
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
    repositories: Repositories,
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
        let shared = Arc::new(Shared {
            options,
            sources: Arc::clone(sources),
            repositories: Repositories::default(),
            working_folder: working_folder.clone(),
        });
        let shown = String::new();
        Self { shared, root: working_folder, shown, remote: None, checkout: None, parent: None }
    }

    /// A loader for the root that a build starts at: a folder or a remote URL.
    ///
    /// # Errors
    /// When it is not there, is no folder or cannot be fetched.
    pub fn open(target: &str, options: Options, sources: &Arc<Sources>) -> Result<Self> {
        let here = Self::here(options, sources);
        match RemoteUrl::parse(target).filter(|_| !Path::new(target).is_dir()) {
            Some(url) => Ok(Self { parent: None, ..here.fetch(target, url, Mark::NONE)? }),
            None => {
                let root = here.folder(&here.absolute(target), target, Mark::NONE)?;
                Ok(Self { shown: target.trim_end_matches('/').to_owned(), root, ..here })
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
        let is_local_file = || folder::is_file(&self.absolute(path));
        let exists = || folder::is_folder(&self.absolute(path)) || is_local_file();
        let is_local = is_local_file() || (RemoteUrl::parse(path).is_none() && !exists());
        if is_local || url::github_file(path).is_some() {
            return Ok(Resolved::File(self.load(path, referrer)?));
        }
        Ok(Resolved::Root(self.child(path, referrer)?))
    }

    /// A loader for another root that this one names: a folder or a URL.
    ///
    /// # Errors
    /// When it is not there, is no folder, cannot be fetched, or is or contains a root that leads here.
    pub fn child(&self, path: &str, referrer: Mark) -> Result<Self> {
        if let Some(url) = RemoteUrl::parse(path).filter(|_| !folder::is_folder(&self.absolute(path))) {
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
        if path.starts_with("http://") || path.starts_with("https://") {
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

    fn locate_remote(&self, path: &str, referrer: Mark) -> Result<(PathBuf, String)> {
        let Some(url) = url::github_file(path) else {
            let error = Diagnostic::error(
                Code::Remote,
                format!("`{path}` is a web address that is no git repository"),
            );
            let help = "download the file beside the kustomization, or name a repository: `https://HOST/ORG/REPO//PATH?ref=REF`";
            return Err(error.at(referrer).help(help).into());
        };
        let checkout =
            self.shared.repositories.checkout(&url).map_err(|why| cannot_fetch(path, &why, referrer))?;
        let full = checkout.join(&url.path);
        let real =
            std::fs::canonicalize(&full).map_err(|error| file::unreadable(&full, path, &error, referrer))?;
        if !real.starts_with(std::fs::canonicalize(&checkout).unwrap_or(checkout)) {
            return Err(Diagnostic::error(
                Code::OutsideRoot,
                format!("`{path}` leads out of its repository"),
            )
            .at(referrer)
            .into());
        }
        Ok((real, path.to_owned()))
    }

    fn fetch(&self, text: &str, url: std::result::Result<RemoteUrl, String>, referrer: Mark) -> Result<Self> {
        let url = url.map_err(|why| {
            let error =
                Diagnostic::error(Code::Remote, format!("`{text}` is no remote root: {why}")).at(referrer);
            Diagnostics::from(error.help("write it as `https://HOST/ORG/REPO//PATH?ref=REF`"))
        })?;
        self.refuse_remote_cycle(&url, text, referrer)?;
        let checkout =
            self.shared.repositories.checkout(&url).map_err(|why| cannot_fetch(text, &why, referrer))?;
        let checkout = std::fs::canonicalize(&checkout).unwrap_or(checkout);
        let root = self.folder(&checkout.join(&url.path), text, referrer)?;
        if !root.starts_with(&checkout) {
            return Err(Diagnostic::error(
                Code::OutsideRoot,
                format!("`{text}` leads out of its repository"),
            )
            .at(referrer)
            .into());
        }
        let remote = Remote { repository: url.repository, path: url.path, reference: url.reference };
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

    fn refuse_remote_cycle(&self, url: &RemoteUrl, text: &str, referrer: Mark) -> Result<()> {
        let same = |loader: &Loader| {
            loader.remote.as_ref().is_some_and(|remote| {
                (&remote.repository, &remote.path, &remote.reference)
                    == (&url.repository, &url.path, &url.reference)
            })
        };
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

fn cannot_fetch(text: &str, why: &str, referrer: Mark) -> Diagnostics {
    let error = Diagnostic::error(Code::Remote, format!("cannot fetch `{text}`: {why}")).at(referrer);
    let offline = ["resolve host", "unable to access", "connect to", "network", "Network"];
    match offline.iter().any(|word| why.contains(word)) {
        true => error.help("is the network there? A local copy of the repository builds without it").into(),
        false => error.into(),
    }
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
