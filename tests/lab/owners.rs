//! What belongs to others stays theirs, on a real server: its rules of ownership, rights and Leases are not imitated here.

use super::cluster::{Cluster, Run, Setup};
use super::shop::developer;
use serde_json::Value;

const NAMESPACE: &str = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shared}\n---\n";

fn config_map(name: &str, value: &str) -> String {
    format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, namespace: shared}}\ndata: {{key: \"{value}\"}}\n---\n"
    )
}

/// The API server and the controllers, as namespaces are emptied by one of them, without nodes.
fn cluster() -> Cluster {
    Cluster::start_with(&Setup { nodes: Some(0), ..Setup::default() })
}

fn apply(cluster: &Cluster, name: &str, text: &str, more: &[&str]) -> Run {
    let file = format!("{name}.yaml");
    cluster.write(&file, text);
    cluster.kfc(&[&["apply", &file, "--name", name], more].concat())
}

/// Who applies a config map.
fn managers(cluster: &Cluster, name: &str) -> Vec<String> {
    let show = ["get", "configmap", name, "--namespace=shared", "--output=json", "--show-managed-fields"];
    let (out, _) = cluster.kubectl(&show).succeeds();
    let object: Value = serde_json::from_str(&out).unwrap();
    let entries = object["metadata"]["managedFields"].as_array().cloned().unwrap_or_default();
    entries.iter().map(|entry| entry["manager"].as_str().unwrap().to_owned()).collect()
}

#[test]
#[ignore = "needs the lab: .ci/lab"]
fn two_inventories_share_a_namespace_and_an_object() {
    let cluster = cluster();
    let one = [NAMESPACE, &config_map("common", "1"), &config_map("one", "1")].concat();
    let two = [NAMESPACE, &config_map("common", "2"), &config_map("two", "1")].concat();
    apply(&cluster, "one", &one, &[]).succeeds();
    let (_, err) = apply(&cluster, "two", &two, &[]).fails();
    assert!(err.contains("`data.key` is owned by the inventory `one` (field manager `kfc-one`)"), "{err}");
    apply(&cluster, "two", &two, &["--force-conflicts"]).succeeds();
    let (out, err) = cluster.kfc(&["delete", "--name", "one", "--yes", "--delete-all"]).succeeds();
    assert_eq!(out, "deleted ConfigMap shared/one\n", "{err}");
    assert!(err.contains("2 objects stay: the inventory `two` lists it too"), "{err}");
    assert_eq!(managers(&cluster, "common"), ["kfc-two"]);
    let (out, err) = apply(&cluster, "two", &two, &[]).succeeds();
    assert_eq!(out, "", "a second apply changes nothing: {err}");
    // A namespace stays unless it is asked for, and then goes with what it holds.
    let (_, err) = cluster.kfc(&["delete", "--name", "two", "--yes"]).succeeds();
    assert!(err.contains("Namespace shared stays: namespaces are deleted only with"), "{err}");
    cluster.kubectl(&["create", "configmap", "strange", "--namespace=shared"]).succeeds();
    let (out, err) = cluster.kfc(&["delete", "--name", "two", "--yes", "--delete-namespaces"]).succeeds();
    assert_eq!(out, "deleted Namespace shared\n");
    assert!(err.contains("deletes 1 object that no inventory lists: ConfigMap shared/strange"), "{err}");
    assert_eq!(cluster.kfc(&["inventory", "list"]).succeeds().0, "");
}

#[test]
#[ignore = "needs the lab: .ci/lab"]
fn the_old_field_manager_and_another_inventory_are_left_behind() {
    let cluster = cluster();
    let text = |value: &str| [NAMESPACE, &config_map("a", value)].concat();
    apply(&cluster, "kind", NAMESPACE, &[]).succeeds();
    // As an earlier version left it: the manager is `kfc`, the inventory lists the object.
    let old = cluster.write("old.yaml", &config_map("a", "1").replace("\ndata: {", "\ndata: {left: x, "));
    let old = ["apply", "--server-side", "--field-manager=kfc", "-f", old.to_str().unwrap()];
    cluster.kubectl(&old).succeeds();
    let list = r#"{"data": {"objects": "0 v1 Namespace - shared\n1 v1 ConfigMap shared a\n"}}"#;
    cluster.kubectl(&["patch", "configmap", "kfc-inventory-kind", "--patch", list]).succeeds();
    let (out, _) = apply(&cluster, "kind", &text("1"), &["--dry-run", "server"]).succeeds();
    assert_eq!(out, "changed ConfigMap shared/a\n");
    assert_eq!(managers(&cluster, "a"), ["kfc"], "a dry run takes nothing over");
    let (out, _) = apply(&cluster, "kind", &text("1"), &[]).succeeds();
    assert_eq!(out, "changed ConfigMap shared/a\n");
    assert_eq!(managers(&cluster, "a"), ["kfc-kind"]);
    let left = cluster.get("configmap", "shared", "a").unwrap();
    assert_eq!(
        left["data"],
        serde_json::json!({"key": "1"}),
        "a field that left the bundle leaves the object"
    );
    assert_eq!(apply(&cluster, "kind", &text("1"), &[]).succeeds().0, "");
    // Another stack takes its place.
    let (_, err) = apply(&cluster, "site", &text("2"), &[]).fails();
    assert!(err.contains("if `site` replaces `kind`, run `kfc inventory move kind site`"), "{err}");
    cluster.kfc(&["inventory", "move", "kind", "site"]).succeeds();
    let (out, _) = apply(&cluster, "site", &text("2"), &[]).succeeds();
    assert_eq!(out, "changed ConfigMap shared/a\n");
    assert_eq!(managers(&cluster, "a"), ["kfc-site"]);
    assert_eq!(cluster.kfc(&["inventory", "list"]).succeeds().0, "NAME          OBJECTS\ndefault/site  2\n");
}

