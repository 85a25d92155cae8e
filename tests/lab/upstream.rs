//! Whether a Kubeflow that kubectl installed from upstream's manifests is taken over: each object of ours is applied over the one
//! that is there, and nothing is made anew.

use super::cluster::Cluster;
use super::parity::table::{Root, Tables};
use super::parity::trees;
use super::profiles::incomplete;

/// Upstream's example as `kubectl apply -f` reads it.
fn example() -> String {
    let directory = trees::directory().unwrap();
    let tables = Tables::read();
    let root =
        Root { source: "community-distribution".to_owned(), path: "example".to_owned(), namespace: None };
    let objects = trees::upstream(&directory, &tables.sources[&root.source], &root);
    objects.iter().fold(String::new(), |text, object| text + "---\n" + &object.to_string() + "\n")
}

/// Applies an example of upstream until nothing is missing, as its instructions say.
pub(super) fn install(cluster: &Cluster, example: &str) {
    let file = cluster.write("upstream.yaml", example);
    let file = file.to_str().unwrap();
    let mut errors = String::new();
    for _ in 0..12 {
        let run = cluster.kubectl(&["apply", "--server-side", "--force-conflicts", "-f", file]);
        if run.code == Some(0) {
            return;
        }
        errors = run.err;
        // Definitions and webhooks, without which the next round would go no further.
        cluster.kubectl(&["wait", "--for=condition=Established", "crd", "--all", "--timeout=60s"]);
        let deployments = ["deployment", "--all", "--all-namespaces", "--timeout=20s"];
        cluster.kubectl(&[&["wait", "--for=condition=Available"], &deployments[..]].concat());
    }
    panic!("kubectl cannot install upstream's example:\n{errors}");
}

/// Kinds of what holds data or runs pods.
const HELD: &str = "deployments,statefulsets,daemonsets,persistentvolumeclaims,namespaces,customresourcedefinitions,profiles.kubeflow.org";

#[test]
#[ignore = "needs the lab and the trees of upstream: KFC_UPSTREAM=DIR .ci/lab upstream"]
fn an_existing_kubeflow_is_taken_over_without_a_recreate() {
    let cluster = Cluster::start();
    install(&cluster, &example());
    let before = cluster.identities(HELD);
    assert!(before.len() > 120, "only {} objects", before.len());

    let (_, err) = cluster.kfc(&["apply", "onprem", "--adopt", "--force-conflicts", "--yes"]).succeeds();
    assert!(!err.contains("immutable"), "{err}");
    let after = cluster.identities(HELD);
    let changed: Vec<&String> =
        before.iter().filter(|(name, uid)| after.get(*name) != Some(uid)).map(|(name, _)| name).collect();
    assert_eq!(changed, [""; 0], "objects that are gone, or that were made anew");
    assert_eq!(incomplete(&cluster), "");
    let (out, _) = cluster.kfc(&["apply", "onprem"]).succeeds();
    assert_eq!(out, "", "a second apply changes something");
    println!("figure: {} objects of an existing Kubeflow kept", before.len());
}
