//! What belongs to others stays theirs, and nothing goes silently: several inventories in one cluster, their locks, what they
//! keep and what they ask before they delete. The server is the stand-in in `tests/apiserver`; tests are skipped where there
//! is no python3.

use super::standin::{CLAIM, NAMESPACE, Server, config_map, deployment, fails, inventory, said, succeeds};
use serde_json::{Value, json};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// Applies YAML text under a name.
fn apply(server: &Server, name: &str, text: &str, more: &[&str]) -> Output {
    let file = format!("{name}.yaml");
    std::fs::write(server.folder.path().join(&file), text).unwrap();
    server.kfc(&[&["apply", &file, "--name", name], more].concat())
}

fn has(server: &Server, path: &str) -> bool {
    server.objects().contains_key(path)
}

/// The names of what an inventory lists.
fn names(server: &Server, of: &str) -> Vec<String> {
    inventory(server, of).into_iter().map(|(_, _, name)| name).collect()
}

/// Who applies a config map of the namespace `app`.
fn managers(server: &Server, name: &str) -> Vec<String> {
    let object = server.get(&format!("/api/v1/namespaces/app/configmaps/{name}"));
    let entries = object["metadata"]["managedFields"].as_array().unwrap();
    entries.iter().map(|entry| entry["manager"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn what_another_inventory_lists_is_neither_deleted_nor_pruned() {
    let Some(server) = Server::start(&json!({})) else { return };
    let before: Vec<String> = server.objects().into_keys().collect();
    let shared = [NAMESPACE, &config_map("common", "1")].concat();
    succeeds(&apply(&server, "one", &[&*shared, &config_map("a", "1")].concat(), &[]));
    let (_, err) = succeeds(&apply(&server, "two", &[&*shared, &config_map("b", "1")].concat(), &[]));
    assert!(err.contains("the inventory `one` lists 2 objects of this bundle too"), "{err}");
    assert!(err.contains("`kfc inventory move one two`"), "{err}");
    assert_eq!(managers(&server, "common"), ["kfc-one", "kfc-two"]);
    let (out, err) = succeeds(&server.kfc(&["delete", "--name", "one", "--yes", "--delete-all"]));
    assert_eq!(out, "deleted ConfigMap app/a\n", "{err}");
    assert!(err.contains("2 objects stay: the inventory `two` lists it too"), "{err}");
    assert_eq!(managers(&server, "common"), ["kfc-two"], "what stays is the other's alone");
    assert!(!has(&server, "/configmaps/default/kfc-inventory-one"));
    // What is shared by nobody any more goes with its last inventory.
    let (out, _) = succeeds(&server.kfc(&["delete", "--name", "two", "--yes", "--delete-all"]));
    assert_eq!(out, "deleted ConfigMap app/b\ndeleted ConfigMap app/common\ndeleted Namespace app\n");
    assert_eq!(server.objects().into_keys().collect::<Vec<_>>(), before);
}

#[test]
fn a_namespace_stays_that_holds_objects_of_another_inventory() {
    let Some(server) = Server::start(&json!({})) else { return };
    succeeds(&apply(&server, "one", &[NAMESPACE, &config_map("a", "1")].concat(), &[]));
    succeeds(&apply(&server, "two", &config_map("b", "1"), &["--inventory-namespace", "kube-public"]));
    let (out, err) = succeeds(&server.kfc(&["delete", "--name", "one", "--yes", "--delete-all"]));
    assert_eq!(out, "deleted ConfigMap app/a\n");
    assert!(
        err.contains("Namespace app stays: the inventory `two` in `kube-public` has objects in it"),
        "{err}"
    );
    assert!(has(&server, "/configmaps/app/b"));
    // Nor by a file that names it.
    let (_, err) = succeeds(&server.kfc(&["delete", "one.yaml", "--yes", "--adopt", "--delete-all"]));
    assert!(
        err.contains("Namespace app stays: the inventory `two` in `kube-public` has objects in it"),
        "{err}"
    );
    assert!(has(&server, "/configmaps/app/b"));
}

#[test]
fn two_stacks_that_write_one_object_are_told() {
    let Some(server) = Server::start(&json!({})) else { return };
    succeeds(&apply(&server, "one", &[NAMESPACE, &config_map("common", "1")].concat(), &[]));
    let other = [NAMESPACE, &config_map("common", "2")].concat();
    let err = fails(&apply(&server, "two", &other, &[]));
    assert!(err.contains("`data.key` is owned by the inventory `one` (field manager `kfc-one`)"), "{err}");
    assert!(err.contains("if `two` replaces `one`, run `kfc inventory move one two`"), "{err}");
    assert_eq!(names(&server, "two"), [""; 0], "nothing was written, so nothing is listed");
    // A word takes the field, the other inventory keeps the object and is told in turn.
    succeeds(&apply(&server, "two", &other, &["--force-conflicts"]));
    let err = fails(&apply(&server, "one", &[NAMESPACE, &config_map("common", "1")].concat(), &[]));
    assert!(err.contains("is owned by the inventory `two`"), "{err}");
    // Another word takes the object.
    let (_, err) = succeeds(&apply(&server, "three", &other, &["--adopt"]));
    assert!(err.contains("2 objects are taken over from the inventory `one`"), "{err}");
    assert_eq!((names(&server, "one"), names(&server, "two")), (Vec::new(), Vec::new()));
    assert_eq!(managers(&server, "common"), ["kfc-three"]);
}

#[test]
fn what_the_old_field_manager_owns_is_taken_over() {
    let Some(server) = Server::start(&json!({})) else { return };
    succeeds(&apply(&server, "shop", NAMESPACE, &[]));
    // As an earlier version left it: the manager is `kfc`, the inventory lists the object.
    let body = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "app"},
                      "data": {"key": 1, "left": "x"}});
    let path = "/api/v1/namespaces/app/configmaps/a";
    let old = format!("{path}?fieldManager=kfc");
    server.request("PATCH", &old, "application/apply-patch+yaml", &body.to_string());
    let list = json!({"data": {"objects": "0 v1 Namespace - app\n1 v1 ConfigMap app a\n"}});
    server.edit("/api/v1/namespaces/default/configmaps/kfc-inventory-shop", &list);
    let text = [NAMESPACE, &config_map("a", "1")].concat();
    let (out, _) = succeeds(&apply(&server, "shop", &text, &["--dry-run", "server"]));
    assert_eq!(out, "changed ConfigMap app/a\n");
    assert_eq!(managers(&server, "a"), ["kfc"], "a dry run takes nothing over");
    let (out, _) = succeeds(&apply(&server, "shop", &text, &[]));
    assert_eq!(out, "changed ConfigMap app/a\n");
    assert_eq!(managers(&server, "a"), ["kfc-shop"]);
    assert_eq!(server.get(path)["data"], json!({"key": 1}), "a field that left the bundle leaves the object");
    let there = server.objects();
    assert_eq!(succeeds(&apply(&server, "shop", &text, &[])).0, "");
    assert_eq!(server.objects(), there);
}

