//! Commands in several clusters: one after another, at the same time, and on API servers that know nothing of one another.

use super::cluster::{Cluster, Server, on_each_server};
use super::space::map;

on_each_server! { Bare:
    several_clusters_are_applied_to_one_after_another
    several_clusters_are_applied_to_at_the_same_time
}

fn several_clusters_are_applied_to_one_after_another(server: Server) {
    let cluster = Cluster::start_with(&server.setup());
    contexts(&cluster, &["one", "two"], &["away"]);
    cluster.write("shop.yaml", &map("default", "a", "1"));
    let apply = |contexts: &str, more: &[&str]| {
        cluster.kfc(&[&["apply", "shop.yaml", "--name", "shop", "--context", contexts], more].concat())
    };
    let (out, err) = apply("one,two", &[]).succeeds();
    assert_eq!(out, "cluster one:\ncreated ConfigMap default/a\n");
    assert!(err.contains("cluster one:\n") && err.contains("cluster two:\n"), "{err}");
    let (_, err) = apply("away,one", &[]).fails();
    assert!(err.contains("cluster away:\n") && !err.contains("cluster one:\n"), "{err}");
    let (_, err) = apply("away,one", &["--keep-going"]).fails();
    assert!(err.contains("cluster one:\n") && err.contains("done: 1 unchanged"), "{err}");
}

/// A kubeconfig in which every context named is one of the cluster of the lab, or of a server that does not answer.
fn contexts(cluster: &Cluster, here: &[&str], away: &[&str]) {
    let (name, _) = cluster.kubectl(&["config", "view", "--output=jsonpath={.clusters[0].name}"]).succeeds();
    let (user, _) = cluster.kubectl(&["config", "view", "--output=jsonpath={.users[0].name}"]).succeeds();
    cluster.kubectl(&["config", "set-cluster", "away", "--server=https://127.0.0.1:9"]).succeeds();
    let all = here.iter().map(|context| (context, name.as_str()));
    for (context, of) in all.chain(away.iter().map(|context| (context, "away"))) {
        let (of, user) = (format!("--cluster={of}"), format!("--user={user}"));
        let namespace = format!("--namespace={context}");
        cluster.kubectl(&["config", "set-context", context, &of, &user, &namespace]).succeeds();
    }
}

fn several_clusters_are_applied_to_at_the_same_time(server: Server) {
    let cluster = Cluster::start_with(&server.setup());
    contexts(&cluster, &["one", "two"], &["away"]);
    for namespace in ["one", "two"] {
        let object = format!("{{apiVersion: v1, kind: Namespace, metadata: {{name: {namespace}}}}}");
        cluster.apply(&object);
    }
    // One server for both, with a namespace for each: the second run waits for the lock of the inventory that both have.
    cluster.write("shop.yaml", "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}");
    let apply = |contexts: &str, more: &[&str]| {
        cluster.kfc(&[&["apply", "shop.yaml", "--name", "shop", "--context", contexts], more].concat())
    };
    let (out, err) = apply("one,two", &["--parallel"]).succeeds();
    let mut blocks: Vec<&str> = out.split_inclusive("/a\n").collect();
    blocks.sort_unstable();
    assert_eq!(
        blocks,
        ["cluster one:\ncreated ConfigMap one/a\n", "cluster two:\ncreated ConfigMap two/a\n"],
        "{err}"
    );
    for line in ["one: done: 1 created", "two: done: 1 created"] {
        assert!(err.lines().any(|said| said.starts_with(line)), "{line}: {err}");
    }
    // A failure stops what is not begun, and is the status of all.
    let (_, err) = apply("away,one,two", &["--parallel=1"]).fails();
    assert!(err.contains("cluster away:\nerror[KFC1601]") && err.contains("not begun: one, two\n"), "{err}");
    let (_, err) = apply("away,one,two", &["--parallel=2", "--keep-going"]).fails();
    assert!(
        err.contains("one: done: ") && err.contains("two: done: ") && !err.contains("not begun"),
        "{err}"
    );
    // Questions of several clusters would be mixed up.
    let args = ["apply", "shop.yaml", "--name", "shop", "--context", "one,two", "--parallel"];
    let run = cluster.on_terminal(&args, "");
    assert!(run.code == Some(1) && run.out.contains("cannot ask"), "{}", run.out);
    let run = cluster.on_terminal(&[&args[..], &["--yes", "--no-prune"]].concat(), "");
    assert!(run.code == Some(0) && run.out.contains("one: done: "), "{}", run.out);
}

