//! Where files come from: directories, memory, and remote sources, which are fetched or vendored. Only one
//! module ([`door`]) opens what a tree names; it resolves links and applies the load restrictor.
//!
//! This is the only crate that touches the file system and the network for a build, and the only one that starts programs
//! (git, helm, and the functions of a tree, which a [`Runner`] runs). It must never know what a file means, and it never reads
//! the environment or the working directory of the process: [`Surroundings`] has what a run may use. Other programs may build
//! on it.
//!
//! ```
//! use kfc_diagnostics::Sources;
//! use kfc_source::{Loader, Memory, Options, Surroundings};
//! use std::sync::Arc;
//!
//! let files = Memory::new([("/base/kustomization.yaml", "resources: [a.yaml]"), ("/base/a.yaml", "kind: A")]);
//! let options = Options::new(&Arc::new(Surroundings::in_memory(files)));
//! let loader = Loader::open("base", options, &Arc::new(Sources::default()))?;
//! assert_eq!(loader.load("a.yaml", None)?.source.text, "kind: A");
//! # Ok::<(), kfc_diagnostics::Diagnostics>(())
//! ```

mod decryption;
pub mod door;
mod file;
mod files;
mod functions;
mod loader;
pub mod lock;
mod options;
pub mod program;
pub mod remote;
mod source;
mod surroundings;
pub mod tree_path;
mod url;
pub mod vendoring;
pub mod walk;
pub mod write;

pub use decryption::{DecryptFailure, Decrypter, FileUse};
pub use file::{Os, is_entry, is_stream};
pub use files::{Embedded, FileSystem, Memory, Refusal};
pub use functions::{Call, CallFailure, Caller, Finished, FunctionOptions, Programs, Runner};
pub use loader::{Data, File, Found, KUSTOMIZATION_FILES, Loader, Remote, Resolved};
pub use options::{HelmOptions, LoadRestrictor, Options, RemoteOptions};
pub use surroundings::{ProxySettings, Surroundings, Variables};
pub use tempfile::TempDir;
pub use url::{RemoteRoot, RemoteUrl, is_on_this_machine, is_web_address};
