//! The past of an inventory: what an apply records, and how a rollback restores it, with the rights and the Secrets that there are.

use super::cluster::{Cluster, Server, Setup, on_each_server};
use super::shop::{apply, developer};
use serde_json::Value;

on_each_server! { Bare:
    single_components_are_recorded_and_restored_alone_and_a_moved_inventory_has_no_past
    what_was_copied_out_of_a_secret_is_not_kept_either
}

fn map(name: &str, value: &str) -> String {
    format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, namespace: default}}\ndata: {{a: '{value}'}}\n---\n"
    )
}

fn secret(value: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Secret\nmetadata: {{name: s, namespace: default}}\nstringData: {{password: {value}}}\n---\n"
    )
}

/// The API server and the controllers, as deletions need the garbage collector.
fn cluster() -> Cluster {
    Cluster::start_with(&Setup { nodes: Some(0), ..Setup::default() })
}

fn revisions(cluster: &Cluster) -> Vec<Value> {
    let (out, _) = cluster.kfc(&["history", "shop", "--output", "json"]).succeeds();
    let history: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(history["inventory"], "shop");
    history["revisions"].as_array().unwrap().clone()
}

/// The names of the config maps of histories.
fn kept(cluster: &Cluster, namespace: &str) -> Vec<String> {
    let all = cluster.list("configmap");
    let names = all.iter().filter(|map| map["metadata"]["namespace"] == namespace);
    let names = names.map(|map| map["metadata"]["name"].as_str().unwrap().to_owned());
    names.filter(|name| name.starts_with("kfc-history-")).collect()
}

fn value(cluster: &Cluster, name: &str) -> Option<Value> {
    cluster.get("configmap", "default", name).map(|map| map["data"]["a"].clone())
}

#[test]
#[ignore = "needs the lab: .ci/lab"]
fn a_rollback_gives_back_the_first_state_and_keeps_the_secret() {
    let cluster = cluster();
    cluster.write("shop.yaml", &[map("m", "1"), map("old", "1"), secret("anna-1")].concat());
    apply(&cluster, &[]).succeeds();
    let ignored = map("new", "1").replace("{name: new,", "{name: new, annotations: {kfc.dev/ready: 'true'},");
    cluster.write("shop.yaml", &[map("m", "2"), ignored, secret("berta-2")].concat());
    apply(&cluster, &["--prune"]).succeeds();
    // Nothing changes: nothing is recorded.
    apply(&cluster, &[]).succeeds();
    let all = revisions(&cluster);
    let changes = |at: usize| {
        let count = |what: &str| all[at]["changes"][what].as_u64().unwrap();
        (count("created"), count("changed"), count("deleted"))
    };
    assert_eq!((all.len(), changes(0), changes(1)), (2, (3, 0, 0), (1, 2, 1)), "{all:?}");
    assert_ne!(all[0]["digest"], all[1]["digest"]);
    assert_eq!(all[0]["source"]["target"], "shop.yaml");
    let (out, _) = cluster.kfc(&["history", "shop", "--revision", "1"]).succeeds();
    assert!(
        out.contains("withheld    Secret default/s\n") && out.contains("result      succeeded\n"),
        "{out}"
    );
    let (out, _) = cluster.kfc(&["history", "shop"]).succeeds();
    assert_eq!(out.lines().count(), 3, "{out}");

    // No value of a Secret is in it, in no form.
    let text = cluster.list("configmap").iter().map(copied).collect::<String>();
    assert!(text.contains("kfc.dev/ready") && text.contains("ConfigMap"), "the copies were read: {text}");
    for planted in ["anna-1", "berta-2", "YW5uYS0x", "YmVydGEtMg"] {
        assert!(!text.contains(planted), "{planted}");
    }

    let (out, err) = cluster.kfc(&["rollback", "shop", "--dry-run=server"]).succeeds();
    assert!(
        out.contains("changed ConfigMap default/m\n") && out.contains("created ConfigMap default/old\n"),
        "{out}"
    );
    assert!(err.contains("rolling back the inventory `shop` to revision 1 of "), "{err}");
    assert_eq!(revisions(&cluster).len(), 2, "a dry run is not recorded");
    // Without consent, what was added stays.
    let (out, err) = cluster.kfc(&["rollback", "shop"]).succeeds();
    assert_eq!(out, "changed ConfigMap default/m\ncreated ConfigMap default/old\n", "{err}");
    assert!(err.contains("to be deleted only with `--prune`:\n  left ConfigMap default/new\n"), "{err}");
    assert!(
        err.contains("kept as they are in the cluster, as a history has no Secrets: Secret default/s"),
        "{err}"
    );
    let (out, _) = cluster.kfc(&["rollback", "shop", "--to", "1", "--prune"]).succeeds();
    assert_eq!(out, "pruned ConfigMap default/new\n");
    assert_eq!(value(&cluster, "m"), Some("1".into()));
    assert_eq!((value(&cluster, "old"), value(&cluster, "new")), (Some("1".into()), None));
    let password = &cluster.get("secret", "default", "s").unwrap()["data"]["password"];
    assert_eq!(password, "YmVydGEtMg==", "the Secret stays as it was");
    let (out, _) = cluster.kfc(&["inventory", "show", "shop", "-o", "name"]).succeeds();
    assert_eq!(out, "ConfigMap default/m\nConfigMap default/old\nSecret default/s\n");
    let all = revisions(&cluster);
    assert_eq!((all.len(), &all[3]["rollbackTo"], &all[3]["digest"]), (4, &1.into(), &all[0]["digest"]));
    // The three runs of one bundle share a copy.
    assert_eq!(kept(&cluster, "default").len(), 3, "{:?}", kept(&cluster, "default"));

    // Only the last ones are kept, and nothing is left of the others.
    cluster.write("shop.yaml", &[map("m", "3"), map("old", "1"), secret("berta-2")].concat());
    apply(&cluster, &["--keep-revisions", "1"]).succeeds();
    assert_eq!(
        revisions(&cluster).iter().map(|one| one["number"].as_u64().unwrap()).collect::<Vec<_>>(),
        [5]
    );
    assert_eq!(kept(&cluster, "default").len(), 2);
    let (_, err) = cluster.kfc(&["rollback", "shop"]).fails();
    assert!(err.contains("error[KFC1614]: the inventory `shop` has no earlier revision"), "{err}");

    cluster.kfc(&["delete", "--name", "shop", "--yes"]).succeeds();
    assert_eq!(kept(&cluster, "default"), [""; 0]);
    let (_, err) = cluster.kfc(&["history", "shop"]).fails();
    assert!(err.contains("error[KFC1606]: the inventory `shop` does not exist"), "{err}");
}