#[test]
fn objects_of_others_are_kept_when_their_inventories_cannot_be_seen() {
    let Some(server) = Server::start(&json!({})) else { return };
    let text = [NAMESPACE, &config_map("common", "1"), &config_map("a", "1")].concat();
    succeeds(&apply(&server, "one", &text, &[]));
    succeeds(&apply(&server, "two", &config_map("common", "1"), &["--inventory-namespace", "kube-public"]));
    let hidden = |path: &str| json!({"method": "GET", "path": path, "status": 403, "times": 99, "message": "no list of configmaps"});
    let faults =
        json!([hidden("^/api/v1/configmaps$"), hidden("^/api/v1/namespaces/kube-public/configmaps")]);
    server.request("POST", "/_test/settings", "application/json", &json!({"faults": faults}).to_string());
    let (out, err) = succeeds(&server.kfc(&["delete", "--name", "one", "--yes", "--delete-all"]));
    assert_eq!(out, "deleted ConfigMap app/a\n", "{err}");
    assert!(
        err.contains("ConfigMap app/common stays: the inventory `two` in `kube-public` applies it too"),
        "{err}"
    );
    assert!(err.contains("Namespace app stays: inventories of other namespaces"), "{err}");
}

#[test]
fn a_namespace_stays_when_something_in_it_turns_out_to_stay() {
    let Some(server) = Server::start(&json!({})) else { return };
    succeeds(&apply(
        &server,
        "one",
        &[NAMESPACE, &config_map("a", "1"), &config_map("b", "1")].concat(),
        &[],
    ));
    // The list shows it, but at the time of its deletion it cannot be read.
    let hidden = json!({"method": "GET", "path": "/configmaps/a$", "status": 403, "times": 99, "message": "not for you"});
    server.request("POST", "/_test/settings", "application/json", &json!({"faults": [hidden]}).to_string());
    let (out, err) = succeeds(&server.kfc(&["delete", "--name", "one", "--yes", "--delete-all"]));
    assert_eq!(out, "deleted ConfigMap app/b\n", "{err}");
    assert!(err.contains("ConfigMap app/a stays: it cannot be read: not for you"), "{err}");
    assert!(err.contains("Namespace app stays: ConfigMap app/a stays"), "{err}");
    assert!(has(&server, "/configmaps/app/a") && names(&server, "one") == ["a", "app"], "{err}");
}

