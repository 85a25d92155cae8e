//! `kfc apply` and `kfc delete` against the stand-in for an API server in `tests/apiserver`, which runs on this machine
//! for the time of a test. Needs python3; says that it is skipped where there is none.

use super::standin::{
    CLAIM, NAMESPACE, Server, config_map, deployment, fails, inventory, is_known, said, succeeds,
};
use serde_json::json;
use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::time::Duration;

#[test]
fn a_profile_arrives_changes_nothing_again_and_leaves_nothing() {
    let Some(server) = Server::start(&json!({})) else { return };
    let before = server.objects();
    let (out, _) = succeeds(&server.kfc(&["apply", "minikube"]));
    assert!(out.lines().count() > 400 && out.lines().all(|line| line.starts_with("created ")), "{out}");
    let there = server.objects();
    let (out, err) = succeeds(&server.kfc(&["apply", "minikube"]));
    assert_eq!(out, "", "{err}");
    assert_eq!(server.objects(), there, "a second run changes no resource version");
    // What holds data, and what may hold things of others, stays unless it is asked for.
    let (out, err) = succeeds(&server.kfc(&["delete", "minikube", "--yes"]));
    assert!(!out.contains("Namespace ") && !out.contains("PersistentVolumeClaim "), "{out}");
    assert!(out.contains("deleted CustomResourceDefinition "), "definitions without objects go: {out}");
    assert!(
        err.contains("namespaces are deleted only with `--delete-namespaces` or `--delete-all`"),
        "{err}"
    );
    assert!(err.contains("PVCs are deleted only with `--delete-pvcs` or `--delete-all`"), "{err}");
    succeeds(&server.kfc(&["delete", "minikube", "--yes", "--delete-all"]));
    let names = |objects: BTreeMap<String, String>| objects.into_keys().collect::<Vec<_>>();
    assert_eq!(names(server.objects()), names(before));
}

#[test]
fn a_run_that_is_killed_at_any_point_is_completed_by_the_next() {
    let classes = json!({"storageClasses": ["standard", "premium-rwo", "standard-rwx"]});
    let Some(server) = Server::start(&classes) else { return };
    let before: Vec<String> = server.objects().into_keys().collect();
    // The server is as fast as the machine: the pauses only spread the points at which runs end.
    for pause in [150, 400, 700, 1100, 1600, 2300, 3100] {
        let mut run = server.command(&["apply", "gke+gpu", "--lock-duration", "1s"]);
        let mut run = run.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(pause));
        run.kill().unwrap();
        run.wait().unwrap();
        let inventory = inventory(&server, "gke-gpu");
        let unknown: Vec<String> = server
            .objects()
            .into_keys()
            .filter(|name| !before.contains(name) && !is_known(name, &inventory))
            .collect();
        assert!(unknown.is_empty(), "objects that no inventory names: {unknown:?}");
    }
    succeeds(&server.kfc(&["apply", "gke+gpu", "--timeout", "60s"]));
    let there = server.objects();
    let (out, _) = succeeds(&server.kfc(&["apply", "gke+gpu", "--timeout", "60s"]));
    assert_eq!(out, "");
    assert_eq!(server.objects(), there);
    for pause in [300, 900, 1800] {
        let mut run =
            server.command(&["delete", "gke+gpu", "--yes", "--delete-all", "--lock-duration", "1s"]);
        let mut run = run.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(pause));
        run.kill().unwrap();
        run.wait().unwrap();
    }
    succeeds(&server.kfc(&["delete", "gke+gpu", "--yes", "--delete-all"]));
    assert_eq!(server.objects().into_keys().collect::<Vec<_>>(), before);
}

