//! Walks roots: copies what they name, and writes their kustomization files with the paths of the copies.

use super::copy::Copy;
use super::place::{self, relative};
use super::rename::Renames;
use super::scope::{Scope, refuse_without_ref};
use crate::kustomization::model::{ConfigMapArgs, Kustomization};
use crate::kustomization::{self, Named};
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Mark, Result};
use kfc_source::{FileSystem as _, Loader, Os, Resolved, is_web_address};
use kfc_yaml::{Node, Spanned, parse};
use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

/// A root that is copied.
#[derive(Clone, Debug)]
pub(super) struct Root {
    pub(super) loader: Loader,
    /// The directory that contains everything it may name: the scope of the run, or a repository.
    pub(super) scope: Scope,
    /// What the scope becomes, below the new directory.
    base: PathBuf,
    /// What the root becomes, below the new directory.
    pub(super) destination: PathBuf,
}

impl Root {
    /// The root that is asked for.
    pub(super) fn first(loader: Loader, scope: &Scope) -> Self {
        Self::below(loader, scope.clone(), PathBuf::new())
    }

    fn below(loader: Loader, scope: Scope, base: PathBuf) -> Self {
        let destination = base.join(loader.root().strip_prefix(&scope.folder).unwrap_or(Path::new("")));
        Self { loader, scope, base, destination }
    }

    /// The destination of a path that does not exist yet or whose symbolic links are not resolved, `..` taken out.
    pub(super) fn lexical(&self, path: &Path, referrer: Option<Mark>) -> Result<PathBuf> {
        let below = path.strip_prefix(self.loader.root()).unwrap_or(path);
        let mut place = self.destination.clone();
        for part in below.components() {
            match part {
                Component::Normal(name) => place.push(name),
                Component::ParentDir if place.starts_with(&self.base) && place != self.base => {
                    place.pop();
                }
                Component::ParentDir => {
                    let message = format!("`{}` is outside the scope", below.display());
                    return Err(Diagnostic::error(Code::LocalizeScope, message).at(referrer).into());
                }
                _ => {}
            }
        }
        Ok(place)
    }
}

/// A walk over all roots, with what was copied so far.
pub(super) struct Walk {
    pub(super) copy: Copy,
    /// The new directory: nothing may be copied from there.
    new_folder: PathBuf,
    /// What was walked, and for which root the configurations of plug-ins in it work.
    done: BTreeSet<(PathBuf, Option<PathBuf>)>,
}

impl Walk {
    pub(super) fn new(new_folder: &Path) -> Self {
        Self { copy: Copy::default(), new_folder: new_folder.to_owned(), done: BTreeSet::new() }
    }

    /// The copy; `root` is the directory of the root that was asked for.
    pub(super) fn finish(mut self, root: PathBuf) -> Copy {
        self.copy.root = root;
        self.copy
    }

    /// Copies a root. When its resources are configurations of plug-ins, `plugins_of` is the root that these work for.
    pub(super) fn root(&mut self, root: &Root, plugins_of: Option<&Root>) -> Result<()> {
        let key = (root.destination.clone(), plugins_of.map(|of| of.destination.clone()));
        if !self.done.insert(key) {
            return Ok(());
        }
        // It may be a link itself.
        let found = root.scope.bound(root.loader.clone()).find_kustomization()?;
        let start = Mark { source: found.id, offset: 0 };
        let (documents, _) = parse::parse_last_wins(&found.source.text, found.id)?;
        let document = documents.first().filter(|document| !kustomization::is_empty(document));
        let document = document.ok_or_else(|| kustomization::empty(start))?;
        let read = kustomization::read_in(document, &root.loader);
        let mut errors = read.errors;
        let mut renames = Renames::default();
        errors.collect(self.named(root, &read.kustomization, plugins_of, &mut renames));
        errors.collect(self.charts(root, &read.kustomization, document, &mut renames));
        errors.into_result(())?;
        let text = renames.apply(&found.source.text, found.id, &documents)?;
        self.copy.put(root.destination.join(&found.name), text.into_bytes(), Some(start))
    }

    /// Copies what a root names; paths become those of the copies.
    fn named(
        &mut self,
        root: &Root,
        k: &Kustomization,
        plugins_of: Option<&Root>,
        renames: &mut Renames,
    ) -> Result<()> {
        let mut errors = Diagnostics::default();
        for named in k.named() {
            let renamed = match named {
                Named::Resource(item) => Some((item, self.resource(root, item, plugins_of))),
                Named::Component(item) => Some((item, self.component(root, item))),
                Named::Plugin(item) => Some((item, self.plugin_entry(root, item))),
                // Their values are named by texts that the model has without places.
                Named::Chart(..) => None,
                named => {
                    errors.collect(self.files_of(root, named, renames));
                    None
                }
            };
            if let Some((item, path)) = renamed
                && let Some(path) = errors.collect(path)
            {
                renames.set(item, path);
            }
        }
        errors.into_result(())
    }

