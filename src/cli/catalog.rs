//! `kfc catalog`: the releases of upstream's manifests that components can be built from, and how one is fetched.

use super::args::RestrictorFlag;
use super::exit::FAILED;
use super::table::table;
use super::vendoring::{AT_ONCE, Progress};
use super::{here, output};
use clap::{Args, Subcommand};
use kfc_catalogue::assemble::base_roots;
use kfc_catalogue::catalogue::{Catalogue, FETCHED, Place, Release};
use kfc_diagnostics::text::document;
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Result, Sources};
use kfc_kustomize::vendoring::walk;
use kfc_source::lock::Lock;
use kfc_source::remote::{LocalCopy, LockUse, RemoteOptions, Renewal, Source};
use kfc_source::vendoring::store::{self, Listed};
use kfc_source::{LoadRestrictor, Loader};
use kfc_yaml::Spanned;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

#[derive(Debug, Subcommand)]
pub(super) enum CatalogCommand {
    /// List the releases, or what one of them has for each component.
    List(CatalogListArgs),
    /// Fetch a release into a directory: its sources, pinned in kfc.lock, and where each component is in them.
    Fetch(CatalogFetchArgs),
}

#[derive(Debug, Args)]
pub(super) struct CatalogListArgs {
    /// A release, by name, or the directory of one that was fetched.
    release: Option<String>,
    /// Directories of catalogues that extend the built-in one.
    #[arg(long = "catalog", alias = "catalogue", value_name = "DIR")]
    catalogue: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct CatalogFetchArgs {
    /// The release, a name of `kfc catalog list`.
    release: String,
    /// The directory; `kubeflow-RELEASE` by default.
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Take the release from this checkout or clone instead of the network, or SOURCE, an address or the last part of one, from
    /// this clone or file.
    #[arg(long, value_name = "[SOURCE=]PATH")]
    from: Vec<String>,
    /// Directories of catalogues that extend the built-in one.
    #[arg(long = "catalog", alias = "catalogue", value_name = "DIR")]
    catalogue: Vec<PathBuf>,
    /// Allow plain http for other hosts than this machine.
    #[arg(long)]
    allow_plain_http: bool,
    /// Whether files outside of a kustomization root may be read.
    #[arg(long, value_enum, default_value = "LoadRestrictionsRootOnly", ignore_case = true)]
    load_restrictor: RestrictorFlag,
}

pub(super) fn run(command: &CatalogCommand) -> u8 {
    let texts = Arc::new(Sources::default());
    let (result, what) = match command {
        CatalogCommand::List(args) => (list(args, &texts), "the list"),
        CatalogCommand::Fetch(args) => (fetch(args, &texts), "the fetch"),
    };
    match result {
        Ok(text) => output::print(&document(text)),
        Err(errors) => {
            output::report_run(&errors, &texts, what);
            FAILED
        }
    }
}

fn places(folders: &[PathBuf]) -> Vec<Place> {
    folders.iter().map(|folder| here::place(folder)).collect()
}

fn list(args: &CatalogListArgs, texts: &Arc<Sources>) -> Result<String> {
    let loader = Loader::here(here::reads(), texts);
    let catalogue = Catalogue::load(&loader, &places(&args.catalogue))?;
    let Some(name) = &args.release else { return Ok(releases(&catalogue)) };
    let named = Spanned::nowhere(name.clone());
    let release = catalogue.release(&loader, &named, &here::place(Path::new("")))?;
    Ok(components(&catalogue, &release))
}

/// The releases, the newest last.
fn releases(catalogue: &Catalogue) -> String {
    let row = |release: &Release| {
        let commit = release.commit.get(..12).unwrap_or_default();
        vec![
            release.name.value.clone(),
            release.components.len().to_string(),
            format!("{}?ref={} ({commit})", release.git.value, release.reference.value),
            release.description.clone(),
        ]
    };
    let mut releases: Vec<&Release> = catalogue.releases.values().collect();
    releases.sort_by_key(|release| version_key(&release.name));
    let rows: Vec<Vec<String>> = releases.into_iter().map(row).collect();
    table(&["NAME", "COMPONENTS", "SOURCE", "DESCRIPTION"], &rows)
}

/// Numbers in a name count as numbers.
fn version_key(name: &str) -> Vec<(u64, String)> {
    let parts = name.split(['.', '-']);
    parts.map(|part| (part.parse().unwrap_or_default(), part.to_owned())).collect()
}

/// Where each component is in a release.
fn components(catalogue: &Catalogue, release: &Release) -> String {
    let mut rows: Vec<Vec<String>> = Vec::new();
    for (name, component) in &catalogue.components {
        let released = release.components.iter().find(|(released, _)| released.value == *name);
        let Some((_, released)) = released else {
            let is_without = release.without.iter().any(|without| without.value == *name);
            let from = if is_without { "(not in this release)" } else { "(the catalogue's own base)" };
            rows.push(vec![name.clone(), component.version.clone(), from.to_owned()]);
            continue;
        };
        let version = released.version.as_ref().unwrap_or(&component.version);
        for (at, root) in released.roots.iter().enumerate() {
            let is_part = !root.only.is_empty() || !root.except.is_empty();
            let path = format!("{}{}", root.path.value, if is_part { " (some objects)" } else { "" });
            let (name, version) = if at == 0 { (name.as_str(), version.as_str()) } else { ("", "") };
            rows.push(vec![name.to_owned(), version.to_owned(), path]);
        }
        for (parameter, fixed) in &released.fixed.0 {
            let what = format!("the parameter {} cannot be set: {}", parameter.value, fixed.reason.value);
            rows.push(vec![String::new(), String::new(), what]);
        }
    }
    for (overlay, reason) in &release.left_out {
        rows.push(vec![
            format!("overlay {}", overlay.value),
            String::new(),
            format!("left out: {}", reason.value),
        ]);
    }
    table(&["COMPONENT", "VERSION", "FROM"], &rows)
}

/// What a fetch works on.
struct Fetch<'a> {
    args: &'a CatalogFetchArgs,
    texts: &'a Arc<Sources>,
    folder: PathBuf,
    before: Lock,
}

