//! A side of a comparison: a bundle, a golden, a profile, a stack, a kustomization root, a git revision of one, or a
//! cluster.

use super::args::StackArgs;
use super::golden_targets::listed;
use super::here;
use super::members::members;
use super::output::describe;
use super::plan_graph::{graph_of, names_of};
use super::targets::{
    Target, is_bundle_file, resolve_with, resources_of_text, split_choice, standard_input, target_of,
};
use kfc_catalogue::assemble::secrets_of_others;
use kfc_catalogue::catalogue::StackChoice;
use kfc_catalogue::golden::Schemas;
use kfc_diagnostics::Diagnostics;
use kfc_diagnostics::Foreign;
use kfc_diagnostics::{Code, Diagnostic, Result, Sources};
use kfc_diff::Input;
use kfc_kube::schema::Schema;
use kfc_kustomize::engine;
use kfc_kustomize::resource::Resource;
use kfc_source::door::{self, Limit, Named};
use kfc_source::program::{self, Limits};
use kfc_source::{FunctionOptions, LoadRestrictor, Loader, Os, TempDir};
use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How long one call of git may take.
const TIME: Duration = Duration::from_secs(600);
/// The most bytes that git may print; it runs with `--quiet`.
const LARGEST: u64 = 16 * 1024 * 1024;
/// The directory with the files of a revision, in its copy.
const TREE: &str = "tree";

/// What sides are read with.
pub(super) struct Reader<'a> {
    pub(super) stack: &'a StackArgs,
    pub(super) restrictor: LoadRestrictor,
    pub(super) functions: FunctionOptions,
    /// The directory of the goldens.
    pub(super) goldens: &'a Path,
    pub(super) schema: &'a Schema,
    pub(super) sources: &'a Arc<Sources>,
    /// Copies of revisions.
    pub(super) copies: RevisionCopies,
    /// What is compared of a cluster.
    #[cfg_attr(not(feature = "cluster"), expect(dead_code, reason = "only clusters need it"))]
    pub(super) cluster: ClusterSide,
}

/// Copies of the files of revisions: one for all targets of a revision.
#[derive(Default)]
pub(super) struct RevisionCopies(Mutex<HashMap<String, Arc<TempDir>>>);

impl RevisionCopies {
    /// The copy of a revision: neither the repository nor the working directory changes.
    fn of(&self, revision: &str) -> Result<Arc<TempDir>> {
        let mut copies = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(copy) = copies.get(revision) {
            return Ok(Arc::clone(copy));
        }
        let copy = here::surroundings().temporary_folder().map_err(|error| {
            let message = format!("cannot create a temporary directory: {}", describe(&error));
            Diagnostic::error(Code::Output, message)
        })?;
        let index = copy.path().join("index");
        let prefix = format!("--prefix={}/", copy.path().join(TREE).display());
        git(&["read-tree", &format!("{revision}^{{tree}}")], Some(&index))?;
        git(&["checkout-index", "--all", "--quiet", &prefix], Some(&index))?;
        Ok(Arc::clone(copies.entry(revision.to_owned()).or_insert(Arc::new(copy))))
    }
}

/// Which inventory of a cluster is compared, and which kinds of it may be deleted.
#[derive(Clone, Debug)]
pub(super) struct ClusterSide {
    /// The name of the inventory; that of the stack or profile when there is none.
    #[cfg_attr(not(feature = "cluster"), expect(dead_code, reason = "only clusters need it"))]
    pub(super) name: Option<String>,
    /// Its namespace.
    #[cfg_attr(not(feature = "cluster"), expect(dead_code, reason = "only clusters need it"))]
    pub(super) namespace: String,
    /// The kinds, of those that are deleted only on request, that may be deleted.
    #[cfg(feature = "cluster")]
    pub(super) kinds: kfc_cluster::apply::Kinds,
    /// Which cluster, and how many requests it gets.
    #[cfg(feature = "cluster")]
    pub(super) args: super::args::ClusterArgs,
    /// Where resources without a namespace go.
    #[cfg(feature = "cluster")]
    pub(super) objects: super::args::NamespaceArgs,
    /// What is compared of objects whose immutable fields change.
    #[cfg(feature = "cluster")]
    pub(super) immutable: kfc_cluster::apply::Immutable,
}