/// All that a config map of a history has, with its compressed parts as text.
fn copied(map: &Value) -> String {
    let script =
        "import base64, gzip, sys; sys.stdout.buffer.write(gzip.decompress(base64.b64decode(sys.argv[1])))";
    let packed = map["binaryData"]["bundle.json.gz"].as_str();
    let copy = packed.map(|packed| {
        let out = std::process::Command::new("python3").args(["-c", script, packed]).output().unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8(out.stdout).unwrap()
    });
    let name = map["metadata"]["name"].as_str().unwrap();
    if name.starts_with("kfc-history-") { map.to_string() + &copy.unwrap_or_default() } else { String::new() }
}

#[test]
#[ignore = "needs the lab: .ci/lab"]
fn a_rollback_without_its_secret_needs_the_same_bundle_again() {
    let cluster = cluster();
    let first = [map("m", "1"), secret("anna-1")].concat();
    cluster.write("shop.yaml", &first);
    cluster.write("first.yaml", &first);
    apply(&cluster, &[]).succeeds();
    cluster.write("shop.yaml", &map("m", "2"));
    apply(&cluster, &["--prune"]).succeeds();
    assert!(cluster.get("secret", "default", "s").is_none());
    let (out, err) = cluster.kfc(&["rollback", "shop", "--yes"]).fails();
    assert_eq!(out, "");
    assert!(err.contains("error[KFC1615]: revision 1 keeps no values of Secrets"), "{err}");
    assert!(err.contains("Secret default/s: it does not exist any more"), "{err}");
    assert!(
        err.contains("give the bundle of that revision again: `kfc rollback shop TARGET --to 1`"),
        "{err}"
    );
    assert_eq!(value(&cluster, "m"), Some("2".into()), "nothing was changed");

    let (_, err) = cluster.kfc(&["rollback", "shop", "shop.yaml", "--to", "1", "--yes"]).fails();
    let all = revisions(&cluster);
    assert!(
        err.contains("error[KFC1616]: the bundle is not that of revision 1 of the inventory `shop`"),
        "{err}"
    );
    for revision in &all {
        assert!(err.contains(revision["digest"].as_str().unwrap()), "{err}");
    }
    assert_eq!(value(&cluster, "m"), Some("2".into()), "nothing was changed");

    // A Secret counts by its identity: the value is the one that is given.
    cluster.write("first.yaml", &[map("m", "1"), secret("carla-3")].concat());
    let (out, err) = cluster.kfc(&["rollback", "shop", "first.yaml", "--to", "1"]).succeeds();
    assert_eq!(out, "changed ConfigMap default/m\ncreated Secret default/s\n", "{err}");
    let password = &cluster.get("secret", "default", "s").unwrap()["data"]["password"];
    assert_eq!(password, "Y2FybGEtMw==");
    let all = revisions(&cluster);
    assert_eq!((&all[2]["rollbackTo"], &all[2]["digest"]), (&1.into(), &all[0]["digest"]));

    // Somebody edits a copy: it is not applied.
    let parts = kept(&cluster, "default").into_iter().filter(|name| name.ends_with(".0"));
    for name in parts {
        let patch = r#"{"binaryData": {"bundle.json.gz": "cGxhbnRlZA=="}}"#;
        cluster.kubectl(&["patch", "configmap", &name, "--type=merge", "--patch", patch]).succeeds();
    }
    let (_, err) = cluster.kfc(&["rollback", "shop", "--yes"]).fails();
    assert!(
        err.contains(
            "error[KFC1614]: revision 2 of the inventory `shop` has no copy of its bundle: it was edited"
        ),
        "{err}"
    );
}

