//! A second apply writes nothing and asks little: the server's own log of requests is counted.

use super::cluster::{Cluster, Server, Setup, on_each_server};
use super::shop;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

on_each_server! { Bare:
    whatever_was_edited_between_two_runs_is_found
    a_key_that_left_the_plain_values_of_a_secret_leaves_it
}

/// How many requests of each kind.
fn counted(requests: &[String]) -> BTreeMap<&str, usize> {
    let mut counts = BTreeMap::new();
    for request in requests {
        *counts.entry(request.as_str()).or_default() += 1;
    }
    counts
}

fn writes(requests: &[String]) -> Vec<&String> {
    let is_write = |request: &&String| !request.starts_with("get ") && !request.starts_with("list ");
    requests.iter().filter(is_write).filter(|request| !request.ends_with(" leases")).collect()
}

#[test]
#[ignore = "needs the lab: .ci/lab"]
fn a_second_apply_asks_for_each_kind_once_and_is_much_quicker_than_kubectl() {
    let cluster = Cluster::start_with(&Setup { audited: true, ..Setup::default() });
    let bundle = cluster.path("bundle.yaml").to_str().unwrap().to_owned();
    cluster.kfc(&["build", "minikube", "-o", &bundle]).succeeds();
    let start = Instant::now();
    let (out, _) = cluster.kfc(&["apply", "minikube"]).succeeds();
    let first = start.elapsed();
    let objects = out.lines().count();
    let of_first = cluster.requests("kfc/").len();

    let start = Instant::now();
    let (out, err) = cluster.kfc(&["apply", "minikube"]).succeeds();
    let second = start.elapsed();
    assert_eq!(out, "", "{err}");
    assert!(err.contains(&format!("done: {objects} unchanged")), "{err}");
    let requests = cluster.requests("kfc/");
    let text = std::fs::read_to_string(&bundle).unwrap();
    let kinds: BTreeSet<&str> = text.lines().filter(|line| line.starts_with("kind: ")).collect();
    let namespaces: BTreeSet<&str> = text.lines().filter(|line| line.starts_with("  namespace: ")).collect();
    let most = kinds.len() + namespaces.len() + 36;
    let counts = counted(&requests);
    assert!(requests.len() <= most, "{} requests, not {most}: {counts:?}", requests.len());
    // Defaults inside of lists that a CRD owns as a whole are not known here: those few are sent, and change nothing.
    let sent = writes(&requests);
    assert!(sent.len() <= 8 && sent.iter().all(|request| request.starts_with("patch ")), "{sent:?}");

    cluster.kfc(&["diff", "cluster", "minikube"]).succeeds();
    let of_diff = cluster.requests("kfc/").len();
    assert!(of_diff <= most, "{of_diff} requests of a comparison");

    let manager = "--field-manager=kfc-minikube";
    let kubectl = ["apply", "--server-side", "--force-conflicts", manager, "-f", &bundle];
    cluster.kubectl(&kubectl).succeeds();
    cluster.requests("kubectl/");
    let start = Instant::now();
    cluster.kubectl(&kubectl).succeeds();
    let of_kubectl = start.elapsed();
    let theirs = cluster.requests("kubectl/").len();
    assert!(theirs >= 8 * requests.len(), "{theirs} requests of kubectl, {} of kfc", requests.len());
    // An optimized build is ten times as quick; this one spends most of its time on building the bundle.
    assert!(of_kubectl > second * 2, "kubectl {of_kubectl:?}, kfc {second:?}");
    println!(
        "figure: minikube: first apply {:.1} s and {of_first} requests, second {:.2} s and {}, diff cluster {of_diff}; \
         kubectl again {:.1} s and {theirs}",
        first.as_secs_f64(),
        second.as_secs_f64(),
        requests.len(),
        of_kubectl.as_secs_f64()
    );
}

