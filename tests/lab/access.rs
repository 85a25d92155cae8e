//! How kfc finds and enters a cluster: certificates, sign-in by a program, servers that do not answer.

use super::cluster::{Cluster, Run, Server, Setup, lab_file};
use super::space::Space;
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;

fn kubeconfig(cluster: &Cluster) -> Value {
    serde_json::from_str(&std::fs::read_to_string(cluster.plane().join("kubeconfig")).unwrap()).unwrap()
}

#[test]
#[ignore = "needs the lab: .ci/lab"]
fn a_server_that_does_not_answer_is_reported_soon() {
    let space = Space::of(Server::Bare, "away");
    let mut config = kubeconfig(&space.cluster);
    config["clusters"][0]["cluster"]["server"] = "http://127.0.0.1:1".into();
    space.cluster.write("kubeconfig", &config.to_string());
    let start = std::time::Instant::now();
    let err = space.apply(&space.bundle(&[]), &[]).refused();
    assert!(start.elapsed().as_secs() < 30);
    assert!(err.contains("error[KFC1601]: http://127.0.0.1:1 does not answer"), "{err}");
    let err = space.delete(&["--context", "other"]).refused();
    assert!(err.contains("error[KFC1601]: the kubeconfig has no context `other`"), "{err}");
    assert!(err.contains("note: it has lab"), "{err}");
}

#[test]
#[ignore = "needs the lab: .ci/lab"]
fn the_authority_of_the_kubeconfig_is_trusted_and_no_other() {
    let space = Space::of(Server::Bare, "authority");
    let other = Cluster::of(Server::Controlled);
    let mut config = kubeconfig(&space.cluster);
    let own = config["clusters"][0]["cluster"]["certificate-authority"].take();
    for (authority, is_trusted) in
        [(other.plane().join("pki/ca.crt").to_str().unwrap().into(), false), (own, true)]
    {
        config["clusters"][0]["cluster"]["certificate-authority"] = authority;
        space.cluster.write("kubeconfig", &config.to_string());
        let run = space.apply(&space.bundle(&[&space.maps(0..20)]), &[]);
        if is_trusted {
            assert_eq!(run.succeeds().0.lines().count(), 21);
        } else {
            let err = run.refused();
            assert!(err.contains("error[KFC1601]") && err.contains("certificate"), "{err}");
        }
    }
}

const PLUG_IN: &str = r#"#!/bin/sh
echo called >> calls
echo "{\"apiVersion\": \"client.authentication.k8s.io/v1\", \"kind\": \"ExecCredential\", \"status\": {\"token\": \"$TOKEN\"}}"
"#;

#[test]
#[ignore = "needs the lab: .ci/lab"]
fn plug_ins_sign_in() {
    let space = Space::of(Server::Bare, "plugin");
    let cluster = &space.cluster;
    let account = "{apiVersion: v1, kind: ServiceAccount, metadata: {name: installer, namespace: plugin}}\n---\n\
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: plugin}, \
        roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}, \
        subjects: [{kind: ServiceAccount, name: installer, namespace: plugin}]}\n";
    cluster.apply(&space.bundle(&[account]));
    let (token, _) = cluster.kubectl(&["create", "token", "installer", "--namespace=plugin"]).succeeds();
    let token = token.trim();
    let program = cluster.write("sign-in", PLUG_IN);
    std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
    let admin = kubeconfig(cluster);
    let as_user = |program: &str, token: &str| {
        let mut config = admin.clone();
        config["users"][0]["user"] = json!({"exec": {
            "apiVersion": "client.authentication.k8s.io/v1", "command": cluster.path(program),
            "interactiveMode": "Never", "env": [{"name": "TOKEN", "value": token}],
        }});
        cluster.write("kubeconfig", &config.to_string());
    };
    let maps = space.maps(0..20);
    as_user("sign-in", token);
    let (out, err) = space.apply(&maps, &[]).succeeds();
    assert_eq!(out.lines().count(), 20);
    assert!(!err.contains(token), "{err}");
    let calls = std::fs::read_to_string(cluster.path("calls")).unwrap().lines().count();
    // The client asks for each part of a sign-in, but not for each of the requests.
    assert!(calls < 10, "the plug-in was called {calls} times for one run");
    as_user("sign-in", "wrong-planted");
    let err = space.apply(&maps, &[]).refused();
    assert!(err.contains("refuses access") && !err.contains("planted"), "{err}");
    as_user("not-there", "other-planted");
    let err = space.apply(&maps, &[]).refused();
    assert!(err.contains("KFC1601") && err.contains("not-there") && !err.contains("planted"), "{err}");
}

/// `openssl x509 -req` of many machines makes such certificates; kubectl takes them.
#[test]
#[ignore = "needs the lab: .ci/lab"]
fn a_client_certificate_of_version_1_signs_in() {
    const MAKE: &str =
        "import sys; sys.path.insert(0, sys.argv[1]); import pki; pki.make_version_1('pki', 'admin')";
    let cluster = Cluster::start_with(&Setup { bare: true, ..Setup::default() });
    let lab = lab_file("");
    Run::of(&mut cluster.command("python3", &["-c", MAKE, lab.to_str().unwrap()])).succeeds();
    let (text, _) =
        Run::of(&mut cluster.command("openssl", &["x509", "-in", "pki/admin.crt", "-noout", "-text"]))
            .succeeds();
    assert!(text.contains("Version: 1 (0x0)"), "{text}");
    cluster.kubectl(&["get", "namespaces"]).succeeds();
    cluster.write("a.yaml", "{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: default}}");
    let (out, _) = cluster.kfc(&["apply", "a.yaml", "--name", "test"]).succeeds();
    assert_eq!(out, "created ConfigMap default/a\n");
}
