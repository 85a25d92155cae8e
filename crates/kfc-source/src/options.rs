//! What a run may read, fetch and execute: the load restrictor, charts, the lock in use, and who observes fetches.

use crate::functions::FunctionOptions;
use crate::lock::Lock;
use crate::source::Source;
use crate::surroundings::Surroundings;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

/// Which files a root may read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LoadRestrictor {
    /// Only those in or below it, symbolic links resolved first.
    #[default]
    RootOnly,
    /// Any.
    None,
}

/// Whether and how charts are rendered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct HelmOptions {
    /// `--enable-helm`: without it, charts are an error.
    pub enabled: bool,
    /// The program to run.
    pub command: String,
    /// API versions that every chart may use.
    pub api_versions: Vec<String>,
    /// The Kubernetes version of every chart that does not name one.
    pub kube_version: String,
    /// Have helm print debug output.
    pub debug: bool,
}

/// What may be read and run.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// Which files.
    pub restrictor: LoadRestrictor,
    /// Charts.
    pub helm: HelmOptions,
    /// Functions and external plug-ins of kustomize.
    pub functions: FunctionOptions,
    /// Remote sources.
    pub remote: RemoteOptions,
    /// Files, directories and variables that the run may use.
    pub surroundings: Arc<Surroundings>,
}

impl Options {
    /// Options that allow as little as possible.
    #[must_use]
    pub fn new(surroundings: &Arc<Surroundings>) -> Self {
        Self {
            restrictor: LoadRestrictor::default(),
            helm: HelmOptions::default(),
            functions: FunctionOptions::default(),
            remote: RemoteOptions::default(),
            surroundings: Arc::clone(surroundings),
        }
    }
}

/// Where remote sources come from in a run.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct RemoteOptions {
    /// Nothing is fetched.
    pub offline: bool,
    /// `http://` is allowed for every host, not only for this machine.
    pub plain_http: bool,
    /// Warn when a source is fetched that no lock pins.
    pub warn_unpinned: bool,
    /// The lock.
    pub lock: LockUse,
    /// The directory in which the search for a lock starts; the root of the build, or the working directory, when not given.
    pub start: Option<PathBuf>,
    /// Is called for each fetch.
    pub observer: Observer,
    /// Copies on this machine that sources are taken from instead of the network.
    pub copies: Vec<LocalCopy>,
}

impl RemoteOptions {
    /// With this lock.
    #[must_use]
    pub fn using(lock: LockUse) -> Self {
        Self { lock, ..Self::default() }
    }
}

/// A copy of a source on this machine: a git repository, a directory or a file. What it contains is pinned and checked like
/// what comes from the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalCopy {
    /// A name of the source: its address, or the last part of that.
    pub source: String,
    /// Where the copy is.
    pub path: PathBuf,
}

/// Which lock a run uses.
#[derive(Clone, Debug, Default)]
pub enum LockUse {
    /// The one that is found from the root upwards, if any.
    #[default]
    Find,
    /// None: everything is fetched.
    Ignore,
    /// This one: nothing is fetched.
    Given(Arc<Lock>),
    /// What this lock pins and has is kept, everything else is fetched.
    Renew(Arc<Renewal>),
}

/// How a lock is renewed.
#[derive(Clone, Debug, Default)]
pub struct Renewal {
    /// The lock to renew.
    pub lock: Lock,
    /// Which of its sources are fetched again.
    pub refresh: Refresh,
}

/// Sources that are resolved again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Refresh {
    /// None.
    #[default]
    None,
    /// All.
    All,
    /// Those with these names.
    Named(Vec<String>),
}

impl Refresh {
    /// Whether a source is among them.
    #[must_use]
    pub fn includes(&self, source: &Source) -> bool {
        match self {
            Self::None => false,
            Self::All => true,
            Self::Named(names) => names.iter().any(|name| source.is_called(name)),
        }
    }
}

/// What happens to a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// Its fetch has begun.
    Started,
    /// It was fetched.
    Done,
    /// It could not be fetched.
    Failed,
}

/// What is called with every event, from any thread.
pub type Listener = dyn Fn(&Source, Event) + Send + Sync;

/// The listener for fetches, if any.
#[derive(Clone, Default)]
pub struct Observer(pub Option<Arc<Listener>>);

impl Observer {
    pub(crate) fn notify(&self, source: &Source, event: Event) {
        if let Some(observer) = &self.0 {
            observer(source, event);
        }
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Observer(Some)" } else { "Observer(None)" })
    }
}
