//! Whether an upgrade goes as `kfc upgrade` says: its steps are followed to the letter on a cluster that an older bundle was applied
//! to, and nothing is recreated, lost or stored in another version but what the report names.

use super::cluster::{Cluster, Run};
use super::kubectl::run;
use super::profiles::{incomplete, refused_pods};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// A stack of minikube with these further fields.
fn stack(fields: &str) -> String {
    format!(
        "apiVersion: kfc.dev/v1alpha1\nkind: Stack\nmetadata: {{name: ml}}\nspec:\n  platform: minikube\n{fields}"
    )
}

/// Selects the pods of every workload by one label more.
const OLDER_SELECTORS: &str = "\
apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component
patches:
- target: {group: apps}
  patch: |-
    - {op: add, path: /spec/selector/matchLabels/older, value: 'yes'}
    - {op: add, path: /spec/template/metadata/labels/older, value: 'yes'}
";

/// What `kfc upgrade` says, as JSON and as text.
fn report(cluster: &Cluster, args: &[&str]) -> (Value, String) {
    let (json, _) = cluster.kfc(&[&["upgrade"], args, &["--format", "json"]].concat()).fails();
    let (text, _) = cluster.kfc(&[&["upgrade"], args].concat()).fails();
    (serde_json::from_str(&json).unwrap(), text)
}

/// The objects of one of the report's lists.
fn objects_of(report: &Value, list: &str) -> BTreeSet<String> {
    let concerns = report[list].as_array().unwrap().iter();
    concerns.map(|concern| concern["object"].as_str().unwrap().to_owned()).collect()
}

/// Runs the commands of the printed steps in their order; `kfc apply` gets these flags, too.
fn follow(cluster: &Cluster, text: &str, flags: &str) -> Run {
    let steps = text.split_once("\nStep 1: ").expect("steps").1;
    let commands = steps.lines().filter_map(|line| line.strip_prefix("      "));
    let script: Vec<String> = commands
        .map(|command| {
            if command.starts_with("kfc apply ") { format!("{command} {flags}") } else { command.to_owned() }
        })
        .collect();
    run(cluster, &script.join("\n"))
}

/// The objects that an apply recreated, by what it printed.
fn recreated(out: &str) -> BTreeSet<String> {
    out.lines().filter_map(|line| line.strip_prefix("recreated ")).map(str::to_owned).collect()
}

/// The identity of each object of some kinds.
fn identities(cluster: &Cluster, kinds: &str) -> BTreeMap<String, String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let entry = |object: &Value| {
        let metadata = &object["metadata"];
        let name =
            format!("{} {}/{}", text(&object["kind"]), text(&metadata["namespace"]), text(&metadata["name"]));
        (name, text(&metadata["uid"]))
    };
    cluster.list(kinds).iter().map(entry).collect()
}

/// What holds data, or objects of others.
const DATA: &str = "persistentvolumeclaims,persistentvolumes,namespaces,customresourcedefinitions,secrets";

mod full {
    #[test]
    #[ignore = "needs the lab, and minutes: .ci/full"]
    fn workloads_with_selectors_of_an_older_bundle_are_recreated_and_their_data_stays() {
        super::workloads_with_older_selectors();
    }
}

fn workloads_with_older_selectors() {
    let cluster = Cluster::start();
    cluster.write("older/kustomization.yaml", OLDER_SELECTORS);
    cluster.write("kfc.yaml", &stack("  overlays: [older]\n"));
    cluster.kfc(&["apply", "."]).succeeds();
    let workloads: BTreeSet<String> =
        identities(&cluster, "deployments,statefulsets,daemonsets").into_keys().collect();
    assert!(workloads.len() > 40, "{workloads:?}");
    let data = identities(&cluster, DATA);
    assert!(data.len() > 100, "{data:?}");

    cluster.write("kfc.yaml", &stack(""));
    let (upgrade, text) = report(&cluster, &[".", "--from", "cluster"]);
    assert_eq!(objects_of(&upgrade, "recreations"), workloads, "{text}");
    assert!(text.contains("nothing that holds data is removed"), "{text}");
    let (out, err) = cluster.kfc(&["apply", "."]).fails();
    assert_eq!(out, "", "nothing is written before all is agreed to");
    assert_eq!(err.matches("error[KFC1602]").count(), workloads.len(), "{err}");

    let (out, err) = follow(&cluster, &text, "--recreate").succeeds();
    assert_eq!(recreated(&out), workloads, "{err}");
    let lines = out.lines().filter(|line| !line.starts_with("recreated ")).count();
    assert_eq!(lines, 0, "nothing else changes: {out}");
    assert_eq!(identities(&cluster, DATA), data);
    assert_eq!(refused_pods(&cluster), "");
    assert_eq!(incomplete(&cluster), "");
    let (out, err) = cluster.kfc(&["apply", "."]).succeeds();
    assert_eq!(out, "", "a second apply changes something:\n{err}");
    println!(
        "figure: {} workloads with older selectors recreated, {} objects with data kept",
        workloads.len(),
        data.len()
    );
}
