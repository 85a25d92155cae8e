//! The remote sources of a run: each is fetched once, or taken from the vendor directory after a check.

use super::{copy, git};
use crate::lock::{self, Entry, Lock};
use crate::options::{Event, LocalCopy, LockUse, Options, RemoteOptions};
use crate::source::{Pin, Request, Source};
use crate::surroundings::Surroundings;
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Result, Sources};
use rustc_hash::FxHashMap;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use tempfile::TempDir;

/// A source that was fetched.
#[derive(Clone, Debug, Default)]
pub struct Fetched {
    /// The top of its tree.
    pub folder: PathBuf,
    /// Its commit or digest.
    pub pin: Pin,
    /// Whether its name is meant never to change: a tag, a version.
    pub fixed: bool,
    /// Whether it was fetched as a lock pins it, and must be the same.
    pub pinned: bool,
    /// The digest of its tree, when it was taken from the vendor directory.
    pub vendored: Option<String>,
    /// Whether it was taken from the vendor directory of another lock than that of the run, which pins it.
    pub further: bool,
}

type Outcome = Result<Arc<Fetched>>;

/// The remote sources of a run. Temporary checkouts are removed when it goes.
#[derive(Debug)]
pub struct Remotes {
    options: RemoteOptions,
    surroundings: Arc<Surroundings>,
    start: PathBuf,
    texts: Arc<Sources>,
    found: OnceLock<Result<Option<Arc<Lock>>>>,
    /// Locks of what the run builds upon, such as a fetched release: each has what its own roots need.
    further: Mutex<Vec<Arc<Lock>>>,
    slots: Mutex<FxHashMap<Source, Arc<OnceLock<Outcome>>>>,
    folders: Mutex<Vec<TempDir>>,
    /// What other programs fetched.
    elsewhere: Mutex<BTreeSet<Source>>,
    #[cfg(feature = "fetch")]
    client: OnceLock<super::web::Client>,
}

impl Remotes {
    /// The sources of a run whose lock is searched for from `start`, unless the options say otherwise.
    #[must_use]
    pub fn new(options: &Options, start: &Path, texts: &Arc<Sources>) -> Self {
        let start = options.remote.start.clone().unwrap_or_else(|| start.to_owned());
        Self {
            options: options.remote.clone(),
            surroundings: Arc::clone(&options.surroundings),
            start,
            texts: Arc::clone(texts),
            found: OnceLock::new(),
            further: Mutex::default(),
            slots: Mutex::default(),
            folders: Mutex::default(),
            elsewhere: Mutex::default(),
            #[cfg(feature = "fetch")]
            client: OnceLock::new(),
        }
    }

    /// The lock whose sources are the only ones of the run, if there is one.
    ///
    /// # Errors
    /// A lock that cannot be read.
    pub fn lock(&self) -> Result<Option<Arc<Lock>>> {
        match &self.options.lock {
            LockUse::Ignore | LockUse::Renew(_) => Ok(None),
            LockUse::Given(lock) => Ok(Some(Arc::clone(lock))),
            LockUse::Find => {
                let load =
                    |folder: PathBuf| Lock::load(&folder, &self.surroundings, &self.texts).map(Arc::new);
                let find = || lock::find(&self.start, &self.surroundings.working_directory);
                self.found.get_or_init(|| find().map(load).transpose()).clone()
            }
        }
    }

    /// Reads the lock of a directory that the run builds upon, such as a fetched release. What it pins comes from its own
    /// vendor directory, and the lock of the run need not have it. `LockUse::Ignore` ignores it, too.
    ///
    /// # Errors
    /// A lock that cannot be read.
    pub fn build_upon(&self, folder: &Path) -> Result<()> {
        let mut further = self.further.lock().unwrap_or_else(PoisonError::into_inner);
        if further.iter().all(|lock| lock.folder != folder) {
            further.extend(Lock::find(folder, &self.surroundings, &self.texts)?.map(Arc::new));
        }
        Ok(())
    }

