//! What is there and whether it is ready: status, parts of a stack, a lost inventory, and kinds whose
//! readiness or definition comes late.

use super::cluster::{Cluster, Server, Setup, on_each_server};
use super::shop::carts;
use std::process::Stdio;

on_each_server! { Bare:
    a_service_without_an_address_is_named_and_not_awaited
}

const STACK: &str = "apiVersion: kfc.dev/v1alpha1\nkind: Stack\nmetadata: {name: site}\nspec:\n  platform: kind\n  components: [cert-manager, metacontroller]\n";

#[test]
#[ignore = "needs the lab: .ci/lab"]
fn one_component_is_applied_and_the_status_says_what_is_wrong() {
    let cluster = Cluster::start();
    cluster.write("site/kfc.yaml", STACK);
    let (_, err) = cluster.kfc(&["apply", "site", "--only", "cert-managr"]).fails();
    assert!(err.contains("did you mean `cert-manager`?"), "{err}");
    let (out, _) = cluster.kfc(&["apply", "site", "--only", "cert-manager"]).succeeds();
    assert!(
        out.contains("created Deployment cert-manager/cert-manager\n") && !out.contains("metacontroller"),
        "{out}"
    );
    let run = cluster.kfc(&["status", "site"]);
    assert!(run.code == Some(0) && run.out.contains("  cert-manager: "), "{}{}", run.out, run.err);
    let (out, _) = cluster.kfc(&["apply", "site"]).succeeds();
    assert!(out.contains("metacontroller") && !out.contains("cert-manager/cert-manager"), "{out}");
    // The part again, changed: nothing of the rest leaves.
    let (out, err) = cluster.kfc(&["apply", "site", "--only", "cert-manager", "--prune", "--yes"]).succeeds();
    assert_eq!(out, "", "{err}");
    let run = cluster.kfc(&["status", "--name", "site"]);
    assert!(
        run.code == Some(0) && run.out.ends_with(" ready\n") && run.out.lines().count() == 1,
        "{}",
        run.out
    );
    // One that cannot be scheduled, and one that is gone.
    let deployment = ["deployment", "cert-manager-webhook", "--namespace=cert-manager"];
    let patch = r#"{"spec": {"strategy": {"type": "Recreate", "rollingUpdate": null}, "template": {"spec": {"nodeSelector": {"a": "b"}}}}}"#;
    cluster.kubectl(&[&["patch"], &deployment[..], &["--patch", patch]].concat()).succeeds();
    cluster.kubectl(&["delete", "serviceaccount", "cert-manager", "--namespace=cert-manager"]).succeeds();
    cluster.wait("the pod is not scheduled", 30, || {
        cluster.kfc(&["status", "site"]).out.contains("cannot be scheduled: Unschedulable")
    });
    let (out, _) = cluster.kfc(&["status", "site"]).fails();
    assert!(
        out.contains("    ServiceAccount cert-manager/cert-manager: failed: it does not exist\n"),
        "{out}"
    );
    assert!(out.contains("    Deployment cert-manager/cert-manager-webhook: in progress: "), "{out}");
    assert!(out.contains("  metacontroller: ") && out.contains(" 1 failed, 3 in progress, "), "{out}");
}

fn map(name: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, namespace: default}}\n---\n")
}

#[test]
#[ignore = "needs the lab: .ci/lab"]
fn a_lost_inventory_is_made_again_from_its_field_manager() {
    let cluster = Cluster::start_with(&Setup { nodes: Some(0), ..Setup::default() });
    let with_data = |name: &str| map(name).replace("---\n", "data: {a: '1'}\n---\n");
    cluster.write("shop.yaml", &[with_data("a"), with_data("b")].concat());
    let apply = ["apply", "shop.yaml", "--name", "shop"];
    cluster.kfc(&apply).succeeds();
    cluster.kubectl(&["delete", "configmap", "kfc-inventory-shop"]).succeeds();
    let (out, _) = cluster.kfc(&["inventory", "rebuild", "shop", "--dry-run"]).succeeds();
    assert_eq!(out, "would add ConfigMap default/a\nwould add ConfigMap default/b\n");
    let (out, err) = cluster.kfc(&["inventory", "rebuild", "shop"]).succeeds();
    assert_eq!(out, "added ConfigMap default/a\nadded ConfigMap default/b\n", "{err}");
    cluster.write("shop.yaml", &with_data("a"));
    let (out, _) = cluster.kfc(&[&apply[..], &["--prune"]].concat()).succeeds();
    assert_eq!(out, "pruned ConfigMap default/b\n");
}

