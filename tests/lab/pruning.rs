//! What goes and what stays: what left the bundle, what is deleted, and what is asked before.

use super::cluster::{Run, Server, on_each_server};
use super::shop::{carts, developer};
use super::space::{Space, map};
use std::io::Write;
use std::process::Stdio;

on_each_server! { Controlled:
    a_definition_that_left_the_bundle_stays_while_it_has_objects
    a_component_that_left_the_stack_is_pruned
    deletions_are_confirmed_and_bundles_without_a_stack_are_named
    what_existed_before_is_applied_but_not_deleted
    nothing_is_pruned_without_consent
    a_terminal_asks_before_anything_is_deleted
}

/// Deletions need the controllers, which collect garbage and empty namespaces.
fn space(name: &'static str) -> Space {
    Space::of(Server::Controlled, name)
}

#[test]
#[ignore = "needs the lab: .ci/lab"]
fn what_left_the_bundle_is_pruned_but_no_namespaces_and_volumes_without_consent() {
    let space = space("left");
    let kept = space.map("kept", "a").replace("{name:", "{annotations: {kfc.dev/prune: disabled}, name:");
    let all = [&*space.claim("disk", ""), &space.map("a", "1"), &space.map("b", "1"), &kept];
    space.apply(&space.bundle(&all), &["--no-wait"]).succeeds();
    let less = map("default", "left", "1");
    let (out, err) = space.apply(&less, &["--prune"]).succeeds();
    assert!(out.contains("pruned ConfigMap left/a\n") && out.contains("pruned ConfigMap left/b\n"), "{out}");
    let stays =
        "Namespace left stays: namespaces are deleted only with `--delete-namespaces` or `--delete-all`";
    assert!(err.contains(stays), "{err}");
    assert!(err.contains("PersistentVolumeClaim left/disk stays"), "{err}");
    assert!(err.contains("ConfigMap left/kept stays: its annotation `kfc.dev/prune` is `disabled`"), "{err}");
    assert!(space.has_map("kept") && !space.has_map("a"));
    // A namespace goes only when nothing in it stays: neither a claim that is kept, nor what no inventory lists without a note.
    let (out, err) = space.apply(&less, &["--delete-namespaces"]).succeeds();
    assert_eq!(out, "", "{err}");
    assert!(err.contains("Namespace left stays: PersistentVolumeClaim left/disk in it stays"), "{err}");
    let (out, err) = space.apply(&less, &["--prune-all"]).succeeds();
    assert_eq!(out, "pruned PersistentVolumeClaim left/disk\npruned Namespace left\n");
    assert!(
        err.contains("deleting Namespace left deletes 1 object that no inventory lists: ConfigMap left/kept"),
        "{err}"
    );
    assert!(!space.exists());
}

fn a_definition_that_left_the_bundle_stays_while_it_has_objects(server: Server) {
    let space = Space::of(server, "toys");
    let schema = "schema: {openAPIV3Schema: {type: object}}";
    let definition = carts(schema).replace("shop.example.com", "toys.example.com") + "---\n";
    space.apply(&space.bundle(&[&definition, &space.map("a", "1")]), &[]).succeeds();
    let cart = "{apiVersion: toys.example.com/v1, kind: Cart, metadata: {name: mine, namespace: toys}}";
    space.cluster.apply(cart);
    let less = space.bundle(&[]);
    let (out, err) = space.apply(&less, &["--prune", "--prune-most"]).succeeds();
    assert_eq!(out, "pruned ConfigMap toys/a\n", "{err}");
    assert!(err.contains("1 object of its kind exists: it is deleted only with `--delete-crds`"), "{err}");
    space.cluster.kubectl(&["delete", "carts.toys.example.com", "mine", "--namespace=toys"]).succeeds();
    let (out, err) = space.apply(&less, &["--prune", "--prune-most"]).succeeds();
    assert_eq!(out, "pruned CustomResourceDefinition carts.toys.example.com\n", "{err}");
    assert!(space.cluster.get("crd", "", "carts.toys.example.com").is_none());
}

