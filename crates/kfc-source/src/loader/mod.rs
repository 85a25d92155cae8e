//! A loader is for one kustomization root and reads what the root names: files, further roots, remote repositories.

mod cycle;
mod decrypt;
mod kustomization_file;
mod local;
mod remote;
mod shown;

use super::remote::Remotes;
use super::url::{self, RemoteRoot};
use super::{Options, file};
use crate::files::FileSystem;
pub use decrypt::Data;
use kfc_diagnostics::{self as diagnostics, Mark, Result, SourceId, Sources};
pub use kustomization_file::{Found, KUSTOMIZATION_FILES};
pub use remote::Remote;
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// A text that was read.
#[derive(Clone, Debug)]
pub struct File {
    /// Its number.
    pub id: SourceId,
    /// The text.
    pub source: Arc<diagnostics::Source>,
    /// Whether it was decrypted.
    pub is_decrypted: bool,
}

/// What an entry of `resources` names.
#[derive(Debug)]
pub enum Resolved {
    /// A file.
    File(File),
    /// A directory or remote repository.
    Root(Loader),
}

/// A directory that a tree may not lead out of: a revision, what may be copied.
#[derive(Debug)]
struct Boundary {
    folder: PathBuf,
    /// What it is, as the end of a sentence.
    what: String,
}

/// What all loaders of a run share.
#[derive(Debug)]
struct Shared {
    options: Options,
    sources: Arc<Sources>,
    remotes: Remotes,
    /// The names of the texts that are files of this machine, not fetched.
    local_texts: Mutex<HashSet<String>>,
}

/// Reads for one kustomization root.
#[derive(Clone, Debug)]
pub struct Loader {
    shared: Arc<Shared>,
    /// The directory of the root, without symbolic links.
    root: PathBuf,
    /// How the root is shown.
    shown: String,
    remote: Option<Remote>,
    /// The checkout that the root lies in.
    checkout: Option<PathBuf>,
    /// The directory that nothing local may lead out of, even without the restrictor.
    boundary: Option<Arc<Boundary>>,
    /// The root that names this one.
    parent: Option<Arc<Loader>>,
}

impl Loader {
    /// A loader for the working directory, whether it is a root or not.
    #[must_use]
    pub fn here(options: Options, sources: &Arc<Sources>) -> Self {
        let start = options.surroundings.working_directory.clone();
        Self::starting(options, sources, &start)
    }

    fn starting(options: Options, sources: &Arc<Sources>, start: &Path) -> Self {
        let root = options.surroundings.working_directory.clone();
        let remotes = Remotes::new(&options, start, sources);
        let local_texts = Mutex::default();
        let shared = Arc::new(Shared { options, sources: Arc::clone(sources), remotes, local_texts });
        let shown = String::new();
        Self { shared, root, shown, remote: None, checkout: None, boundary: None, parent: None }
    }

    /// The same loader, but neither it nor its children read a local file or root outside of a directory, which is called `what`
    /// in messages: no link in a tree that somebody else wrote can lead out of it.
    #[must_use]
    pub fn within(self, folder: &Path, what: &str) -> Self {
        let boundary = Boundary { folder: folder.to_owned(), what: what.to_owned() };
        Self { boundary: Some(Arc::new(boundary)), ..self }
    }

    /// A loader for the root that a build starts at: a directory or a remote URL. The lock is in the directory
    /// or one above it.
    ///
    /// # Errors
    /// Targets that do not exist, are not directories or cannot be fetched.
    pub fn open(target: &str, options: Options, sources: &Arc<Sources>) -> Result<Self> {
        let local = options.surroundings.working_directory.join(target);
        if let Some(url) =
            RemoteRoot::parse(target).filter(|_| !options.surroundings.files.is_directory(&local))
        {
            let loader = Self::here(options, sources);
            Ok(Self { parent: None, ..loader.fetch(target, url, None)? })
        } else {
            let loader = Self::starting(options, sources, &local);
            loader.stand_in(&local, target)
        }
    }

    /// This loader in the directory that the user named as `shown`.
    ///
    /// # Errors
    /// Paths that do not exist, are not directories, or lead out of the directory of [`Self::within`].
    pub fn stand_in(self, folder: &Path, shown: &str) -> Result<Self> {
        let root = self.folder(folder, shown, None)?;
        Ok(Self { shown: shown.trim_end_matches('/').to_owned(), root, ..self })
    }

    /// A loader for a root of a catalogue or stack, with another name than its path in messages. It shares options, texts
    /// and checkouts with this one, but is not a child of it: no file of the tree names it.
    ///
    /// # Errors
    /// When the directory does not exist.
    pub fn beside(&self, folder: &Path, shown: &str, referrer: impl Into<Option<Mark>>) -> Result<Self> {
        let referrer = referrer.into();
        let root = self.folder(folder, shown, referrer)?;
        let shared = Arc::clone(&self.shared);
        let boundary = self.boundary.clone();
        Ok(Self {
            shared,
            root,
            shown: shown.to_owned(),
            remote: None,
            checkout: None,
            boundary,
            parent: None,
        })
    }

