//! Where files come from: a disk, memory, or a tree that is part of the program, as one file system.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::{self, ErrorKind};
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, LazyLock};

/// Why a file was not read.
#[derive(Debug)]
pub enum Refusal {
    /// It is not a regular file: "a directory", "a pipe".
    Kind(&'static str),
    /// It is larger than any manifest.
    TooLarge,
    /// The file system reports an error.
    Error(io::Error),
}

/// Files and directories by their absolute paths. Loaders ask it for everything that is not fetched.
pub trait FileSystem: fmt::Debug + Send + Sync {
    /// The path without symbolic links and `..`.
    ///
    /// # Errors
    /// As [`std::fs::canonicalize`]: what does not exist is an error.
    fn canonicalize(&self, path: &Path) -> io::Result<PathBuf>;

    /// The target of a symbolic link; `None` for anything else.
    fn read_link(&self, path: &Path) -> Option<PathBuf>;

    /// The bytes of a regular file. The path is without symbolic links.
    ///
    /// # Errors
    /// What is not a regular file is not opened; what is too large is not read to its end.
    fn read(&self, path: &Path) -> Result<Vec<u8>, Refusal>;

    /// Whether the path is a directory, after symbolic links.
    fn is_directory(&self, path: &Path) -> bool;

    /// Whether the path exists and is not a directory, after symbolic links.
    fn is_file(&self, path: &Path) -> bool;

    /// Whether the path exists. A symbolic link exists, even to nothing.
    fn exists(&self, path: &Path) -> bool;

    /// The names in a directory, sorted; none when it cannot be read.
    fn names_in(&self, directory: &Path) -> Vec<String>;

    /// Whether a path belongs to the program itself: it is not part of a user's tree, and no limits apply to it.
    fn is_built_in(&self, _path: &Path) -> bool {
        false
    }
}

/// Files in memory: a tree of a test, of an editor, or of the program.
///
/// ```
/// use kfc_source::{FileSystem, Memory};
/// use std::path::Path;
///
/// let files = Memory::new([("/base/kustomization.yaml", "resources: []")]);
/// assert_eq!(files.names_in(Path::new("/base")), ["kustomization.yaml"]);
/// ```
///
/// A clone shares the files.
#[derive(Clone, Default)]
pub struct Memory(Arc<Tree>);

#[derive(Clone, Default)]
struct Tree {
    files: BTreeMap<PathBuf, Vec<u8>>,
    /// Every directory, with the names in it.
    directories: BTreeMap<PathBuf, BTreeSet<String>>,
}

impl Memory {
    /// Files by their absolute paths, with what is in them.
    pub fn new<P: AsRef<Path>, B: Into<Vec<u8>>>(files: impl IntoIterator<Item = (P, B)>) -> Self {
        let mut tree = Tree::default();
        for (path, bytes) in files {
            tree.insert(path.as_ref(), bytes.into());
        }
        Self(Arc::new(tree))
    }
}

impl Tree {
    fn insert(&mut self, path: &Path, bytes: Vec<u8>) {
        let path = absolute(path);
        let mut below = path.as_path();
        while let (Some(directory), Some(name)) = (below.parent(), below.file_name()) {
            let names = self.directories.entry(directory.to_owned()).or_default();
            names.insert(name.to_string_lossy().into_owned());
            below = directory;
        }
        self.files.insert(path, bytes);
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.files.keys()).finish()
    }
}

/// The path from the top, `.` and `..` taken out in the text.
fn absolute(path: &Path) -> PathBuf {
    let mut clean = PathBuf::from("/");
    for part in path.components() {
        match part {
            Component::Normal(name) => clean.push(name),
            Component::ParentDir => drop(clean.pop()),
            Component::Prefix(_) | Component::RootDir | Component::CurDir => {}
        }
    }
    clean
}

impl FileSystem for Memory {
    fn canonicalize(&self, path: &Path) -> io::Result<PathBuf> {
        let path = absolute(path);
        if self.exists(&path) { Ok(path) } else { Err(ErrorKind::NotFound.into()) }
    }

    fn read_link(&self, _: &Path) -> Option<PathBuf> {
        None
    }

    fn read(&self, path: &Path) -> Result<Vec<u8>, Refusal> {
        let path = absolute(path);
        match self.0.files.get(&path) {
            Some(bytes) => Ok(bytes.clone()),
            None if self.0.directories.contains_key(&path) => Err(Refusal::Kind("a directory")),
            None => Err(Refusal::Error(ErrorKind::NotFound.into())),
        }
    }

    fn is_directory(&self, path: &Path) -> bool {
        self.0.directories.contains_key(&absolute(path))
    }

    fn is_file(&self, path: &Path) -> bool {
        self.0.files.contains_key(&absolute(path))
    }

    fn exists(&self, path: &Path) -> bool {
        self.is_file(path) || self.is_directory(path)
    }