/// Commands in `one` and `two`.
const BOTH: [&str; 2] = ["--context", "one,two"];

#[test]
#[ignore = "needs the lab: .ci/lab"]
fn two_servers_have_the_same_stack_and_each_its_own_past() {
    let one = Cluster::start_with(&Server::Controlled.setup());
    let two = Cluster::start_with(&Server::Controlled.setup());
    let _link = one.reach(&two, "two");
    one.kubectl(&["config", "rename-context", "lab", "one"]).succeeds();
    let value =
        |cluster: &Cluster| cluster.get("configmap", "default", "a").map(|map| map["data"]["key"].clone());
    let kfc = |args: &[&str], more: &[&str]| one.kfc(&[args, &BOTH, more].concat());
    let apply = |text: &str, more: &[&str]| {
        one.write("shop.yaml", text);
        kfc(&["apply", "shop.yaml", "--name", "shop"], more)
    };
    let (out, err) = apply(&map("default", "a", "1"), &["--parallel"]).succeeds();
    let mut blocks: Vec<&str> = out.split_inclusive("/a\n").collect();
    blocks.sort_unstable();
    let created =
        ["cluster one:\ncreated ConfigMap default/a\n", "cluster two:\ncreated ConfigMap default/a\n"];
    assert_eq!(blocks, created, "{err}");

    // One of them refuses the second state.
    two.apply(
        "{apiVersion: v1, kind: ResourceQuota, metadata: {name: few, namespace: default}, \
         spec: {hard: {count/configmaps: '1'}}}",
    );
    let more = [map("default", "a", "2"), map("default", "b", "2")].concat();
    let (out, err) = apply(&more, &["--parallel", "--timeout", "20s"]).fails();
    assert!(out.contains("cluster one:\n") && out.contains("created ConfigMap default/b\n"), "{out}");
    assert!(
        err.contains("cluster two:\nerror[KFC1602]: ConfigMap default/b: ") && err.contains("exceeded quota"),
        "{err}"
    );
    assert_eq!((value(&one), value(&two)), (Some("2".into()), Some("2".into())));
    let run = kfc(&["status", "--name", "shop", "--parallel"], &[]);
    assert!(
        run.code == Some(0) && run.out.contains("cluster one:\nshop: 2 objects: 2 ready\n"),
        "{}",
        run.out
    );
    one.kubectl(&["delete", "configmap", "b", "--context=one"]).succeeds();
    let run = kfc(&["status", "--name", "shop"], &[]);
    let missing = "cluster one:\nshop: 2 objects: 1 failed, 1 ready\n  ConfigMap default/b: failed: it does not exist\n";
    assert!(run.code == Some(1) && run.out.starts_with(missing), "{}", run.out);
    assert!(run.out.contains("cluster two:\nshop: 1 object: 1 ready\n"), "{}", run.out);

    // Each goes back to its own revision 1.
    let (out, err) = kfc(&["rollback", "shop", "--to", "1"], &["--prune", "--parallel=1"]).succeeds();
    assert!(out.contains("cluster one:\nchanged ConfigMap default/a\n"), "{out}{err}");
    assert_eq!((value(&one), value(&two)), (Some("1".into()), Some("1".into())));

    let err = kfc(&["delete", "--name", "shop"], &[]).refused();
    assert!(err.contains("cluster one:\n") && err.contains("not begun: two"), "{err}");
    let (out, err) = kfc(&["delete", "--name", "shop"], &["--yes", "--parallel"]).succeeds();
    assert!(out.contains("cluster one:\ndeleted ") && out.contains("cluster two:\ndeleted "), "{out}{err}");
    assert_eq!((value(&one), value(&two)), (None, None));
    let run = one.on_terminal(&[&["delete", "--name", "shop"], &BOTH[..], &["--parallel"]].concat(), "");
    assert!(run.code == Some(1) && run.out.contains("cannot ask"), "{}", run.out);
}
