//! What is known and agreed to before anything is written: all conflicts and missing rights at once, objects that have to be
//! recreated, and the diff on a terminal.

use super::cluster::{Cluster, Server, Setup, on_each_server};
use super::shop::{apply, developer};

on_each_server! { Bare:
    conflicts_of_all_waves_are_one_answer_and_nothing_is_written
    a_terminal_shows_the_diff_and_asks
}

fn bare(server: Server) -> Cluster {
    Cluster::start_with(&Setup { audited: true, ..server.setup() })
}

fn job(image: &str) -> String {
    format!(
        "apiVersion: batch/v1\nkind: Job\nmetadata: {{name: migrate, namespace: default}}\nspec:\n  template:\n    spec:\n      \
         restartPolicy: Never\n      containers: [{{name: a, image: '{image}'}}]\n---\n"
    )
}

fn claim(size: &str, class: &str) -> String {
    format!(
        "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {{name: data, namespace: default}}\nspec:\n  accessModes: [ReadWriteOnce]\n  \
         storageClassName: {class}\n  resources: {{requests: {{storage: {size}}}}}\n---\n"
    )
}

fn map(name: &str, value: &str) -> String {
    format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, namespace: default}}\ndata: {{a: '{value}'}}\n---\n"
    )
}

fn writes(cluster: &Cluster) -> Vec<String> {
    let is_write = |request: &String| {
        ["create ", "update ", "delete "].iter().any(|verb| request.starts_with(verb))
            && !request.ends_with(" leases")
    };
    cluster.requests("kfc/").into_iter().filter(is_write).collect()
}

#[test]
#[ignore = "needs the lab: .ci/lab"]
fn a_changed_job_is_recreated_by_consent_and_data_only_by_name() {
    // Deletions need the garbage collector.
    let cluster = Cluster::start_with(&Setup { nodes: Some(0), audited: true, ..Setup::default() });
    cluster.write("shop.yaml", &[job("a:1"), claim("1Gi", "fast"), map("m", "1")].concat());
    apply(&cluster, &[]).succeeds();
    let uid = |kind: &str, name: &str| cluster.get(kind, "default", name).unwrap()["metadata"]["uid"].clone();
    let (old, data) = (uid("job", "migrate"), uid("persistentvolumeclaim", "data"));
    cluster.write("shop.yaml", &[job("a:2"), claim("1Gi", "fast"), map("m", "2")].concat());
    cluster.requests("kfc/");
    let (_, err) = apply(&cluster, &[]).fails();
    assert!(
        err.contains("error[KFC1602]: Job default/migrate: ") && err.contains("field is immutable"),
        "{err}"
    );
    assert!(
        err.contains("`--recreate` deletes it and creates it again, and its pods and their logs are lost"),
        "{err}"
    );
    assert_eq!(writes(&cluster), [""; 0], "nothing is written before all is agreed to");
    let (out, err) = apply(&cluster, &["--recreate", "--dry-run=server"]).succeeds();
    assert!(out.contains("recreated Job default/migrate\n"), "{out}");
    assert!(
        err.contains(
            "Job default/migrate would be deleted and created again; its pods and their logs are lost"
        ),
        "{err}"
    );
    assert_eq!(uid("job", "migrate"), old);
    let (out, err) = apply(&cluster, &["--recreate"]).succeeds();
    assert_eq!(out, "changed ConfigMap default/m\nrecreated Job default/migrate\n", "{err}");
    assert!(err.contains("Job default/migrate will be deleted and created again"), "{err}");
    assert_ne!(uid("job", "migrate"), old);
    assert_eq!(apply(&cluster, &[]).succeeds().0, "");
    // By its own annotation.
    let marked =
        job("a:3").replace("{name: migrate,", "{name: migrate, annotations: {kfc.dev/recreate: enabled},");
    cluster.write("shop.yaml", &[marked.replace("a:3", "a:2"), claim("1Gi", "fast"), map("m", "2")].concat());
    apply(&cluster, &[]).succeeds();
    cluster.write("shop.yaml", &[marked, claim("1Gi", "fast"), map("m", "2")].concat());
    assert_eq!(apply(&cluster, &[]).succeeds().0, "recreated Job default/migrate\n");
    // Data: the flag for everything is not enough.
    cluster.write("shop.yaml", &[job("a:3"), claim("1Gi", "slow"), map("m", "2")].concat());
    let (_, err) = apply(&cluster, &["--recreate"]).fails();
    assert!(err.contains("`--recreate-object \"PersistentVolumeClaim default/data\"` deletes it"), "{err}");
    assert!(err.contains("its data is lost unless its volume is retained"), "{err}");
    assert_eq!(uid("persistentvolumeclaim", "data"), data);
    let named = ["--recreate", "--recreate-object", "PersistentVolumeClaim default/data"];
    let (out, _) = apply(&cluster, &named).succeeds();
    assert!(out.contains("recreated PersistentVolumeClaim default/data\n"), "{out}");
    assert_ne!(uid("persistentvolumeclaim", "data"), data);
}

