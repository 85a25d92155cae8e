//! Trees that Flux builds: what its packages give for a tree and an object of the kind Kustomization (`expected.yaml`, which
//! `cargo xtask record-flux` writes), and what the commands give that docs/gitops.md has for each field (`commands`).

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

mod support;

use kfc_diagnostics::SourceId;
use kfc_yaml::Node;
use kfc_yaml::parse::parse;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use support::text;

fn cases() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/flux")
}

/// Objects by kind, namespace and name: Flux applies them in an order of its own.
fn objects(yaml: &str) -> BTreeMap<[String; 3], Node> {
    let field = |node: &Node, path: &[&str]| node.at(path).and_then(Node::as_text).unwrap_or("").to_owned();
    let documents = parse(yaml, SourceId::NONE).unwrap();
    let id = |node: &Node| {
        [field(node, &["kind"]), field(node, &["metadata", "namespace"]), field(node, &["metadata", "name"])]
    };
    documents.into_iter().map(|node| (id(&node), node)).collect()
}

fn check(name: &str) {
    let case = cases().join(name);
    let folder = tempfile::tempdir().unwrap();
    let tree = folder.path().join("tree");
    let copied = Command::new("cp").arg("-r").arg(case.join("tree")).arg(&tree).status().unwrap();
    assert!(copied.success());
    std::fs::create_dir(folder.path().join(".git")).unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_kfc")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    let mut shell = Command::new("sh");
    shell.args(["-e", &case.join("commands").display().to_string()]).current_dir(&tree).env("PATH", path);
    let output = shell.env("HOME", folder.path()).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    let (got, expected) =
        (text(&output.stdout), std::fs::read_to_string(case.join("expected.yaml")).unwrap());
    let (own, theirs) = (objects(&got), objects(&expected));
    assert_eq!(own.keys().collect::<Vec<_>>(), theirs.keys().collect::<Vec<_>>());
    assert!(!own.is_empty());
    for (id, object) in &own {
        assert!(theirs[id] == *object, "{id:?} differs\nkfc:\n{got}\nFlux:\n{expected}");
    }
}

#[test]
fn a_tree_without_a_kustomization() {
    check("generated");
}

#[test]
fn fields_of_the_kustomization() {
    check("fields");
}

#[test]
fn common_metadata() {
    check("metadata");
}

#[test]
fn variables_after_the_build() {
    check("substitute");
}

#[test]
fn every_case_has_a_test() {
    let mut names: Vec<_> = std::fs::read_dir(cases())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["fields", "generated", "metadata", "substitute"]);
}