fn fetch(args: &CatalogFetchArgs, texts: &Arc<Sources>) -> Result<String> {
    let name = &args.release;
    let folder = args.output.clone().unwrap_or_else(|| PathBuf::from(format!("kubeflow-{name}")));
    std::fs::create_dir_all(&folder).map_err(|error| output::cannot_write(&folder, &error))?;
    let folder = folder.canonicalize().map_err(|error| output::cannot_write(&folder, &error))?;
    let surroundings = here::surroundings();
    let before = Lock::find(&folder, &surroundings, texts)?;
    let before = before.unwrap_or_else(|| Lock::new(&folder, &surroundings));
    Fetch { args, texts, folder, before }.run()
}

impl Fetch<'_> {
    fn run(&self) -> Result<String> {
        let reading = Loader::here(here::reads(), self.texts);
        let catalogue = Catalogue::load(&reading, &places(&self.args.catalogue))?;
        let named = Spanned::nowhere(self.args.release.clone());
        let release = catalogue.known_release(&named)?.clone();
        let progress = Progress::new();
        let renewal = Renewal { lock: self.before.clone(), ..Renewal::default() };
        let mut options = here::reads();
        options.restrictor = LoadRestrictor::from(self.args.load_restrictor);
        options.remote = RemoteOptions::using(LockUse::Renew(Arc::new(renewal)));
        options.remote.plain_http = self.args.allow_plain_http;
        options.remote.observer = progress.observer();
        options.remote.copies = self.copies(&release)?;
        let loader = Loader::here(options, self.texts);
        let walked = walk_roots(&catalogue.at_release(&release)?, &release, &loader);
        progress.finish();
        walked?;
        let listed = store::list(&loader.remotes().used(), &self.before)?;
        check_tree(&release, &listed)?;
        self.write(&release, &reading, &listed)
    }

    /// The copies on this machine that the user names.
    fn copies(&self, release: &Release) -> Result<Vec<LocalCopy>> {
        let mut errors = Diagnostics::default();
        let mut copies = Vec::new();
        for from in &self.args.from {
            let named = from.split_once('=').filter(|_| !Path::new(from).exists());
            let (source, path) = named.map_or((release.git.value.as_str(), from.as_str()), |named| named);
            if let Ok(path) = Path::new(path).canonicalize() {
                copies.push(LocalCopy { source: source.to_owned(), path });
            } else {
                let message = format!("the file or directory `{path}` does not exist");
                let error = Diagnostic::error(Code::NotFound, message);
                errors
                    .push(error.help("write `--from PATH` for the release, `--from SOURCE=PATH` for others"));
            }
        }
        errors.into_result(copies)
    }

    fn write(&self, release: &Release, reading: &Loader, listed: &[Listed]) -> Result<String> {
        let map = reading.beside(&release.place.folder, &release.place.shown, None)?;
        let text = map.load(&release.file, None)?.source.text.clone();
        let after = Lock {
            folder: self.before.folder.clone(),
            shown: self.before.shown.clone(),
            targets: Vec::new(),
            entries: listed.iter().map(|one| one.entry.clone()).collect(),
        };
        store::put(&self.folder, listed)?;
        output::write_below(&self.folder, Path::new(FETCHED), text.as_bytes())?;
        store::write_lock(&after)?;
        store::remove_unused(&after)?;
        let shown = here::surroundings().shown(&self.folder).display().to_string();
        let sources = if listed.len() == 1 { "source" } else { "sources" };
        Ok(format!(
            "{}: {} components from {} {sources}, in {shown}\n\
             Build with it: kfc build PROFILE --release {shown}\n\
             In a kfc.yaml: release: {shown}\n",
            release.name.value,
            release.components.len(),
            listed.len(),
        ))
    }
}