#[test]
fn inventories_that_cannot_be_read_stop_a_deletion() {
    let Some(server) = Server::start(&json!({})) else { return };
    succeeds(&apply(&server, "one", &[NAMESPACE, &config_map("a", "1")].concat(), &[]));
    let broken = json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"objects": "what is this"},
        "metadata": {"name": "kfc-inventory-two", "labels": {"kfc.dev/inventory": "two"}}});
    server.request(
        "POST",
        "/api/v1/namespaces/kube-public/configmaps",
        "application/json",
        &broken.to_string(),
    );
    let err = fails(&server.kfc(&["delete", "--name", "one", "--yes"]));
    assert!(err.contains("error[KFC1606]: cannot find out what other inventories list"), "{err}");
    assert!(err.contains("the inventory `two` in `kube-public` has a line that kfc cannot read"), "{err}");
    assert!(has(&server, "/configmaps/app/a"));
}

#[test]
fn what_was_forbidden_does_not_stay_in_the_inventory() {
    let forbidden = |method: &str, times: u32| json!({"method": method, "path": "/secret-place$", "status": 403, "times": times, "message": "not for you"});
    let Some(server) = Server::start(&json!({"faults": [forbidden("PATCH", 1)]})) else { return };
    let less = [NAMESPACE, &config_map("a", "1")].concat();
    let more = [&*less, &config_map("secret-place", "1")].concat();
    let err = fails(&apply(&server, "test", &more, &[]));
    assert!(err.contains("KFC1602") && err.contains("not for you"), "{err}");
    let mut listed = names(&server, "test");
    listed.sort();
    assert_eq!(listed, ["a", "app"], "what was never there is not listed");
    assert_eq!(succeeds(&apply(&server, "test", &less, &[])).0, "");
    // What an earlier run made, and this user may not see, is not taken for absent, and fails nobody's run.
    succeeds(&apply(&server, "test", &more, &[]));
    let list =
        json!({"method": "GET", "path": "^/api/v1/configmaps$", "status": 403, "times": 99, "message": "no"});
    let faults = json!({"faults": [forbidden("GET", 99), list]});
    server.request("POST", "/_test/settings", "application/json", &faults.to_string());
    let (_, err) = succeeds(&apply(&server, "test", &less, &["--prune"]));
    assert!(err.contains("ConfigMap app/secret-place stays: it cannot be read"), "{err}");
    assert!(names(&server, "test").contains(&"secret-place".to_owned()));
}