fn conflicts_of_all_waves_are_one_answer_and_nothing_is_written(server: Server) {
    let cluster = bare(server);
    let namespace = |label: &str| {
        format!("apiVersion: v1\nkind: Namespace\nmetadata: {{name: shop, labels: {{team: {label}}}}}\n---\n")
    };
    cluster.write("shop.yaml", &[namespace("a"), map("m", "1"), job("a:1")].concat());
    apply(&cluster, &[]).succeeds();
    let edit = |args: &[&str]| cluster.kubectl(args).succeeds();
    edit(&["label", "namespace", "shop", "team=b", "--overwrite"]);
    edit(&["patch", "configmap", "m", "--type=merge", "--patch", r#"{"data": {"a": "9"}}"#]);
    edit(&["patch", "job", "migrate", "--type=merge", "--patch", r#"{"spec": {"backoffLimit": 9}}"#]);
    let bundle = [
        namespace("c"),
        map("m", "2"),
        job("a:1").replace("  template:", "  backoffLimit: 3\n  template:"),
        map("new", "1"),
    ];
    cluster.write("shop.yaml", &bundle.concat());
    cluster.requests("kfc/");
    let (_, err) = apply(&cluster, &[]).fails();
    assert_eq!(err.matches("error[KFC1603]").count(), 3, "{err}");
    assert_eq!(writes(&cluster), [""; 0]);
    assert!(cluster.get("configmap", "default", "new").is_none());
}

fn a_terminal_shows_the_diff_and_asks(server: Server) {
    let cluster = bare(server);
    let secret = |value: &str| {
        format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: s, namespace: default}}\nstringData: {{password: {value}}}\n---\n"
        )
    };
    cluster.write("shop.yaml", &[map("m", "1"), secret("anna-1")].concat());
    let args = ["apply", "shop.yaml", "--name", "shop"];
    let run = cluster.on_terminal(&args, "n\n");
    assert!(run.code == Some(1) && run.out.contains("not confirmed; nothing was written"), "{}", run.out);
    assert!(run.out.contains("2 added") && run.out.contains("ConfigMap default/m"), "{}", run.out);
    assert!(cluster.get("configmap", "default", "m").is_none());
    let run = cluster.on_terminal(&args, "y\n");
    assert!(run.code == Some(0) && run.out.contains("done: 2 created"), "{}", run.out);
    cluster.write("shop.yaml", &[map("m", "2"), secret("berta-2")].concat());
    let run = cluster.on_terminal(&args, "yes\n");
    assert!(
        run.code == Some(0) && run.out.contains("2 changed") && run.out.contains("data.a"),
        "{}",
        run.out
    );
    for value in ["anna-1", "berta-2", "YW5uYS0x", "YmVydGEtMg"] {
        assert!(!run.out.contains(value), "{}", run.out);
    }
    // Nothing to agree to; and agreed to beforehand.
    let run = cluster.on_terminal(&args, "");
    assert!(run.code == Some(0) && !run.out.contains("[y/N]"), "{}", run.out);
    cluster.write("shop.yaml", &[map("m", "3"), secret("berta-2")].concat());
    let run = cluster.on_terminal(&[&args[..], &["--yes"]].concat(), "");
    assert!(run.code == Some(0) && run.out.contains("done: 1 changed, 1 unchanged"), "{}", run.out);
}

#[test]
#[ignore = "needs the lab: .ci/lab"]
fn all_missing_rights_are_one_message() {
    let cluster = Cluster::start_with(&Setup { nodes: Some(0), audited: true, ..Setup::default() });
    cluster.apply("{apiVersion: v1, kind: Namespace, metadata: {name: team}}");
    cluster.apply(&developer("team"));
    let (token, _) = cluster.kubectl(&["create", "token", "dev", "--namespace=team"]).succeeds();
    let context = ["config", "set-credentials", "dev"];
    cluster.kubectl(&[&context[..], &[&format!("--token={}", token.trim())]].concat()).succeeds();
    let (name, _) = cluster.kubectl(&["config", "view", "--output=jsonpath={.clusters[0].name}"]).succeeds();
    let cluster_flag = format!("--cluster={name}");
    cluster
        .kubectl(&["config", "set-context", "dev", &cluster_flag, "--user=dev", "--namespace=team"])
        .succeeds();
    let role = "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: team}\nrules: []\n---\n";
    let policy = "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: team, namespace: team}\nrules: []\n---\n";
    let own = map("own", "1").replace("default", "team");
    cluster.write("shop.yaml", &[role, policy, &own, &map("foreign", "1")].concat());
    let dev = ["--context", "dev", "--inventory-namespace", "team"];
    let (out, err) = apply(&cluster, &dev).fails();
    assert_eq!(out, "");
    assert!(err.contains("rights on 3 kinds are missing"), "{err}");
    for right in [
        "create and patch clusterroles.rbac.authorization.k8s.io in the whole cluster",
        "create and patch roles.rbac.authorization.k8s.io in the namespace `team`",
        "create and patch configmaps in the namespace `default`",
    ] {
        assert!(err.contains(right), "{right}: {err}");
    }
    assert!(!err.contains("configmaps in the namespace `team`"), "{err}");
    assert!(cluster.get("configmap", "team", "own").is_none(), "nothing was written");
    // The inventory never lists what never existed: the rest goes on without a flag.
    cluster.write("shop.yaml", &own);
    let (out, err) = apply(&cluster, &dev).succeeds();
    assert_eq!(out, "created ConfigMap team/own\n", "{err}");
    assert_eq!(apply(&cluster, &dev).succeeds().0, "");
}

#[test]
#[ignore = "needs the lab: .ci/lab"]
fn a_saved_plan_is_applied_as_it_was_or_refused() {
    let cluster = Cluster::start_with(&Setup { nodes: Some(0), ..Setup::default() });
    let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: default}\nstringData: {password: anna-1}\n---\n";
    cluster.write("shop.yaml", &[map("m", "1"), map("old", "1")].concat());
    apply(&cluster, &[]).succeeds();
    cluster.write("shop.yaml", &[&map("m", "2"), secret].concat());
    let plan = ["plan", "shop.yaml", "--name", "shop", "--prune", "-o", "plan.json"];
    let (out, err) = cluster.kfc(&plan).succeeds();
    assert!(
        out.contains("1 added") && out.contains("1 changed") && err.contains("ConfigMap default/old"),
        "{out}{err}"
    );
    let text = std::fs::read_to_string(cluster.path("plan.json")).unwrap();
    assert!(
        text.contains("delete ConfigMap default/old") && text.contains("create Secret default/s"),
        "{text}"
    );
    assert!(!text.contains("anna-1") && !text.contains("YW5uYS0x"), "{text}");
    let mode =
        std::os::unix::fs::PermissionsExt::mode(&cluster.path("plan.json").metadata().unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    assert!(cluster.get("secret", "default", "s").is_none(), "a plan writes nothing");
    // Somebody changes the object: it would not be the same change.
    let edit = |value: &str| {
        let patch = format!(r#"{{"metadata": {{"labels": {{"a": {value}}}}}}}"#);
        cluster.kubectl(&["patch", "configmap", "m", "--type=merge", "--patch", &patch]).succeeds();
    };
    edit("\"x\"");
    let (out, err) = cluster.kfc(&["apply", "plan.json"]).fails();
    assert_eq!(out, "");
    assert!(err.contains("error[KFC1611]: the plan no longer is what an apply would do"), "{err}");
    assert!(err.contains("change ConfigMap default/m: the change is another one now"), "{err}");
    assert!(cluster.get("secret", "default", "s").is_none(), "nothing was done");
    edit("null");
    let (out, err) = cluster.kfc(&["apply", "plan.json"]).succeeds();
    assert_eq!(
        out, "changed ConfigMap default/m\ncreated Secret default/s\npruned ConfigMap default/old\n",
        "{err}"
    );
    // Once more: nothing of it is left to do.
    let (_, err) = cluster.kfc(&["apply", "plan.json"]).fails();
    assert!(err.contains("create Secret default/s: planned, and would not happen now"), "{err}");
    // The sources changed.
    cluster.kfc(&plan).succeeds();
    cluster.write("shop.yaml", &[&map("m", "3"), secret].concat());
    let (_, err) = cluster.kfc(&["apply", "plan.json"]).fails();
    assert!(err.contains("change ConfigMap default/m: not planned, and would happen now"), "{err}");
}
