//! Finds the remote sources of a tree: reads every kustomization that its roots name, and requests each web address. Reads
//! local files only where they may name a remote source. Fetches each source once, and those of one list in parallel.

use crate::engine::inline_documents;
use crate::generate::helm;
use crate::kustomization::model::{
    ConfigMapArgs, HelmChart, HelmGlobals, Kustomization, ReplacementField, Spanned,
};
use crate::kustomization::plugin::{self, Plugin};
use kfc_diagnostics::{Diagnostics, Mark, Result};
use kfc_source::{File, Loader, Resolved, is_web_address};
use kfc_yaml::{Node, parse};
use rayon::prelude::*;

/// Requests every remote source of the roots in the directories of these loaders; their remotes record the requests.
///
/// # Errors
/// Sources that cannot be fetched, and every other reason why a root cannot be read.
pub fn walk(roots: &[Loader]) -> Result<()> {
    gather(roots.par_iter().with_max_len(1).map(|loader| walk_root(loader, None)).collect())
}

/// Walks one root. When its resources are configurations of plug-ins, `plugins_of` is the root that these work for.
fn walk_root(loader: &Loader, plugins_of: Option<&Loader>) -> Result<()> {
    let found = loader.find_kustomization()?;
    let (documents, _) = parse::parse_last_wins(&found.source.text, found.id)?;
    let Some(document) = documents.into_iter().next() else { return Ok(()) };
    let read = crate::kustomization::read(&document);
    let kustomization = &read.kustomization;
    let ((resources, components), (configs, files)) = rayon::join(
        || {
            rayon::join(
                || each(&kustomization.resources, |path| entry(loader, path, plugins_of)),
                || {
                    each(&kustomization.components, |path| {
                        walk_root(&loader.child(&path.text, path.mark)?, None)
                    })
                },
            )
        },
        || rayon::join(|| plugin_configs(loader, kustomization), || files(loader, kustomization)),
    );
    let mut errors = read.errors;
    for part in [resources, components, configs, files] {
        errors.collect(part);
    }
    errors.into_result(())
}

fn each(paths: &[Spanned], one: impl Fn(&Spanned) -> Result<()> + Sync + Send) -> Result<()> {
    gather(paths.par_iter().with_max_len(1).map(&one).collect())
}

fn gather(results: Vec<Result<()>>) -> Result<()> {
    let mut errors = Diagnostics::default();
    for result in results {
        errors.collect(result);
    }
    errors.into_result(())
}

fn entry(loader: &Loader, path: &Spanned, plugins_of: Option<&Loader>) -> Result<()> {
    match (loader.resolve(&path.text, path.mark)?, plugins_of) {
        (Resolved::Root(root), plugins_of) => walk_root(&root, plugins_of),
        (Resolved::File(file), Some(of)) => plugin_file(&file, of),
        (Resolved::File(_), None) => Ok(()),
    }
}

/// `generators`, `transformers` and `validators`: inline, in files, and in roots of their own.
fn plugin_configs(loader: &Loader, kustomization: &Kustomization) -> Result<()> {
    let lists = [&kustomization.generators, &kustomization.transformers, &kustomization.validators];
    let items: Vec<&Spanned> = lists.into_iter().flatten().collect();
    let one = |item: &&Spanned| match inline_documents(loader, item)? {
        Some(documents) => {
            gather(documents.iter().map(|document| plugin_sources(document, loader)).collect())
        }
        None => entry(loader, item, Some(loader)),
    };
    gather(items.par_iter().with_max_len(1).map(one).collect())
}

fn plugin_file(file: &File, of: &Loader) -> Result<()> {
    let documents = parse::parse(&file.source.text, file.id)?;
    gather(documents.iter().map(|document| plugin_sources(document, of)).collect())
}

/// What the configuration of a plug-in names. One that cannot be read is the build's to complain of.
fn plugin_sources(config: &Node, loader: &Loader) -> Result<()> {
    let Ok((plugin, _)) = plugin::read(config) else { return Ok(()) };
    match plugin {
        Plugin::Patch(patch) => gather(patch.path.iter().map(|path| file(loader, path)).collect()),
        Plugin::PatchStrategicMerge(paths) => gather(paths.iter().map(|path| file(loader, path)).collect()),
        Plugin::Replacements(fields) => replacements(loader, &fields),
        Plugin::ConfigMap(args) => pairs(loader, &args),
        Plugin::Secret(args) => pairs(loader, &args.common),
        Plugin::HelmChart(chart, globals) => self::chart(loader, &chart, &globals),
        _ => Ok(()),
    }
}

/// The fields that name single files, and charts.
fn files(loader: &Loader, kustomization: &Kustomization) -> Result<()> {
    let k = kustomization;
    let patches = k.patches.iter().chain(&k.patches_json6902).filter_map(|patch| patch.path.as_ref());
    let paths = (k.crds.iter().chain(&k.configurations).chain(&k.openapi_path))
        .chain(&k.patches_strategic_merge)
        .chain(patches);
    let mut results: Vec<Result<()>> = paths.map(|path| file(loader, path)).collect();
    results.push(replacements(loader, &k.replacements));
    results.extend(k.config_maps.iter().map(|args| pairs(loader, args)));
    results.extend(k.secrets.iter().map(|args| pairs(loader, &args.common)));
    results.extend(k.helm_charts.iter().map(|chart| self::chart(loader, chart, &k.helm_globals)));
    gather(results)
}

fn file(loader: &Loader, path: &Spanned) -> Result<()> {
    match is_web_address(&path.text) && !path.text.contains('\n') {
        true => loader.load_bytes(&path.text, path.mark).map(drop),
        false => Ok(()),
    }
}

fn replacements(loader: &Loader, fields: &[ReplacementField]) -> Result<()> {
    let files = fields.iter().filter_map(|field| match field {
        ReplacementField::File(path) => Some(file(loader, path)),
        ReplacementField::Inline(_) => None,
    });
    gather(files.collect())
}

/// The files of a generator, `path` or `key=path`.
fn pairs(loader: &Loader, args: &ConfigMapArgs) -> Result<()> {
    let named = args.sources.files.iter().map(|file| match file.text.split_once('=') {
        Some((key, path)) if !key.contains("://") => Spanned { text: path.to_owned(), mark: file.mark },
        _ => file.clone(),
    });
    let envs = args.sources.envs.iter().cloned();
    gather(named.chain(envs).map(|path| file(loader, &path)).collect())
}

fn chart(loader: &Loader, chart: &HelmChart, globals: &HelmGlobals) -> Result<()> {
    if chart.repo.is_empty() || chart.name.is_empty() || helm::local(chart, globals, loader)?.is_some() {
        return Ok(());
    }
    let mark = chart.mark.unwrap_or(Mark::NONE);
    loader.chart(&chart.repo, &chart.name, &chart.version, mark).map(drop)
}
