//! What an apply sends and says: conflicts, unknown and new kinds, dry runs, what is not ready and why. Also against the API server
//! of the oldest supported version.

use super::cluster::{Cluster, Server, on_each_server};
use super::space::{Space, map, namespace};
use serde_json::{Value, json};
use std::process::Stdio;

on_each_server! { Bare:
    conflicts_are_explained_field_by_field
    an_unknown_kind_is_not_awaited_for_long
    an_unknown_field_is_not_sent_for_long
    objects_of_new_kinds_wait_for_their_definition
    a_dry_run_shows_everything_and_writes_nothing
    an_object_that_moved_to_another_inventory_is_not_pruned
    a_storage_class_that_does_not_exist_is_named
    a_comparison_with_the_cluster_shows_what_an_apply_would_prune
    two_stacks_that_write_one_object_are_reported
    an_inventory_moves_to_another
    inventories_that_cannot_be_read_stop_a_deletion
    a_live_cluster_is_detected
    why_a_workload_is_not_ready_is_reported
}

fn conflicts_are_explained_field_by_field(server: Server) {
    let space = Space::of(server, "conflicts");
    let bundle = |image: &str| space.bundle(&[&space.deployment(image)]);
    space.apply(&bundle("web:1"), &["--no-wait"]).succeeds();
    space.edit("deployment", "web", r#"{"spec": {"replicas": 3}}"#);
    let err = space.apply(&bundle("web:2"), &["--no-wait"]).refused();
    assert!(err.contains("error[KFC1603]: Deployment conflicts/web: 1 field has another owner"), "{err}");
    assert!(err.contains("`spec.replicas` is owned by `kubectl-edit` since "), "{err}");
    assert!(err.contains(" by an update, its value is `3`; the bundle has `1`"), "{err}");
    assert!(err.contains("conflicts.yaml:5:1") && err.contains("--force-conflicts"), "{err}");
    let (out, _) = space.apply(&bundle("web:2"), &["--no-wait", "--force-conflicts"]).succeeds();
    assert_eq!(out, "changed Deployment conflicts/web\n");
    assert_eq!(space.get("deployment", "web").unwrap()["spec"]["replicas"], 1);
    space.apply(&bundle("web:3"), &["--no-wait"]).succeeds();
    // A field that left the bundle leaves the object.
    let two = space.map("a", "1").replace("\ndata: {", "\ndata: {other: x, ");
    space.apply(&space.bundle(&[&two]), &["--no-prune"]).succeeds();
    let (out, _) = space.apply(&space.bundle(&[&space.map("a", "1")]), &["--no-prune"]).succeeds();
    assert_eq!(out, "changed ConfigMap conflicts/a\n");
    assert_eq!(space.get("configmap", "a").unwrap()["data"], json!({"key": "1"}));
}

fn an_unknown_kind_is_not_awaited_for_long(server: Server) {
    let space = Space::of(server, "unknown");
    let unknown = "apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: a, namespace: unknown}\n";
    let start = std::time::Instant::now();
    let err = space.apply(&space.bundle(&[unknown]), &["--timeout", "300s"]).refused();
    assert!(start.elapsed().as_secs() < 100, "{err}");
    assert!(err.contains("Thing unknown/a: the server does not know Thing of example.com/v1"), "{err}");
    assert!(err.contains("neither the bundle nor the cluster has a CRD of Thing"), "{err}");
}

fn an_unknown_field_is_not_sent_for_long(server: Server) {
    let space = Space::of(server, "typo");
    let typo = space.map("a", "1").replace("\ndata:", "\ndta:");
    let start = std::time::Instant::now();
    let err = space.apply(&space.bundle(&[&typo]), &["--timeout", "300s"]).refused();
    assert!(start.elapsed().as_secs() < 60, "{err}");
    assert!(
        err.contains("error[KFC1602]: ConfigMap typo/a: ") && err.contains(".dta: field not declared"),
        "{err}"
    );
    assert_eq!(
        space.listed().into_iter().collect::<Vec<_>>(),
        ["Namespace typo"],
        "what cannot exist is not listed"
    );
}

fn definition(kind: &str) -> String {
    let plural = format!("{}s", kind.to_lowercase());
    format!(
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {{name: {plural}.example.com}}\n\
         spec:\n  group: example.com\n  scope: Cluster\n  names: {{kind: {kind}, plural: {plural}}}\n  versions:\n  \
         - {{name: v1, served: true, storage: true, schema: {{openAPIV3Schema: {{type: object, x-kubernetes-preserve-unknown-fields: true}}}}}}\n---\n"
    )
}

fn objects_of_new_kinds_wait_for_their_definition(server: Server) {
    let space = Space::of(server, "kinds");
    // The server needs a moment; one that is behind a balancer may deny for longer that it knows the kind. The lists of kinds also have
    // an older form, group by group.
    let late = json!({"method": "PATCH", "path": "/toys/a$", "status": 404, "times": 2, "message": "the server could not find the requested resource"});
    let plain = json!({"method": "GET", "path": "^/apis?$", "times": 99, "accept": "application/json"});
    for (kind, faults) in [("Tool", json!([])), ("Toy", json!([late])), ("Tile", json!([plain]))] {
        let (name, plural) = (kind.to_lowercase(), format!("{}s", kind.to_lowercase()));
        let thing =
            format!("apiVersion: example.com/v1\nkind: {kind}\nmetadata: {{name: a}}\nspec: {{a: 1}}\n---\n");
        space.cluster.write(&format!("{name}.yaml"), &[thing, definition(kind)].concat());
        let mut proxy = space.cluster.with_faults(&faults);
        let (out, _) = proxy.kfc(&["apply", &format!("{name}.yaml"), "--name", &name]).succeeds();
        let created = format!("created CustomResourceDefinition {plural}.example.com\ncreated {kind} a\n");
        assert_eq!(out, created);
        assert!(proxy.left().iter().all(|fault| fault["times"] != 2), "the fault happens");
        let thing = space.cluster.get(&format!("{plural}.example.com"), "", "a").unwrap();
        assert_eq!(thing["spec"]["a"], 1);
    }
}

fn a_dry_run_shows_everything_and_writes_nothing(server: Server) {
    let space = Space::of(server, "dry");
    space.apply(&space.bundle(&[&space.map("a", "1"), &space.map("b", "1")]), &[]).succeeds();
    let before = space.versions();
    assert_eq!(before.len(), 3, "{before:?}");
    let other = [namespace("dry-new"), map("dry-new", "d", "1")].concat();
    let new = space.bundle(&[&space.map("a", "2"), &space.map("c", "1"), &other]);
    let (out, err) = space.apply(&new, &["--dry-run", "server"]).succeeds();
    let mut lines: Vec<&str> = out.lines().collect();
    lines.sort_unstable();
    assert_eq!(
        lines,
        [
            "changed ConfigMap dry/a",
            "created ConfigMap dry-new/d",
            "created ConfigMap dry/c",
            "created Namespace dry-new",
            "pruned ConfigMap dry/b"
        ]
    );
    assert!(err.contains("nothing was written"), "{err}");
    let (out, _) = space.apply(&new, &["--dry-run", "client"]).succeeds();
    assert!(out.starts_with("wave 1\n  Namespace dry\n"), "{out}");
    assert_eq!(space.versions(), before);
    assert!(space.cluster.get("namespace", "", "dry-new").is_none());
}

fn an_object_that_moved_to_another_inventory_is_not_pruned(server: Server) {
    let space = Space::of(server, "moved");
    space.apply(&space.bundle(&[&space.map("a", "1"), &space.map("b", "1")]), &[]).succeeds();
    space.apply_as("moved-to", &space.map("b", "1"), &[]).succeeds();
    let (out, err) = space.apply(&space.bundle(&[&space.map("a", "1")]), &["--prune"]).succeeds();
    assert_eq!(out, "", "{err}");
    assert!(err.contains("ConfigMap moved/b stays: the inventory `moved-to` lists it too"), "{err}");
    assert!(space.has_map("b"));
}

fn a_storage_class_that_does_not_exist_is_named(server: Server) {
    let space = Space::of(server, "classes");
    let class = "apiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {name: classes}\nprovisioner: example.com/none\n\
         volumeBindingMode: WaitForFirstConsumer\n";
    space.cluster.apply(class);
    let claim = space.claim("disk", "storageClassName: fast, ");
    let err = space.apply(&space.bundle(&[&claim]), &["--timeout", "1s"]).fails().1;
    let why =
        "PersistentVolumeClaim classes/disk was not ready in time: the storage class `fast` does not exist";
    assert!(err.contains(why), "{err}");
    // A class that waits for a pod is no reason to wait.
    space
        .apply(&space.bundle(&[&space.claim("other", "storageClassName: classes, ")]), &["--no-prune"])
        .succeeds();
}

fn a_comparison_with_the_cluster_shows_what_an_apply_would_prune(server: Server) {
    let space = Space::of(server, "compared");
    let less = space.bundle(&[&space.map("a", "1")]);
    space
        .apply(&[&*less, &space.claim("disk", ""), &space.map("b", "1")].concat(), &["--no-wait"])
        .succeeds();
    space.cluster.write("less.yaml", &less);
    let diff = |more: &[&str], code: i32| {
        let run = space.cluster.kfc(&[&["diff", "cluster", "less.yaml"], more].concat());
        assert_eq!(run.code, Some(code), "{}\n{}", run.out, run.err);
        (run.out, run.err)
    };
    let (out, err) = diff(&["--name", "compared"], 1);
    assert!(out.contains("1 removed") && out.contains("- ConfigMap compared/b"), "{out}");
    let left = "it left the bundle of the inventory `compared`; an apply with `--prune` deletes it";
    assert!(out.contains(left), "{out}");
    assert!(err.contains("PersistentVolumeClaim compared/disk stays"), "{err}");
    let (out, _) = diff(&["--name", "compared", "--delete-pvcs"], 1);
    assert!(out.contains("- PersistentVolumeClaim compared/disk  [data-loss]"), "{out}");
    let (out, err) = diff(&[], 0);
    assert!(!out.contains("removed") && err.contains("pass `--name` to see"), "{out}{err}");
}

fn two_stacks_that_write_one_object_are_reported(server: Server) {
    let space = Space::of(server, "stacks");
    space.apply(&space.bundle(&[&space.map("common", "1")]), &[]).succeeds();
    let (_, err) = space.apply_as("stacks-same", &space.map("common", "1"), &[]).succeeds();
    assert!(err.contains("the inventory `stacks` lists 1 object of this bundle too"), "{err}");
    assert!(err.contains("`kfc inventory move stacks stacks-same`"), "{err}");
    assert_eq!(space.managers("common"), ["kfc-stacks", "kfc-stacks-same"]);
    space.cluster.kfc(&["inventory", "move", "stacks-same", "stacks"]).succeeds();
    let other = space.bundle(&[&space.map("common", "2")]);
    let err = space.apply_as("stacks-two", &other, &[]).refused();
    assert!(
        err.contains("`data.key` is owned by the inventory `stacks` (field manager `kfc-stacks`)"),
        "{err}"
    );
    assert!(
        err.contains("if `stacks-two` replaces `stacks`, run `kfc inventory move stacks stacks-two`"),
        "{err}"
    );
    let listed = |name: &str| super::space::listed(&space.cluster, name).len();
    assert_eq!(listed("stacks-two"), 0, "nothing was written, so nothing is listed");
    // A flag takes the field; the other inventory keeps the object and gets the conflict in turn.
    space.apply_as("stacks-two", &other, &["--force-conflicts"]).succeeds();
    let err = space.apply(&space.bundle(&[&space.map("common", "1")]), &[]).refused();
    assert!(err.contains("is owned by the inventory `stacks-two`"), "{err}");
    // Another flag takes the object.
    let (_, err) = space.apply_as("stacks-three", &other, &["--adopt"]).succeeds();
    assert!(err.contains("2 objects are taken over from the inventory `stacks`"), "{err}");
    assert_eq!((listed("stacks"), listed("stacks-two"), listed("stacks-three")), (0, 0, 2));
    assert_eq!(space.managers("common"), ["kfc-stacks-three"]);
}

fn an_inventory_moves_to_another(server: Server) {
    let space = Space::of(server, "moving");
    let bundle = |value: &str| space.bundle(&[&space.claim("disk", ""), &space.map("a", value)]);
    space.apply(&bundle("1"), &["--no-wait"]).succeeds();
    let run = |args: &[&str]| space.cluster.kfc(&[&["inventory"], args].concat());
    let (out, _) = run(&["move", "moving", "moving+cpu", "--dry-run"]).succeeds();
    assert!(out.contains("would move ConfigMap moving/a\n") && space.listed().len() == 3, "{out}");
    let (out, err) = run(&["move", "moving", "moving+cpu"]).succeeds();
    assert!(out.contains("moved PersistentVolumeClaim moving/disk\n"), "{out}");
    assert!(err.contains("`moving-cpu` now lists 3 objects of `moving`"), "{err}");
    assert!(space.listed().is_empty());
    assert_eq!(space.managers("a"), ["kfc-moving-cpu"]);
    let (out, err) = space.apply_as("moving-cpu", &bundle("2"), &["--no-wait"]).succeeds();
    assert_eq!(out, "changed ConfigMap moving/a\n", "{err}");
    let (out, _) = run(&["list"]).succeeds();
    let is_new = |line: &str| line.split_whitespace().eq(["default/moving-cpu", "3"]);
    assert!(out.lines().any(is_new), "{out}");
    assert!(!out.contains("default/moving "), "{out}");
    let err = run(&["move", "moving", "other"]).refused();
    assert!(err.contains("the inventory `moving` does not exist"), "{err}");
}

/// With a server of its own, as it stops the deletions of all others.
fn inventories_that_cannot_be_read_stop_a_deletion(server: Server) {
    let cluster = Cluster::start_with(&server.setup());
    cluster.write("one.yaml", &map("default", "a", "1"));
    cluster.kfc(&["apply", "one.yaml", "--name", "one"]).succeeds();
    let broken = "{apiVersion: v1, kind: ConfigMap, data: {objects: what is this}, metadata: \
        {name: kfc-inventory-two, namespace: kube-public, labels: {kfc.dev/inventory: two}}}";
    cluster.apply(broken);
    let err = cluster.kfc(&["delete", "--name", "one", "--yes"]).refused();
    assert!(err.contains("error[KFC1606]: cannot find out what other inventories list"), "{err}");
    assert!(err.contains("the inventory `two` in `kube-public` has a line that kfc cannot read"), "{err}");
    assert!(cluster.get("configmap", "default", "a").is_some());
}

/// Nothing else on the shared server asks for nodes.
fn a_live_cluster_is_detected(server: Server) {
    let space = Space::of(server, "detected");
    let node = "{apiVersion: v1, kind: Node, metadata: {name: minikube, \
        labels: {minikube.k8s.io/name: minikube, kubernetes.io/arch: amd64}}}";
    space.cluster.apply(node);
    let status = r#"{"status": {"nodeInfo": {"architecture": "amd64", "kubeletVersion": "v1.33.0", "bootID": "", "containerRuntimeVersion": "", "kernelVersion": "", "kubeProxyVersion": "", "machineID": "", "operatingSystem": "linux", "osImage": "", "systemUUID": ""}, "capacity": {"cpu": "4"}}}"#;
    let patch = ["patch", "node", "minikube", "--subresource=status", "--type=merge", "--patch", status];
    space.cluster.kubectl(&patch).succeeds();
    let (out, err) = space.cluster.kfc(&["detect"]).succeeds();
    assert!(out.starts_with("profile: minikube"), "{out}\n{err}");
    let build = ["build", "--detect", "--components", "mpi-operator"];
    let (out, err) = space.cluster.kfc(&build).succeeds();
    assert!(err.contains("detected: minikube") && out.contains("mpi-operator"), "{err}");
}

/// A pod of the Deployment, as a controller makes it: there is none on a bare server.
fn make_pod(space: &Space, status: &Value) {
    let pod = format!(
        "{{apiVersion: v1, kind: Pod, metadata: {{name: web-1, namespace: {}, labels: {{app: web}}}}, \
         spec: {{nodeName: nowhere, containers: [{{name: web, image: 'web:1'}}]}}}}",
        space.name
    );
    let account = "{apiVersion: v1, kind: ServiceAccount, metadata: {name: default, namespace: NAME}}\n---\n";
    space.cluster.apply(&[&account.replace("NAME", space.name), &*pod].concat());
    let (place, status) = (format!("--namespace={}", space.name), json!({"status": status}).to_string());
    let patch = ["patch", "pod", "web-1", "--subresource=status", "--type=merge", &place, "--patch", &status];
    space.cluster.kubectl(&patch).succeeds();
}

fn why_a_workload_is_not_ready_is_reported(server: Server) {
    let space = Space::of(server, "broken");
    let bundle = space.bundle(&[&space.deployment("missing:1")]);
    let mut command = {
        space.cluster.write("broken.yaml", &bundle);
        let args = ["apply", "broken.yaml", "--name", "broken", "--timeout", "2s"];
        space.cluster.kfc(&[&args[..4], &["--no-wait"]].concat()).succeeds();
        space.cluster.kfc_command(&args)
    };
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let waiting = json!({"reason": "ImagePullBackOff", "message": "Back-off pulling image \"missing:1\""});
    let container = |state: &Value, last: &Value| json!({"name": "web", "image": "", "imageID": "", "ready": false, "restartCount": 1, "state": state, "lastState": last});
    make_pod(
        &space,
        &json!({"phase": "Pending", "containerStatuses": [container(&json!({"waiting": waiting}), &json!({}))]}),
    );
    space.cluster.apply(
        "{apiVersion: v1, kind: Event, metadata: {name: web-1.a, namespace: broken}, type: Warning, reason: Failed, count: 3, \
         message: pulling failed, lastTimestamp: '2026-01-01T00:00:00Z', \
         involvedObject: {kind: Pod, name: web-1, namespace: broken}}",
    );
    let generation = |available: u32| {
        let status = json!({"status": {"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "availableReplicas": available, "readyReplicas": available, "unavailableReplicas": 1 - available}}).to_string();
        let patch = [
            "patch",
            "deployment",
            "web",
            "--namespace=broken",
            "--subresource=status",
            "--type=merge",
            "--patch",
            &status,
        ];
        space.cluster.kubectl(&patch).succeeds();
    };
    generation(0);
    let run = super::cluster::Run::of(&mut command);
    let err = run.refused();
    let why = "error[KFC1604]: Deployment broken/web was not ready in time: 0 of 1 replicas are available";
    assert!(err.contains(why), "{err}");
    assert!(err.contains("ImagePullBackOff: Back-off pulling image \"missing:1\""), "{err}");
    assert!(err.contains("event of Pod web-1: Failed: pulling failed (3 times)"), "{err}");
    assert!(err.contains("the apply failed with 1 error"), "{err}");
    // A container that ended with an error: what it printed, which a kubelet would have.
    let state = container(
        &json!({"waiting": {"reason": "CrashLoopBackOff"}}),
        &json!({"terminated": {"exitCode": 3, "reason": "Error"}}),
    );
    make_pod(&space, &json!({"phase": "Running", "containerStatuses": [state]}));
    let log = "starting\nlistening\na\nb\n\u{1b}[31mcannot open /data: permission denied\nexit\n";
    let log = json!([{"method": "GET", "path": "/pods/web-1/log$", "status": 200, "body": log, "times": 1}]);
    let mut proxy = space.cluster.with_faults(&log);
    let err = proxy.kfc(&["apply", "broken.yaml", "--name", "broken", "--timeout", "2s"]).refused();
    assert!(proxy.left().is_empty());
    assert!(err.contains("CrashLoopBackOff (last time Error with exit status 3)"), "{err}");
    assert!(
        err.contains(" printed: listening | a | b | ") && err.contains("permission denied | exit"),
        "{err}"
    );
    assert!(!err.contains('\u{1b}') && !err.contains("starting"), "{err}");
    generation(1);
    space.apply(&bundle, &[]).succeeds();
}