    /// Copies the files that a root, or the configuration of a plug-in, names.
    pub(super) fn files_of(&mut self, root: &Root, named: Named<'_>, renames: &mut Renames) -> Result<()> {
        match named {
            Named::File(path) => self.files(root, std::iter::once(path), renames),
            Named::Patch(item) => self.patch(root, item, renames),
            Named::Generator(args) => self.pairs(root, args, renames),
            Named::Chart(chart, globals) => self.chart(root, chart, globals),
            Named::Resource(_) | Named::Component(_) | Named::Plugin(_) => Ok(()),
        }
    }

    fn charts(
        &mut self,
        root: &Root,
        k: &Kustomization,
        document: &Node,
        renames: &mut Renames,
    ) -> Result<()> {
        let mut errors = Diagnostics::default();
        let fields: [(&str, &[&str]); 2] = [
            ("helmCharts", &["valuesFile", "additionalValuesFiles"]),
            ("helmChartInflationGenerator", &["values"]),
        ];
        for (field, names) in fields {
            let charts = document.get(field).and_then(Node::as_seq).unwrap_or_default();
            let values: Vec<Spanned<String>> =
                charts.iter().flat_map(|chart| texts_at(chart, names)).collect();
            errors.collect(self.files(root, values.iter(), renames));
        }
        for chart in &k.helm_charts {
            errors.collect(self.chart(root, chart, &k.helm_globals));
        }
        errors.into_result(())
    }

    fn resource(&mut self, root: &Root, item: &Spanned<String>, plugins_of: Option<&Root>) -> Result<String> {
        if !is_web_address(&item.value) && !leads_to_something(&root.loader, &item.value) {
            refuse_without_ref(&item.value, item.mark)?;
        }
        match (root.loader.resolve(&item.value, item.mark)?, plugins_of) {
            (Resolved::Root(child), plugins_of) => {
                self.child(root, &item.value, child, plugins_of, item.mark)
            }
            (Resolved::File(file), Some(of)) => self.plugin_file(root, of, &item.value, &file, item.mark),
            (Resolved::File(_), None) => self.file(root, &item.value, item.mark),
        }
    }

    fn component(&mut self, root: &Root, item: &Spanned<String>) -> Result<String> {
        if !leads_to_something(&root.loader, &item.value) {
            refuse_without_ref(&item.value, item.mark)?;
        }
        let child = root.loader.child(&item.value, item.mark)?;
        self.child(root, &item.value, child, None, item.mark)
    }

    /// Copies a root that another names as `path`; returns the path of the copy.
    pub(super) fn child(
        &mut self,
        root: &Root,
        path: &str,
        child: Loader,
        plugins_of: Option<&Root>,
        referrer: Option<Mark>,
    ) -> Result<String> {
        let child = if let (Some(remote), Some(repository)) = (child.remote(), child.repository()) {
            refuse_without_ref(path, referrer)?;
            let base = root.destination.join(place::of_repository(remote));
            let repository = Scope::repository(repository);
            Root::below(child, repository, base)
        } else {
            self.within(root, child.root(), path, referrer)?;
            Root::below(child, root.scope.clone(), root.base.clone())
        };
        self.root(&child, plugins_of)?;
        Ok(unchanged_spelling(path, relative(&child.destination, &root.destination)))
    }

