//! Where files come from: directories, memory, and remote sources, which are fetched or vendored. What a tree names is opened
//! behind one door, which resolves links and asks the load restrictor.
//!
//! This is the only crate that touches the file system and the network for a build, and the only one that starts programs
//! (git, helm). It must never know what a file means, and it never asks the process: [`Surroundings`] has what a run may use.
//!
//! ```
//! use kfc_diagnostics::{Mark, Sources};
//! use kfc_source::{Loader, Memory, Options, Surroundings};
//! use std::sync::Arc;
//!
//! let files = Memory::new([("/base/kustomization.yaml", "resources: [a.yaml]"), ("/base/a.yaml", "kind: A")]);
//! let options = Options::new(&Arc::new(Surroundings::in_memory(files)));
//! let loader = Loader::open("base", options, &Arc::new(Sources::default()))?;
//! assert_eq!(loader.load("a.yaml", Mark::NONE)?.source.text, "kind: A");
//! # Ok::<(), kfc_diagnostics::Diagnostics>(())
//! ```

pub mod door;
mod file;
mod files;
mod loader;
pub mod lock;
pub mod program;
pub mod remote;
mod surroundings;
pub mod tree_path;
mod url;
pub mod vendoring;
pub mod walk;
pub mod write;

pub use file::{Os, is_entry, is_stream};
pub use files::{Embedded, FileSystem, Memory, Refusal};
pub use loader::{File, Found, Loader, Remote, Resolved};
pub use remote::RemoteOptions;
pub use surroundings::{ProxySettings, Surroundings, Variables};
pub use url::{RemoteRoot, RemoteUrl, is_on_this_machine, is_web_address};

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
pub struct HelmOptions {
    /// `--enable-helm`: without it, charts are an error.
    pub enabled: bool,
    /// The program to run.
    pub command: String,
    /// API versions that every chart is told of.
    pub api_versions: Vec<String>,
    /// Kubernetes version that every chart is told of, unless it names its own.
    pub kube_version: String,
    /// Have helm print debug output.
    pub debug: bool,
}

/// What may be read and run.
#[derive(Clone, Debug)]
pub struct Options {
    /// Which files.
    pub restrictor: LoadRestrictor,
    /// Charts.
    pub helm: HelmOptions,
    /// Remote sources.
    pub remote: RemoteOptions,
    /// What the run has around it.
    pub surroundings: Arc<Surroundings>,
}

impl Options {
    /// Options that allow as little as can be allowed.
    #[must_use]
    pub fn new(surroundings: &Arc<Surroundings>) -> Self {
        Self {
            restrictor: LoadRestrictor::default(),
            helm: HelmOptions::default(),
            remote: RemoteOptions::default(),
            surroundings: Arc::clone(surroundings),
        }
    }
}