impl Default for ClusterSide {
    fn default() -> Self {
        Self {
            name: None,
            namespace: "default".to_owned(),
            #[cfg(feature = "cluster")]
            kinds: kfc_cluster::apply::Kinds::default(),
            #[cfg(feature = "cluster")]
            args: super::args::ClusterArgs::default(),
            #[cfg(feature = "cluster")]
            objects: super::args::NamespaceArgs::default(),
            #[cfg(feature = "cluster")]
            immutable: kfc_cluster::apply::Immutable::default(),
        }
    }
}

/// The side's resources.
pub(super) enum Side {
    /// They were read.
    Here(Box<Input>),
    /// They are in a cluster: the objects that the other side has.
    Cluster {
        /// The context of the kubeconfig; the current one when there is none.
        context: Option<String>,
    },
}

impl Reader<'_> {
    /// Reads a side; `other` is what the user named on the other one.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub(super) fn read(&self, name: &str, other: &str) -> Result<Side> {
        let input = if name == "-" {
            self.stream()?
        } else if name == "cluster" || name.starts_with("cluster:") {
            let context = name.strip_prefix("cluster:").map(str::to_owned);
            return Ok(Side::Cluster { context });
        } else if name == "golden" {
            self.golden(other)?
        } else if let Some(profile) = name.strip_prefix("golden:") {
            self.golden(profile)?
        } else if let Some((revision, path)) = revision_of(name) {
            // A stack of the past has the environment of the other side, when none is named.
            let of_other = match Target::of(other) {
                Target::Stack(file) if split_choice(path).is_none() => target_of(path, &file.choice),
                _ => path.to_owned(),
            };
            self.revision(revision, &of_other)?
        } else if is_bundle_file(Path::new(name)) {
            self.file(Path::new(name))?
        } else {
            self.target(name, None)?
        };
        Ok(Side::Here(Box::new(Input { label: name.to_owned(), ..input })))
    }

    fn stream(&self) -> Result<Input> {
        self.bundle("standard input", &standard_input()?)
    }

    /// The golden of a profile, a stack or a root.
    fn golden(&self, target: &str) -> Result<Input> {
        let targets = listed(self.goldens, self.sources)?;
        let name = targets.name_of(target).unwrap_or(target);
        let text = kfc_catalogue::golden::read(self.goldens, name, &here::surroundings())?;
        let file = kfc_catalogue::golden::file(self.goldens, name);
        let mut resources = self.resources(&file.to_string_lossy(), &text)?;
        let schemas = Schemas::read(self.goldens, &here::surroundings(), self.sources)?;
        schemas.resolve(&mut resources)?;
        Ok(self.input(resources, &[]))
    }

    fn file(&self, path: &Path) -> Result<Input> {
        self.bundle(&path.to_string_lossy(), &door::read_text_of_user(path)?)
    }

    fn bundle(&self, name: &str, text: &str) -> Result<Input> {
        Ok(self.input(self.resources(name, text)?, &[]))
    }

    fn resources(&self, name: &str, text: &str) -> Result<Vec<Resource>> {
        resources_of_text(name, text.trim_start_matches('\u{feff}'), self.schema, self.sources)
    }

    /// Builds a target; `tree` is the copy of a revision: the target must not read files outside of it.
    fn target(&self, name: &str, tree: Option<&Path>) -> Result<Input> {
        let target = Target::of(name);
        let mut options = here::builds().restricted(self.restrictor).keeping_origins(true);
        options.functions = self.functions.clone();
        options.remote.start = match &target {
            Target::Stack(file) => Some(file.place.folder.clone()),
            _ => tree.map(|_| Path::new(name).to_owned()),
        };
        let within = |loader: Loader| match tree {
            Some(tree) => loader.within(tree, "the revision"),
            None => loader,
        };
        if let Target::Root(root) = &target {
            let loader = match tree {
                Some(_) => {
                    within(Loader::here(options.reads(), self.sources)).stand_in(Path::new(root), root)?
                }
                None => Loader::open(root, options.reads(), self.sources)?,
            };
            return Ok(self.input(engine::build_root(&loader, &options)?.resources.list, &[]));
        }
        let loader = within(Loader::here(options.reads(), self.sources));
        let resolved = resolve_with(loader, &target, self.stack, self.sources)?;
        let assembled = resolved.assemble(true)?;
        Ok(Input {
            graph: Some(graph_of(&resolved.plan)),
            stack: Some(resolved.plan.name.clone()),
            ignore: resolved.plan.ignore.clone(),
            released: secrets_of_others(&resolved.plan),
            ..self.input(assembled.bundle.resources.list, &names_of(&resolved.plan))
        })
    }

    fn input(&self, resources: Vec<Resource>, components: &[String]) -> Input {
        Input {
            resources: members(resources, components),
            sources: Arc::clone(self.sources),
            ..Input::default()
        }
    }

    /// Builds a target as it was in a revision, from a copy of its files.
    fn revision(&self, revision: &str, path: &str) -> Result<Input> {
        let (path, choice) = split_choice(path).unwrap_or((path, StackChoice::default()));
        let copy = self.copies.of(revision)?;
        let tree = copy.path().join(TREE);
        let below = git(&["rev-parse", "--show-prefix"], None)?;
        let target = tree.join(below.trim()).join(path);
        let name = target.to_string_lossy().trim_end_matches("/.").to_owned();
        // Targets of symbolic links outside of the copy are not in the revision.
        let real = tree.canonicalize().unwrap_or_else(|_| tree.clone());
        let shown = format!("{revision}:{path}");
        let limit = Some(Limit { folder: &real, what: "the revision" });
        let named = Named {
            files: &Os,
            path: &real.join(below.trim()).join(path),
            limit,
            shown: &shown,
            referrer: None,
        };
        named.locate().map_err(|error| match error.code {
            Code::NotFound => {
                Diagnostic::error(error.code, format!("`{path}` is not in the revision `{revision}`"))
            }
            _ => error,
        })?;
        let input = if is_bundle_file(Path::new(&name)) {
            self.bundle(&target.to_string_lossy(), &named.read_text()?)?
        } else {
            let is_stack = matches!(Target::of(&name), Target::Stack(_));
            let target = if is_stack { target_of(&name, &choice) } else { name };
            self.target(&target, Some(&real))?
        };
        let renamed = Some((format!("{}/", tree.display()), format!("{revision}:")));
        Ok(Input { renamed, ..input })
    }
}

