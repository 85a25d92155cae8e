//! Which targets a change can reach: the files that git reports, compared with the directories that a target reads. It is asked
//! before anything is built, so that it errs on one side only: what may be reached counts as reached.

use super::args::StackArgs;
use super::here;
use super::side::git;
use super::targets::{STACK_FILES, Target, resolve_with};
use kfc_catalogue::assemble;
use kfc_catalogue::catalogue::{StackDefinition, StackFile};
use kfc_diagnostics::{Result, Sources};
use kfc_kustomize::vendoring::walk::walk;
use kfc_source::{FileSystem, Loader, Refusal, lock};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// The files that differ from a revision, those included that git does not know yet.
#[derive(Debug)]
pub(super) struct Changes(BTreeSet<PathBuf>);

impl Changes {
    /// What changed since a revision, in the working tree.
    ///
    /// # Errors
    /// When git does not know the revision, or there is no repository.
    pub(super) fn since(revision: &str) -> Result<Self> {
        let commit = git(
            &["rev-parse", "--verify", "--quiet", "--end-of-options", &format!("{revision}^{{commit}}")],
            None,
        )?;
        let top = git(&["rev-parse", "--show-toplevel"], None)?;
        let top = PathBuf::from(top.trim());
        let top = top.canonicalize().unwrap_or(top);
        let changed =
            git(&["diff", "--name-only", "--no-renames", "--no-ext-diff", "-z", commit.trim()], None)?;
        let new = git(&["ls-files", "--others", "--exclude-standard", "--full-name", "-z", ":/"], None)?;
        let names = changed.split('\0').chain(new.split('\0')).filter(|name| !name.is_empty());
        Ok(Self(names.map(|name| top.join(name)).collect()))
    }

    /// Whether a change can change the bundle of a stack or root.
    pub(super) fn can_change(&self, target: &str, stack: &StackArgs) -> bool {
        // What cannot be read is built, which reports why.
        reach(target, stack).map_or(true, |reach| self.0.iter().any(|file| reach.has(file)))
    }

    /// Whether one of these files or directories, or what is in these, changed.
    pub(super) fn has_any<'p>(&self, paths: impl IntoIterator<Item = &'p Path>) -> bool {
        let here = here::working_directory();
        paths.into_iter().any(|path| {
            let path = here.join(path);
            let path = path.canonicalize().unwrap_or(path);
            self.0.iter().any(|file| file.starts_with(&path))
        })
    }
}

/// What a target reads.
#[derive(Debug, Default)]
struct Reach {
    /// Directories in which anything may be read.
    directories: BTreeSet<PathBuf>,
    /// Paths as they are named, before links are resolved.
    paths: BTreeSet<PathBuf>,
}

impl Reach {
    fn has(&self, changed: &Path) -> bool {
        changed.ancestors().any(|above| self.directories.contains(above))
            // A link above what is named.
            || self.paths.iter().any(|path| path.starts_with(changed))
    }

    /// A file that is read: a root may read anything in and below the directory of its kustomization file. Next to the files of
    /// stacks and locks is more than these read.
    fn add_read(&mut self, path: &Path) {
        self.paths.insert(path.to_owned());
        let Some(directory) = path.parent() else { return };
        let is_named = |name: &str| path.file_name().is_some_and(|own| own == name);
        if is_named(lock::FILE) {
            self.directories.insert(directory.join(lock::FOLDER));
        } else if !STACK_FILES.iter().any(|name| is_named(name)) {
            self.directories.insert(directory.to_owned());
        }
    }
}

/// What a target reads, without building it.
fn reach(target: &str, stack: &StackArgs) -> Result<Reach> {
    let recorder = Arc::new(Recorder {
        files: crate::embedded::files(),
        reach: Mutex::default(),
        values: Mutex::default(),
    });
    let surroundings = here::surroundings_with(Arc::clone(&recorder) as Arc<dyn FileSystem>);
    let mut options = kfc_source::Options::new(&surroundings);
    options.remote.offline = true;
    let texts = Arc::new(Sources::default());
    let found = Target::of(target);
    if let Target::Stack(file) = &found {
        recorder.read_values(file, &texts)?;
    }
    let roots = match &found {
        Target::Root(root) => vec![Loader::open(root, options, &texts)?],
        Target::Stack(_) | Target::Profile(_) => {
            if let Target::Stack(file) = &found {
                options.remote.start = Some(file.place.folder.clone());
                recorder.reach().add_read(&file.place.folder.join(&file.name));
            }
            let resolved = resolve_with(Loader::here(options, &texts), &found, stack, &texts)?;
            assemble::roots(&resolved.plan, &resolved.stack, &resolved.loader)?
        }
    };
    walk(&roots)?;
    let mut reach = std::mem::take(&mut *recorder.reach());
    // Also what looked for them.
    reach.paths.retain(|path| recorder.is_used(path) != Some(false));
    Ok(reach)
}

/// Files, and what is read of them.
#[derive(Debug)]
struct Recorder {
    files: Arc<dyn FileSystem>,
    reach: Mutex<Reach>,
    values: Mutex<BTreeMap<PathBuf, IsUsed>>,
}

/// Whether a file of values is one of the environment that is built.
type IsUsed = bool;

impl Recorder {
    /// Takes note of the files of values of a stack: those of other environments change nothing.
    fn read_values(&self, file: &StackFile, texts: &Arc<Sources>) -> Result<()> {
        let loader = Loader::here(here::reads(), texts);
        let definition = StackDefinition::load(&loader, file)?;
        let real = |path: PathBuf| path.canonicalize().unwrap_or(path);
        let mut values = self.values.lock().unwrap_or_else(PoisonError::into_inner);
        values.extend(definition.files().map(|path| (real(path), false)));
        values.extend(definition.files_of(&file.choice)?.into_iter().map(|path| (real(path), true)));
        Ok(())
    }

    /// Whether a file is a file of values, and one that is used.
    fn is_used(&self, path: &Path) -> Option<IsUsed> {
        let values = self.values.lock().unwrap_or_else(PoisonError::into_inner);
        if values.is_empty() {
            return None;
        }
        values.get(&path.canonicalize().unwrap_or(path.to_owned())).copied()
    }

    /// A file that is read.
    fn add_read(&self, path: &Path) {
        match self.is_used(path) {
            Some(true) => drop(self.reach().paths.insert(path.to_owned())),
            Some(false) => {}
            None => self.reach().add_read(path),
        }
    }

    fn reach(&self) -> std::sync::MutexGuard<'_, Reach> {
        self.reach.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FileSystem for Recorder {
    fn canonicalize(&self, path: &Path) -> io::Result<PathBuf> {
        self.reach().paths.insert(path.to_owned());
        self.files.canonicalize(path)
    }

    fn read_link(&self, path: &Path) -> Option<PathBuf> {
        self.files.read_link(path)
    }

    fn read(&self, path: &Path) -> std::result::Result<Vec<u8>, Refusal> {
        self.add_read(path);
        self.files.read(path)
    }

    fn is_directory(&self, path: &Path) -> bool {
        self.files.is_directory(path)
    }

    fn is_file(&self, path: &Path) -> bool {
        self.reach().paths.insert(path.to_owned());
        self.files.is_file(path)
    }

    fn exists(&self, path: &Path) -> bool {
        self.reach().paths.insert(path.to_owned());
        self.files.exists(path)
    }

    fn names_in(&self, directory: &Path) -> Vec<String> {
        self.reach().directories.insert(directory.to_owned());
        self.files.names_in(directory)
    }

    fn is_built_in(&self, path: &Path) -> bool {
        self.files.is_built_in(path)
    }
}
