//! Finds the remote sources of a tree: reads every kustomization that its roots name, and requests each web address. Reads
//! local files only where they may name a remote source. Fetches each source once, and those of one list in parallel.

use crate::engine::inline_documents;
use crate::generate::helm;
use crate::kustomization::model::{ConfigMapArgs, HelmChart, HelmGlobals};
use crate::kustomization::{Named, plugin};
use kfc_diagnostics::{Diagnostics, Result};
use kfc_source::{File, Loader, Resolved, is_web_address};
use kfc_yaml::{Node, Spanned, parse};
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
    let read = crate::kustomization::read_in(&document, loader);
    let named = read.kustomization.named();
    let results = named.par_iter().with_max_len(1).map(|named| follow(loader, named, plugins_of));
    let mut errors = read.errors;
    errors.collect(gather(results.collect()));
    errors.into_result(())
}

/// Requests what a root, or the configuration of a plug-in in it, names.
fn follow(loader: &Loader, named: &Named<'_>, plugins_of: Option<&Loader>) -> Result<()> {
    match named {
        Named::Resource(path) => entry(loader, path, plugins_of),
        Named::Component(path) => walk_root(&loader.child(&path.value, path.mark)?, None),
        Named::Plugin(item) => match inline_documents(loader, item)? {
            Some(documents) => {
                gather(documents.iter().map(|config| plugin_sources(config, loader)).collect())
            }
            None => entry(loader, item, Some(loader)),
        },
        Named::File(path) | Named::Patch(path) => file(loader, path),
        Named::Generator(args) => pairs(loader, args),
        Named::Chart(chart, globals) => self::chart(loader, chart, globals),
    }
}

fn gather(results: Vec<Result<()>>) -> Result<()> {
    let mut errors = Diagnostics::default();
    for result in results {
        errors.collect(result);
    }
    errors.into_result(())
}

fn entry(loader: &Loader, path: &Spanned<String>, plugins_of: Option<&Loader>) -> Result<()> {
    match (loader.resolve(&path.value, path.mark)?, plugins_of) {
        (Resolved::Root(root), plugins_of) => walk_root(&root, plugins_of),
        (Resolved::File(file), Some(of)) => plugin_file(&file, of),
        (Resolved::File(_), None) => Ok(()),
    }
}

fn plugin_file(file: &File, of: &Loader) -> Result<()> {
    let documents = parse::parse(&file.source.text, file.id)?;
    gather(documents.iter().map(|document| plugin_sources(document, of)).collect())
}

/// What the configuration of a plug-in names. One that cannot be read is the build's to complain of.
fn plugin_sources(config: &Node, loader: &Loader) -> Result<()> {
    let Ok((plugin, _)) = plugin::read(config) else { return Ok(()) };
    gather(plugin.named().iter().map(|named| follow(loader, named, None)).collect())
}

fn file(loader: &Loader, path: &Spanned<String>) -> Result<()> {
    if is_web_address(&path.value) && !path.value.contains('\n') {
        loader.load_bytes(&path.value, path.mark).map(drop)
    } else {
        Ok(())
    }
}

/// The files of a generator, `path` or `key=path`.
fn pairs(loader: &Loader, args: &ConfigMapArgs) -> Result<()> {
    let named = args.sources.files.iter().map(|file| match file.value.split_once('=') {
        Some((key, path)) if !key.contains("://") => Spanned { value: path.to_owned(), mark: file.mark },
        _ => file.clone(),
    });
    let envs = args.sources.envs.iter().cloned();
    gather(named.chain(envs).map(|path| file(loader, &path)).collect())
}

fn chart(loader: &Loader, chart: &HelmChart, globals: &HelmGlobals) -> Result<()> {
    if chart.repo.is_empty() || chart.name.is_empty() || helm::local(chart, globals, loader)?.is_some() {
        return Ok(());
    }
    let mark = chart.mark;
    loader.chart(&chart.repo, &chart.name, &chart.version, mark).map(drop)
}

#[cfg(test)]
mod tests {
    use super::walk;
    use kfc_diagnostics::{Code, Sources};
    use kfc_source::{Loader, Memory, Options, Surroundings};
    use std::sync::Arc;

