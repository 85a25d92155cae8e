//! `kfc catalog`: the releases of upstream's manifests that components can be built from, and how one is fetched.

use super::args::{ListFormatArgs, RestrictorFlag, ResultFormat, ResultFormatArgs};
use super::listing::{Listing, Row, described, pretty};
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
use serde_json::json;
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
    #[command(flatten)]
    form: ListFormatArgs,
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
    #[command(flatten)]
    form: ResultFormatArgs,
}

pub(super) fn run(command: &CatalogCommand) -> u8 {
    let texts = Arc::new(Sources::default());
    let (result, what) = match command {
        CatalogCommand::List(args) => (list(args, &texts), "the list"),
        CatalogCommand::Fetch(args) => (fetch(args, &texts), "the fetch"),
    };
    match result {
        // Documents are escaped already; this escapes text.
        Ok(text) => output::print(&document(text)),
        Err(errors) => output::fail(&errors, &texts, what),
    }
}

fn places(folders: &[PathBuf]) -> Vec<Place> {
    folders.iter().map(|folder| here::place(folder)).collect()
}

fn list(args: &CatalogListArgs, texts: &Arc<Sources>) -> Result<String> {
    let loader = Loader::here(here::reads(), texts);
    let catalogue = Catalogue::load(&loader, &places(&args.catalogue))?;
    let Some(name) = &args.release else { return releases(&catalogue).render(args.form.format) };
    let named = Spanned::nowhere(name.clone());
    let release = catalogue.release(&loader, &named, &here::place(Path::new("")))?;
    components(&catalogue, &release).render(args.form.format)
}

/// The releases, the newest last.
fn releases(catalogue: &Catalogue) -> Listing {
    let row = |release: &Release| {
        let commit = release.commit.get(..12).unwrap_or_default();
        Row {
            columns: vec![
                release.name.value.clone(),
                release.components.len().to_string(),
                format!("{}?ref={} ({commit})", release.git.value, release.reference.value),
                release.description.clone(),
            ],
            json: json!({
                "name": release.name.value,
                "components": release.components.len(),
                "git": release.git.value,
                "ref": release.reference.value,
                "commit": release.commit.value,
                "description": release.description,
            }),
        }
    };
    let mut releases: Vec<&Release> = catalogue.releases.values().collect();
    releases.sort_by_key(|release| version_key(&release.name));
    let heads = vec!["NAME", "COMPONENTS", "SOURCE", "DESCRIPTION"];
    Listing { kind: "ReleaseList", heads, rows: releases.into_iter().map(row).collect() }
}

/// Numbers in a name count as numbers.
fn version_key(name: &str) -> Vec<(u64, String)> {
    let parts = name.split(['.', '-']);
    parts.map(|part| (part.parse().unwrap_or_default(), part.to_owned())).collect()
}

/// Where each component is in a release.
fn components(catalogue: &Catalogue, release: &Release) -> Listing {
    let mut rows: Vec<Row> = Vec::new();
    let mut push = |component: &str, version: &str, from: &str, is_first: bool| {
        let shown = |text: &str| if is_first { text.to_owned() } else { String::new() };
        rows.push(Row {
            columns: vec![shown(component), shown(version), from.to_owned()],
            json: json!({"component": component, "version": version, "from": from}),
        });
    };
    for (name, component) in &catalogue.components {
        let released = release.components.iter().find(|(released, _)| released.value == *name);
        let Some((_, released)) = released else {
            let is_without = release.without.iter().any(|without| without.value == *name);
            let from = if is_without { "(not in this release)" } else { "(the catalogue's own base)" };
            push(name, &component.version, from, true);
            continue;
        };
        let version = released.version.as_ref().unwrap_or(&component.version);
        for (at, root) in released.roots.iter().enumerate() {
            let is_part = !root.only.is_empty() || !root.except.is_empty();
            let path = format!("{}{}", root.path.value, if is_part { " (some objects)" } else { "" });
            push(name, version, &path, at == 0);
        }
        for (parameter, fixed) in &released.fixed.0 {
            let what = format!("the parameter {} cannot be set: {}", parameter.value, fixed.reason.value);
            push(name, version, &what, false);
        }
    }
    for (overlay, reason) in &release.left_out {
        let left_out = format!("left out: {}", reason.value);
        push(&format!("overlay {}", overlay.value), "", &left_out, true);
    }
    Listing { kind: "ReleasedComponentList", heads: vec!["COMPONENT", "VERSION", "FROM"], rows }
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
        if self.args.form.format == ResultFormat::Json {
            let (release, components) = (&release.name.value, release.components.len());
            return Ok(pretty(&described(
                "FetchResult",
                json!({"release": release, "components": components, "sources": listed.len(), "directory": shown}),
            )));
        }
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