#[test]
fn what_was_there_before_is_applied_but_not_deleted() {
    let Some(server) = Server::start(&json!({})) else { return };
    succeeds(&apply(&server, "base", NAMESPACE, &[]));
    let theirs =
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "theirs"}, "data": {"key": 1}});
    server.request("POST", "/api/v1/namespaces/app/configmaps", "application/json", &theirs.to_string());
    let text = [config_map("theirs", "1"), config_map("own", "1")].concat();
    let (_, err) = succeeds(&apply(&server, "test", &text, &[]));
    assert!(
        err.contains("1 object of this bundle existed before, not applied by kfc: ConfigMap app/theirs"),
        "{err}"
    );
    succeeds(&apply(&server, "test", &text, &[]));
    let (out, err) = succeeds(&server.kfc(&["delete", "--name", "test", "--yes"]));
    assert_eq!(out, "deleted ConfigMap app/own\n");
    assert!(err.contains("ConfigMap app/theirs stays: it existed before"), "{err}");
    assert!(has(&server, "/configmaps/app/theirs"));
    // With a word it is the inventory's own.
    succeeds(&apply(&server, "test", &text, &["--adopt"]));
    let (out, _) = succeeds(&server.kfc(&["delete", "--name", "test", "--yes"]));
    assert_eq!(out, "deleted ConfigMap app/own\ndeleted ConfigMap app/theirs\n");
}

#[test]
fn nothing_is_pruned_without_a_word() {
    let Some(server) = Server::start(&json!({})) else { return };
    let maps = |range: std::ops::Range<usize>| {
        range.map(|at| config_map(&format!("m{at}"), "1")).collect::<String>()
    };
    succeeds(&apply(&server, "test", &[NAMESPACE, &maps(0..9)].concat(), &[]));
    let changed = [NAMESPACE, &maps(0..8), &config_map("new", "1")].concat();
    let (out, err) = succeeds(&apply(&server, "test", &changed, &[]));
    assert_eq!(out, "created ConfigMap app/new\n", "create and update go on");
    assert!(
        err.contains("1 object left the bundle, to be deleted only with `--prune`:\n  left ConfigMap app/m8"),
        "{err}"
    );
    assert!(err.contains("1 not pruned"), "{err}");
    assert!(names(&server, "test").contains(&"m8".to_owned()), "the inventory still knows it");
    let (out, err) = succeeds(&apply(&server, "test", &changed, &["--yes"]));
    assert_eq!(out, "pruned ConfigMap app/m8\n", "{err}");
    // Most of an inventory goes only when just that is said.
    let few = [NAMESPACE, &maps(0..2)].concat();
    let err = fails(&apply(&server, "test", &few, &["--prune"]));
    assert!(
        err.contains("error[KFC1610]: 7 of the 10 objects that the inventory lists left the bundle and would be deleted"),
        "{err}"
    );
    assert!(has(&server, "/configmaps/app/m7"));
    let (out, _) = succeeds(&apply(&server, "test", &few, &["--prune-most"]));
    assert_eq!(out.lines().count(), 7, "{out}");
    let (_, err) = succeeds(&apply(&server, "test", &[NAMESPACE, &maps(0..1)].concat(), &["--no-prune"]));
    assert!(has(&server, "/configmaps/app/m1") && !err.contains("left the bundle"), "{err}");
}

/// Runs kfc before a terminal, on which `answer` is typed once a question is asked; gives the code and all that is shown.
fn on_a_terminal(server: &Server, args: &[&str], answer: &str) -> (i32, String) {
    const RUN: &str = "
import os, pty, sys
answer, shown = sys.argv[1], b''
pid, master = pty.fork()
if pid == 0:
    os.execv(sys.argv[2], sys.argv[2:])
asked = False
while True:
    try:
        read = os.read(master, 4096)
    except OSError:
        break
    if not read:
        break
    shown += read
    if not asked and (b'[y/N] ' in shown or b'to continue: ' in shown):
        asked = True
        os.write(master, answer.encode() + b'\\n')
print(shown.decode())
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
";
    let mut command = Command::new("python3");
    command.args(["-c", RUN, answer, env!("CARGO_BIN_EXE_kfc")]).args(args);
    command.env("KUBECONFIG", server.kubeconfig()).env("CI", "true").current_dir(server.folder.path());
    let output = command.output().unwrap();
    (output.status.code().unwrap(), said(&output).0)
}

