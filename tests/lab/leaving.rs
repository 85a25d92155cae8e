//! Fields that others own are left to them: those of controllers without being asked, others by declaration.

use super::cluster::{Cluster, Server, Setup, on_each_server};
use super::shop::{apply, bundle, webhook};
use serde_json::json;

on_each_server! { Bare:
    an_annotation_leaves_fields_of_its_object_to_others
}

const WEB: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: default}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: web, image: 'registry.example.com/web:1', resources: {requests: {cpu: 100m}}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: shop}
aggregationRule: {clusterRoleSelectors: [{matchLabels: {aggregate: shop}}]}
rules: []
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: shop-view, labels: {aggregate: shop}}
rules: [{apiGroups: [''], resources: [pods], verbs: [get]}]
";

/// What controllers write into: a Deployment, an aggregated role, a webhook without the certificate of its authority.
fn shop() -> String {
    bundle(&[WEB, &webhook("{service: {name: shop, namespace: default}, caBundle: ''}")])
}

fn patch(cluster: &Cluster, manager: &str, object: (&str, &str), kind: &str, patch: &str) {
    let manager = format!("--field-manager={manager}");
    let kind = format!("--type={kind}");
    cluster.kubectl(&["patch", object.0, object.1, &manager, &kind, "--patch", patch]).succeeds();
}

#[test]
#[ignore = "needs the lab: .ci/lab"]
fn fields_that_controllers_write_are_left_to_them() {
    let cluster =
        Cluster::start_with(&Setup { nodes: Some(0), without: vec!["webhooks"], ..Setup::default() });
    cluster.write("shop.yaml", &shop());
    apply(&cluster, &[]).succeeds();
    let rules = || cluster.get("clusterrole", "", "shop").unwrap()["rules"].clone();
    cluster.wait("the role is aggregated", 20, || rules().as_array().is_some_and(|rules| rules.len() == 1));
    assert_eq!(apply(&cluster, &[]).succeeds().0, "", "an aggregated role");
    let hook = ("validatingwebhookconfiguration", "shop");
    let certificate = r#"[{"op": "add", "path": "/webhooks/0/clientConfig/caBundle", "value": "Q0E="},
        {"op": "replace", "path": "/webhooks/0/failurePolicy", "value": "Fail"}]"#;
    // The server checks certificates only when it calls a webhook.
    patch(&cluster, "cainjector", hook, "json", certificate);
    let (out, err) = apply(&cluster, &[]).succeeds();
    assert_eq!(out, "", "an injected certificate: {err}");
    assert_eq!(cluster.get(hook.0, "", "shop").unwrap()["webhooks"][0]["clientConfig"]["caBundle"], "Q0E=");
    // An autoscaler writes the subresource `scale`.
    let scale =
        ["patch", "deployment", "web", "--subresource=scale", "--field-manager=kube-controller-manager"];
    let count = ["--type=merge", "--patch", r#"{"spec": {"replicas": 3}}"#];
    cluster.kubectl(&[&scale[..], &count].concat()).succeeds();
    let (out, err) = apply(&cluster, &[]).succeeds();
    assert_eq!(out, "", "an autoscaler: {err}");
    assert_eq!(cluster.get("deployment", "default", "web").unwrap()["spec"]["replicas"], 3);
    let run = cluster.kfc(&["diff", "cluster", "shop.yaml", "--name", "shop"]);
    assert_eq!(run.code, Some(0), "{}{}", run.out, run.err);
    // The rest of such an object is still the bundle's.
    cluster.write("shop.yaml", &shop().replace("web:1", "web:2"));
    assert_eq!(apply(&cluster, &[]).succeeds().0, "changed Deployment default/web\n");
    assert_eq!(cluster.get("deployment", "default", "web").unwrap()["spec"]["replicas"], 3);
    // What a person does is a change.
    cluster.kubectl(&["scale", "deployment", "web", "--replicas=2"]).succeeds();
    let (_, err) = apply(&cluster, &[]).fails();
    assert!(
        err.contains("`spec.replicas` is owned by `kubectl`") && err.contains("by an update of its scale"),
        "{err}"
    );
    assert!(!err.contains("--adopt") && err.contains("its value is `2`; the bundle has `1`"), "{err}");
}