#[test]
#[ignore = "needs the lab: .ci/lab"]
fn a_run_that_failed_is_marked_until_it_is_completed() {
    let cluster = Cluster::start_with(&Setup { bare: true, ..Setup::default() });
    let waiting =
        map("m", "1").replace("{name: m,", "{name: m, annotations: {kfc.dev/ready: has(object.data.b)},");
    cluster.write("shop.yaml", &waiting);
    let args = ["apply", "shop.yaml", "--name", "shop", "--timeout", "1s"];
    for _ in 0..2 {
        cluster.kfc(&args).fails();
    }
    let results = |all: &[Value]| -> Vec<String> {
        all.iter().map(|one| format!("{} {}", one["number"], one["result"].as_str().unwrap())).collect()
    };
    assert_eq!(
        results(&revisions(&cluster)),
        ["1 failed"],
        "a second run that changed nothing is not recorded"
    );
    // Nothing was left to do but to wait: the run that ends well completes the one that did not.
    let patch = r#"{"data": {"b": "2"}}"#;
    cluster.kubectl(&["patch", "configmap", "m", "--type=merge", "--patch", patch]).succeeds();
    cluster.kfc(&args).succeeds();
    assert_eq!(results(&revisions(&cluster)), ["1 succeeded"]);
}

#[test]
#[ignore = "needs the lab: .ci/lab"]
fn a_history_that_may_not_be_written_is_a_warning() {
    let cluster = cluster();
    cluster.apply("{apiVersion: v1, kind: Namespace, metadata: {name: team}}");
    cluster.apply(&developer("team"));
    // All of `edit` but the rights on other config maps than those of the bundle and the inventory.
    let role = "\
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: narrow, namespace: team}
rules:
- {apiGroups: [''], resources: [configmaps], verbs: [create, list]}
- {apiGroups: [''], resources: [configmaps], verbs: [get, update, patch, delete], resourceNames: [own, kfc-inventory-shop, kfc-hooks-shop]}
- {apiGroups: [coordination.k8s.io], resources: [leases], verbs: ['*']}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: narrow, namespace: team}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: narrow}
subjects: [{kind: ServiceAccount, name: narrow, namespace: team}]
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: narrow, namespace: team}
";
    cluster.apply(role);
    let (token, _) = cluster.kubectl(&["create", "token", "narrow", "--namespace=team"]).succeeds();
    let credentials = format!("--token={}", token.trim());
    cluster.kubectl(&["config", "set-credentials", "narrow", &credentials]).succeeds();
    let (name, _) = cluster.kubectl(&["config", "view", "--output=jsonpath={.clusters[0].name}"]).succeeds();
    let of_cluster = format!("--cluster={name}");
    cluster
        .kubectl(&["config", "set-context", "narrow", &of_cluster, "--user=narrow", "--namespace=team"])
        .succeeds();
    let may = ["auth", "can-i", "list", "configmaps", "--context=narrow", "--namespace=team"];
    cluster.wait("the user has the rights of the role", 60, || cluster.kubectl(&may).code == Some(0));
    let own = |value: &str| map("own", value).replace("namespace: default", "namespace: team");
    let narrow = ["--context", "narrow", "--inventory-namespace", "team"];
    cluster.write("shop.yaml", &own("1"));
    let (out, err) = apply(&cluster, &narrow).succeeds();
    assert_eq!(out, "created ConfigMap team/own\n", "{err}");
    assert!(
        err.contains("warning[KFC1614]: cannot read the history of the inventory `shop` in `team`"),
        "{err}"
    );
    assert!(err.contains("`--keep-revisions 0` keeps none"), "{err}");
    assert_eq!(kept(&cluster, "team"), [""; 0]);
    // Nothing to record, nothing to say.
    let (_, err) = apply(&cluster, &narrow).succeeds();
    assert!(!err.contains("KFC1614"), "{err}");
}