#[test]
fn on_a_terminal_it_is_asked_first() {
    let Some(server) = Server::start(&json!({})) else { return };
    let (a, b) = (config_map("a", "1"), config_map("b", "1"));
    succeeds(&apply(&server, "test", &[NAMESPACE, &a, &b].concat(), &[]));
    std::fs::write(server.folder.path().join("test.yaml"), [NAMESPACE, &a].concat()).unwrap();
    let args = ["apply", "test.yaml", "--name", "test"];
    let (code, shown) = on_a_terminal(&server, &args, "n");
    assert!(code == 0 && shown.contains("delete ConfigMap app/b") && shown.contains("[y/N]"), "{shown}");
    assert!(has(&server, "/configmaps/app/b"), "{shown}");
    let (code, shown) = on_a_terminal(&server, &args, "y");
    assert!(code == 0 && shown.contains("pruned ConfigMap app/b"), "{shown}");
    let delete = ["delete", "--name", "test"];
    let (code, shown) = on_a_terminal(&server, &delete, "y");
    assert!(code == 1 && shown.contains("not confirmed"), "{shown}");
    let (code, shown) = on_a_terminal(&server, &delete, "test");
    assert!(code == 0 && shown.contains("deleted ConfigMap app/a"), "{shown}");
}

#[test]
fn an_inventory_moves_to_another() {
    let Some(server) = Server::start(&json!({})) else { return };
    let text = [NAMESPACE, CLAIM, &config_map("a", "1")].concat();
    succeeds(&apply(&server, "kind", &text, &[]));
    let (out, _) = succeeds(&server.kfc(&["inventory", "move", "kind", "kind+cpu", "--dry-run"]));
    assert!(
        out.contains("would move ConfigMap app/a\n")
            && has(&server, "/configmaps/default/kfc-inventory-kind")
    );
    let (out, err) = succeeds(&server.kfc(&["inventory", "move", "kind", "kind+cpu"]));
    assert!(out.contains("moved PersistentVolumeClaim app/disk\n"), "{out}");
    assert!(err.contains("`kind-cpu` now lists 3 objects of `kind`"), "{err}");
    assert!(!has(&server, "/configmaps/default/kfc-inventory-kind"));
    assert_eq!(managers(&server, "a"), ["kfc-kind-cpu"]);
    let (out, err) =
        succeeds(&apply(&server, "kind-cpu", &[NAMESPACE, CLAIM, &config_map("a", "2")].concat(), &[]));
    assert!(out.contains("changed ConfigMap app/a\n"), "{out}");
    assert!(out.lines().all(|line| line.starts_with("changed ")), "{out}{err}");
    assert_eq!(succeeds(&server.kfc(&["inventory", "list"])).0, "default/kind-cpu  3 objects\n");
    let err = fails(&server.kfc(&["inventory", "move", "kind", "other"]));
    assert!(err.contains("the inventory `kind` does not exist"), "{err}");
}