    /// The further lock that has a source.
    fn further(&self, source: &Source) -> Option<Arc<Lock>> {
        if matches!(self.options.lock, LockUse::Ignore) {
            return None;
        }
        let further = self.further.lock().unwrap_or_else(PoisonError::into_inner);
        further.iter().find(|lock| lock.entry(source).is_some()).cloned()
    }

    /// Whether a source is known without the network: a lock has it, or it has been fetched.
    ///
    /// # Errors
    /// A lock that cannot be read.
    pub fn knows(&self, source: &Source) -> Result<bool> {
        if self.further(source).is_some() {
            return Ok(true);
        }
        if let LockUse::Renew(renewal) = &self.options.lock {
            return Ok(renewal.lock.entry(source).is_some() && !renewal.refresh.includes(source));
        }
        Ok(self.lock()?.is_some_and(|lock| lock.entry(source).is_some()))
    }

    /// Whether nothing is fetched in this run.
    ///
    /// # Errors
    /// A lock that cannot be read.
    pub fn fetches_nothing(&self) -> Result<bool> {
        Ok(self.options.offline || self.lock()?.is_some())
    }

    /// Whether charts come from here rather than from a call of `helm pull`: whenever they are or will be vendored.
    ///
    /// # Errors
    /// A lock that cannot be read.
    pub fn provides_charts(&self) -> Result<bool> {
        Ok(matches!(self.options.lock, LockUse::Renew(_)) || self.fetches_nothing()?)
    }

    /// The tree of a source. The first caller fetches it, the others wait.
    ///
    /// # Errors
    /// Why it cannot be fetched. The diagnostics have no location yet.
    pub fn get(&self, request: &Request) -> Outcome {
        let slot = {
            let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(slots.entry(request.source.clone()).or_default())
        };
        // Nothing below may wait for tasks of the common thread pool: those may wait for this slot.
        slot.get_or_init(|| self.provide(request).map(Arc::new)).clone()
    }

    /// The sources that were fetched or that the lock of the run pins, sorted, without the credentials in their addresses.
    #[must_use]
    pub fn used(&self) -> Vec<(Source, Arc<Fetched>)> {
        let slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let there = |(source, slot): (&Source, &Arc<OnceLock<Outcome>>)| {
            Some((source.clone(), Arc::clone(slot.get()?.as_ref().ok()?)))
        };
        let mut used: Vec<_> =
            slots.iter().filter_map(there).filter(|(_, fetched)| !fetched.further).collect();
        used.sort_by(|a, b| a.0.cmp(&b.0));
        let mut used: Vec<_> = used.into_iter().map(|(source, fetched)| (source.bare(), fetched)).collect();
        used.sort_by(|a, b| a.0.cmp(&b.0));
        used.dedup_by(|a, b| a.0 == b.0);
        used
    }