#[test]
fn what_left_the_bundle_is_pruned_but_no_namespaces_and_volumes_unless_told() {
    let Some(server) = Server::start(&json!({})) else { return };
    let kept = config_map("kept", "a")
        .replace("namespace: app}", "namespace: app, annotations: {kfc.dev/prune: disabled}}");
    let all = [NAMESPACE, CLAIM, &config_map("a", "1"), &config_map("b", "1"), &kept].concat();
    succeeds(&server.apply(&all, &[]));
    let less = config_map("a", "1").replace("app", "default");
    let (out, err) = succeeds(&server.apply(&less, &["--prune"]));
    assert!(out.contains("pruned ConfigMap app/a\n") && out.contains("pruned ConfigMap app/b\n"), "{out}");
    let stays =
        "Namespace app stays: namespaces are deleted only with `--delete-namespaces` or `--delete-all`";
    assert!(err.contains(stays), "{err}");
    assert!(err.contains("PersistentVolumeClaim app/disk stays"), "{err}");
    assert!(err.contains("ConfigMap app/kept stays: its annotation `kfc.dev/prune` is `disabled`"), "{err}");
    let names: Vec<String> = server.objects().into_keys().collect();
    assert!(names.contains(&"/configmaps/app/kept".to_owned()), "{names:?}");
    assert!(!names.contains(&"/configmaps/app/a".to_owned()), "{names:?}");
    // A namespace goes only when nothing in it stays: neither a claim that was not asked for, nor what nobody lists but is said.
    let (out, err) = succeeds(&server.apply(&less, &["--delete-namespaces"]));
    assert_eq!(out, "", "{err}");
    assert!(err.contains("Namespace app stays: PersistentVolumeClaim app/disk in it stays"), "{err}");
    let (out, err) = succeeds(&server.apply(&less, &["--prune-all"]));
    assert_eq!(out, "pruned PersistentVolumeClaim app/disk\npruned Namespace app\n");
    assert!(
        err.contains("deleting Namespace app deletes 1 object that no inventory lists: ConfigMap app/kept"),
        "{err}"
    );
}

#[test]
fn a_component_that_was_taken_out_is_pruned() {
    let Some(server) = Server::start(&json!({})) else { return };
    succeeds(&server.kfc(&["apply", "kind", "--components", "cert-manager,mpi-operator"]));
    let had = |server: &Server| server.objects().keys().filter(|name| name.contains("mpi-operator")).count();
    assert!(had(&server) > 3);
    let job = json!({"apiVersion": "kubeflow.org/v2beta1", "kind": "MPIJob", "metadata": {"name": "mine", "namespace": "default"}});
    let jobs = "/apis/kubeflow.org/v2beta1/namespaces/default/mpijobs";
    server.request("POST", jobs, "application/json", &job.to_string());
    let less = ["apply", "kind", "--components", "cert-manager", "--prune"];
    let (out, err) = succeeds(&server.kfc(&less));
    assert!(out.lines().all(|line| line.starts_with("pruned ")), "{out}");
    assert_eq!(had(&server), 0, "{err}");
    let definitions =
        |server: &Server| server.objects().keys().filter(|name| name.contains("/mpijobs.")).count();
    assert_eq!(definitions(&server), 1, "definitions with objects stay: {err}");
    assert!(err.contains("1 object of its kind exists: it is deleted only with `--delete-crds`"), "{err}");
    server.request("DELETE", &format!("{jobs}/mine"), "application/json", "");
    let (out, _) = succeeds(&server.kfc(&less));
    assert_eq!(out, "pruned CustomResourceDefinition mpijobs.kubeflow.org\n");
    assert_eq!(definitions(&server), 0);
}

#[test]
fn conflicts_are_explained_field_by_field() {
    let Some(server) = Server::start(&json!({})) else { return };
    let bundle = |image: &str| [NAMESPACE, &deployment(image)].concat();
    succeeds(&server.apply(&bundle("web:1"), &[]));
    let path = "/apis/apps/v1/namespaces/app/deployments/web";
    server.edit(path, &json!({"spec": {"replicas": 3}}));
    let err = fails(&server.apply(&bundle("web:2"), &[]));
    assert!(err.contains("error[KFC1603]: Deployment app/web: 1 field has another owner"), "{err}");
    assert!(err.contains("`spec.replicas` is owned by `kubectl-edit` since "), "{err}");
    assert!(err.contains(" by an update, its value is `3`; the bundle has `1`"), "{err}");
    assert!(err.contains("bundle.yaml:5:1") && err.contains("--force-conflicts"), "{err}");
    let (out, _) = succeeds(&server.apply(&bundle("web:2"), &["--force-conflicts"]));
    assert_eq!(out, "changed Deployment app/web\n");
    assert_eq!(server.get(path)["spec"]["replicas"], 1);
    succeeds(&server.apply(&bundle("web:3"), &[]));
}

#[test]
fn a_field_that_left_the_bundle_leaves_the_object() {
    let Some(server) = Server::start(&json!({})) else { return };
    succeeds(&server.apply(&[NAMESPACE, &config_map("a", "1, other: x")].concat(), &[]));
    succeeds(&server.apply(&[NAMESPACE, &config_map("a", "1")].concat(), &[]));
    assert_eq!(server.get("/api/v1/namespaces/app/configmaps/a")["data"], json!({"key": 1}));
}

