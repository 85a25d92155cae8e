//! What the tests of the catalogue have in common: the catalogue, and bundles of stacks.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]
#![allow(dead_code, reason = "each program that has it uses part of it")]
#![allow(missing_docs, reason = "a program, not a library")]

use kfc_catalogue::assemble::assemble;
use kfc_catalogue::catalogue::{Catalogue, Stack};
use kfc_catalogue::resolve::resolve;
use kfc_diagnostics::{Diagnostics, Sources, Style};
use kfc_kube::Object;
use kfc_kube::redaction::render;
use kfc_kustomize::resource::{Resource, objects};
use kfc_source::{Loader, Options, Surroundings};
use kfc_validate::{self, KindName, Version};
use kfc_yaml::value::from_json;
use serde_json::Value;
use std::sync::Arc;

/// Kinds that the platform itself defines.
const FOREIGN: [&str; 2] = ["route.openshift.io/Route", "k8s.cni.cncf.io/NetworkAttachmentDefinition"];

pub(crate) struct Setting {
    pub(crate) sources: Arc<Sources>,
    pub(crate) loader: Loader,
    pub(crate) catalogue: Catalogue,
}

/// Nothing of this machine but its folders.
pub(crate) fn surroundings() -> Arc<Surroundings> {
    let bare = Surroundings::bare(std::env::current_dir().unwrap(), std::env::temp_dir());
    Arc::new(bare.with_files(kfc::embedded::files()))
}

pub(crate) fn setting() -> Setting {
    let sources = Arc::new(Sources::default());
    let loader = Loader::here(Options::new(&surroundings()), &sources);
    let catalogue = Catalogue::load(&loader, &[]);
    let catalogue = catalogue.unwrap_or_else(|errors| panic!("{}", shown(&errors, &sources)));
    Setting { sources, loader, catalogue }
}

pub(crate) fn shown(diagnostics: &Diagnostics, sources: &Sources) -> String {
    render(diagnostics, sources, Style { colour: false, width: 140 })
}

/// The Secrets that the program of the bundle makes.
fn made(resources: &[Resource]) -> Vec<Object> {
    let recipes = resources.iter().find_map(|r| r.node.at(&["data", "recipes.json"])?.as_str());
    let recipes: Value =
        recipes.map_or_else(|| Value::Array(Vec::new()), |text| serde_json::from_str(text).unwrap());
    let secrets = recipes.as_array().unwrap().iter().map(|recipe| {
        let mut secret = recipe["secret"].clone();
        let keys = recipe["keys"].as_object().unwrap().keys();
        keys.for_each(|key| secret["data"][key] = "".into());
        Object::new(from_json(&secret, None), false)
    });
    secrets.collect()
}

impl Setting {
    /// The resources of a stack.
    pub(crate) fn resources(&self, stack: &Stack) -> Vec<Resource> {
        let plan = resolve(&self.catalogue, stack);
        let plan = plan.unwrap_or_else(|errors| panic!("{}: {}", stack.name, shown(&errors, &self.sources)));
        let assembled = assemble(&plan, stack, &self.loader);
        let assembled =
            assembled.unwrap_or_else(|errors| panic!("{}: {}", stack.name, shown(&errors, &self.sources)));
        assembled.bundle.resources.list
    }

    /// Fails when anything is wrong with a bundle that can be seen without a cluster.
    pub(crate) fn check(&self, name: &str, resources: &[Resource]) {
        let mut options = kfc_validate::Options::of_version(Some(Version(32)));
        options.strict = true;
        options.skipped = FOREIGN.map(KindName::parse).to_vec();
        options.beside = made(resources);
        let mut found = kfc_validate::validate(&objects(resources), &[], &options).findings;
        found.extend(kfc_validate::bundle::order(&objects(resources)));
        let found = Diagnostics(found.into_iter().map(|finding| finding.diagnostic).collect());
        assert!(found.is_empty(), "{name}: {}", shown(&found, &self.sources));
    }
}