const OPERATOR: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata: {name: operator, namespace: default}
spec:
  selector: {matchLabels: {app: operator}}
  template: {metadata: {labels: {app: operator}}, spec: {containers: [{name: a, image: 'a:1'}]}}
---
apiVersion: shop.example.com/v1
kind: Cart
metadata: {name: cart, namespace: default}
spec: {size: 1}
";

const CART_FIELDS: &str = "subresources: {status: {}}, \
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}";

#[test]
#[ignore = "needs the lab: .ci/lab"]
fn a_kind_that_an_operator_defines_later_is_awaited_and_so_is_its_condition() {
    let cluster = Cluster::start();
    cluster.write("cart.yaml", OPERATOR);
    let args = ["apply", "cart.yaml", "--name", "cart", "--timeout", "90s"];
    let run = cluster.kfc_command(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    cluster
        .wait("the operator is applied", 30, || cluster.get("deployment", "default", "operator").is_some());
    // Longer than the time for which any unknown kind is awaited.
    std::thread::sleep(std::time::Duration::from_secs(5));
    cluster.apply(&carts(CART_FIELDS));
    cluster
        .wait("the resource is applied", 30, || cluster.kubectl(&["get", "carts", "cart"]).code == Some(0));
    let condition = |status: &str| {
        let patch = format!(
            r#"{{"status": {{"conditions": [{{"type": "Ready", "status": "{status}", "reason": "Filling", "message": "3 of 5"}}]}}}}"#
        );
        let patch = ["patch", "carts", "cart", "--subresource=status", "--type=merge", "--patch", &patch];
        cluster.kubectl(&patch).succeeds();
    };
    condition("False");
    // Without a condition it would have been ready: the run may have ended already.
    let first = run.wait_with_output().unwrap();
    assert!(first.status.success(), "{}", String::from_utf8_lossy(&first.stderr));
    let (_, err) = cluster.kfc(&[&args[..4], &["--timeout", "3s"]].concat()).fails();
    assert!(err.contains("Cart default/cart was not ready in time: Filling: 3 of 5"), "{err}");
    condition("True");
    assert_eq!(cluster.kfc(&args).succeeds().0, "");
}

#[test]
#[ignore = "needs the lab: .ci/lab"]
fn a_definition_that_an_object_holds_back_names_the_object() {
    let cluster = Cluster::start_with(&Setup { nodes: Some(0), ..Setup::default() });
    cluster.write("carts.yaml", &carts(CART_FIELDS));
    cluster.kfc(&["apply", "carts.yaml", "--name", "carts"]).succeeds();
    cluster.apply("{apiVersion: shop.example.com/v1, kind: Cart, metadata: {name: full, namespace: default, finalizers: [shop.example.com/pay]}}");
    let delete = ["delete", "--name", "carts", "--yes", "--delete-crds", "--timeout", "4s"];
    let (_, err) = cluster.kfc(&delete).fails();
    assert!(
        err.contains(
            "error[KFC1607]: CustomResourceDefinition carts.shop.example.com was not deleted in time"
        ),
        "{err}"
    );
    assert!(err.contains("Cart default/full still exists: finalizers: `shop.example.com/pay`"), "{err}");
    let free = ["patch", "cart", "full", "--type=merge", "--patch", r#"{"metadata": {"finalizers": null}}"#];
    cluster.kubectl(&free).succeeds();
    cluster.kfc(&[&delete[..5], &["--timeout", "60s"]].concat()).succeeds();
    assert!(cluster.get("crd", "", "carts.shop.example.com").is_none());
}

fn a_service_without_an_address_is_named_and_not_awaited(server: Server) {
    let service = "apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: default}\nspec: {type: LoadBalancer, ports: [{port: 80}]}\n";
    let cluster = Cluster::start_with(&server.setup());
    cluster.write("web.yaml", service);
    let (_, err) = cluster.kfc(&["apply", "web.yaml", "--name", "web"]).succeeds();
    assert!(
        err.contains("note: no load balancer has given an address yet to Service default/web\n"),
        "{err}"
    );
    let address = r#"{"status": {"loadBalancer": {"ingress": [{"ip": "10.9.9.9"}]}}}"#;
    let patch = ["patch", "service", "web", "--subresource=status", "--type=merge", "--patch", address];
    cluster.kubectl(&patch).succeeds();
    let (_, err) = cluster.kfc(&["apply", "web.yaml", "--name", "web"]).succeeds();
    assert!(!err.contains("load balancer"), "{err}");
}
