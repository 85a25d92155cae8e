//! A build reads exactly what `Kustomization::named` lists: a field that names files and is not in the list would be missed by
//! `kfc vendor` and `kfc kustomize localize`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by a panic")]
#![allow(missing_docs, reason = "a program, not a library")]

use kfc_diagnostics::SourceId;
use kfc_kustomize::Kustomizer;
use kfc_kustomize::kustomization::{Named, plugin, read};
use kfc_source::{FileSystem, Memory, Refusal};
use kfc_yaml::parse::parse;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// Files in memory that remember which of them were read.
#[derive(Clone, Debug)]
struct Recorder {
    files: Memory,
    read: Arc<Mutex<BTreeSet<String>>>,
}

impl FileSystem for Recorder {
    fn canonicalize(&self, path: &Path) -> std::io::Result<PathBuf> {
        self.files.canonicalize(path)
    }

    fn read_link(&self, path: &Path) -> Option<PathBuf> {
        self.files.read_link(path)
    }

    fn read(&self, path: &Path) -> Result<Vec<u8>, Refusal> {
        self.read.lock().unwrap().insert(path.to_string_lossy().into_owned());
        self.files.read(path)
    }

    fn is_directory(&self, path: &Path) -> bool {
        self.files.is_directory(path)
    }

    fn is_file(&self, path: &Path) -> bool {
        self.files.is_file(path)
    }

    fn exists(&self, path: &Path) -> bool {
        self.files.exists(path)
    }

    fn names_in(&self, directory: &Path) -> Vec<String> {
        self.files.names_in(directory)
    }
}

const ROOT: &str = "
resources: [app.yaml]
components: [component]
generators: [generator.yaml]
transformers: [transformer.yaml]
crds: [crd.json]
configurations: [configuration.yaml]
openapi: {path: openapi.json}
patches: [{path: patch.yaml}]
patchesJson6902: [{path: json6902.yaml, target: {kind: ConfigMap, name: app, version: v1}}]
patchesStrategicMerge: [strategic.yaml]
replacements: [{path: replacement.yaml}]
configMapGenerator: [{name: made, files: [one.txt, key=two.txt], envs: [some.env]}]
secretGenerator: [{name: hidden, files: [three.txt]}]
";

const APP: &str = "{apiVersion: v1, kind: ConfigMap, metadata: {name: app}, data: {a: b}}";

const FILES: [(&str, &str); 16] = [
    ("app.yaml", APP),
    (
        "component/kustomization.yaml",
        "{apiVersion: kustomize.config.k8s.io/v1alpha1, kind: Component, namePrefix: p-}",
    ),
    (
        "generator.yaml",
        "{apiVersion: builtin, kind: ConfigMapGenerator, metadata: {name: of-plugin}, files: [plugin.txt]}",
    ),
    (
        "transformer.yaml",
        "{apiVersion: builtin, kind: PatchTransformer, metadata: {name: t}, path: plugin-patch.yaml, target: {kind: ConfigMap, name: app}}",
    ),
    ("crd.json", "{}"),
    ("configuration.yaml", "namePrefix: []"),
    ("openapi.json", "{\"definitions\": {}}"),
    ("patch.yaml", APP),
    ("json6902.yaml", "- {op: add, path: /data/c, value: d}"),
    ("strategic.yaml", APP),
    (
        "replacement.yaml",
        "{source: {kind: ConfigMap, name: app, fieldPath: data.a}, targets: [{select: {kind: ConfigMap, name: app}, fieldPaths: [data.c]}]}",
    ),
    ("one.txt", "1"),
    ("two.txt", "2"),
    ("some.env", "a=b"),
    ("three.txt", "3"),
    ("plugin.txt", "4"),
];

/// The files that a list of named things stands for.
fn files_of(named: &[Named<'_>], files: &mut BTreeSet<String>) {
    for named in named {
        match named {
            Named::Resource(path) | Named::File(path) | Named::Patch(path) | Named::Plugin(path) => {
                files.insert(path.value.clone());
            }
            Named::Component(path) => {
                files.insert(format!("{}/kustomization.yaml", path.value));
            }
            Named::Generator(args) => {
                let files_of_pairs =
                    args.sources.files.iter().map(|file| file.value.rsplit('=').next().unwrap());
                files.extend(files_of_pairs.map(str::to_owned));
                files.extend(args.sources.envs.iter().map(|env| env.value.clone()));
            }
            other => panic!("the tree has no {other:?}"),
        }
    }
}

#[test]
fn a_build_reads_what_is_named_and_nothing_else() {
    let mut tree =
        vec![("/root/kustomization.yaml".to_owned(), ROOT), ("/root/plugin-patch.yaml".to_owned(), APP)];
    tree.extend(FILES.map(|(name, text)| (format!("/root/{name}"), text)));
    let files = Recorder { files: Memory::new(tree), read: Arc::default() };
    Kustomizer::in_memory().run(&files, "/root").unwrap_or_else(|error| panic!("{error}"));

    let document = parse(ROOT, SourceId::NONE).unwrap().remove(0);
    let kustomization = read(&document).kustomization;
    let mut expected = BTreeSet::from(["kustomization.yaml".to_owned()]);
    files_of(&kustomization.named(), &mut expected);
    for config in ["generator.yaml", "transformer.yaml"] {
        let (_, text) = FILES.iter().find(|(name, _)| *name == config).unwrap();
        let (plugin, _) = plugin::read(&parse(text, SourceId::NONE).unwrap()[0]).unwrap();
        files_of(&plugin.named(), &mut expected);
    }
    let expected: BTreeSet<String> = expected.into_iter().map(|name| format!("/root/{name}")).collect();
    assert_eq!(*files.read.lock().unwrap(), expected);
    assert_eq!(expected.len(), FILES.len() + 2, "the tree has files that nothing names");
}