#[test]
fn why_something_is_not_ready_is_told() {
    let Some(server) = Server::start(&json!({"broken": "missing"})) else { return };
    let err = fails(&server.apply(&[NAMESPACE, &deployment("missing:1")].concat(), &["--timeout", "2s"]));
    assert!(
        err.contains(
            "error[KFC1604]: Deployment app/web was not ready in time: 0 of 1 replicas are available"
        ),
        "{err}"
    );
    assert!(err.contains("ImagePullBackOff: Back-off pulling image \"missing:1\""), "{err}");
    assert!(err.contains("event of Pod web-") && err.contains("(3 times)"), "{err}");
    assert!(err.contains("the apply failed with 1 error"), "{err}");
    succeeds(&server.apply(&[NAMESPACE, &deployment("there:1")].concat(), &[]));
}

#[test]
fn what_a_crashed_container_printed_is_shown() {
    let logs = "starting\nlistening\na\nb\n\u{1b}[31mcannot open /data: permission denied\nexit\n";
    let Some(server) = Server::start(&json!({"crashing": "crash", "logs": logs})) else { return };
    let err = fails(&server.apply(&[NAMESPACE, &deployment("crash:1")].concat(), &["--timeout", "2s"]));
    assert!(err.contains("CrashLoopBackOff (last time Error with exit status 3)"), "{err}");
    assert!(
        err.contains(" printed: listening | a | b | ") && err.contains("permission denied | exit"),
        "{err}"
    );
    assert!(!err.contains('\u{1b}') && !err.contains("starting"), "{err}");
}

#[test]
fn a_storage_class_that_is_not_there_is_named() {
    let Some(server) = Server::start(&json!({})) else { return };
    let claim = CLAIM.replace("spec: {", "spec: {storageClassName: fast, ");
    let err = fails(&server.apply(&[NAMESPACE, &claim].concat(), &["--timeout", "1s"]));
    assert!(
        err.contains(
            "PersistentVolumeClaim app/disk was not ready in time: the storage class `fast` does not exist"
        ),
        "{err}"
    );
    succeeds(&server.apply(&[NAMESPACE, CLAIM].concat().replace("disk", "other"), &[]));
}

#[test]
fn a_server_in_trouble_is_asked_again() {
    let faults = json!([
        {"method": "PATCH", "path": "/a$", "status": 429, "times": 2, "retryAfter": 1},
        {"method": "PATCH", "path": "/b$", "status": 503, "times": 2},
        {"method": "PATCH", "path": "/c$", "status": 0, "times": 2},
        {"method": "PATCH", "path": "/web$", "status": 500, "times": 3},
        {"method": "GET", "path": "/deployments", "status": 500, "times": 3},
        {"method": "POST", "path": "/configmaps$", "status": 503, "times": 1},
    ]);
    let Some(server) = Server::start(&json!({"faults": faults})) else { return };
    let names = ["a", "b", "c"].map(|name| config_map(name, "1")).concat();
    let (out, _) = succeeds(&server.apply(&[NAMESPACE, &names, &deployment("web:1")].concat(), &[]));
    assert_eq!(out.lines().count(), 5, "{out}");
}

#[test]
fn what_may_not_be_done_is_refused_at_once_with_the_reason() {
    let faults = json!([{"method": "PATCH", "path": "/a$", "status": 403, "times": 9, "message": "user \"me\" cannot patch configmaps"}]);
    let Some(server) = Server::start(&json!({"faults": faults})) else { return };
    let err = fails(&server.apply(&[NAMESPACE, &config_map("a", "1"), &config_map("b", "1")].concat(), &[]));
    assert!(err.contains("error[KFC1602]: ConfigMap app/a: user \"me\" cannot patch configmaps"), "{err}");
    assert!(
        server.objects().contains_key("/configmaps/app/b"),
        "the others of the wave are sent all the same"
    );
}

#[test]
fn an_unknown_kind_is_no_reason_to_wait_for_long() {
    let Some(server) = Server::start(&json!({})) else { return };
    let unknown = "apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: a, namespace: app}\n";
    let err = fails(&server.apply(&[NAMESPACE, unknown].concat(), &["--timeout", "300s"]));
    assert!(err.contains("Thing app/a: the server does not know Thing of example.com/v1"), "{err}");
    assert!(err.contains("neither the bundle nor the cluster has a CRD of Thing"), "{err}");
}

