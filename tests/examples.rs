//! The example workloads: each builds, and the definitions of its component's bundle accept it; so do those that the
//! projects publish themselves, where `../shared` has them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by a panic")]

mod case;
mod setting;

use case::{trial, trial_over};
use kfc_catalogue::catalogue::Stack;
use kfc_diagnostics::{SourceId, Sources};
use kfc_kustomize::engine::{Options, build};
use kfc_kustomize::resource::Resource;
use kfc_source::Surroundings;
use kfc_yaml::parse::parse;
use kfc_yaml::value::to_json;
use serde_json::{Value, json};
use setting::{setting, shown};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

/// Nothing of this machine but its folders.
fn surroundings() -> Arc<Surroundings> {
    Arc::new(Surroundings::bare(std::env::current_dir().unwrap_or_default(), std::env::temp_dir()))
}

/// Validators by API version and kind.
type Definitions = BTreeMap<(String, String), jsonschema::Validator>;

fn top() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Folders of examples with the component that they are for.
fn examples() -> Vec<(String, PathBuf)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(top().join("examples")).unwrap().filter_map(Result::ok) {
        for variant in ["cpu", "gpu"] {
            let folder = entry.path().join(variant);
            if folder.is_dir() {
                found.push((entry.file_name().to_string_lossy().into_owned(), folder));
            }
        }
    }
    found.sort();
    found
}

/// As a server with strict field validation reads a schema: fields that it does not have are refused.
fn closed(schema: &Value) -> Value {
    let mut schema = schema.clone();
    let Some(map) = schema.as_object_mut() else { return schema };
    for field in ["items", "additionalProperties"] {
        if let Some(below) = map.get_mut(field).filter(|below| below.is_object()) {
            *below = closed(below);
        }
    }
    if let Some(properties) = map.get_mut("properties").and_then(Value::as_object_mut) {
        properties.values_mut().for_each(|below| *below = closed(below));
        let is_free = [
            "x-kubernetes-preserve-unknown-fields",
            "x-kubernetes-embedded-resource",
            "additionalProperties",
        ];
        if !is_free.iter().any(|field| map.contains_key(*field)) {
            map.insert("additionalProperties".to_owned(), json!(false));
        }
    }
    if map.get("nullable") == Some(&json!(true))
        && let Some(kind) = map.get("type").cloned()
    {
        map.insert("type".to_owned(), json!([kind, "null"]));
    }
    schema
}

fn add_definition(definition: &Value, definitions: &mut Definitions) {
    let spec = &definition["spec"];
    for version in spec["versions"].as_array().into_iter().flatten() {
        let mut schema = version["schema"]["openAPIV3Schema"].clone();
        if schema["properties"].is_object() {
            schema["properties"]["metadata"] = json!({"type": "object"});
            for field in ["apiVersion", "kind"] {
                schema["properties"][field] = json!({"type": "string"});
            }
        }
        let api = format!("{}/{}", spec["group"].as_str().unwrap(), version["name"].as_str().unwrap());
        let validator = jsonschema::validator_for(&closed(&schema)).unwrap();
        definitions.insert((api, spec["names"]["kind"].as_str().unwrap().to_owned()), validator);
    }
}

fn defined_by(resources: &[Resource]) -> Definitions {
    let mut definitions = Definitions::new();
    let found = resources.iter().filter(|resource| resource.kind() == "CustomResourceDefinition");
    found.for_each(|resource| add_definition(&to_json(&resource.node), &mut definitions));
    definitions
}

fn built(folder: &Path) -> Vec<Resource> {
    let sources = Arc::new(Sources::default());
    let bundle = build(&folder.to_string_lossy(), &Options::new(&surroundings()), &sources);
    bundle
        .unwrap_or_else(|errors| panic!("{}: {}", folder.display(), shown(&errors, &sources)))
        .resources
        .list
}

/// Validates a custom resource; false when nothing defines its kind.
fn validate(resource: &Resource, definitions: &Definitions, place: &str) -> bool {
    let key = (resource.api_version().to_owned(), resource.kind().to_owned());
    let Some(validator) = definitions.get(&key) else { return false };
    let value = to_json(&resource.node);
    let errors: Vec<String> =
        validator.iter_errors(&value).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{place}: {} {}: {errors:?}", resource.kind(), resource.name());
    true
}

/// Whether Kubernetes itself has the kinds of a group.
fn is_builtin(resource: &Resource) -> bool {
    let group = resource.api_version().split_once('/').map_or("", |(group, _)| group);
    !group.contains('.')
        || group.ends_with(".k8s.io") && !group.contains(".x-k8s.io") && !group.contains("sparkoperator")
}

fn every_example_builds_and_its_bundle_defines_its_kinds() {
    let setting = setting();
    let examples = examples();
    assert!(examples.len() > 35, "only {} examples", examples.len());
    for (component, folder) in examples {
        assert!(setting.catalogue.components.contains_key(&component), "`{component}` is no component");
        let profile = if folder.ends_with("gpu") { "onprem+gpu" } else { "onprem" };
        let stack = Stack::of_profile(profile).with_components([&component]);
        let definitions = defined_by(&setting.resources(&stack));
        let place = folder.display().to_string();
        let resources = built(&folder);
        for resource in &resources {
            let known = validate(resource, &definitions, &place) || is_builtin(resource);
            assert!(known, "{place}: the bundle of `{component}` does not define {}", resource.kind());
        }
        let text: String = resources.iter().map(|r| to_json(&r.node).to_string()).collect();
        let wanted =
            if folder.ends_with("gpu") { text.contains("gpu") } else { !text.contains("nvidia.com/gpu") };
        assert!(wanted, "{place}: GPUs on the wrong profile");
    }
}

fn the_definitions_that_projects_publish_accept_our_custom_resources(corpus: &Path) {
    let mut definitions = Definitions::new();
    for file in ["example", "applications__training-operator__upstream__base"] {
        let text = std::fs::read_to_string(corpus.join(format!("{file}.yaml"))).unwrap();
        let values = parse(&text, SourceId::NONE).unwrap();
        let values = values.iter().map(to_json).filter(|value| value["kind"] == "CustomResourceDefinition");
        values.for_each(|value| add_definition(&value, &mut definitions));
    }
    let setting = setting();
    let mut checked = 0;
    for profile in ["gke+gpu", "openshift", "minikube"] {
        for resource in setting.resources(&Stack::of_profile(profile)) {
            checked += usize::from(validate(&resource, &definitions, profile));
        }
    }
    assert!(checked > 150, "only {checked} resources of bundles");
    let resources = examples().into_iter().flat_map(|(_, folder)| built(&folder));
    let checked = resources.filter(|resource| validate(resource, &definitions, "examples")).count();
    assert!(checked > 25, "only {checked} resources of examples");
}

fn main() -> ExitCode {
    case::run(vec![
        trial(
            "every_example_builds_and_its_bundle_defines_its_kinds",
            every_example_builds_and_its_bundle_defines_its_kinds,
        ),
        trial_over(
            "the_definitions_that_projects_publish_accept_our_custom_resources",
            "corpora/kubeflow-manifests/expected",
            the_definitions_that_projects_publish_accept_our_custom_resources,
        ),
    ])
}