/// A Namespace, a ConfigMap and a Secret of the shop.
const SETTINGS: &str = "\
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: shop, labels: {app: web}}
data: {a: '1', b: '2'}
---
apiVersion: v1
kind: Secret
metadata: {name: login, namespace: shop}
stringData: {user: anna}
";

const BINDING: &str = "\
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: web, namespace: shop}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}
subjects: [{kind: ServiceAccount, name: default, namespace: shop}, {kind: User, name: anna}]
";

fn whatever_was_edited_between_two_runs_is_found(server: Server) {
    let cluster = Cluster::start_with(&Setup { audited: true, ..server.setup() });
    let deployment = shop::deployment("shop", "{cpu: '2', memory: 1Gi}");
    let policy = shop::network_policy("shop");
    cluster.write("shop.yaml", &shop::bundle(&[SETTINGS, &deployment, &policy, BINDING]));
    let apply = |more: &[&str]| shop::apply(&cluster, more);
    apply(&[]).succeeds();
    cluster.requests("kfc/");
    let (out, _) = apply(&[]).succeeds();
    assert_eq!((out.as_str(), writes(&cluster.requests("kfc/"))), ("", Vec::new()));

    // A changed value, a value that is taken over as it is, a removed label, a removed object, a scaled Deployment.
    let patch = |kind: &str, name: &str, patch: &str| {
        let patch = ["patch", kind, name, "--namespace=shop", "--type=merge", "--patch", patch];
        cluster.kubectl(&patch).succeeds();
    };
    patch("configmap", "settings", r#"{"data": {"a": "edited"}}"#);
    let (_, err) = apply(&[]).fails();
    assert!(err.contains("`data.a` is owned by `kubectl-patch` since"), "{err}");
    assert!(err.contains(r#"its value is `"edited"`; the bundle has `"1"`"#), "{err}");
    let (out, _) = apply(&["--force-conflicts"]).succeeds();
    assert_eq!(out, "changed ConfigMap shop/settings\n");
    patch("configmap", "settings", r#"{"metadata": {"labels": {"app": null}}}"#);
    assert_eq!(apply(&[]).succeeds().0, "changed ConfigMap shop/settings\n");
    cluster.kubectl(&["delete", "rolebinding", "web", "--namespace=shop"]).succeeds();
    assert_eq!(apply(&[]).succeeds().0, "created RoleBinding shop/web\n");
    patch("networkpolicy", "web", r#"{"spec": {"ingress": [{"ports": [{"port": 81}]}]}}"#);
    let (_, err) = apply(&[]).fails();
    assert!(err.contains("`spec.ingress` is owned by `kubectl-patch`"), "{err}");
    let (out, _) = apply(&["--force-conflicts"]).succeeds();
    assert_eq!(out, "changed NetworkPolicy shop/web\n");
    cluster.requests("kfc/");
    assert_eq!(apply(&[]).succeeds().0, "");
    assert_eq!(writes(&cluster.requests("kfc/")), Vec::<&String>::new());
    // A field of others is not ours to remove.
    patch("deployment", "web", r#"{"spec": {"minReadySeconds": 3}}"#);
    assert_eq!(apply(&[]).succeeds().0, "");
}

fn a_key_that_left_the_plain_values_of_a_secret_leaves_it(server: Server) {
    let cluster = Cluster::start_with(&server.setup());
    let secret = |key: &str| {
        format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: login, namespace: default}}\nstringData: {{{key}: anna}}\n"
        )
    };
    let apply = |key: &str| {
        cluster.write("login.yaml", &secret(key));
        cluster.kfc(&["apply", "login.yaml", "--name", "login"]).succeeds().0
    };
    assert_eq!(apply("user"), "created Secret default/login\n");
    assert_eq!(apply("user"), "");
    assert_eq!(apply("login"), "changed Secret default/login\n");
    let stored = cluster.get("secret", "default", "login").unwrap();
    assert_eq!(stored["data"], serde_json::json!({"login": "YW5uYQ=="}));
}