#[test]
fn objects_of_new_kinds_wait_for_their_definition() {
    for aggregated in [true, false] {
        let Some(server) = Server::start(&json!({"crdDelay": 1.5, "aggregated": aggregated})) else { return };
        let definition = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: things.example.com}\n\
            spec:\n  group: example.com\n  scope: Cluster\n  names: {kind: Thing, plural: things}\n  versions:\n  \
            - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}\n---\n";
        let thing = "apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: a}\nspec: {a: 1}\n---\n";
        let (out, _) = succeeds(&server.apply(&[thing, definition].concat(), &[]));
        assert_eq!(out, "created CustomResourceDefinition things.example.com\ncreated Thing a\n");
        let (out, _) = succeeds(&server.kfc(&["delete", "--name", "test", "--yes"]));
        assert_eq!(out, "deleted Thing a\ndeleted CustomResourceDefinition things.example.com\n");
    }
}

#[test]
fn a_dry_run_tells_everything_and_writes_nothing() {
    let Some(server) = Server::start(&json!({})) else { return };
    succeeds(&server.apply(&[NAMESPACE, &config_map("a", "1"), &config_map("b", "1")].concat(), &[]));
    let before = server.objects();
    let new = [
        NAMESPACE,
        &config_map("a", "2"),
        &config_map("c", "1"),
        &config_map("d", "1").replace("app", "new"),
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: new}\n",
    ]
    .concat();
    let (out, err) = succeeds(&server.apply(&new, &["--dry-run", "server"]));
    let mut lines: Vec<&str> = out.lines().collect();
    lines.sort_unstable();
    assert_eq!(
        lines,
        [
            "changed ConfigMap app/a",
            "created ConfigMap app/c",
            "created ConfigMap new/d",
            "created Namespace new",
            "pruned ConfigMap app/b"
        ]
    );
    assert!(err.contains("nothing was written"), "{err}");
    assert_eq!(server.objects(), before);
    let (out, _) = succeeds(&server.apply(&new, &["--dry-run", "client"]));
    assert!(out.starts_with("wave 1\n  Namespace app\n"), "{out}");
    let untouched =
        server.get("/_test/requests")["done"].as_array().unwrap().iter().all(|request| request[0] != "POST");
    assert!(untouched || server.objects() == before);
}

#[test]
fn values_of_secrets_are_never_shown() {
    let faults = json!([{"method": "PATCH", "path": "/refused$", "status": 403, "times": 9, "message": "bad value topsecret-value here"}]);
    let Some(server) = Server::start(&json!({"faults": faults})) else { return };
    let secret = |name: &str| {
        format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: {name}, namespace: app}}\nstringData: {{password: topsecret-value}}\n---\n"
        )
    };
    succeeds(&server.apply(&[NAMESPACE, &secret("a")].concat(), &[]));
    server.edit("/api/v1/namespaces/app/secrets/a", &json!({"data": {"password": "b3RoZXItc2VjcmV0"}}));
    let err = fails(&server.apply(&[NAMESPACE, &secret("a"), &secret("refused")].concat(), &[]));
    assert!(
        err.contains("`data.password` is owned by `kubectl-edit`")
            && err.contains(", its value is <hidden 1>;"),
        "{err}"
    );
    for value in ["topsecret", "dG9wc2VjcmV0", "b3RoZXItc2VjcmV0", "other-secret"] {
        assert!(!err.contains(value), "{value} in {err}");
    }
    let inventory = server.get("/api/v1/namespaces/default/configmaps/kfc-inventory-test").to_string();
    assert!(!inventory.contains("topsecret"));
}

#[test]
fn a_deletion_that_is_held_up_says_by_what() {
    let Some(server) = Server::start(&json!({})) else { return };
    let held =
        config_map("held", "1").replace("namespace: app}", "namespace: app, finalizers: [example.com/mine]}");
    succeeds(&server.apply(&[NAMESPACE, &held, &config_map("free", "1")].concat(), &[]));
    let err = fails(&server.kfc(&["delete", "--name", "test", "--yes", "--delete-all", "--timeout", "1s"]));
    assert!(
        err.contains(
            "error[KFC1607]: ConfigMap app/held was not deleted in time: finalizers: `example.com/mine`"
        ),
        "{err}"
    );
    assert!(server.objects().contains_key("/configmaps/default/kfc-inventory-test"));
    server.edit("/api/v1/namespaces/app/configmaps/held", &json!({"metadata": {"finalizers": null}}));
    succeeds(&server.kfc(&["delete", "--name", "test", "--yes", "--delete-all"]));
    let (out, err) = succeeds(&server.kfc(&["delete", "--name", "test", "--yes"]));
    assert!(out.is_empty() && err.contains("nothing to delete"), "{err}");
}

