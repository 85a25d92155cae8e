//! A build that keeps origins finds the same errors as one that keeps none, at the same places, although the fields that are
//! wrong were changed before.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by a panic")]
#![allow(missing_docs, reason = "a program, not a library")]

use kfc_kustomize::engine::Options;
use kfc_kustomize::{Built, Kustomizer};
use kfc_source::{Memory, Surroundings};
use std::sync::Arc;

const DEPLOYMENT: &str = "apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 1
  template: {spec: {containers: [{name: web, image: 'nginx:1'}]}}
";

const MAPS: &str = "apiVersion: v1
kind: ConfigMap
metadata: {name: one}
data: {a: b, c: d}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: two}
data: {a: b}
";

/// Field specs that set labels in a field.
const LABELS_IN: &str = "commonLabels: [{path: FIELD, create: true}]";

fn run(tree: &[(&str, String)], keep_origins: bool) -> Result<Built, String> {
    let files = Memory::new(tree.iter().map(|(path, text)| (format!("/{path}"), text.clone())));
    let surroundings = Arc::new(Surroundings::in_memory(Memory::default()));
    let options = Options::new(&surroundings).keeping_origins(keep_origins);
    Kustomizer::new(options).run(&files, "top").map_err(|error| error.to_string())
}

/// A base with the first kustomization, and a root over it with the second; the labels go into `field`.
fn tree(base: &str, top: &str, field: &str) -> Vec<(&'static str, String)> {
    vec![
        ("base/kustomization.yaml", base.to_owned()),
        ("base/deployment.yaml", DEPLOYMENT.to_owned()),
        ("base/maps.yaml", MAPS.to_owned()),
        ("top/kustomization.yaml", format!("resources: [../base]\n{top}\n")),
        ("top/labels.yaml", LABELS_IN.replace("FIELD", field)),
    ]
}

const LABELS: &str = "commonLabels: {team: a}\nconfigurations: [labels.yaml]";