#[test]
#[ignore = "needs the lab: .ci/lab"]
fn a_user_of_one_namespace_gets_along() {
    let cluster = cluster();
    cluster.apply(NAMESPACE);
    cluster.apply(&developer("shared"));
    let (token, _) = cluster.kubectl(&["create", "token", "dev", "--namespace=shared"]).succeeds();
    let credentials = format!("--token={}", token.trim());
    cluster.kubectl(&["config", "set-credentials", "dev", &credentials]).succeeds();
    let (name, _) = cluster.kubectl(&["config", "view", "--output=jsonpath={.clusters[0].name}"]).succeeds();
    let of_cluster = format!("--cluster={name}");
    cluster.kubectl(&["config", "set-context", "dev", &of_cluster, "--user=dev"]).succeeds();
    let may =
        ["auth", "can-i", "create", "leases.coordination.k8s.io", "--context=dev", "--namespace=shared"];
    cluster.wait("the user has the rights of `edit`", 60, || cluster.kubectl(&may).code == Some(0));
    let forbidden = config_map("x", "1").replace("namespace: shared", "namespace: kube-system");
    let less = config_map("a", "1");
    let dev = ["--context", "dev", "--inventory-namespace", "shared"];
    let (_, err) = apply(&cluster, "team", &[&*less, &forbidden].concat(), &dev).fails();
    assert!(err.contains("create and patch configmaps in the namespace `kube-system`"), "{err}");
    // What was never there is looked for by no later run.
    let (out, err) = apply(&cluster, "team", &less, &dev).succeeds();
    assert_eq!(out, "created ConfigMap shared/a\n", "{err}");
    let (out, err) = apply(&cluster, "team", &less, &dev).succeeds();
    assert_eq!(out, "", "what could not be listed was looked at one by one: {err}");
    assert!(err.contains("inventories of other namespaces cannot be read"), "{err}");
    let run = cluster.kfc(&[
        "diff",
        "cluster:dev",
        "team.yaml",
        "--name",
        "team",
        "--inventory-namespace",
        "shared",
    ]);
    assert_eq!(run.code, Some(0), "{}{}", run.out, run.err);
    cluster.write("x.yaml", &forbidden);
    let run = cluster.kfc(&["diff", "cluster:dev", "x.yaml"]);
    assert!(
        run.code == Some(2) && run.out.contains("nothing differs") || run.err.contains("cannot be read"),
        "{}",
        run.err
    );
    assert!(!run.out.contains("added"), "not to be let see is not absence: {}", run.out);
    let (out, err) = cluster.kfc(&[&["delete", "--name", "team", "--yes"], &dev[..]].concat()).succeeds();
    assert_eq!(out, "deleted ConfigMap shared/a\n", "{err}");
}

#[test]
#[ignore = "needs the lab: .ci/lab"]
fn two_runs_at_once_are_kept_apart() {
    let cluster = cluster();
    // At 50 requests a second, a run that writes them all takes some seconds.
    let write = |value: &str| {
        let maps: String = (0..300).map(|at| config_map(&format!("m{at:03}"), value)).collect();
        cluster.write("many.yaml", &[NAMESPACE, &maps].concat());
    };
    write("1");
    let args = ["apply", "many.yaml", "--name", "many", "--concurrency", "2"];
    let first = cluster.kfc_command(&args).stdout(std::process::Stdio::null()).spawn().unwrap();
    let holder = || cluster.get("lease", "default", "kfc-inventory-many");
    cluster.wait("the first run holds the lock", 20, || holder().is_some());
    let (_, err) = cluster.kfc(&["delete", "--name", "many", "--yes", "--lock-timeout", "0s"]).fails();
    assert!(err.contains("error[KFC1609]: another run works on the inventory `many`"), "{err}");
    let (out, err) = cluster.kfc(&args).succeeds();
    assert_eq!(out, "", "the second run finds what the first has made: {err}");
    assert!(first.wait_with_output().unwrap().status.success());
    assert!(holder().is_none());
    // A run that is killed leaves a lock that expires.
    write("2");
    let mut killed = cluster.kfc_command(&[&args[..], &["--lock-duration", "2s"]].concat()).spawn().unwrap();
    cluster.wait("the run holds the lock", 20, || holder().is_some());
    killed.kill().unwrap();
    killed.wait().unwrap();
    cluster.kfc(&["delete", "--name", "many", "--yes", "--delete-all", "--lock-timeout", "60s"]).succeeds();
    assert!(holder().is_none());
}