#[test]
fn deleting_has_to_be_confirmed_and_resources_without_a_stack_named() {
    let Some(server) = Server::start(&json!({})) else { return };
    succeeds(&server.apply(&[NAMESPACE, &config_map("a", "1")].concat(), &[]));
    let err = fails(&server.kfc(&["delete", "--name", "test"]));
    assert!(err.contains("the deletion has to be confirmed") && err.contains("them: 1 ConfigMap."), "{err}");
    let err = fails(&server.kfc(&["delete", "--name", "test", "--delete-namespaces"]));
    assert!(
        err.contains("the deletion has to be confirmed") && err.contains("1 ConfigMap, 1 Namespace"),
        "{err}"
    );
    let err = fails(&server.kfc(&["apply", "bundle.yaml"]));
    assert!(err.contains("`--name bundle`"), "{err}");
}

#[test]
fn an_object_that_moved_to_another_inventory_is_not_pruned() {
    let Some(server) = Server::start(&json!({})) else { return };
    let both = [NAMESPACE, &config_map("a", "1"), &config_map("b", "1")].concat();
    succeeds(&server.apply(&both, &[]));
    std::fs::write(server.folder.path().join("other.yaml"), config_map("b", "1")).unwrap();
    succeeds(&server.kfc(&["apply", "other.yaml", "--name", "other"]));
    let (out, err) = succeeds(&server.apply(&[NAMESPACE, &config_map("a", "1")].concat(), &[]));
    assert_eq!(out, "", "{err}");
    assert!(err.contains("ConfigMap app/b stays: the inventory `other` lists it too"), "{err}");
}

#[test]
fn a_server_that_is_not_there_is_told_soon() {
    let Some(server) = Server::start(&json!({})) else { return };
    let config = std::fs::read_to_string(server.kubeconfig()).unwrap();
    std::fs::write(server.kubeconfig(), config.replace(&server.port.to_string(), "1")).unwrap();
    let err = fails(&server.apply(NAMESPACE, &[]));
    assert!(err.contains("error[KFC1601]: http://127.0.0.1:1 does not answer"), "{err}");
    let err = fails(&server.kfc(&["delete", "--name", "test", "--yes", "--context", "other"]));
    assert!(err.contains("error[KFC1601]: cannot find out where the cluster is"), "{err}");
}

/// The stand-in is worth something only if it speaks as kubectl expects.
#[test]
fn kubectl_understands_the_stand_in() {
    let Some(server) = Server::start(&json!({})) else { return };
    let kubectl = |args: &[&str]| {
        let mut command = Command::new("kubectl");
        command.args(args).env("KUBECONFIG", server.kubeconfig()).env("HOME", server.folder.path());
        command.current_dir(server.folder.path()).output()
    };
    if kubectl(&["version", "--client"]).is_err() {
        eprintln!("skipped: there is no kubectl");
        return;
    }
    let write = |name: &str, text: &str| std::fs::write(server.folder.path().join(name), text).unwrap();
    write("one.yaml", &[NAMESPACE, &config_map("a", "one")].concat());
    write("two.yaml", &[NAMESPACE, &config_map("a", "two")].concat());
    let apply = ["apply", "--server-side", "--validate=false", "-f"];
    succeeds(&kubectl(&[&apply[..], &["one.yaml"]].concat()).unwrap());
    let (out, _) = said(&kubectl(&["diff", "--server-side", "-f", "two.yaml"]).unwrap());
    assert!(out.contains("-  key: one") && out.contains("+  key: two"), "{out}");
    succeeds(&server.kfc(&["apply", "one.yaml", "--name", "test"]));
    let refused = kubectl(&[&apply[..], &["two.yaml"]].concat()).unwrap();
    let (_, err) = said(&refused);
    assert!(err.contains("conflict") && err.contains("\"kfc-test\"") && err.contains(".data.key"), "{err}");
    let (out, _) =
        succeeds(&kubectl(&["get", "configmap", "a", "-n", "app", "-o", "jsonpath={.data.key}"]).unwrap());
    assert_eq!(out, "one");
    succeeds(&kubectl(&["delete", "-f", "one.yaml", "--ignore-not-found", "--timeout", "20s"]).unwrap());
    assert!(!server.objects().contains_key("/namespaces//app"));
}
