//! The trees of both sides, built by our own engine.

// The lab uses a part of it.
#![allow(dead_code, reason = "each program that has it uses part of it")]

use super::table::{Root, Source};
use kfc_catalogue::assemble::base_bundle;
use kfc_catalogue::catalogue::{Catalogue, Place, Release};
use kfc_diagnostics::{SourceId, Sources};
use kfc_kustomize::Kustomizer;
use kfc_kustomize::engine::Options;
use kfc_kustomize::resource::Resource;
use kfc_source::{FileSystem, Loader, Os, Refusal, Surroundings};
use kfc_yaml::parse::parse;
use kfc_yaml::value::to_json;
use serde_json::Value;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

/// Where the checkouts of upstream are, or why they are not at hand.
pub(crate) fn directory() -> Result<PathBuf, String> {
    let named = std::env::var_os("KFC_UPSTREAM").filter(|path| !path.is_empty());
    let named = named.ok_or("KFC_UPSTREAM names no directory with the trees of upstream")?;
    Path::new(&named).canonicalize().map_err(|error| format!("KFC_UPSTREAM: {error}"))
}

/// The disk, where kustomizations name local directories instead of remote ones.
#[derive(Clone, Debug)]
pub(crate) struct Trees {
    directory: PathBuf,
    remotes: Arc<BTreeMap<String, String>>,
    files: Arc<BTreeMap<PathBuf, PathBuf>>,
    versions: Arc<BTreeMap<String, String>>,
}

impl Trees {
    pub(crate) fn of(directory: &Path, name: &str, source: &Source) -> Self {
        let newer =
            |(file, other): (&String, &String)| (directory.join(name).join(file), directory.join(other));
        let files = Arc::new(source.files.iter().map(newer).collect());
        let (remotes, versions) = (Arc::new(source.remotes.clone()), Arc::new(source.versions.clone()));
        Self { directory: directory.to_owned(), remotes, files, versions }
    }

    /// The file or directory of another source that a path means, and how much of the path names it.
    fn newer(&self, path: &Path) -> Option<(&Path, &Path)> {
        let (place, other) = self.files.iter().find(|(place, _)| path.starts_with(place))?;
        Some((place, other))
    }

    /// Where on the disk a path is.
    fn on_disk<'a>(&'a self, path: &'a Path) -> Cow<'a, Path> {
        match self.newer(path) {
            Some((place, other)) if place == path => Cow::Borrowed(other),
            Some((place, other)) => Cow::Owned(other.join(path.strip_prefix(place).unwrap())),
            None => Cow::Borrowed(path),
        }
    }

    fn with_local_paths(&self, path: &Path, text: String) -> String {
        let below = path.strip_prefix(&self.directory).map_or(0, |below| below.components().count());
        let up = "../".repeat(below.saturating_sub(1));
        self.remotes.iter().fold(text, |text, (remote, local)| text.replace(remote, &format!("{up}{local}")))
    }
}

/// The path with `..` taken out in the text: trees of upstream have no links to directories.
fn lexical(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for part in path.components() {
        if part == Component::ParentDir {
            clean.pop();
        } else {
            clean.push(part);
        }
    }
    clean
}

impl FileSystem for Trees {
    /// Paths below a directory of another source stay where the source has that directory, for relative paths from there.
    fn canonicalize(&self, path: &Path) -> io::Result<PathBuf> {
        let path = lexical(path);
        let Some((place, other)) = self.newer(&path) else { return Os.canonicalize(&path) };
        let found = Os.canonicalize(&self.on_disk(&path))?;
        match found.strip_prefix(other) {
            Ok(below) if below.as_os_str().is_empty() => Ok(place.to_owned()),
            Ok(below) => Ok(place.join(below)),
            Err(_) => Ok(found),
        }
    }

    fn read_link(&self, path: &Path) -> Option<PathBuf> {
        Os.read_link(&self.on_disk(path))
    }