    /// Copies files; their paths become those of the copies.
    pub(super) fn files<'a>(
        &mut self,
        root: &Root,
        paths: impl Iterator<Item = &'a Spanned<String>>,
        renames: &mut Renames,
    ) -> Result<()> {
        let mut errors = Diagnostics::default();
        for path in paths {
            if let Some(renamed) = errors.collect(self.file(root, &path.value, path.mark)) {
                renames.set(path, renamed);
            }
        }
        errors.into_result(())
    }

    /// A strategic merge patch: a file, or the patch itself.
    fn patch(&mut self, root: &Root, item: &Spanned<String>, renames: &mut Renames) -> Result<()> {
        let is_inline = item.value.contains('\n') || item.value.trim_start().starts_with('{');
        if is_inline { Ok(()) } else { self.files(root, std::iter::once(item), renames) }
    }

    /// The files of a generator, `path` or `key=path`. A key that was the file's name stays what it was.
    fn pairs(&mut self, root: &Root, args: &ConfigMapArgs, renames: &mut Renames) -> Result<()> {
        let mut errors = Diagnostics::default();
        let file_name = |path: &str| path.rsplit('/').next().unwrap_or(path).to_owned();
        for item in &args.sources.files {
            // More than one `=` is the build's to complain of.
            let (key, path) = match item.value.split_once('=') {
                Some((key, path)) => (Some(key), path),
                None => (None, item.value.as_str()),
            };
            let Some(renamed) = errors.collect(self.file(root, path, item.mark)) else { continue };
            let text = match key {
                Some(key) => format!("{key}={renamed}"),
                None if file_name(path) == file_name(&renamed) => renamed,
                None => format!("{}={renamed}", file_name(path)),
            };
            renames.set(item, text);
        }
        errors.collect(self.files(root, args.sources.envs.iter(), renames));
        errors.into_result(())
    }

    /// Copies one file; returns the path of the copy.
    fn file(&mut self, root: &Root, path: &str, referrer: Option<Mark>) -> Result<String> {
        let (place, renamed) = self.place(root, path, referrer)?;
        self.copy.put(place, root.loader.load_bytes(path, referrer)?, referrer)?;
        Ok(renamed)
    }

    /// Where a file goes, below the new directory, and what the root calls it then.
    pub(super) fn place(&self, root: &Root, path: &str, referrer: Option<Mark>) -> Result<(PathBuf, String)> {
        if is_web_address(path) {
            let place = place::of_file(path);
            let renamed = place.to_string_lossy().into_owned();
            return Ok((root.destination.join(place), renamed));
        }
        if Path::new(path).is_absolute() {
            let message = format!("`{path}` is an absolute path");
            let error = Diagnostic::error(Code::LocalizeScope, message).at(referrer);
            return Err(error.help("write it relative to the kustomization file").into());
        }
        let real = root.loader.real_path(path, referrer)?;
        let real = self.within(root, &real, path, referrer)?;
        let place = root.base.join(real.strip_prefix(&root.scope.folder).unwrap_or(&real));
        let renamed = unchanged_spelling(path, relative(&place, &root.destination));
        Ok((place, renamed))
    }

    /// Refuses a path outside the scope or in the new directory; returns it without symbolic links.
    pub(super) fn within(
        &self,
        root: &Root,
        path: &Path,
        shown: &str,
        referrer: Option<Mark>,
    ) -> Result<PathBuf> {
        let real = Os.canonicalize(path).unwrap_or_else(|_| path.to_owned());
        if real.starts_with(&self.new_folder) {
            let message = format!("`{shown}` is in the destination");
            return Err(Diagnostic::error(Code::LocalizeDestination, message).at(referrer).into());
        }
        if real.starts_with(&root.scope.folder) {
            return Ok(real);
        }
        let message = format!("`{shown}` is outside the scope `{}`", root.scope.shown);
        let error = Diagnostic::error(Code::LocalizeScope, message).at(referrer);
        Err(match root.loader.repository() {
            Some(_) => error,
            None => error.help("give a directory that contains all of it with `--scope`"),
        }
        .into())
    }
}

/// Whether the root names something local that exists, after symbolic links.
fn leads_to_something(loader: &Loader, path: &str) -> bool {
    let path = loader.root().join(path);
    Os.is_file(&path) || Os.is_directory(&path)
}

/// The path as it was written, when it is equivalent to the new one.
fn unchanged_spelling(written: &str, new: String) -> String {
    let mut plain: Vec<&str> = Vec::new();
    for part in written.split('/') {
        match part {
            "" | "." => {}
            ".." if plain.last().is_some_and(|last| *last != "..") => drop(plain.pop()),
            part => plain.push(part),
        }
    }
    let plain = if plain.is_empty() { ".".to_owned() } else { plain.join("/") };
    if plain == new { written.to_owned() } else { new }
}

/// The texts of fields, and those in lists of them.
pub(super) fn texts_at(node: &Node, names: &[&str]) -> Vec<Spanned<String>> {
    let values = names.iter().filter_map(|name| node.get(name));
    let items = values.flat_map(|value| value.as_seq().unwrap_or(std::slice::from_ref(value)));
    let spanned = |item: &Node| Some(Spanned::at(item.as_text()?.to_owned(), item.mark));
    items.filter_map(spanned).filter(|item| !item.value.is_empty()).collect()
}