    /// The texts of the run.
    #[must_use]
    pub fn sources(&self) -> &Sources {
        &self.shared.sources
    }

    /// Where files that are not fetched come from.
    #[must_use]
    pub fn files(&self) -> &dyn FileSystem {
        &*self.shared.options.surroundings.files
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

    /// The directory of the root.
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

    /// The top of the repository that the root lies in, when it or a root above was named by a URL.
    #[must_use]
    pub fn repository(&self) -> Option<&Path> {
        self.checkout.as_deref()
    }

    /// The path of a file that the root names, without symbolic links.
    ///
    /// # Errors
    /// Files that do not exist or are outside the root.
    pub fn real_path(&self, path: &str, referrer: impl Into<Option<Mark>>) -> Result<PathBuf> {
        let referrer = referrer.into();
        Ok(self.locate(path, referrer)?.0)
    }

    /// Reads a text file that the root names.
    ///
    /// # Errors
    /// Files that do not exist, are outside the root, are too large or are not text.
    pub fn load(&self, path: &str, referrer: impl Into<Option<Mark>>) -> Result<File> {
        let referrer = referrer.into();
        let (bytes, shown) = self.read(path, referrer)?;
        self.text_file(path, bytes, shown, referrer)
    }

    /// Takes the bytes of a file as a text of the run.
    fn text_file(&self, path: &str, bytes: Vec<u8>, shown: String, referrer: Option<Mark>) -> Result<File> {
        let text = file::text(bytes, &shown, referrer)?;
        let text = match text.strip_prefix('\u{feff}') {
            Some(rest) => rest.to_owned(),
            None => text,
        };
        let (id, source) = self.shared.sources.add(shown, text);
        if self.is_local(path) {
            let mut local = self.shared.local_texts.lock().unwrap_or_else(PoisonError::into_inner);
            local.insert(source.name.clone());
        }
        Ok(File { id, source, is_decrypted: false })
    }

    /// Whether a file that the root names is one of this machine, not fetched.
    fn is_local(&self, path: &str) -> bool {
        self.checkout.is_none() && !url::is_web_address(path)
    }

    /// Whether a text of the run is a file of this machine, or a part of one: not fetched, and not made by a program.
    #[must_use]
    pub fn is_local_text(&self, id: SourceId) -> bool {
        let local = self.shared.local_texts.lock().unwrap_or_else(PoisonError::into_inner);
        self.shared.sources.get(id).is_some_and(|source| local.contains(&source.name))
    }

    /// Reads a file that may be binary.
    ///
    /// # Errors
    /// As [`Loader::load`], except that any bytes are allowed.
    pub fn load_bytes(&self, path: &str, referrer: impl Into<Option<Mark>>) -> Result<Vec<u8>> {
        let referrer = referrer.into();
        Ok(self.read(path, referrer)?.0)
    }

    /// Reads an entry of `resources` as a file when there is one, else as a root.
    ///
    /// # Errors
    /// Those of [`Loader::load`] or [`Loader::child`].
    pub fn resolve(&self, path: &str, referrer: impl Into<Option<Mark>>) -> Result<Resolved> {
        let referrer = referrer.into();
        let full = self.absolute(path);
        let is_beyond = self.is_beyond(&full);
        if self.files().is_file(&full) && (!is_beyond || self.locate(path, referrer).is_ok()) {
            return Ok(Resolved::File(self.load_manifest(path, referrer)?));
        }
        if url::is_web_address(path) && !self.files().is_directory(&full) {
            return self.resolve_address(path, referrer);
        }
        // Outside of the root only other roots may be named; nothing else there is read.
        let may_be_root =
            if is_beyond { !Path::new(path).is_absolute() } else { self.files().is_directory(&full) };
        if RemoteRoot::parse(path).is_some() || may_be_root {
            Ok(Resolved::Root(self.child(path, referrer)?))
        } else {
            Ok(Resolved::File(self.load_manifest(path, referrer)?))
        }
    }

    /// A loader for another root that this one names: a directory or a URL.
    ///
    /// # Errors
    /// Roots that do not exist, are not directories, cannot be fetched, or are or contain a root that names this one.
    pub fn child(&self, path: &str, referrer: impl Into<Option<Mark>>) -> Result<Self> {
        let referrer = referrer.into();
        match RemoteRoot::parse(path).filter(|_| !self.files().is_directory(&self.absolute(path))) {
            Some(url) => self.fetch(path, url, referrer),
            None => self.local_root(path, referrer),
        }
    }
}