fn spawn(server: &Server, args: &[&str]) -> std::process::Child {
    let mut command = server.command(args);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn lease(server: &Server) -> Value {
    server.get("/apis/coordination.k8s.io/v1/namespaces/default/leases/kfc-inventory-test")
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(60);
    while !holds() {
        assert!(Instant::now() < end, "{what}");
        std::thread::sleep(Duration::from_millis(30));
    }
}

#[test]
fn one_run_at_a_time_works_on_an_inventory() {
    let Some(server) = Server::start(&json!({"readyDelay": 4})) else { return };
    let text = [NAMESPACE, &deployment("web:1")].concat();
    std::fs::write(server.folder.path().join("test.yaml"), text).unwrap();
    let args = ["apply", "test.yaml", "--name", "test"];
    let first = spawn(&server, &args);
    until("the first run takes the lock", || lease(&server)["spec"]["holderIdentity"].is_string());
    let holder = format!("process {}", first.id());
    for second in [&args[..], &["delete", "--name", "test", "--yes"]] {
        let err = fails(&server.kfc(&[second, &["--lock-timeout", "0s"]].concat()));
        assert!(err.contains("error[KFC1609]: another run works on the inventory `test`"), "{err}");
        assert!(err.contains(&holder), "{err}");
    }
    // Another inventory is free, and looking is always free.
    succeeds(&apply(
        &server,
        "other",
        &config_map("x", "1").replace("app", "default"),
        &["--lock-timeout", "0s"],
    ));
    succeeds(&server.kfc(&[&args[..], &["--dry-run", "server", "--lock-timeout", "0s"]].concat()));
    let (_, err) = succeeds(&server.kfc(&args));
    assert!(
        err.contains("waiting for another run on the inventory `test`: ") && err.contains(&holder),
        "{err}"
    );
    succeeds(&first.wait_with_output().unwrap());
    assert_eq!(lease(&server)["kind"], "Status", "the lock goes with the run");
}

#[test]
fn the_lock_of_a_killed_run_expires_and_that_of_an_interrupted_one_is_released() {
    let Some(server) = Server::start(&json!({"readyDelay": 30})) else { return };
    let text = [NAMESPACE, &deployment("web:1")].concat();
    std::fs::write(server.folder.path().join("test.yaml"), text).unwrap();
    let args = ["apply", "test.yaml", "--name", "test", "--lock-duration", "2s"];
    let mut killed = spawn(&server, &args);
    until("the run takes the lock", || lease(&server)["spec"]["renewTime"].is_string());
    let taken = lease(&server)["spec"]["renewTime"].clone();
    until("the run renews the lock", || lease(&server)["spec"]["renewTime"] != taken);
    killed.kill().unwrap();
    killed.wait().unwrap();
    let started = Instant::now();
    let (_, err) = succeeds(&server.kfc(&[&args[..], &["--no-wait"]].concat()));
    assert!(started.elapsed() < Duration::from_secs(20) && err.contains("waiting for another run"), "{err}");
    let interrupted = spawn(&server, &args);
    until("the run takes the lock", || lease(&server)["spec"]["holderIdentity"].is_string());
    std::thread::sleep(Duration::from_millis(300));
    Command::new("kill").args(["-INT", &interrupted.id().to_string()]).status().unwrap();
    let err = fails(&interrupted.wait_with_output().unwrap());
    assert!(err.contains("KFC1608"), "{err}");
    assert_eq!(lease(&server)["kind"], "Status");
}

#[test]
fn who_may_not_lock_is_told_and_goes_on() {
    let faults = json!([{"method": "POST", "path": "/leases$", "status": 403, "times": 9, "message": "no leases for you"}]);
    let Some(server) = Server::start(&json!({"faults": faults})) else { return };
    let (out, err) = succeeds(&apply(&server, "test", &[NAMESPACE, &config_map("a", "1")].concat(), &[]));
    assert_eq!(out.lines().count(), 2);
    assert!(err.contains("warning: the inventory `test` cannot be locked"), "{err}");
    assert!(err.contains("no leases for you") && err.contains("leases.coordination.k8s.io"), "{err}");
}

#[test]
fn a_second_detection_leaves_nothing_out_of_the_stack() {
    let Some(server) = Server::start(&json!({"storageClasses": ["standard"]})) else { return };
    let node = json!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": {"name": "n", "labels": {"kubernetes.io/arch": "amd64"}},
        "spec": {"providerID": "kind://docker/kind/kind-control-plane"},
        "status": {"nodeInfo": {"architecture": "amd64", "kubeletVersion": "v1.33.0"}, "capacity": {"cpu": "4"}},
    });
    server.request("POST", "/api/v1/nodes", "application/json", &node.to_string());
    let file = server.folder.path().join("site/kfc.yaml");
    std::fs::create_dir(file.parent().unwrap()).unwrap();
    let detect = ["detect", "-o", "site/kfc.yaml", "--force"];
    succeeds(&server.kfc(&detect));
    let first = std::fs::read_to_string(&file).unwrap();
    assert!(first.contains("  name: site\n") && !first.contains("present:"), "{first}");
    succeeds(&server.kfc(&["apply", "site"]));
    let (out, _) = succeeds(&server.kfc(&detect));
    assert!(out.contains("installed by kfc itself, from `site` ("), "{out}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), first);
    let there = server.objects();
    let (out, err) = succeeds(&server.kfc(&["apply", "site", "--yes"]));
    assert_eq!(out, "", "{err}");
    assert_eq!(server.objects(), there);
    // A file that is written over keeps its name, by which the cluster knows its objects.
    std::fs::write(&file, first.replace("name: site", "name: mine")).unwrap();
    succeeds(&server.kfc(&detect));
    assert!(std::fs::read_to_string(&file).unwrap().contains("  name: mine\n"));
}