    fn names_in(&self, directory: &Path) -> Vec<String> {
        self.0.directories.get(&absolute(directory)).into_iter().flatten().cloned().collect()
    }
}

/// A file system with a tree of the program at a path that no file in it can have.
#[derive(Debug)]
pub struct Embedded {
    /// Where the tree is: a path with a NUL, so that nothing on a disk has it.
    at: PathBuf,
    tree: &'static dyn FileSystem,
    outside: Arc<dyn FileSystem>,
}

impl Embedded {
    /// A tree at a path, and another file system for everything else.
    #[must_use]
    pub fn new(at: PathBuf, tree: &'static dyn FileSystem, outside: Arc<dyn FileSystem>) -> Self {
        Self { at, tree, outside }
    }

    /// The path within the tree; none for what is outside of it.
    fn within(&self, path: &Path) -> Option<PathBuf> {
        path.strip_prefix(&self.at).ok().map(absolute)
    }
}

impl FileSystem for Embedded {
    fn canonicalize(&self, path: &Path) -> io::Result<PathBuf> {
        let Some(below) = self.within(path) else { return self.outside.canonicalize(path) };
        let real = self.tree.canonicalize(&below)?;
        Ok(self.at.join(real.strip_prefix("/").unwrap_or(&real)))
    }

    fn read_link(&self, path: &Path) -> Option<PathBuf> {
        if self.is_built_in(path) { None } else { self.outside.read_link(path) }
    }

    fn read(&self, path: &Path) -> Result<Vec<u8>, Refusal> {
        self.within(path).map_or_else(|| self.outside.read(path), |below| self.tree.read(&below))
    }

    fn is_directory(&self, path: &Path) -> bool {
        let below = self.within(path);
        below.map_or_else(|| self.outside.is_directory(path), |below| self.tree.is_directory(&below))
    }

    fn is_file(&self, path: &Path) -> bool {
        self.within(path).map_or_else(|| self.outside.is_file(path), |below| self.tree.is_file(&below))
    }

    fn exists(&self, path: &Path) -> bool {
        self.within(path).map_or_else(|| self.outside.exists(path), |below| self.tree.exists(&below))
    }

    fn names_in(&self, directory: &Path) -> Vec<String> {
        let below = self.within(directory);
        below.map_or_else(|| self.outside.names_in(directory), |below| self.tree.names_in(&below))
    }

    fn is_built_in(&self, path: &Path) -> bool {
        path.starts_with(&self.at)
    }
}

/// A tree that is created when it is first read.
impl<T: FileSystem> FileSystem for LazyLock<T> {
    fn canonicalize(&self, path: &Path) -> io::Result<PathBuf> {
        (**self).canonicalize(path)
    }

    fn read_link(&self, path: &Path) -> Option<PathBuf> {
        (**self).read_link(path)
    }

    fn read(&self, path: &Path) -> Result<Vec<u8>, Refusal> {
        (**self).read(path)
    }

    fn is_directory(&self, path: &Path) -> bool {
        (**self).is_directory(path)
    }

    fn is_file(&self, path: &Path) -> bool {
        (**self).is_file(path)
    }

    fn exists(&self, path: &Path) -> bool {
        (**self).exists(path)
    }

    fn names_in(&self, directory: &Path) -> Vec<String> {
        (**self).names_in(directory)
    }

    fn is_built_in(&self, path: &Path) -> bool {
        (**self).is_built_in(path)
    }
}

#[cfg(test)]
mod tests {
    use super::{Embedded, FileSystem, Memory, Refusal};
    use std::path::Path;
    use std::sync::{Arc, LazyLock};

    static TREE: LazyLock<Memory> =
        LazyLock::new(|| Memory::new([("bases/a/component.yaml", "a"), ("b", "b")]));

    #[test]
    fn a_tree_of_the_program_is_seen_at_its_path_and_left_nowhere() {
        let outside = Memory::new([("/etc/passwd", "outside")]);
        let at = Path::new("/\0tree");
        let files = Embedded::new(at.to_owned(), &TREE, Arc::new(outside));
        assert_eq!(files.names_in(at), ["b", "bases"]);
        let file = at.join("bases/a/component.yaml");
        assert!(files.is_file(&file) && !files.is_directory(&file) && files.is_built_in(&file));
        assert_eq!(files.canonicalize(&at.join("bases/x/.././a/component.yaml")).unwrap(), file);
        assert!(files.canonicalize(&at.join("bases/nothing")).is_err());
        // What leads out of the tree stays in it.
        assert!(files.canonicalize(&at.join("../../../etc/passwd")).is_err());
        assert_eq!(files.read(Path::new("/etc/passwd")).unwrap(), b"outside");
        assert!(matches!(files.read(&at.join("bases")), Err(Refusal::Kind("a directory"))));
    }
}
