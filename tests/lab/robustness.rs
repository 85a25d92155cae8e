//! Runs that are killed, and what servers say besides their answers.

use super::cluster::{Cluster, Server, Setup};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::process::Stdio;
use std::time::{Duration, Instant};

/// Some 40 objects in three waves. Each version has others, so that every run creates, changes and prunes.
fn bundle(version: usize) -> String {
    let mut text = "apiVersion: v1\nkind: Namespace\nmetadata: {name: kill}\n---\n".to_owned();
    let meta = |name: &str, at: usize| {
        format!("metadata: {{name: {name}-{at:02}, namespace: kill, labels: {{app: kill}}}}")
    };
    let range = |count: usize| (version % 3) * 3..(version % 3) * 3 + count;
    for at in range(18) {
        let _ = writeln!(
            text,
            "apiVersion: v1\nkind: ConfigMap\n{}\ndata: {{version: '{version}'}}\n---",
            meta("map", at)
        );
    }
    for at in range(6) {
        let _ = writeln!(
            text,
            "apiVersion: v1\nkind: Secret\n{}\nstringData: {{version: '{version}'}}\n---",
            meta("secret", at)
        );
        let _ = writeln!(
            text,
            "apiVersion: v1\nkind: Service\n{}\nspec: {{ports: [{{port: {}}}]}}\n---",
            meta("service", at),
            80 + version
        );
        let _ = writeln!(
            text,
            "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\n{}\nrules: []\n---",
            meta("role", at)
        );
    }
    text.push_str(
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: toys.kill.example.com}\nspec:\n  \
         group: kill.example.com\n  scope: Namespaced\n  names: {plural: toys, kind: Toy}\n  versions:\n  - name: v1\n    \
         served: true\n    storage: true\n    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}\n---\n",
    );
    for at in range(4) {
        let _ = writeln!(
            text,
            "apiVersion: kill.example.com/v1\nkind: Toy\n{}\nspec: {{version: {version}}}\n---",
            meta("toy", at)
        );
    }
    text
}

/// The labelled objects that exist, as `ConfigMap kill/map-01`.
fn existing(cluster: &Cluster) -> BTreeSet<String> {
    let format =
        "--output=jsonpath={range .items[*]}{.kind} {.metadata.namespace}/{.metadata.name}{\"\\n\"}{end}";
    let mut kinds = "configmaps,secrets,services,roles".to_owned();
    if cluster.get("crd", "", "toys.kill.example.com").is_some() {
        kinds.push_str(",toys.kill.example.com");
    }
    let (out, _) =
        cluster.kubectl(&["get", &kinds, "--namespace=kill", "--selector=app=kill", format]).succeeds();
    out.lines().map(str::to_owned).collect()
}

fn listed(cluster: &Cluster) -> BTreeSet<String> {
    let (out, _) = cluster.kfc(&["inventory", "show", "kill", "-o", "name"]).succeeds();
    out.lines().map(str::to_owned).collect()
}

/// Kills runs at random moments. After each, the inventory lists all that exists; a run that is left alone then brings
/// exactly the bundle, and the inventory lists exactly it.
fn is_killed(times: u32) {
    let cluster = Cluster::start_with(&Setup { nodes: Some(0), ..Setup::default() });
    let args = ["apply", "kill.yaml", "--name", "kill", "--prune", "--prune-most", "--lock-duration", "1s"];
    cluster.write("kill.yaml", &bundle(0));
    let start = Instant::now();
    cluster.kfc(&args).succeeds();
    let whole = start.elapsed();
    let mut random: u64 = 0x2545_F491_4F6C_DD1D;
    let mut completed = 0;
    for round in 1..=times {
        let version = usize::try_from(round).unwrap();
        cluster.write("kill.yaml", &bundle(version));
        let mut run = cluster.kfc_command(&args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let share = u32::try_from((random >> 33) % 1100).unwrap();
        std::thread::sleep(whole * share / 1000);
        completed += u32::from(run.try_wait().unwrap().is_some());
        // The client that enters the namespace becomes kfc itself.
        run.kill().unwrap();
        run.wait().unwrap();
        let (exists, lists) = (existing(&cluster), listed(&cluster));
        let lost: Vec<_> = exists.difference(&lists).collect();
        assert!(lost.is_empty(), "round {round}: the inventory does not list {lost:?}");
        if round % 5 == 0 {
            let (_, err) = cluster.kfc(&args).succeeds();
            let wanted: BTreeSet<String> = lists_of(&bundle(version));
            assert_eq!(existing(&cluster), wanted, "round {round}: {err}");
            let lists: BTreeSet<String> =
                listed(&cluster).into_iter().filter(|line| line.contains("kill/")).collect();
            assert_eq!(lists, wanted, "round {round}: {err}");
            assert_eq!(cluster.kfc(&args).succeeds().0, "", "round {round}");
        }
    }
    is_killed_while_it_deletes(&cluster, whole, times);
    assert!(completed < times / 2, "{completed} of {times} runs were complete before they were killed");
    println!(
        "figure: {times} runs of 48 objects killed at random moments, {completed} of them after their end: nothing lost"
    );
    std::thread::sleep(Duration::ZERO);
}

/// Kills deletions: what still exists stays listed, and the last one leaves nothing.
fn is_killed_while_it_deletes(cluster: &Cluster, whole: Duration, times: u32) {
    let delete = ["delete", "--name", "kill", "--yes", "--delete-all", "--lock-duration", "1s"];
    for round in 1..=times / 5 {
        let mut run =
            cluster.kfc_command(&delete).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(whole * round / (times / 5 + 1));
        run.kill().unwrap();
        run.wait().unwrap();
        let exists = existing(cluster);
        let lists = if exists.is_empty() { BTreeSet::new() } else { listed(cluster) };
        let lost: Vec<_> = exists.difference(&lists).collect();
        assert!(lost.is_empty(), "deletion {round}: the inventory does not list {lost:?}");
    }
    cluster.kfc(&delete).succeeds();
    for kind in [("namespace", "kill"), ("crd", "toys.kill.example.com")] {
        assert!(cluster.get(kind.0, "", kind.1).is_none(), "{kind:?}");
    }
    assert_eq!(cluster.kfc(&["inventory", "list"]).succeeds().0, "");
    assert!(cluster.get("lease", "default", "kfc-inventory-kill").is_none());
}

/// The labelled objects of a bundle.
fn lists_of(text: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut kind = "";
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("kind: ") {
            kind = name;
        }
        if let Some(rest) = line.strip_prefix("metadata: {name: ").filter(|rest| rest.contains("app: kill")) {
            names.insert(format!("{kind} kill/{}", rest.split(',').next().unwrap()));
        }
    }
    names
}