/// Refuses a tree that is not the one of the release: a changed checkout, or a repository whose commit has another content.
fn check_tree(release: &Release, listed: &[Listed]) -> Result<()> {
    let is_main = |one: &&Listed| matches!(&one.entry.source, Source::Git { reference, .. } if *reference == release.commit.value);
    let Some(main) = listed.iter().find(is_main) else { return Ok(()) };
    let is_repository = main.fetched.folder.join(".git").exists() || main.fetched.vendored.is_some();
    let found = &main.entry.tree;
    let problem = match &release.tree {
        Some(tree) if tree == found => return Ok(()),
        Some(tree) => format!("its digest is sha256:{found}, that of the release is sha256:{tree}"),
        None if is_repository => return Ok(()),
        None => "it is not a git repository, and the digest of the release is not known".to_owned(),
    };
    let message = format!("`{}` is not the release {}", main.fetched.folder.display(), release.name.value);
    let error = Diagnostic::error(Code::OtherRelease, message).note(problem);
    Err(error.help(format!("check out {}, without other files", release.commit.value)).into())
}

/// Requests everything that the roots of the release name, each root once.
fn walk_roots(catalogue: &Catalogue, release: &Release, loader: &Loader) -> Result<()> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(AT_ONCE).build().map_err(|error| {
        Diagnostics::from(Diagnostic::error(Code::Usage, format!("cannot start threads: {error}")))
    })?;
    pool.install(|| {
        let mut errors = Diagnostics::default();
        let (mut roots, mut seen): (Vec<Loader>, BTreeSet<PathBuf>) = (Vec::new(), BTreeSet::new());
        let released = |name: &String| release.components.iter().any(|(known, _)| known.value == *name);
        for (_, component) in catalogue.components.iter().filter(|(name, _)| released(name)) {
            let found = errors.collect(base_roots(&component.base, loader)).unwrap_or_default();
            roots.extend(found.into_iter().filter(|root| seen.insert(root.root().to_owned())));
        }
        errors.into_result(())?;
        walk::walk(&roots)
    })
}