fn an_annotation_leaves_fields_of_its_object_to_others(server: Server) {
    let cluster = Cluster::start_with(&server.setup());
    let marked = shop().replacen(
        "{name: web, namespace: default}",
        "{name: web, namespace: default, annotations: {kfc.dev/ignore-fields: 'spec.replicas, spec.template.spec.containers[name=web].resources'}}",
        1,
    );
    cluster.write("shop.yaml", &marked);
    apply(&cluster, &[]).succeeds();
    let requests = || {
        let web = cluster.get("deployment", "default", "web").unwrap();
        (
            web["spec"]["replicas"].clone(),
            web["spec"]["template"]["spec"]["containers"][0]["resources"]["requests"]["cpu"].clone(),
        )
    };
    assert_eq!(requests(), (json!(1), json!("100m")), "the bundle sets them once");
    let edit = r#"{"spec": {"replicas": 4, "template": {"spec": {"containers": [{"name": "web", "resources": {"requests": {"cpu": "1"}}}]}}}}"#;
    patch(&cluster, "somebody", ("deployment", "web"), "strategic", edit);
    let (out, err) = apply(&cluster, &[]).succeeds();
    assert_eq!(out, "", "{err}");
    // Not even what the bundle says later.
    cluster.write("shop.yaml", &marked.replace("replicas: 1", "replicas: 2").replace("web:1", "web:2"));
    assert_eq!(apply(&cluster, &["--force-conflicts"]).succeeds().0, "changed Deployment default/web\n");
    assert_eq!(requests(), (json!(4), json!("1")));
    let run = cluster.kfc(&["diff", "cluster", "shop.yaml", "--name", "shop"]);
    assert_eq!(run.code, Some(0), "{}{}", run.out, run.err);
}

#[test]
#[ignore = "needs the lab: .ci/lab"]
fn a_stack_declares_what_is_left_to_others() {
    let cluster = Cluster::start();
    let stack = |ignore: &str| {
        format!(
            "apiVersion: kfc.dev/v1alpha1\nkind: Stack\nmetadata: {{name: site}}\nspec:\n  platform: kind\n  components: [cert-manager]\n{ignore}"
        )
    };
    cluster.write("site/kfc.yaml", &stack(""));
    cluster.kfc(&["apply", "site"]).succeeds();
    let edit = r#"{"spec": {"template": {"spec": {"containers": [{"name": "cert-manager-controller", "image": "mirror.example.com/c:1"}]}}}}"#;
    let manager = "--field-manager=image-mirror";
    cluster
        .kubectl(&[
            "patch",
            "deployment",
            "cert-manager",
            "--namespace=cert-manager",
            manager,
            "--patch",
            edit,
        ])
        .succeeds();
    let (_, err) = cluster.kfc(&["apply", "site"]).fails();
    assert!(
        err.contains("is owned by `image-mirror`") && err.contains("declare them under `ignore`"),
        "{err}"
    );
    for ignore in [
        "  ignore:\n  - {kind: Deployment, name: cert-*, fields: ['spec.template.spec.containers[*].image']}\n",
        "  ignore:\n  - {managers: [image-*]}\n",
    ] {
        cluster.write("site/kfc.yaml", &stack(ignore));
        let (out, err) = cluster.kfc(&["apply", "site"]).succeeds();
        assert_eq!(out, "", "{ignore}: {err}");
        let run = cluster.kfc(&["diff", "cluster", "site"]);
        assert_eq!(run.code, Some(0), "{ignore}: {}{}", run.out, run.err);
        cluster.kfc(&["validate", "site", "--against", "cluster"]).succeeds();
    }
    let (out, _) = cluster.kfc(&["argocd", "ignore-differences", "site"]).succeeds();
    assert!(out.contains("managedFieldsManagers:\n  - image-*\n"), "{out}");
}