fn single_components_are_recorded_and_restored_alone_and_a_moved_inventory_has_no_past(server: Server) {
    let cluster = Cluster::start_with(&server.setup());
    let stack = |only: &[&str]| cluster.kfc(&[&["apply", "site", "--no-wait"], only].concat());
    cluster.write(
        "site/kfc.yaml",
        "apiVersion: kfc.dev/v1alpha1\nkind: Stack\nmetadata: {name: site}\nspec: {platform: kind, components: [metacontroller]}\n",
    );
    let set = "--set=metacontroller.unknown=planted";
    let (_, err) = cluster.kfc(&["apply", "site", "--no-wait", set]).fails();
    assert!(!err.contains("planted"), "{err}");
    stack(&[]).succeeds();
    let name = "meta-controller-service";
    cluster.kubectl(&["delete", "serviceaccount", name, "--namespace=kubeflow"]).succeeds();
    stack(&["--only", "metacontroller"]).succeeds();
    let (out, _) = cluster.kfc(&["history", "site", "-o", "json"]).succeeds();
    let history: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(history["revisions"][1]["source"]["only"], serde_json::json!(["metacontroller"]));
    assert!(
        history["revisions"][0]["source"]["components"]
            .as_array()
            .unwrap()
            .contains(&"metacontroller".into())
    );
    // A part restores a part: nothing else has left the bundle.
    cluster.kubectl(&["delete", "serviceaccount", name, "--namespace=kubeflow"]).succeeds();
    let (out, err) = cluster.kfc(&["rollback", "site", "--to", "2", "--no-wait", "--prune"]).succeeds();
    assert_eq!(out, format!("created ServiceAccount kubeflow/{name}\n"), "{err}");
    // Without `--to`, a whole bundle is restored, and what else that undoes is named.
    let (_, err) = cluster.kfc(&["rollback", "site", "--dry-run=server"]).succeeds();
    assert!(err.contains("to revision 1 of "), "{err}");
    assert!(err.contains("note: this also undoes revision 2, which applied only metacontroller"), "{err}");

    cluster.kfc(&["inventory", "move", "site", "other"]).succeeds();
    assert_eq!(kept(&cluster, "default"), [""; 0]);
    let (_, err) = cluster.kfc(&["history", "other"]).succeeds();
    assert!(err.contains("the inventory `other` has no history"), "{err}");
}

const COPIES: &str = "\
resources: [all.yaml]
replacements:
- source: {kind: Secret, name: s, fieldPath: stringData.password}
  targets: [{select: {kind: ConfigMap, name: copied}, fieldPaths: [data.a]}]
";

fn what_was_copied_out_of_a_secret_is_not_kept_either(server: Server) {
    let cluster = Cluster::start_with(&server.setup());
    cluster.write("root/kustomization.yaml", COPIES);
    let root = |value: &str| {
        let text = [map("m", value), map("copied", "x"), secret("anna-1")].concat();
        cluster.write("root/all.yaml", text.trim_end_matches("---\n"));
        cluster.kfc(&["apply", "root", "--name", "shop"]).succeeds();
    };
    root("1");
    assert_eq!(value(&cluster, "copied"), Some("anna-1".into()));
    root("2");
    let all = revisions(&cluster);
    let withheld = all[0]["withheld"].as_array().unwrap().iter().map(|one| one["kind"].as_str().unwrap());
    assert_eq!(withheld.collect::<Vec<_>>(), ["ConfigMap", "Secret"]);
    let text = cluster.list("configmap").iter().map(copied).collect::<String>();
    assert!(text.contains("default") && !text.contains("anna-1"), "{text}");
    let (_, err) = cluster.kfc(&["rollback", "shop", "--yes"]).fails();
    assert!(err.contains("error[KFC1615]: revision 1 keeps no copy of 1 object"), "{err}");
    assert!(err.contains("ConfigMap default/copied"), "{err}");
    assert_eq!(value(&cluster, "m"), Some("2".into()), "nothing was changed");
    // The built bundle is the same, although its text does not tell what was copied.
    let first = [map("m", "1"), map("copied", "anna-1"), secret("anna-1")].concat();
    cluster.write("first.yaml", &first);
    let (out, err) = cluster.kfc(&["rollback", "shop", "first.yaml", "--to", "1"]).succeeds();
    assert_eq!(out, "changed ConfigMap default/m\n", "{err}");
}
