//! `kfc detect` against API servers whose nodes and storage classes are those of each provider: the answers of `tests/cases/detect-*`.

use super::cluster::{Cluster, Server, lab_file, on_each_server};
use serde_json::{Value, json};
use std::path::PathBuf;

on_each_server! { Bare:
    nodes_of_every_provider_are_recognised_with_the_least_rights
}

/// What an account needs to find the profile: no more than two lists.
const RIGHTS: &str = "{apiVersion: v1, kind: ServiceAccount, metadata: {name: looker, namespace: default}}\n---\n\
    {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: looker}, rules: [\
    {apiGroups: [''], resources: [nodes], verbs: [list]}, \
    {apiGroups: [storage.k8s.io], resources: [storageclasses], verbs: [list]}]}\n---\n\
    {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: looker}, \
    roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: looker}, \
    subjects: [{kind: ServiceAccount, name: looker, namespace: default}]}";

/// Findings that nodes and storage classes alone decide.
const DECIDED: [&str; 9] = [
    "provider",
    "distribution",
    "arch",
    "accelerator.kind",
    "accelerator.vendor",
    "accelerator.resource",
    "accelerator count",
    "storage.class",
    "storage.sharedClass",
];

fn cases() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(lab_file("../cases")).unwrap();
    let mut cases: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    cases.retain(|path| path.file_name().unwrap().to_string_lossy().starts_with("detect-"));
    cases.sort();
    cases
}

/// The line of each decided finding: its value and its evidence.
fn findings(out: &str) -> Vec<String> {
    let is_decided = |line: &&str| DECIDED.iter().any(|name| line.trim().starts_with(&format!("{name} ")));
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    out.lines().take_while(|line| *line != "present:").filter(is_decided).map(words).collect()
}

/// Gives a node the status that a kubelet would write.
fn write_status(cluster: &Cluster, node: &Value) {
    let mut status = node["status"].clone();
    for field in [
        "architecture",
        "bootID",
        "containerRuntimeVersion",
        "kernelVersion",
        "kubeProxyVersion",
        "kubeletVersion",
        "machineID",
        "operatingSystem",
        "osImage",
        "systemUUID",
    ] {
        let info = status["nodeInfo"].as_object_mut().unwrap();
        info.entry(field).or_insert_with(|| "".into());
    }
    status["capacity"] = status["allocatable"].clone();
    let name = node["metadata"]["name"].as_str().unwrap();
    let patch = json!({"status": status}).to_string();
    cluster
        .kubectl(&["patch", "node", name, "--subresource=status", "--type=merge", "--patch", &patch])
        .succeeds();
}

fn nodes_of_every_provider_are_recognised_with_the_least_rights(server: Server) {
    let cluster = Cluster::start_with(&server.setup());
    cluster.apply(RIGHTS);
    let context = cluster.sign_in("default", "looker");
    let (version, _) = cluster.kubectl(&["version", "-o", "json"]).succeeds();
    let version: Value = serde_json::from_str(&version).unwrap();
    let version = format!("1.{}", version["serverVersion"]["minor"].as_str().unwrap());
    let cases = cases();
    assert!(cases.len() >= 8, "{cases:?}");
    for case in cases {
        let text = std::fs::read_to_string(case.join("input/cluster.json")).unwrap();
        let answers: Value = serde_json::from_str(&text).unwrap();
        let of = |kind: &str| -> Vec<Value> {
            answers["items"].as_array().unwrap().iter().filter(|item| item["kind"] == kind).cloned().collect()
        };
        cluster.kubectl(&["delete", "nodes,storageclasses", "--all", "--wait=false"]).succeeds();
        let mut objects = [of("Node"), of("StorageClass")].concat();
        for object in &mut objects {
            object.as_object_mut().unwrap().remove("status");
        }
        cluster.apply(&json!({"apiVersion": "v1", "kind": "List", "items": objects}).to_string());
        for node in &of("Node") {
            write_status(&cluster, node);
        }
        let expected = std::fs::read_to_string(case.join("expected.snap")).unwrap();
        let profile = expected.lines().find(|line| line.starts_with("profile: ")).unwrap();
        for rights in [&["detect"][..], &["detect", "--context", &context]] {
            let (out, err) = cluster.kfc(rights).succeeds();
            let case = case.display();
            assert_eq!(out.lines().next(), Some(profile), "{case}, {rights:?}: {out}\n{err}");
            assert_eq!(findings(&out), findings(&expected), "{case}, {rights:?}: {out}\n{err}");
            let of_server = out.lines().find(|line| line.trim().starts_with("kubernetes ")).unwrap();
            assert!(of_server.contains(&version), "{case}: {of_server}");
        }
        let folder = cluster.path(&case.file_name().unwrap().to_string_lossy()).display().to_string();
        let (report, _) = cluster.kfc(&["init", "--detect", &folder, "--context", &context]).succeeds();
        assert_eq!(findings(&report), findings(&expected), "{report}");
        assert!(report.ends_with(&format!("then: kfc apply {folder} --context {context}\n")), "{report}");
        cluster.kfc(&["build", &folder, "--output", &format!("{folder}.yaml")]).succeeds();
    }
}