#[test]
#[ignore = "needs the lab: .ci/lab"]
fn a_run_that_is_killed_at_any_moment_loses_nothing() {
    is_killed(20);
}

mod full {
    use super::{Cluster, Server, maps};

    #[test]
    #[ignore = "needs the lab, and minutes: .ci/full"]
    fn two_hundred_killed_runs_lose_nothing() {
        super::is_killed(200);
    }

    /// The list of these objects is larger than one object may be.
    #[test]
    #[ignore = "needs the lab, and minutes: .ci/full"]
    fn ten_thousand_objects_are_one_inventory() {
        let cluster = Cluster::start_with(&Server::Bare.setup());
        let apply = ["apply", "maps.yaml", "--name", "many", "--qps", "1000", "--prune", "--prune-most"];
        let inventories = || {
            let list = cluster.list("configmaps");
            list.iter().filter(|map| map["metadata"]["labels"]["kfc.dev/inventory"] == "many").count()
        };
        cluster.write("maps.yaml", &maps(0..10_000));
        assert_eq!(cluster.kfc(&apply).succeeds().0.lines().count(), 10_000);
        assert_eq!(inventories(), 2);
        assert_eq!(cluster.kfc(&apply).succeeds().0, "");
        cluster.write("maps.yaml", &maps(4_000..6_000));
        assert_eq!(cluster.kfc(&apply).succeeds().0.lines().count(), 8_000);
        assert_eq!(inventories(), 1);
        let (out, _) = cluster.kfc(&["inventory", "show", "many"]).succeeds();
        assert_eq!(out.lines().count(), 2_001, "with a line of titles");
        cluster.kfc(&["delete", "--name", "many", "--yes", "--qps", "1000"]).succeeds();
        assert_eq!(inventories(), 0);
    }
}

/// Config maps with long names.
fn maps(numbers: std::ops::Range<usize>) -> String {
    let mut text = String::new();
    for at in numbers {
        let name = format!("{}-{at:05}", "a-config-map-with-a-name-that-takes-room".repeat(3));
        let _ = writeln!(
            text,
            "{{apiVersion: v1, kind: ConfigMap, metadata: {{name: {name}, namespace: default}}}}\n---"
        );
    }
    text
}

#[test]
#[ignore = "needs the lab: .ci/lab"]
fn a_server_that_restarts_is_awaited() {
    let cluster = Cluster::start_with(&Server::Bare.setup());
    cluster.write("kill.yaml", &bundle(1));
    let args = ["apply", "kill.yaml", "--name", "kill", "--no-wait"];
    let slowly = [&args[..], &["--qps", "10"]].concat();
    let run = cluster.kfc_command(&slowly).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    std::thread::sleep(Duration::from_secs(2));
    cluster.restart_server(3);
    let output = run.wait_with_output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}\n{err}");
    assert!(!output.stdout.is_empty());
    assert_eq!(cluster.kfc(&args).succeeds().0, "");
    let wanted = lists_of(&bundle(1));
    assert_eq!(existing(&cluster), wanted);
    assert!(wanted.is_subset(&listed(&cluster)));
}

#[test]
#[ignore = "needs the lab: .ci/lab"]
fn what_the_server_warns_of_is_shown_once() {
    let cluster = Cluster::start_with(&Setup { bare: true, ..Setup::default() });
    let pod = |name: &str| {
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata:\n  name: {name}\n  namespace: default\n  annotations: {{scheduler.alpha.kubernetes.io/critical-pod: ''}}\n\
             spec: {{containers: [{{name: a, image: 'a:1'}}]}}\n---\n"
        )
    };
    let account =
        "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: default, namespace: default}\n---\n";
    cluster.write("pods.yaml", &[account, &pod("a"), &pod("b")].concat());
    let (_, err) = cluster.kfc(&["apply", "pods.yaml", "--name", "pods", "--no-wait"]).succeeds();
    let warnings: Vec<&str> =
        err.lines().filter(|line| line.starts_with("warning of the server: ")).collect();
    assert!(warnings.len() == 1 && warnings[0].contains("critical-pod"), "{err}");
}