    fn read(&self, path: &Path) -> Result<Vec<u8>, Refusal> {
        let bytes = Os.read(&self.on_disk(path))?;
        let mut text = match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => return Ok(error.into_bytes()),
        };
        if path.ends_with("kustomization.yaml") {
            text = self.with_local_paths(path, text);
        }
        Ok(self.versions.iter().fold(text, |text, (old, new)| text.replace(old, new)).into_bytes())
    }

    fn is_directory(&self, path: &Path) -> bool {
        Os.is_directory(&self.on_disk(path))
    }

    fn is_file(&self, path: &Path) -> bool {
        Os.is_file(&self.on_disk(path))
    }

    fn exists(&self, path: &Path) -> bool {
        Os.exists(&self.on_disk(path))
    }

    fn names_in(&self, directory: &Path) -> Vec<String> {
        Os.names_in(&self.on_disk(directory))
    }
}

/// The objects that a root of a file system builds; those without a namespace are in `namespace`.
fn build<F: FileSystem + Clone + 'static>(files: &F, root: &Path, namespace: Option<&str>) -> Vec<Value> {
    let surroundings = Surroundings::bare(std::env::current_dir().unwrap(), std::env::temp_dir());
    let kustomizer = Kustomizer::new(Options::new(&Arc::new(surroundings)));
    let built = kustomizer.run(files, &root.to_string_lossy()).unwrap_or_else(|error| panic!("{error}"));
    stored(built.resources(), namespace)
}

/// Resources as a server stores them; those without a namespace are in `namespace`.
fn stored(resources: &[Resource], namespace: Option<&str>) -> Vec<Value> {
    let stored = |resource: &Resource| {
        let mut object = to_json(&resource.node);
        let metadata = object["metadata"].as_object_mut().unwrap();
        // The server drops a namespace of what has none.
        if resource.cluster_scoped {
            metadata.remove("namespace");
        } else if let Some(namespace) = namespace {
            metadata.entry("namespace").or_insert_with(|| namespace.into());
        }
        for subject in object.get_mut("subjects").and_then(Value::as_array_mut).into_iter().flatten() {
            if let (None, Some(namespace)) = (subject.get("namespace"), namespace) {
                subject["namespace"] = namespace.into();
            }
        }
        object
    };
    resources.iter().map(stored).collect()
}

/// The objects of each component of a release that `kfc catalog fetch` wrote into a directory, and what keeps others from being
/// built.
pub(crate) fn release(directory: &Path) -> (BTreeMap<String, Vec<Value>>, Vec<String>) {
    let texts = Arc::new(Sources::default());
    let here = std::env::current_dir().unwrap();
    let surroundings = Arc::new(Surroundings::bare(here, std::env::temp_dir()));
    let loader = Loader::here(kfc_source::Options::new(&surroundings), &texts);
    let place = |path: &Path| Place::on_disk(Path::new("/"), path);
    let catalogue = Catalogue::load_only(&loader, &[place(Path::new(env!("CARGO_MANIFEST_DIR")))]).unwrap();
    let release = Release::fetched(&loader, &place(directory)).unwrap_or_else(|error| panic!("{error}"));
    let names: Vec<String> = release.components.iter().map(|(name, _)| name.value.clone()).collect();
    let catalogue = catalogue.at_release(&release).unwrap_or_else(|error| panic!("{error}"));
    let (mut built, mut problems) = (BTreeMap::new(), Vec::new());
    for name in names {
        match base_bundle(&catalogue.components[&name].base, &loader) {
            Ok(bundle) => drop(built.insert(name, stored(&bundle.resources.list, None))),
            Err(errors) => problems.push(format!("{name}: {errors}")),
        }
    }
    (built, problems)
}

/// The objects of a root of upstream.
pub(crate) fn upstream(directory: &Path, source: &Source, root: &Root) -> Vec<Value> {
    let path = directory.join(&root.source).join(&root.path);
    if path.is_file() {
        let text = std::fs::read_to_string(&path).unwrap();
        parse(&text, SourceId::NONE).unwrap().iter().map(to_json).filter(Value::is_object).collect()
    } else {
        build(&Trees::of(directory, &root.source, source), &path, root.namespace.as_deref())
    }
}

/// The objects of a base of ours.
pub(crate) fn ours(component: &str) -> Vec<Value> {
    build(&Os, &Path::new(env!("CARGO_MANIFEST_DIR")).join("bases").join(component), None)
}