fn a_component_that_left_the_stack_is_pruned(server: Server) {
    let space = Space::of(server, "kind");
    let apply = |components: &str, more: &[&str]| {
        space.cluster.kfc(&[&["apply", "kind", "--components", components, "--no-wait"], more].concat())
    };
    apply("metacontroller,mpi-operator", &[]).succeeds();
    let (out, err) = apply("metacontroller", &["--prune-most"]).succeeds();
    assert!(out.lines().all(|line| line.starts_with("pruned ")) && out.lines().count() > 3, "{out}");
    assert!(out.contains("pruned CustomResourceDefinition mpijobs.kubeflow.org\n"), "{out}{err}");
    let left: Vec<String> = space.listed().into_iter().filter(|name| name.contains("mpi")).collect();
    assert_eq!(left, [""; 0], "{err}");
    assert!(space.cluster.get("deployment", "kubeflow", "mpi-operator").is_none());
}

#[test]
#[ignore = "needs the lab: .ci/lab"]
fn a_deletion_that_is_held_up_says_by_what() {
    let space = space("held");
    let held = space.map("held", "1").replace("{name:", "{finalizers: [example.com/mine], name:");
    space.apply(&space.bundle(&[&held, &space.map("free", "1")]), &[]).succeeds();
    let (_, err) = space.delete(&["--delete-all", "--timeout", "3s"]).fails();
    let why = "error[KFC1607]: ConfigMap held/held was not deleted in time: finalizers: `example.com/mine`";
    assert!(err.contains(why), "{err}");
    assert!(space.listed().contains("ConfigMap held/held"));
    space.edit("configmap", "held", r#"{"metadata": {"finalizers": null}}"#);
    space.delete(&["--delete-all"]).succeeds();
    assert!(!space.exists() && space.listed().is_empty());
    let (out, err) = space.delete(&[]).succeeds();
    assert!(out.is_empty() && err.contains("nothing to delete"), "{err}");
}

fn deletions_are_confirmed_and_bundles_without_a_stack_are_named(server: Server) {
    let space = Space::of(server, "confirmed");
    space.apply(&space.bundle(&[&space.map("a", "1")]), &[]).succeeds();
    let delete = |more: &[&str]| space.cluster.kfc(&[&["delete", "--name", "confirmed"], more].concat());
    let err = delete(&[]).refused();
    assert!(err.contains("the deletion has to be confirmed") && err.contains("them: 1 ConfigMap."), "{err}");
    let err = delete(&["--delete-namespaces"]).refused();
    assert!(err.contains("has to be confirmed") && err.contains("1 ConfigMap, 1 Namespace"), "{err}");
    let err = space.cluster.kfc(&["apply", "confirmed.yaml"]).refused();
    assert!(err.contains("`--name confirmed`"), "{err}");
    assert!(space.has_map("a"));
}

fn what_existed_before_is_applied_but_not_deleted(server: Server) {
    let space = Space::of(server, "before");
    space.apply_as("before-base", &space.bundle(&[]), &[]).succeeds();
    let theirs = ["create", "configmap", "theirs", "--namespace=before", "--from-literal=key=1"];
    space.cluster.kubectl(&theirs).succeeds();
    let text = [space.map("theirs", "1"), space.map("own", "1")].concat();
    let (_, err) = space.apply(&text, &[]).succeeds();
    let note = "1 object of this bundle existed before, not applied by kfc: ConfigMap before/theirs";
    assert!(err.contains(note), "{err}");
    space.apply(&text, &[]).succeeds();
    let (out, err) = space.delete(&[]).succeeds();
    assert_eq!(out, "deleted ConfigMap before/own\n");
    assert!(err.contains("ConfigMap before/theirs stays: it existed before"), "{err}");
    assert!(space.has_map("theirs"));
    // With a flag it is the inventory's own.
    space.apply(&text, &["--adopt"]).succeeds();
    let (out, _) = space.delete(&[]).succeeds();
    assert_eq!(out, "deleted ConfigMap before/own\ndeleted ConfigMap before/theirs\n");
}

fn nothing_is_pruned_without_consent(server: Server) {
    let space = Space::of(server, "consent");
    space.apply(&space.bundle(&[&space.maps(0..9)]), &[]).succeeds();
    let changed = space.bundle(&[&space.maps(0..8), &space.map("new", "1")]);
    let (out, err) = space.apply(&changed, &[]).succeeds();
    assert_eq!(out, "created ConfigMap consent/new\n", "objects are created and changed");
    let left = "1 object left the bundle, to be deleted only with `--prune`:\n  left ConfigMap consent/m0008";
    assert!(err.contains(left) && err.contains("1 not pruned"), "{err}");
    assert!(space.listed().contains("ConfigMap consent/m0008"), "the inventory still lists it");
    let (out, err) = space.apply(&changed, &["--yes"]).succeeds();
    assert_eq!(out, "pruned ConfigMap consent/m0008\n", "{err}");
    // Most of an inventory goes only with a flag of its own.
    let few = space.bundle(&[&space.maps(0..2)]);
    let err = space.apply(&few, &["--prune"]).refused();
    let most =
        "error[KFC1610]: 7 of the 10 objects that the inventory lists left the bundle and would be deleted";
    assert!(err.contains(most), "{err}");
    assert!(space.has_map("m0007"));
    let (out, _) = space.apply(&few, &["--prune-most"]).succeeds();
    assert_eq!(out.lines().count(), 7, "{out}");
    let (_, err) = space.apply(&space.bundle(&[&space.maps(0..1)]), &["--no-prune"]).succeeds();
    assert!(space.has_map("m0001") && !err.contains("left the bundle"), "{err}");
}

fn a_terminal_asks_before_anything_is_deleted(server: Server) {
    let space = Space::of(server, "asked");
    let maps = [space.map("a", "1"), space.map("b", "1")];
    space.apply(&space.bundle(&[&maps[0], &maps[1]]), &[]).succeeds();
    space.cluster.write("asked.yaml", &space.bundle(&[&maps[0]]));
    let args = ["apply", "asked.yaml", "--name", "asked"];
    let run = space.cluster.on_terminal(&args, "n\n");
    assert!(run.code == Some(0) && run.out.contains("delete ConfigMap asked/b"), "{}", run.out);
    assert!(run.out.contains("[y/N]") && space.has_map("b"), "{}", run.out);
    let run = space.cluster.on_terminal(&args, "y\n");
    assert!(run.code == Some(0) && run.out.contains("pruned ConfigMap asked/b"), "{}", run.out);
    let delete = ["delete", "--name", "asked"];
    let run = space.cluster.on_terminal(&delete, "y\n");
    assert!(run.code == Some(1) && run.out.contains("not confirmed"), "{}", run.out);
    let run = space.cluster.on_terminal(&delete, "asked\n");
    assert!(run.code == Some(0) && run.out.contains("deleted ConfigMap asked/a"), "{}", run.out);
}

fn input(space: &Space, args: &[&str], text: &str) -> Run {
    let mut command = space.cluster.kfc_command(args);
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut run = command.spawn().unwrap();
    run.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    run.wait_with_output().unwrap().into()
}

#[test]
#[ignore = "needs the lab: .ci/lab"]
fn files_and_standard_input_are_deleted_and_leave_their_inventories() {
    let space = space("files");
    let cluster = &space.cluster;
    let web = space.deployment("web:1").replace("      nodeName: nowhere\n", "");
    let all = space.bundle(&[&space.map("a", "1"), &space.map("b", "1"), &web]);
    space.apply(&all, &["--no-wait"]).succeeds();
    cluster.write("some.yaml", &[space.map("a", "1"), space.map("none", "1")].concat());
    // What an inventory lists is not deleted without a flag.
    let err = cluster.kfc(&["delete", "some.yaml", "--yes"]).refused();
    assert!(err.contains("error[KFC1603]: inventories list 1 object of these"), "{err}");
    assert!(
        err.contains("the inventory `files` lists ConfigMap files/a") && err.contains("--adopt"),
        "{err}"
    );
    let err = cluster.kfc(&["delete", "some.yaml", "--adopt"]).refused();
    assert!(err.contains("the deletion has to be confirmed") && err.contains("1 ConfigMap"), "{err}");
    let (out, _) = cluster.kfc(&["delete", "some.yaml", "--adopt", "--dry-run"]).succeeds();
    assert_eq!(out, "would delete ConfigMap files/a\n");
    let (out, err) = cluster.kfc(&["delete", "some.yaml", "--adopt", "--yes"]).succeeds();
    assert_eq!(out, "deleted ConfigMap files/a\n");
    assert!(err.contains("done: 1 deleted, 1 missing"), "{err}");
    assert!(!space.listed().contains("ConfigMap files/a"), "the inventory no longer lists it");
    let (out, _) = input(&space, &["delete", "-", "--yes", "--adopt", "--delete-all"], &all).succeeds();
    assert_eq!(out.lines().last(), Some("deleted Namespace files"), "{out}");
    assert!(!space.exists() && space.listed().is_empty(), "the inventory is gone, too");
    // A kustomization root.
    cluster.write("kustomization.yaml", "resources: [files.yaml]\n");
    cluster.kfc(&["apply", ".", "--name", "files", "--no-wait"]).succeeds();
    cluster.kfc(&["delete", ".", "--yes", "--adopt", "--delete-all"]).succeeds();
    assert!(!space.exists() && space.listed().is_empty());
}

#[test]
#[ignore = "needs the lab: .ci/lab"]
fn a_namespace_with_objects_of_another_inventory_stays() {
    let space = space("guests");
    space.apply(&space.bundle(&[&space.map("a", "1")]), &[]).succeeds();
    let guest = ["--inventory-namespace", "kube-public"];
    space.apply_as("guest", &space.map("b", "1"), &guest).succeeds();
    let stays = "Namespace guests stays: the inventory `guest` in `kube-public` has objects in it";
    let (out, err) = space.delete(&["--delete-all"]).succeeds();
    assert_eq!(out, "deleted ConfigMap guests/a\n");
    assert!(err.contains(stays) && space.has_map("b"), "{err}");
    // Nor is it deleted by a file that names it.
    let delete = ["delete", "guests.yaml", "--yes", "--adopt", "--delete-all"];
    let (_, err) = space.cluster.kfc(&delete).succeeds();
    assert!(err.contains(stays) && space.has_map("b"), "{err}");
}

#[test]
#[ignore = "needs the lab: .ci/lab"]
fn objects_of_inventories_that_cannot_be_seen_stay() {
    let space = space("unseen");
    let cluster = &space.cluster;
    // May edit in the namespace, and delete namespaces, but sees no inventories of others.
    cluster.apply(&space.bundle(&[&developer("unseen")]));
    let role = "{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: unseen}, \
         rules: [{apiGroups: [''], resources: [namespaces], verbs: ['*']}]}\n---\n\
         {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: unseen}, \
         roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: unseen}, \
         subjects: [{kind: ServiceAccount, name: dev, namespace: unseen}]}\n";
    cluster.apply(role);
    let dev = cluster.sign_in("unseen", "dev");
    let may = ["auth", "can-i", "create", "leases.coordination.k8s.io", "--namespace=unseen"];
    cluster.wait("the user has the rights of `edit`", 60, || {
        cluster.kubectl(&[&may[..], &["--context", &dev]].concat()).code == Some(0)
    });
    let own = ["--context", &dev, "--inventory-namespace", "unseen"];
    let text = space.bundle(&[&space.map("common", "1"), &space.map("a", "1")]);
    space.apply(&text, &[&own[..], &["--adopt"]].concat()).succeeds();
    let other = ["--inventory-namespace", "kube-public"];
    space.apply_as("unseen-two", &space.map("common", "1"), &other).succeeds();
    let delete = ["delete", "--name", "unseen", "--yes", "--adopt", "--delete-all"];
    let (out, err) = cluster.kfc(&[&delete[..], &own].concat()).succeeds();
    assert_eq!(out, "deleted ConfigMap unseen/a\n", "{err}");
    let stays = "ConfigMap unseen/common stays: the inventory `unseen-two` in `kube-public` applies it too";
    assert!(err.contains(stays), "{err}");
    assert!(err.contains("Namespace unseen stays: inventories of other namespaces"), "{err}");
}