#[test]
fn errors_are_those_of_a_build_without_origins() {
    let json = |operations: &str| {
        format!(
            "resources: [deployment.yaml]\npatches: [{{target: {{kind: Deployment}}, patch: '{operations}'}}]"
        )
    };
    let replaced = json(r#"[{"op": "replace", "path": "/spec/template", "value": "text"}]"#);
    let equal = json(r#"[{"op": "replace", "path": "/spec/replicas", "value": 1}]"#);
    let added = json(r#"[{"op": "add", "path": "/spec/new", "value": {"deep": {"er": "text"}}}]"#);
    let copied = "resources: [maps.yaml]
patches: [{target: {name: one}, patch: '{apiVersion: v1, kind: ConfigMap, metadata: {name: one}, data: {a: patched}}'}]
replacements:
- source: {kind: ConfigMap, name: one, fieldPath: data}
  targets: [{select: {name: two}, fieldPaths: [copy], options: {create: true}}]";
    let merged = "resources: [maps.yaml]
configMapGenerator: [{name: one, behavior: merge, literals: [a=made]}]";
    let strategic = "resources: [deployment.yaml]
patches:
- patch: '{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, spec: {replicas: 4}}'";
    let images = "resources: [deployment.yaml]\nimages: [{name: nginx, newTag: '2'}]";
    let replicas = "resources: [deployment.yaml]\nreplicas: [{name: web, count: 3}]";
    let named = "resources: [maps.yaml]\nnamePrefix: p-\nnamespace: shop";
    let missing =
        "replacements: [{source: {kind: Deployment, fieldPath: spec.template.x}, targets: [{select: {}}]}]";
    let into_image = "replacements: [{source: {kind: Deployment, fieldPath: spec.template}, targets: \
                      [{select: {kind: Deployment}, fieldPaths: [spec.replicas.x]}]}]";
    let cases: [(&str, &str, &str, &str, &str); 14] = [
        ("a patched field", &replaced, LABELS, "spec/template/metadata/labels", "base/kustomization.yaml:2"),
        ("an equal value", &equal, LABELS, "spec/replicas/x", "base/kustomization.yaml:2"),
        ("a new field", &added, LABELS, "spec/new/deep/er/x", "base/kustomization.yaml:2"),
        ("a merged field", strategic, LABELS, "spec/replicas/x", "base/kustomization.yaml:3"),
        ("an image", images, LABELS, "spec/template/spec/containers/image/x", "base/deployment.yaml:6"),
        ("replicas", replicas, LABELS, "spec/replicas/x", "base/deployment.yaml:5"),
        ("a name", named, LABELS, "metadata/name/x", "base/maps.yaml:3"),
        ("a namespace", named, LABELS, "metadata/namespace/x", "base/maps.yaml:1"),
        ("a generated value", merged, LABELS, "data/a/x", "base/kustomization.yaml:2"),
        ("a value beside a generated one", merged, LABELS, "data/c/x", "base/maps.yaml:4"),
        ("a copied value", copied, LABELS, "copy/a/x", "base/kustomization.yaml:2"),
        ("the field of a source", &replaced, missing, "x", "base/kustomization.yaml:2"),
        ("the field of a target", replicas, into_image, "x", "base/deployment.yaml:5"),
        (
            "duplicates",
            "resources: [maps.yaml]\npatches: [{target: {name: two}, options: {allowNameChange: true}, patch: \
             '{apiVersion: v1, kind: ConfigMap, metadata: {name: one}}'}]",
            "",
            "x",
            "base/maps.yaml:6",
        ),
    ];
    for (what, base, top, field, place) in cases {
        let tree = tree(base, top, field);
        let Err(plain) = run(&tree, false) else { panic!("{what}: the tree builds") };
        let Err(kept) = run(&tree, true) else { panic!("{what}: the tree builds with origins") };
        assert_eq!(plain, kept, "{what}");
        assert!(plain.contains(place), "{what}: {plain}");
    }
}

#[test]
fn errors_of_configurations_that_were_changed_are_the_same() {
    let config =
        "{apiVersion: builtin, kind: ReplicaCountTransformer, metadata: {name: t}, replica: {name: web}}";
    let patch = r#"[{"op": "add", "path": "/replica/count", "value": "many"}]"#;
    let tree = vec![
        ("top/kustomization.yaml", "resources: [d.yaml]\ntransformers: [../config]\n".to_owned()),
        ("top/d.yaml", DEPLOYMENT.to_owned()),
        (
            "config/kustomization.yaml",
            format!("resources: [t.yaml]\npatches: [{{target: {{name: t}}, patch: '{patch}'}}]\n"),
        ),
        ("config/t.yaml", config.to_owned()),
    ];
    let (Err(plain), Err(kept)) = (run(&tree, false), run(&tree, true)) else { panic!("the tree builds") };
    assert_eq!(plain, kept);
    assert!(plain.contains("config/kustomization.yaml:2"), "{plain}");
}

#[test]
fn errors_of_writing_are_the_same() {
    let base = "resources: [maps.yaml]\npatches: [{target: {name: one}, patch: '{apiVersion: v1, kind: ConfigMap, metadata: {name: one}, data: {x: .inf}}'}]";
    let tree = tree(base, "", "x");
    let written = |keep_origins| run(&tree, keep_origins).unwrap().yaml().map_err(|error| error.to_string());
    let (Err(plain), Err(kept)) = (written(false), written(true)) else { panic!("infinity can be written") };
    assert_eq!(plain, kept);
    assert!(plain.contains("base/kustomization.yaml:2"), "{plain}");
}

#[test]
fn origins_are_kept_of_what_builds() {
    let tree = tree("resources: [maps.yaml]\nnamePrefix: p-", "", "x");
    let built = run(&tree, true).unwrap();
    let resource = &built.resources()[0];
    let name = resource.node.at(&["metadata", "name"]).unwrap();
    let steps: Vec<String> =
        resource.history().chain(name.mark).iter().map(|link| link.step.kind.to_string()).collect();
    assert_eq!(steps, ["base", "namePrefix"]);
    assert_eq!(run(&tree, false).unwrap().yaml().unwrap(), built.yaml().unwrap());
}
