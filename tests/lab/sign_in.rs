//! Kubeconfigs as people have them.

use super::cluster::{Cluster, Run, Setup, lab_file};

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