#[test]
fn a_comparison_with_the_cluster_shows_what_an_apply_would_prune() {
    let Some(server) = Server::start(&json!({})) else { return };
    let less = [NAMESPACE, &config_map("a", "1")].concat();
    succeeds(&apply(&server, "test", &[&*less, CLAIM, &config_map("b", "1")].concat(), &[]));
    std::fs::write(server.folder.path().join("test.yaml"), &less).unwrap();
    let diff = |more: &[&str]| {
        said_with(&server.kfc(&[&["diff", "cluster", "test.yaml", "--name", "test"], more].concat()), 1)
    };
    let (out, err) = diff(&[]);
    assert!(out.contains("1 removed") && out.contains("- ConfigMap app/b"), "{out}");
    assert!(
        out.contains("it left the bundle of the inventory `test`; an apply with `--prune` deletes it"),
        "{out}"
    );
    assert!(err.contains("PersistentVolumeClaim app/disk stays"), "{err}");
    let (out, _) = diff(&["--delete-pvcs"]);
    assert!(out.contains("- PersistentVolumeClaim app/disk  [data-loss]"), "{out}");
    let (out, err) = said_with(&server.kfc(&["diff", "cluster", "test.yaml"]), 0);
    assert!(!out.contains("removed") && err.contains("pass `--name` to see"), "{out}{err}");
}

#[track_caller]
fn said_with(output: &Output, code: i32) -> (String, String) {
    let (out, err) = said(output);
    assert_eq!(output.status.code(), Some(code), "{out}\n{err}");
    (out, err)
}

#[test]
fn what_the_server_refuses_or_hides_is_no_difference() {
    let Some(server) = Server::start(&json!({})) else { return };
    // The only one of its kind is read by itself.
    let secret =
        "apiVersion: v1\nkind: Secret\nmetadata: {name: b, namespace: app}\nstringData: {a: '1'}\n---\n";
    let text = [NAMESPACE, &config_map("a", "1"), secret, &config_map("c", "1")].concat();
    succeeds(&apply(&server, "test", &text, &[]));
    let faults = json!([
        {"method": "PATCH", "path": "/a$", "status": 422, "times": 99, "message": "spec.x: Invalid value: field is immutable"},
        {"method": "GET", "path": "/b$", "status": 403, "times": 99, "message": "secrets \"b\" is forbidden"},
    ]);
    server.request("POST", "/_test/settings", "application/json", &json!({"faults": faults}).to_string());
    let changed = ["a", "c"].iter().fold(text, |text, name| {
        let of = format!("name: {name}, namespace: app}}\ndata: ");
        text.replace(&format!("{of}{{key: 1}}"), &format!("{of}{{key: 2}}"))
    });
    std::fs::write(server.folder.path().join("test.yaml"), changed).unwrap();
    let (out, err) = said_with(&server.kfc(&["diff", "cluster", "test.yaml", "--name", "test"]), 2);
    assert!(out.contains("1 changed") && out.contains("ConfigMap app/c"), "{out}");
    assert!(!out.contains("ConfigMap app/a") && !out.contains("Secret app/b"), "{out}");
    assert!(
        err.contains("the server refuses ConfigMap app/a: spec.x: Invalid value: field is immutable"),
        "{err}"
    );
    assert!(err.contains("Secret app/b cannot be read: secrets \"b\" is forbidden"), "{err}");
    let (_, err) = said_with(&server.kfc(&["validate", "test.yaml", "--against", "cluster"]), 1);
    assert!(err.contains("error[KFC1522]: the server refuses ConfigMap app/a"), "{err}");
}
