//! The targets of a lock: stacks, kustomization roots, URLs.

use crate::cli::args::{EnvironmentArgs, StackArgs};
use crate::cli::environments::{ChosenTarget, Unnamed, chosen_of};
use crate::cli::here;
use crate::cli::members::members;
use crate::cli::plan_graph::{graph_of, names_of};
use crate::cli::targets::{Target, resolve_with, target_of};
use kfc_catalogue::assemble;
use kfc_diagnostics::address::bare_address;
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Result, Sources};
use kfc_diff::Input;
use kfc_kustomize::engine::{self, Options};
use kfc_source::Os;
use kfc_source::door::{Limit, Named};
use kfc_source::{Loader, RemoteRoot, lock};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The directory of the lock, existing or new.
///
/// # Errors
/// A target that does not exist.
pub(super) fn lock_directory(at: Option<&Path>, targets: &[String]) -> Result<PathBuf> {
    let here = here::working_directory();
    if let Some(at) = at {
        return directory_of(&here.join(at), &at.display().to_string());
    }
    let first = match targets.first().filter(|target| !is_remote(target)) {
        None => here.clone(),
        Some(target) => directory_of(&here.join(target), target)?,
    };
    if let Some(found) = lock::find(&first, &here) {
        return Ok(found);
    }
    match targets.len() {
        0 | 1 => Ok(first),
        _ => directory_of(&here, "."),
    }
}

fn is_remote(target: &str) -> bool {
    RemoteRoot::parse(target).is_some() && !Path::new(target).is_dir()
}

/// The directory at a path, or that of the file at a path.
fn directory_of(path: &Path, shown: &str) -> Result<PathBuf> {
    let real = path.canonicalize().map_err(|_| {
        let error =
            Diagnostic::error(Code::NotFound, format!("the file or directory `{shown}` does not exist"));
        Diagnostics::from(
            error.help("name a stack's `kfc.yaml`, or the directory of a stack or kustomization root"),
        )
    })?;
    let directory = if real.is_file() { real.parent().map(Path::to_owned) } else { None };
    Ok(directory.unwrap_or(real))
}

/// One target.
#[derive(Clone, Debug)]
pub(super) struct OneTarget {
    name: String,
    /// The target as the command line names it.
    text: String,
}

/// All targets of a lock, by the name that they have in it.
#[derive(Clone, Debug)]
pub(super) struct Targets(Vec<OneTarget>);

impl Targets {
    /// Those of the lock before that still exist, and those of the command line; the working directory when there are none
    /// at all.
    ///
    /// # Errors
    /// Targets outside the directory of the lock.
    pub(super) fn new(folder: &Path, before: &[String], named: &[String]) -> Result<Self> {
        let here = here::working_directory();
        let mut all: BTreeMap<String, String> = BTreeMap::new();
        let mut errors = Diagnostics::default();
        let limit = Some(Limit { folder, what: "the directory of kfc.lock" });
        for name in before {
            let path = folder.join(name);
            if is_remote(name) {
                all.insert(bare_address(name), name.clone());
                continue;
            }
            let located = Named { files: &Os, path: &path, limit, shown: name, referrer: None }.locate();
            if let Err(error) = located {
                // A target that no longer exists is left out.
                if error.code == Code::OutsideRoot {
                    let message =
                        format!("the target `{name}` of kfc.lock is not below the directory of kfc.lock");
                    errors.push(Diagnostic::error(Code::BadLock, message));
                }
            } else {
                let shown = path.strip_prefix(&here).map_or_else(|_| path.clone(), Path::to_owned);
                let shown = if shown.as_os_str().is_empty() { PathBuf::from(".") } else { shown };
                all.insert(name.clone(), shown.to_string_lossy().into_owned());
            }
        }
        let default = [".".to_owned()];
        let named = if named.is_empty() && all.is_empty() { &default } else { named };
        for text in named {
            if is_remote(text) {
                all.insert(bare_address(text), text.clone());
                continue;
            }
            let real = here.join(text).canonicalize().unwrap_or_else(|_| here.join(text));
            if let Some(name) = relative(&real, folder) {
                all.insert(name, text.clone());
            } else {
                let message =
                    format!("`{text}` is not below the directory of kfc.lock, `{}`", folder.display());
                errors
                    .push(Diagnostic::error(Code::Usage, message).help("name another directory with `--at`"));
            }
        }
        let targets = all.into_iter().map(|(name, text)| OneTarget { name, text }).collect();
        errors.into_result(Self(targets))
    }

