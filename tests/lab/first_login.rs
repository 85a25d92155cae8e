//! From an empty cluster to the first login: on clusters whose nodes and storage classes are those of each provider, what `kfc init
//! --detect` writes is applied, and the run ends with what a user needs to log in. `login` goes through the pages.

use super::cluster::{Cluster, Setup, lab_file};
use super::profiles::{incomplete, refused_pods};
use serde_json::{Value, json};

/// A test for each of some clusters.
macro_rules! ends_with_a_login {
    ($reason:literal: $($test:ident $cluster:literal $profile:literal)*) => {
        $(
            #[test]
            #[ignore = $reason]
            fn $test() {
                super::ends_with_a_login($cluster, $profile);
            }
        )*
    };
}

mod some {
    ends_with_a_login! { "needs the lab: .ci/lab":
        kind_ends_with_a_login "kind" "kind"
        gke_ends_with_a_login "gke" "gke+gpu"
    }
}

mod full {
    ends_with_a_login! { "needs the lab, and minutes: .ci/full":
        minikube_ends_with_a_login "minikube" "minikube+gpu"
        k3s_ends_with_a_login "k3s" "k3s+arm64"
        kubeadm_ends_with_a_login "kubeadm" "onprem+amd-gpu"
        eks_ends_with_a_login "eks" "aws+neuron"
        aks_ends_with_a_login "aks" "azure+gpu"
        openshift_ends_with_a_login "openshift" "openshift"
    }
}

/// The components that a look at the dashboard needs.
const COMPONENTS: [&str; 5] = ["central-dashboard", "dex", "oauth2-proxy", "profiles", "user-namespace"];

fn ends_with_a_login(name: &str, profile: &str) {
    let cluster = Cluster::start_with(&Setup { nodes: Some(0), ..Setup::default() });
    make_like(&cluster, name);
    let (report, _) = cluster.kfc(&["init", "--detect", "platform"]).succeeds();
    assert!(report.starts_with(&format!("profile: {profile}\n")), "{report}");
    assert!(report.contains("\nlacks:\n"), "an empty cluster lacks something: {report}");
    keep_components(&cluster);
    let (out, err) = cluster.kfc(&["apply", "platform", "--timeout", "4m"]).succeeds();
    assert_eq!(refused_pods(&cluster), "", "{name}");
    assert_eq!(incomplete(&cluster), "", "{name}");
    let said: Vec<&str> = err.lines().rev().take(3).collect();
    let [password, user, address] = said[..] else { panic!("{err}") };
    let forward = "kubectl port-forward --namespace istio-system service/istio-ingressgateway 8080:80";
    assert_eq!(address, format!("address: http://localhost:8080, with `{forward}`"), "{name}: {out}{err}");
    assert_eq!(user, "user: user@example.com", "{name}");
    let password = password.strip_prefix("password: ").unwrap();
    if ["kind", "minikube", "k3s"].contains(&name) {
        assert!(password.starts_with("12341234, which everybody knows"), "{name}: {password}");
    } else {
        let (made, _) = super::cluster::Run::of(&mut cluster.command("sh", &["-c", password])).succeeds();
        assert_eq!(made.len(), 20, "{name}: {made}");
    }
    // What kfc installed itself does not change what it finds.
    let (again, _) = cluster.kfc(&["detect"]).succeeds();
    assert_eq!(again.lines().next(), report.lines().next(), "{name}: {again}");
    let (out, err) = cluster.kfc(&["apply", "platform"]).succeeds();
    assert_eq!(out, "", "{name}: {err}");
    assert!(err.ends_with(&format!("password: {password}\n")), "{name}: {err}");
}

/// Gives a cluster the nodes and storage classes of a case of `kfc detect`, with room for all pods.
fn make_like(cluster: &Cluster, name: &str) {
    let path = lab_file(&format!("../cases/detect-{name}/input/cluster.json"));
    let answers: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let of = |kind: &'static str| {
        answers["items"].as_array().unwrap().iter().filter(move |item| item["kind"] == kind)
    };
    cluster.kubectl(&["delete", "storageclasses", "--all"]).succeeds();
    for object in of("Node").chain(of("StorageClass")) {
        let mut object = object.clone();
        let status = object.as_object_mut().unwrap().remove("status").unwrap_or_default();
        cluster.apply(&object.to_string());
        if object["kind"] == "Node" {
            write_status(cluster, object["metadata"]["name"].as_str().unwrap(), status);
        }
    }
    match name {
        "openshift" => cluster.define_platform_kinds(),
        "k3s" => cluster.apply(
            "{apiVersion: node.k8s.io/v1, kind: RuntimeClass, metadata: {name: nvidia}, handler: nvidia}",
        ),
        _ => {}
    }
}

fn write_status(cluster: &Cluster, node: &str, mut status: Value) {
    for (resource, amount) in
        [("cpu", "64"), ("memory", "256Gi"), ("pods", "250"), ("ephemeral-storage", "1Ti")]
    {
        status["allocatable"][resource] = amount.into();
    }
    status["capacity"] = status["allocatable"].clone();
    let patch = json!({"status": status}).to_string();
    cluster
        .kubectl(&["patch", "node", node, "--subresource=status", "--type=merge", "--patch", &patch])
        .succeeds();
}

/// Leaves out the lines of other components, as the file says that a user may.
fn keep_components(cluster: &Cluster) {
    let path = cluster.path("platform/kfc.yaml");
    let text = std::fs::read_to_string(&path).unwrap();
    let (head, rest) = text.split_once("\n  components:\n").unwrap();
    let (list, tail) = rest.split_once("\n\n").unwrap();
    let is_kept = |line: &&str| COMPONENTS.iter().any(|name| line.starts_with(&format!("  - {name} ")));
    let kept: Vec<&str> = list.lines().filter(is_kept).collect();
    assert_eq!(kept.len(), COMPONENTS.len(), "{text}");
    std::fs::write(path, format!("{head}\n  components:\n{}\n\n{tail}", kept.join("\n"))).unwrap();
}