#[test]
#[ignore = "needs the lab: .ci/lab"]
fn the_servers_refusal_is_shown_instead_of_differences() {
    let cluster = cluster();
    let class = |provisioner: &str| {
        format!(
            "apiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {{name: grow}}\nprovisioner: {provisioner}\n\
             allowVolumeExpansion: true\n---\n"
        )
    };
    let text =
        |provisioner: &str, value: &str| [&class(provisioner), NAMESPACE, &config_map("a", value)].concat();
    apply(&cluster, "shop", &text("one.example.com", "1"), &[]).succeeds();
    cluster.write("shop.yaml", &text("other.example.com", "2"));
    let run = cluster.kfc(&["diff", "cluster", "shop.yaml", "--name", "shop"]);
    assert_eq!(run.code, Some(2), "{}{}", run.out, run.err);
    assert!(
        run.err.contains("the server refuses StorageClass grow: ") && run.err.contains("provisioner"),
        "{}",
        run.err
    );
    assert!(run.out.contains("1 changed") && run.out.contains("ConfigMap shared/a"), "{}", run.out);
    assert!(!run.out.contains("StorageClass"), "{}", run.out);
    // What would be pruned is a difference.
    cluster.write("shop.yaml", &[&class("one.example.com"), NAMESPACE].concat());
    let run = cluster.kfc(&["diff", "cluster", "shop.yaml", "--name", "shop"]);
    assert_eq!(run.code, Some(1), "{}{}", run.out, run.err);
    assert!(run.out.contains("1 removed") && run.out.contains("- ConfigMap shared/a"), "{}", run.out);
}

#[test]
#[ignore = "needs the lab: .ci/lab"]
fn detect_and_apply_in_turn_take_nothing_away() {
    let cluster = Cluster::start();
    cluster.write("site/.keep", "");
    let detect = ["detect", "-o", "site/kfc.yaml", "--force"];
    cluster.kfc(&detect).succeeds();
    let first = std::fs::read_to_string(cluster.path("site/kfc.yaml")).unwrap();
    assert!(first.contains("  name: site\n") && !first.contains("present:"), "{first}");
    let (out, _) = cluster.kfc(&["apply", "site"]).succeeds();
    assert!(out.lines().count() > 300, "{out}");
    let (out, _) = cluster.kfc(&detect).succeeds();
    assert!(out.contains("installed by kfc itself, from `site` ("), "{out}");
    assert_eq!(std::fs::read_to_string(cluster.path("site/kfc.yaml")).unwrap(), first);
    let (out, err) = cluster.kfc(&["apply", "site", "--yes"]).succeeds();
    assert_eq!(out, "", "{err}");
    // A file that is written again keeps its name, by which the cluster knows its objects.
    cluster.write("renamed/kfc.yaml", &first.replace("name: site", "name: mine"));
    cluster.kfc(&["detect", "-o", "renamed/kfc.yaml", "--force"]).succeeds();
    let renamed = std::fs::read_to_string(cluster.path("renamed/kfc.yaml")).unwrap();
    assert!(renamed.contains("  name: mine\n"), "{renamed}");
    // Less of it: nothing goes without a word, and data not even then.
    let run = cluster.kfc(&["diff", "cluster", "site", "--without", "katib"]);
    assert!(run.code == Some(1) && run.out.contains("- Deployment kubeflow/katib-controller"), "{}", run.out);
    let less = ["apply", "site", "--without", "katib"];
    let (out, err) = cluster.kfc(&less).succeeds();
    // The Job that makes Secrets makes fewer.
    assert!(out.lines().all(|line| line.contains("secret-generator")), "{out}");
    assert!(err.contains("not pruned"), "{err}");
    let (out, err) = cluster.kfc(&[&less[..], &["--prune"]].concat()).succeeds();
    assert!(out.contains("pruned Deployment kubeflow/katib-controller\n"), "{out}");
    assert!(err.contains("PersistentVolumeClaim kubeflow/katib-mysql stays"), "{err}");
    assert!(cluster.get("persistentvolumeclaim", "kubeflow", "katib-mysql").is_some());
}
