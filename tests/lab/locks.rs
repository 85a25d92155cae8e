//! One run at a time for each inventory: its Lease, who holds it, and what becomes of it. Also against the API server of the oldest
//! supported version.

use super::cluster::{Server, on_each_server};
use super::space::{Space, map};
use serde_json::Value;
use std::process::{Child, Command, Stdio};

on_each_server! { Bare:
    one_run_at_a_time_works_on_an_inventory
    the_lock_of_a_killed_run_expires_and_that_of_an_interrupted_one_is_released
    who_may_not_lock_gets_a_warning
}

fn spawn(space: &Space, args: &[&str]) -> Child {
    let mut command = space.cluster.kfc_command(args);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn lease(space: &Space) -> Option<Value> {
    space.cluster.get("lease", "default", &format!("kfc-inventory-{}", space.name))
}

fn one_run_at_a_time_works_on_an_inventory(server: Server) {
    let space = Space::of(server, "locked");
    space.cluster.write("locked.yaml", &space.bundle(&[&space.slow("cell")]));
    let args = ["apply", "locked.yaml", "--name", "locked"];
    let first = spawn(&space, &args);
    space.cluster.wait("the first run takes the lock", 30, || lease(&space).is_some());
    space.cluster.wait("the first run waits", 30, || space.has_map("cell"));
    let holder = format!("process {}", first.id());
    for second in [&args[..], &["delete", "--name", "locked", "--yes"]] {
        let err = space.cluster.kfc(&[second, &["--lock-timeout", "0s"]].concat()).refused();
        assert!(err.contains("error[KFC1609]: another run works on the inventory `locked`"), "{err}");
        assert!(err.contains(&holder), "{err}");
    }
    // Another inventory is free, and a dry run needs no lock.
    space.apply_as("locked-other", &map("default", "locked", "1"), &["--lock-timeout", "0s"]).succeeds();
    space.cluster.kfc(&[&args[..], &["--dry-run", "server", "--lock-timeout", "0s"]].concat()).succeeds();
    let second = spawn(&space, &args);
    space.warm("cell");
    assert!(first.wait_with_output().unwrap().status.success());
    let second = second.wait_with_output().unwrap();
    assert!(second.status.success());
    assert!(lease(&space).is_none(), "the lock goes with the run");
}

fn the_lock_of_a_killed_run_expires_and_that_of_an_interrupted_one_is_released(server: Server) {
    let space = Space::of(server, "expires");
    space.cluster.write("expires.yaml", &space.bundle(&[&space.slow("cell")]));
    let args = ["apply", "expires.yaml", "--name", "expires", "--lock-duration", "2s"];
    let renewed = || lease(&space).map(|lease| lease["spec"]["renewTime"].clone());
    let mut killed = spawn(&space, &args);
    space.cluster.wait("the run takes the lock", 30, || renewed().is_some());
    let taken = renewed();
    space.cluster.wait("the run renews the lock", 30, || renewed() != taken);
    killed.kill().unwrap();
    killed.wait().unwrap();
    let holder = format!("process {}", killed.id());
    let (_, err) =
        space.cluster.kfc(&[&args[..], &["--no-wait", "--lock-timeout", "60s"]].concat()).succeeds();
    assert!(err.contains("waiting for another run on the inventory `expires`: "), "{err}");
    assert!(err.contains(&holder), "{err}");
    let interrupted = spawn(&space, &args);
    space.cluster.wait("the run takes the lock", 30, || renewed().is_some());
    Command::new("kill").args(["-INT", &interrupted.id().to_string()]).status().unwrap();
    let ended = interrupted.wait_with_output().unwrap();
    let err = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.code() == Some(130) && ended.stdout.is_empty() && err.contains("KFC1608"), "{err}");
    assert!(lease(&space).is_none());
}

fn who_may_not_lock_gets_a_warning(server: Server) {
    let space = Space::of(server, "lockless");
    let account = "{apiVersion: v1, kind: ServiceAccount, metadata: {name: narrow, namespace: lockless}}\n---\n\
        {apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: narrow, namespace: lockless}, \
        rules: [{apiGroups: [''], resources: [configmaps], verbs: ['*']}]}\n---\n\
        {apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: narrow, namespace: lockless}, \
        roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: narrow}, \
        subjects: [{kind: ServiceAccount, name: narrow, namespace: lockless}]}\n";
    space.cluster.apply(&space.bundle(&[account]));
    let context = space.cluster.sign_in("lockless", "narrow");
    let own = ["--context", &context, "--inventory-namespace", "lockless"];
    let (out, err) = space.apply(&space.map("a", "1"), &own).succeeds();
    assert_eq!(out, "created ConfigMap lockless/a\n", "{err}");
    assert!(err.contains("warning: the inventory `lockless` in `lockless` cannot be locked"), "{err}");
    assert!(err.contains("leases.coordination.k8s.io"), "{err}");
}
