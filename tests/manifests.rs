//! The catalogue over a checkout of kubeflow/manifests: resource for resource what its `example` has, in right order.
//! Ignored where there is no `../shared` with the checkout and kustomize's output for it.

#![cfg_attr(not(unix), allow(dead_code, unused_imports))]
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

mod case;

use kfc_diagnostics::{SourceId, Sources, Style};
use kfc_kube::redaction::render;
use kfc_kustomize::engine::Options;
use kfc_source::Surroundings;
use kfc_yaml::parse::parse;
use kfc_yaml::value::to_json;
use serde_json::Value;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::sync::Arc;

/// Nothing of this machine but its folders.
fn surroundings() -> Arc<Surroundings> {
    Arc::new(Surroundings::bare(std::env::current_dir().unwrap_or_default(), std::env::temp_dir()))
}

/// The resources of a bundle's text as values, sorted.
fn resources(text: &str) -> Vec<Value> {
    let mut values: Vec<Value> = parse(text, SourceId::NONE).unwrap().iter().map(to_json).collect();
    values.sort_by_cached_key(Value::to_string);
    values
}

fn copy(from: &Path, to: &Path) {
    for entry in walkdir::WalkDir::new(from).into_iter().filter_map(Result::ok) {
        let target = to.join(entry.path().strip_prefix(from).unwrap());
        if entry.file_type().is_dir() {
            std::fs::create_dir_all(&target).unwrap();
        } else if entry.file_type().is_file() {
            std::fs::copy(entry.path(), &target).unwrap();
        }
    }
}

#[cfg(unix)]
fn components_that_point_at_kubeflow_manifests_give_its_example_in_right_order(corpus: &Path) {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = tempfile::tempdir().unwrap();
    copy(&here.join("examples/kubeflow-manifests"), folder.path());
    let link = folder.path().join("manifests");
    if !link.exists() {
        std::os::unix::fs::symlink(corpus.join("tree").canonicalize().unwrap(), link).unwrap();
    }
    let bundle = folder.path().join("bundle");
    std::fs::create_dir(&bundle).unwrap();
    let file = bundle.join("bundle.yaml");
    let output = Command::new(env!("CARGO_BIN_EXE_kfc"))
        .args(["build", ".", "--load-restrictor", "LoadRestrictionsNone", "-o"])
        .arg(&file)
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    let built = resources(&std::fs::read_to_string(&file).unwrap());
    let due = resources(&std::fs::read_to_string(corpus.join("expected/example.yaml")).unwrap());
    assert_eq!(built.len(), due.len(), "not as many resources");
    for (built, due) in built.iter().zip(&due) {
        assert_eq!(built, due);
    }

    std::fs::write(bundle.join("kustomization.yaml"), "resources: [bundle.yaml]\n").unwrap();
    let sources = Arc::new(Sources::default());
    let mut options = Options::new(&surroundings());
    options.reorder = kfc_kustomize::engine::Reorder::None;
    let ordered = kfc_kustomize::engine::build(&bundle.to_string_lossy(), &options, &sources).unwrap();
    let found = kfc_validate::bundle::order(&kfc_kustomize::resource::objects(&ordered.resources.list));
    let wrong = kfc_diagnostics::Diagnostics(found.into_iter().map(|finding| finding.diagnostic).collect());
    assert!(wrong.is_empty(), "{}", render(&wrong, &sources, Style { colour: false, width: 140 }));
}

fn main() -> ExitCode {
    case::run(vec![
        #[cfg(unix)]
        case::trial_over(
            "components_that_point_at_kubeflow_manifests_give_its_example_in_right_order",
            "corpora/kubeflow-manifests",
            components_that_point_at_kubeflow_manifests_give_its_example_in_right_order,
        ),
    ])
}