    /// What a walk over `/root` asks for, when nothing may be fetched.
    fn asked(files: &[(&str, &str)]) -> Vec<String> {
        let files = Memory::new(files.iter().map(|(path, text)| (format!("/root/{path}"), *text)));
        let mut options = Options::new(&Arc::new(Surroundings::in_memory(files)));
        options.remote.offline = true;
        let loader = Loader::open("/root", options, &Arc::new(Sources::default())).unwrap();
        let errors = walk(&[loader]).err().map(|errors| errors.0).unwrap_or_default();
        let source = |message: &str| message.split('`').nth(1).unwrap_or(message).to_owned();
        errors
            .iter()
            .map(|error| match error.code {
                Code::Offline => source(&error.message),
                code => format!("{}: {}", code.as_str(), error.message),
            })
            .collect()
    }

    #[test]
    fn every_field_that_may_name_a_remote_source_is_followed() {
        let kustomization = "
resources: ['https://host/o/base?ref=v1', local]
components: ['https://host/o/component?ref=v1']
generators:
- |
  {apiVersion: builtin, kind: ConfigMapGenerator, metadata: {name: g}, files: ['k=https://host/g.txt']}
transformers: [plugin.yaml]
crds: ['https://host/crd.json']
configurations: ['https://host/config.yaml']
openapi: {path: 'https://host/openapi.json'}
patches: [{path: 'https://host/patch.yaml'}]
patchesStrategicMerge: ['https://host/strategic.yaml']
patchesJson6902: [{path: 'https://host/json.yaml', target: {kind: A, name: a, version: v1}}]
replacements: [{path: 'https://host/replacement.yaml'}]
configMapGenerator: [{name: c, files: ['k=https://host/a.txt'], envs: ['https://host/b.env']}]
secretGenerator: [{name: s, files: ['https://host/c.txt']}]
helmCharts: [{name: chart, repo: 'https://charts.host', version: '1'}]
";
        let plugin =
            "{apiVersion: builtin, kind: PatchTransformer, metadata: {name: p}, path: 'https://host/p.yaml'}";
        let mut found = asked(&[
            ("kustomization.yaml", kustomization),
            ("plugin.yaml", plugin),
            ("local/kustomization.yaml", "resources: ['https://host/o/deep?ref=v1']"),
        ]);
        found.sort();
        let files = [
            "a.txt",
            "b.env",
            "c.txt",
            "config.yaml",
            "crd.json",
            "g.txt",
            "json.yaml",
            "openapi.json",
            "p.yaml",
            "patch.yaml",
            "replacement.yaml",
            "strategic.yaml",
        ];
        let mut expected: Vec<String> = files.iter().map(|file| format!("https://host/{file}")).collect();
        expected.extend(["base", "component", "deep"].map(|root| format!("https://host/o/{root}?ref=v1")));
        expected.push("chart 1 of https://charts.host".to_owned());
        expected.sort();
        assert_eq!(found, expected);
    }

    #[test]
    fn local_files_are_not_read_unless_they_may_name_a_source() {
        let kustomization = "
patches: [{path: missing.yaml}]
crds: [missing.json]
configMapGenerator: [{name: c, files: [missing.txt]}]
";
        assert_eq!(asked(&[("kustomization.yaml", kustomization)]), [""; 0]);
        let missing =
            asked(&[("kustomization.yaml", "resources: [missing]\ntransformers: [missing.yaml]\n")]);
        assert_eq!(missing.len(), 2, "{missing:?}");
    }

    #[test]
    fn what_patterns_match_is_followed() {
        let files = [
            ("kustomization.yaml", "kfc.dev: {resourcePatterns: true}\nresources: ['roots/*']\n"),
            ("roots/a/kustomization.yaml", "resources: ['https://host/o/a?ref=v1']\n"),
            ("roots/b/kustomization.yaml", "resources: ['https://host/o/b?ref=v1']\n"),
        ];
        assert_eq!(asked(&files), ["https://host/o/a?ref=v1", "https://host/o/b?ref=v1"]);
    }

    #[test]
    fn configurations_that_are_roots_work_for_the_root_that_names_them() {
        let files = [
            ("kustomization.yaml", "generators: [config]\n"),
            ("config/kustomization.yaml", "resources: [generator.yaml]\n"),
            (
                "config/generator.yaml",
                "{apiVersion: builtin, kind: SecretGenerator, metadata: {name: g}, files: ['https://host/key']}",
            ),
        ];
        assert_eq!(asked(&files), ["https://host/key"]);
    }
}