/// A side that is written as `REVISION:PATH`, when git knows the revision.
pub(super) fn revision_of(name: &str) -> Option<(&str, &str)> {
    let (revision, path) = name.split_once(':').filter(|_| !Path::new(name).exists())?;
    if revision.is_empty() || revision.starts_with('-') || name.contains("://") {
        return None;
    }
    git(&["rev-parse", "--verify", "--quiet", &format!("{revision}^{{commit}}")], None).ok()?;
    Some((revision, if path.is_empty() { "." } else { path }))
}

/// What git prints. Of the programs that the repository configures, it runs only filters. A directory of a checkout that
/// looks like a repository is not used as one: its author would control the configuration.
pub(super) fn git(arguments: &[&str], index: Option<&Path>) -> Result<String> {
    let mut command = program::command("git");
    command
        .args(["-c", "safe.bareRepository=explicit", "-c", "core.fsmonitor=false"])
        .args(["-c", "core.hooksPath=/dev/null"])
        .args(arguments);
    if let Some(index) = index {
        command.env("GIT_INDEX_FILE", index);
        // Paths of the whole tree, wherever the command runs.
        let top = git(&["rev-parse", "--show-toplevel"], None)?;
        command.current_dir(top.trim());
    }
    let failed = |why: &str| {
        Diagnostics::from(Diagnostic::error(Code::Remote, format!("`git {}` failed: {why}", arguments[0])))
    };
    let output = program::run(&mut command, Limits::of(TIME, LARGEST)).map_err(|failure| match failure {
        program::Failure::Start(error) => failed(&describe(&error)),
        program::Failure::TooLong => failed(&format!("it took longer than {} s", TIME.as_secs())),
        program::Failure::TooMuch => failed("it printed more than can be read"),
    })?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(failed(&Foreign::of_bytes(&output.stderr).message()))
    }
}