    /// Their names, sorted.
    pub(super) fn names(&self) -> Vec<String> {
        self.0.iter().map(|target| target.name.clone()).collect()
    }

    /// The targets whose bundles are compared: each environment of a stack is one.
    pub(super) fn each(&self, texts: &Arc<Sources>) -> Vec<OneTarget> {
        self.0.iter().flat_map(|target| target.environments(texts)).collect()
    }

    /// All roots that the targets are built of.
    ///
    /// # Errors
    /// Everything that keeps one from being found.
    pub(super) fn roots(&self, loader: &Loader, texts: &Arc<Sources>) -> Result<Vec<Loader>> {
        let mut errors = Diagnostics::default();
        let mut roots = Vec::new();
        for target in &self.0 {
            roots.extend(errors.collect(target.roots(loader, texts)).unwrap_or_default());
        }
        errors.into_result(roots)
    }
}

impl OneTarget {
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    fn root(&self, loader: &Loader) -> Result<Loader> {
        if is_remote(&self.text) {
            return loader.child(&self.text, None);
        }
        let folder = here::working_directory().join(&self.text);
        loader.beside(&folder, self.text.trim_end_matches('/'), None)
    }

    fn roots(&self, loader: &Loader, texts: &Arc<Sources>) -> Result<Vec<Loader>> {
        if matches!(Target::of(&self.text), Target::Root(_)) {
            return Ok(vec![self.root(loader)?]);
        }
        // The lock has what any environment or cluster needs.
        let all = EnvironmentArgs { clusters: vec!["*".to_owned()], ..EnvironmentArgs::default() };
        let mut chosen = chosen_of(&self.text, &EnvironmentArgs::default(), Unnamed::All, texts)?;
        chosen.extend(chosen_of(&self.text, &all, Unnamed::All, texts).unwrap_or_default());
        let mut errors = Diagnostics::default();
        let mut roots: Vec<Loader> = Vec::new();
        for ChosenTarget { target, .. } in chosen {
            let resolved = resolve_with(loader.clone(), &Target::of(&target), &StackArgs::default(), texts);
            let Some(resolved) = errors.collect(resolved) else { continue };
            let own = assemble::roots(&resolved.plan, &resolved.stack, &resolved.loader);
            for root in errors.collect(own).unwrap_or_default() {
                if !roots.iter().any(|known| known.root() == root.root()) {
                    roots.push(root);
                }
            }
        }
        errors.into_result(roots)
    }

    /// The target, once for each environment of its stack.
    fn environments(&self, texts: &Arc<Sources>) -> Vec<Self> {
        let chosen = chosen_of(&self.text, &EnvironmentArgs::default(), Unnamed::All, texts);
        let one = |chosen: ChosenTarget| match &chosen.choice.environment {
            Some(_) => Self { name: target_of(&self.name, &chosen.choice), text: chosen.target },
            None => self.clone(),
        };
        // What cannot be read is reported where it is built.
        chosen.map_or_else(|_| vec![self.clone()], |chosen| chosen.into_iter().map(one).collect())
    }

    /// The bundle, with the sources of this loader, as a side of a comparison that is called `label`.
    ///
    /// # Errors
    /// Those of the build.
    pub(super) fn side(
        &self,
        label: String,
        loader: &Loader,
        options: &Options,
        texts: &Arc<Sources>,
    ) -> Result<Input> {
        let side = Input { label, sources: Arc::clone(texts), ..Input::default() };
        let target = Target::of(&self.text);
        if matches!(target, Target::Root(_)) {
            let options = options.clone().keeping_origins(true);
            let bundle = engine::build_root(&self.root(loader)?, &options)?;
            return Ok(Input { resources: members(bundle.resources.list, &[]), ..side });
        }
        let resolved = resolve_with(loader.clone(), &target, &StackArgs::default(), texts)?;
        let assembled = resolved.assemble(true)?;
        Ok(Input {
            graph: Some(graph_of(&resolved.plan)),
            resources: members(assembled.bundle.resources.list, &names_of(&resolved.plan)),
            ..side
        })
    }
}

/// The path of a directory relative to another, with `/` between names.
fn relative(path: &Path, from: &Path) -> Option<String> {
    let below = path.strip_prefix(from).ok()?;
    let text = below.to_str()?.replace(std::path::MAIN_SEPARATOR, "/");
    Some(if text.is_empty() { ".".to_owned() } else { text })
}