    /// Marks a source as not used, when its server returned something else than expected.
    pub fn forget(&self, source: &Source) {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner).remove(source);
    }

    /// Records a source that another program fetches.
    pub fn note(&self, source: &Source) {
        self.elsewhere.lock().unwrap_or_else(PoisonError::into_inner).insert(source.bare());
    }

    /// A warning for each fetched source that no lock pins, if the options ask for warnings.
    #[must_use]
    pub fn warnings(&self) -> Diagnostics {
        if !self.options.warn_unpinned {
            return Diagnostics::default();
        }
        let used = self.used().into_iter().filter(|(_, fetched)| fetched.vendored.is_none());
        let mut unpinned: BTreeSet<Source> = used.map(|(source, _)| source).collect();
        unpinned.extend(self.elsewhere.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned());
        let warning = |source: Source| {
            Diagnostic::warning(Code::Unpinned, format!("`{source}` was fetched, but no lock pins it"))
                .help("run `kfc vendor`, which pins it and keeps a copy, so that builds need no network")
        };
        Diagnostics(unpinned.into_iter().map(warning).collect())
    }

    fn provide(&self, request: &Request) -> Result<Fetched> {
        let source = &request.source;
        if let Some(lock) = self.further(source)
            && let Some(entry) = lock.entry(source)
        {
            return Ok(Fetched { further: true, ..vendored(&lock, entry)? });
        }
        if let Some(lock) = self.lock()? {
            let entry = lock.entry(source).ok_or_else(|| not_locked(source, &lock))?;
            return vendored(&lock, entry);
        }
        if let LockUse::Renew(renewal) = &self.options.lock {
            let kept = renewal.lock.entry(source).filter(|_| !renewal.refresh.includes(source));
            let Some(entry) = kept else { return self.fetch(request, None) };
            let folder = renewal.lock.trees().join(lock::folder_name(&entry.tree));
            return match folder.symlink_metadata() {
                Ok(_) => vendored(&renewal.lock, entry),
                Err(_) => self.fetch(request, Some(&entry.pin)),
            };
        }
        self.fetch(request, None)
    }

    fn fetch(&self, request: &Request, pin: Option<&Pin>) -> Result<Fetched> {
        let source = &request.source;
        if let Some(copy) = self.options.copies.iter().find(|copy| source.is_called(&copy.source)) {
            let pinned = pin.is_some();
            return Ok(Fetched { pinned, ..self.fetch_copy(copy, request, pin)? });
        }
        if self.options.offline {
            let error =
                Diagnostic::error(Code::Offline, format!("`{source}` is remote, and this run is offline"));
            return Err(error
                .help("run `kfc vendor`, which stores it, so that builds need no network")
                .into());
        }
        self.options.observer.notify(source, Event::Started);
        let fetched = self.fetch_kind(request, pin);
        let pinned = pin.is_some();
        let event = if fetched.is_ok() { Event::Done } else { Event::Failed };
        self.options.observer.notify(source, event);
        Ok(Fetched { pinned, ..fetched? })
    }

    /// Takes a source from a copy on this machine.
    fn fetch_copy(
        &self,
        copy: &LocalCopy,
        request: &Request,
        pin: Option<&Pin>,
    ) -> std::result::Result<Fetched, Diagnostic> {
        let source = &request.source;
        match source {
            Source::Git { reference, submodules, .. } if copy::is_repository(&copy.path) => {
                let wanted = git::Wanted {
                    repository: &format!("file://{}", copy.path.display()),
                    reference,
                    submodules: *submodules,
                    timeout: request.timeout,
                    plain_http: self.options.plain_http,
                    surroundings: &self.surroundings,
                };
                let folder = self.scratch()?;
                let got = git::fetch(&folder, &wanted, pin.map(|pin| pin.revision.as_str()))?;
                let pin = Pin { revision: got.commit, ..Pin::default() };
                Ok(Fetched { folder, pin, fixed: got.is_tag, ..Fetched::default() })
            }
            Source::Git { reference, .. } => {
                let revision = copy::commit_of_directory(copy, source, reference)?;
                let pin = Pin { revision, ..Pin::default() };
                Ok(Fetched { folder: copy.path.clone(), pin, fixed: true, ..Fetched::default() })
            }
            Source::File { .. } => {
                let folder = self.scratch()?;
                copy::file(copy, source, &folder)?;
                Ok(Fetched { folder, ..Fetched::default() })
            }
            Source::Chart { .. } | Source::Oci { .. } => Err(copy::unsupported(copy, source)),
        }
    }

    fn fetch_kind(&self, request: &Request, pin: Option<&Pin>) -> std::result::Result<Fetched, Diagnostic> {
        if let Source::Git { repository, reference, submodules } = &request.source {
            let wanted = git::Wanted {
                repository,
                reference,
                submodules: *submodules,
                timeout: request.timeout,
                plain_http: self.options.plain_http,
                surroundings: &self.surroundings,
            };
            // A source that is going to be pinned is fetched, not taken from a cache.
            let may_cache = !matches!(self.options.lock, LockUse::Renew(_));
            if let Some(folder) = git::kept(&wanted).filter(|folder| may_cache && folder.is_dir()) {
                let pin = Pin { revision: reference.clone(), ..Pin::default() };
                return Ok(Fetched { folder, pin, fixed: true, ..Fetched::default() });
            }
            let folder = self.scratch()?;
            let got = git::fetch(&folder, &wanted, pin.map(|pin| pin.revision.as_str()))?;
            let folder = if may_cache { git::keep(&folder, &wanted).unwrap_or(folder) } else { folder };
            let pin = Pin { revision: got.commit, ..Pin::default() };
            return Ok(Fetched { folder, pin, fixed: got.is_tag, ..Fetched::default() });
        }
        self.fetch_over_web(&request.source, pin)
    }

    #[cfg(feature = "fetch")]
    fn fetch_over_web(&self, source: &Source, pin: Option<&Pin>) -> std::result::Result<Fetched, Diagnostic> {
        use super::{chart, oci};
        let client =
            self.client.get_or_init(|| super::web::Client::new(self.options.plain_http, &self.surroundings));
        let folder = self.scratch()?;
        let cannot = |error: super::web::Failure| error.of_source(source);
        let (pin, fixed) = match source {
            Source::File { url } => {
                let bytes = client.get(url).map_err(cannot)?;
                let path = folder.join(source.file_name().unwrap_or("file"));
                std::fs::write(path, bytes).map_err(|error| {
                    Diagnostic::error(Code::Output, format!("cannot write a temporary file: {error}"))
                })?;
                (Pin::default(), false)
            }
            Source::Chart { repository, name, version } => {
                let wanted = chart::Wanted { repository, name, version };
                let pin = chart::fetch(client, &wanted, pin, &folder).map_err(cannot)?;
                (pin, true)
            }
            Source::Oci { repository, reference } => {
                let pin = oci::fetch(client, repository, reference, pin, &folder).map_err(cannot)?;
                (pin, oci::is_version(reference))
            }
            Source::Git { .. } => (Pin::default(), false),
        };
        Ok(Fetched { folder, pin, fixed, ..Fetched::default() })
    }

    #[cfg(not(feature = "fetch"))]
    #[expect(clippy::unused_self, reason = "has the signature that it has with the feature `fetch`")]
    fn fetch_over_web(&self, source: &Source, _: Option<&Pin>) -> std::result::Result<Fetched, Diagnostic> {
        let message = format!("`{source}` cannot be fetched: this kfc was built without the feature `fetch`");
        Err(Diagnostic::error(Code::Remote, message).help("vendor it with a kfc that has the feature"))
    }

    /// A temporary directory that lives as long as the run.
    fn scratch(&self) -> std::result::Result<PathBuf, Diagnostic> {
        let folder = self.surroundings.temporary_folder().map_err(|error| {
            Diagnostic::error(Code::Output, format!("cannot make a temporary directory: {error}"))
        })?;
        let path = folder.path().canonicalize().unwrap_or_else(|_| folder.path().to_owned());
        self.folders.lock().unwrap_or_else(PoisonError::into_inner).push(folder);
        Ok(path)
    }
}

