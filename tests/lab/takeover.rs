//! What other tools installed is taken over: without a conflict where nothing but the owner of a field changes, and with
//! `--adopt` so that fields which left the bundle leave the object.

use super::cluster::{Cluster, Server, Setup, on_each_server};
use super::shop::{apply, bundle, carts, deployment, network_policy, webhook};
use serde_json::Value;

on_each_server! { Bare:
    an_apply_after_kubectls_takes_equal_fields_without_a_conflict
}

const SETTINGS: &str = "\
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: default, labels: {old: x}}
data: {a: '1', old: '2'}
";

/// Everything in which the server writes defaults into parts that are owned as a whole, and stores another spelling.
fn shop() -> String {
    bundle(&[
        SETTINGS,
        &deployment("default", "{cpu: 2000m, memory: 1024Mi}"),
        &network_policy("default"),
        &webhook("{service: {name: shop, namespace: default}}"),
        &carts("schema: {openAPIV3Schema: {type: object}}"),
    ])
}

fn bare(server: Server) -> Cluster {
    Cluster::start_with(&server.setup())
}

/// Who owns fields of an object, but for its status.
fn managers(cluster: &Cluster, kind: &str, name: &str) -> Vec<String> {
    let show = ["get", kind, name, "--output=json", "--show-managed-fields"];
    let object: Value = serde_json::from_str(&cluster.kubectl(&show).succeeds().0).unwrap();
    let entries = object["metadata"]["managedFields"].as_array().cloned().unwrap_or_default();
    let mut names: Vec<String> = entries
        .iter()
        .filter(|entry| entry["subresource"].is_null())
        .map(|entry| {
            format!("{} {}", entry["manager"].as_str().unwrap(), entry["operation"].as_str().unwrap())
        })
        .collect();
    names.sort();
    names
}

fn an_apply_after_kubectls_takes_equal_fields_without_a_conflict(server: Server) {
    for how in ["--server-side", "--server-side=false"] {
        let cluster = bare(server);
        let file = cluster.write("shop.yaml", &shop());
        cluster.kubectl(&["apply", how, "-f", file.to_str().unwrap()]).succeeds();
        let (out, err) = apply(&cluster, &[]).succeeds();
        assert_eq!(out, "", "{how}: {err}");
        assert!(err.contains("5 objects of this bundle existed before"), "{how}: {err}");
        let (out, err) = apply(&cluster, &[]).succeeds();
        assert_eq!(out, "", "{how}: {err}");
        // A real difference still is a conflict, and the only one.
        cluster.write("shop.yaml", &shop().replace("a: '1'", "a: '3'").replace("web:1", "web:2"));
        let (_, err) = apply(&cluster, &[]).fails();
        let conflicts: Vec<&str> =
            err.lines().filter(|line| line.contains("` is owned by ")).map(str::trim).collect();
        assert_eq!(conflicts.len(), 2, "{how}: {err}");
        assert!(err.contains("`--adopt` takes over what another tool installed"), "{how}: {err}");
    }
}

#[test]
#[ignore = "needs the lab: .ci/lab"]
fn what_other_tools_installed_is_adopted_and_removed_fields_go() {
    // As each tool writes: the field manager, and whether it applies on the server's side.
    let tools: [(&str, &[&str]); 6] = [
        ("kubectl-client-side-apply", &[]),
        ("kubectl", &["--server-side"]),
        ("helm", &["--server-side", "--field-manager=helm"]),
        ("argocd-controller", &["--server-side", "--field-manager=argocd-controller"]),
        ("argocd-controller", &["--field-manager=argocd-controller"]),
        ("kustomize-controller", &["--server-side", "--field-manager=kustomize-controller"]),
    ];
    // Deletions need the garbage collector.
    let cluster = Cluster::start_with(&Setup { nodes: Some(0), ..Setup::default() });
    for (manager, flags) in tools {
        let file = cluster.write("shop.yaml", &shop());
        cluster.kubectl(&[&["apply", "-f", file.to_str().unwrap()], flags].concat()).succeeds();
        assert!(managers(&cluster, "configmap", "settings")[0].starts_with(manager), "{manager}");
        let less =
            shop().replace(", labels: {old: x}", "").replace(", old: '2'", "").replace("a: '1'", "a: '3'");
        cluster.write("shop.yaml", &less);
        let (out, err) = apply(&cluster, &["--adopt"]).succeeds();
        assert!(out.contains("changed ConfigMap default/settings\n"), "{manager}: {out}{err}");
        let settings = cluster.get("configmap", "default", "settings").unwrap();
        assert_eq!(settings["data"], serde_json::json!({"a": "3"}), "{manager}");
        assert_eq!(settings["metadata"]["labels"], Value::Null, "{manager}");
        assert_eq!(settings["metadata"]["annotations"], Value::Null, "{manager}");
        for (kind, name) in [("configmap", "settings"), ("deployment", "web"), ("networkpolicy", "web")] {
            assert_eq!(managers(&cluster, kind, name), ["kfc-shop Apply"], "{manager}");
        }
        assert_eq!(apply(&cluster, &[]).succeeds().0, "", "{manager}");
        let delete = ["delete", "--name", "shop", "--yes", "--delete-all"];
        let (out, err) = cluster.kfc(&delete).succeeds();
        assert_eq!(out.lines().count(), 5, "{manager}: adopted objects are deleted: {out}{err}");
    }
}
