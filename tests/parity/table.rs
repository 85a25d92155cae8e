//! What is recorded of upstream: releases, roots, and what differs on purpose.

// The lab uses a part of it.
#![allow(dead_code, reason = "each program that has it uses part of it")]

use kfc_diagnostics::SourceId;
use kfc_yaml::parse::parse;
use kfc_yaml::value::to_json;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::path::Path;

/// A repository of upstream at one commit. Its checkout has the name of the entry.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Source {
    pub(crate) repository: String,
    pub(crate) release: String,
    pub(crate) commit: String,
    /// Of the objects that all its roots build, so that another tree is noticed.
    #[serde(default)]
    pub(crate) digest: Option<String>,
    /// Remote resources in its kustomizations, and where they are next to its checkout.
    #[serde(default)]
    pub(crate) remotes: BTreeMap<String, String>,
    /// Files and directories of it that another project publishes, and where those of a newer release are next to its checkout.
    #[serde(default)]
    pub(crate) files: BTreeMap<String, String>,
    /// Versions that its files name, and later patch releases whose manifests differ in nothing else.
    #[serde(default)]
    pub(crate) versions: BTreeMap<String, String>,
}

/// A kustomization root, or a file, of a source.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Root {
    pub(crate) source: String,
    pub(crate) path: String,
    /// The namespace that upstream's instructions install it to, if the root names none.
    #[serde(default)]
    pub(crate) namespace: Option<String>,
}

/// Which side alone has an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Only {
    Ours,
    Upstream,
}

/// One object, or one of its fields, that differs on purpose.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Line {
    pub(crate) object: String,
    #[serde(default)]
    pub(crate) field: Option<String>,
    #[serde(default)]
    pub(crate) only: Option<Only>,
    pub(crate) reason: String,
}

/// What is known about one component.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Table {
    /// Objects of these roots that none of our components has count as absent in this one.
    #[serde(default)]
    pub(crate) upstream: Vec<Root>,
    /// The component whose roots have its objects.
    #[serde(default)]
    pub(crate) within: Option<String>,
    /// Why there is nothing to compare with.
    #[serde(default)]
    pub(crate) why: Option<String>,
    #[serde(default)]
    pub(crate) differs: Vec<Line>,
}

/// Everything that is recorded.
#[derive(Debug)]
pub(crate) struct Tables {
    pub(crate) sources: BTreeMap<String, Source>,
    pub(crate) components: BTreeMap<String, Table>,
}

fn read<T: DeserializeOwned>(path: &Path) -> T {
    let text = std::fs::read_to_string(path).unwrap();
    let nodes = parse(&text, SourceId::NONE).unwrap();
    serde_json::from_value(to_json(&nodes[0])).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

impl Tables {
    pub(crate) fn read() -> Self {
        let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/parity");
        let files = std::fs::read_dir(top.join("components")).unwrap().map(|entry| entry.unwrap().path());
        let components = files
            .map(|file| (file.file_stem().unwrap().to_string_lossy().into_owned(), read(&file)))
            .collect();
        Self { sources: read(&top.join("sources.yaml")), components }
    }
}