fn vendored(lock: &Lock, entry: &Entry) -> Result<Fetched> {
    let folder = lock.tree(entry)?;
    let folder = folder.canonicalize().unwrap_or(folder);
    Ok(Fetched {
        folder,
        pin: entry.pin.clone(),
        fixed: true,
        pinned: true,
        vendored: Some(entry.tree.clone()),
        further: false,
    })
}

fn not_locked(source: &Source, lock: &Lock) -> Diagnostic {
    let message = format!("kfc.lock does not have `{source}`");
    let error = Diagnostic::error(Code::NotLocked, message).note(
        "with a lock, a build reads vendored sources only and never the network, unless `--no-lock` is given",
    );
    let other_ref = lock.entries.iter().find(|entry| same_address(&entry.source, source));
    match other_ref {
        Some(entry) => error.help(format!("run `kfc vendor`; the lock has `{}`", entry.source)),
        None => error.help("run `kfc vendor` to add it"),
    }
}

fn same_address(a: &Source, b: &Source) -> bool {
    match (&a.bare(), &b.bare()) {
        (Source::Git { repository: a, .. }, Source::Git { repository: b, .. })
        | (Source::Oci { repository: a, .. }, Source::Oci { repository: b, .. }) => a == b,
        (Source::Chart { repository: a, name: x, .. }, Source::Chart { repository: b, name: y, .. }) => {
            (a, x) == (b, y)
        }
        _ => false,
    }
}
