//! Whether profiles really arrive: applied as a user would, with every pod admitted, and a second apply that changes nothing.
//! For OpenShift's, which have Routes and a network attachment, definitions of our own stand in.

use super::{
    cluster::{Cluster, Setup},
    needs,
};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Instant;

/// A test for each of some profiles.
macro_rules! arrive {
    ($reason:literal: $($test:ident $profile:literal)*) => {
        $(
            #[test]
            #[ignore = $reason]
            fn $test() {
                super::arrives($profile);
            }
        )*
        pub(super) const PROFILES: &[&str] = &[$($profile),*];
    };
}

mod some {
    //! The profiles that every change is tried with.
    arrive! { "needs the lab: .ci/lab":
        minikube_arrives "minikube"
        onprem_arrives "onprem"
        gke_with_gpus_arrives "gke+gpu"
    }
}

mod full {
    //! What a change does not wait for.
    use super::{Cluster, changes_nothing, incomplete};
    use std::io::{BufRead, BufReader};
    use std::process::Stdio;

    arrive! { "needs the lab, and minutes: .ci/full":
        aws_arrives "aws"
        aws_on_arm_arrives "aws+arm64"
        aws_with_gpus_arrives "aws+gpu"
        aws_with_neuron_arrives "aws+neuron"
        azure_arrives "azure"
        azure_with_gpus_arrives "azure+gpu"
        azure_with_amd_gpus_arrives "azure+amd-gpu"
        gke_arrives "gke"
        gke_with_gpus_on_arm_arrives "gke+gpu+arm64"
        gke_with_tpus_arrives "gke+tpu"
        k3s_arrives "k3s"
        k3s_with_gpus_arrives "k3s+gpu"
        kind_arrives "kind"
        minikube_with_gpus_arrives "minikube+gpu"
        onprem_with_gpus_arrives "onprem+gpu"
        onprem_with_amd_gpus_arrives "onprem+amd-gpu"
        onprem_on_arm_arrives "onprem+arm64"
        openshift_arrives "openshift"
        openshift_with_gpus_arrives "openshift+gpu"
    }

    #[test]
    #[ignore = "needs the lab, and minutes: .ci/full"]
    fn a_run_that_is_killed_in_any_wave_is_completed_by_the_next() {
        let cluster = Cluster::start();
        let bundle = cluster.path("bundle.yaml").to_str().unwrap().to_owned();
        cluster.kfc(&["build", "minikube", "-o", &bundle]).succeeds();
        let mut reached = 0;
        for wave in 1..=8 {
            let mut command = cluster.kfc_command(&["apply", "minikube"]);
            let mut run = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
            let lines = BufReader::new(run.stderr.take().unwrap()).lines().map(Result::unwrap);
            let is_reached = lines.into_iter().any(|line| line.starts_with(&format!("wave {wave} of ")));
            reached += usize::from(is_reached);
            run.kill().unwrap();
            run.wait().unwrap();
        }
        assert!(reached >= 6, "only {reached} waves were reached");
        cluster.kfc(&["apply", "minikube"]).succeeds();
        assert_eq!(incomplete(&cluster), "");
        changes_nothing(&cluster, "minikube", &bundle);
    }
}

#[test]
fn every_profile_with_a_golden_has_a_test() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("golden");
    let mut tested = [some::PROFILES, full::PROFILES].concat();
    tested.sort_unstable();
    let mut goldens = kfc_catalogue::golden::names(&folder);
    goldens.sort_unstable();
    assert_eq!(tested, goldens);
}

/// Applies a profile to a fresh cluster and holds the outcome against what is promised.
fn arrives(profile: &str) {
    let cluster = Cluster::start_with(&Setup { audited: true, ..Setup::default() });
    prepare(&cluster, profile);
    let before = cluster.objects();
    let bundle = cluster.path("bundle.yaml").to_str().unwrap().to_owned();
    cluster.kfc(&["build", profile, "-o", &bundle]).succeeds();
    let start = Instant::now();
    let (out, err) = cluster.kfc(&["apply", profile, "--timeout", "4m"]).succeeds();
    let first = start.elapsed().as_secs_f64();
    let of_first = cluster.requests("kfc/").len();
    assert!(out.lines().count() > 400, "{profile}: {out}{err}");
    assert!(out.lines().all(|line| line.starts_with("created ")), "{profile}: {out}");
    assert_eq!(refused_pods(&cluster), "", "{profile}");
    assert_eq!(incomplete(&cluster), "", "{profile}");
    assert_eq!(needs::missing(&cluster), "", "{profile}");

    let second = changes_nothing(&cluster, profile, &bundle);
    let of_second = cluster.requests("kfc/").len();
    let objects = out.lines().count();
    let start = Instant::now();
    let (out, err) = cluster.kfc(&["diff", "cluster", profile, "--all"]).succeeds();
    assert!(out.is_empty() || out.contains("nothing differs"), "{profile}: {out}{err}");
    let (diff, of_diff) = (start.elapsed().as_secs_f64(), cluster.requests("kfc/").len());
    // The server takes longer to delete a profile than to create it: that of each platform is enough, and one for every change.
    let deletion = if profile.contains('+') || profile == "onprem" {
        String::new()
    } else {
        let (delete, of_delete) = leaves_nothing(&cluster, profile, &before);
        format!(", delete {delete:.0} s with {of_delete}")
    };
    println!(
        "figure: {profile}: {objects} objects, first apply {first:.0} s with {of_first} requests, second {second:.1} s with \
         {of_second}, diff cluster {diff:.1} s with {of_diff}{deletion}"
    );
}

/// Deletes a profile: what holds data, and what may hold objects of others, only when it is asked for. Gives the seconds it took,
/// and the requests.
fn leaves_nothing(cluster: &Cluster, profile: &str, before: &BTreeSet<String>) -> (f64, usize) {
    let start = Instant::now();
    let (out, err) = cluster.kfc(&["delete", profile, "--yes"]).succeeds();
    assert!(!out.contains("Namespace ") && !out.contains("PersistentVolumeClaim "), "{profile}: {out}");
    assert!(out.contains("deleted CustomResourceDefinition "), "definitions without objects go: {out}");
    for kept in [
        "namespaces are deleted only with `--delete-namespaces` or `--delete-all`",
        "PVCs are deleted only with `--delete-pvcs` or `--delete-all`",
    ] {
        assert!(err.contains(kept), "{profile}: {err}");
    }
    cluster.kfc(&["delete", profile, "--yes", "--delete-all"]).succeeds();
    let (time, requests) = (start.elapsed().as_secs_f64(), cluster.requests("kfc/").len());
    let after = cluster.objects();
    let left: Vec<&String> = after.difference(before).collect();
    assert_eq!(left, Vec::<&String>::new(), "{profile} leaves objects");
    let gone: Vec<&String> = before.difference(&after).collect();
    assert_eq!(gone, Vec::<&String>::new(), "a deletion of {profile} deletes what is not its own");
    (time, requests)
}

/// What the platform itself has and a cluster of ours has not.
fn prepare(cluster: &Cluster, profile: &str) {
    match profile.split('+').next() {
        Some("openshift") => cluster.define_platform_kinds(),
        // K3s makes a runtime class for each container runtime that it knows.
        Some("k3s") => cluster.apply(
            "{apiVersion: node.k8s.io/v1, kind: RuntimeClass, metadata: {name: nvidia}, handler: nvidia}",
        ),
        _ => {}
    }
}

/// Applies a profile that is there already: nothing is said to change, and no apply writes a field. Gives the seconds it took.
fn changes_nothing(cluster: &Cluster, profile: &str, bundle: &str) -> f64 {
    let before = applied_fields(cluster, bundle);
    let start = Instant::now();
    let (out, err) = cluster.kfc(&["apply", profile]).succeeds();
    let time = start.elapsed().as_secs_f64();
    assert_eq!(out, "", "a second apply of {profile} changes something:\n{err}");
    assert!(before == applied_fields(cluster, bundle), "a second apply of {profile} wrote fields");
    time
}

/// What pod security, quotas and webhooks said of pods: they refuse a pod, never the Deployment that wants it.
pub(super) fn refused_pods(cluster: &Cluster) -> String {
    let mut lines: Vec<String> = cluster
        .list("events")
        .iter()
        .filter(|event| event["reason"] == "FailedCreate")
        .map(|event| {
            format!(
                "{} {}: {}",
                event["involvedObject"]["kind"], event["involvedObject"]["name"], event["message"]
            )
        })
        .collect();
    lines.sort();
    lines.join("\n")
}

/// The workloads that do not have all their pods ready.
pub(super) fn incomplete(cluster: &Cluster) -> String {
    let count = |object: &Value, path: &str| object.pointer(path).and_then(Value::as_u64).unwrap_or_default();
    let mut lines = Vec::new();
    let mut check = |kind: &str, wanted: &str, there: &str| {
        let all = cluster.list(kind);
        for object in &all {
            let (wanted, there) = (count(object, wanted), count(object, there));
            if there < wanted {
                lines.push(format!("{kind} {}: {there} of {wanted}", object["metadata"]["name"]));
            }
        }
        all.len()
    };
    assert!(check("deployments", "/spec/replicas", "/status/readyReplicas") > 5);
    check("statefulsets", "/spec/replicas", "/status/readyReplicas");
    check("daemonsets", "/status/desiredNumberScheduled", "/status/numberReady");
    check("jobs", "/spec/completions", "/status/succeeded");
    lines.join("\n")
}

/// For each object of a bundle: which fields an apply wrote, and when.
fn applied_fields(cluster: &Cluster, bundle: &str) -> Vec<Value> {
    let (out, _) =
        cluster.kubectl(&["get", "-f", bundle, "--output=json", "--show-managed-fields"]).succeeds();
    let list: Value = serde_json::from_str(&out).unwrap();
    let items = list["items"].as_array().unwrap();
    assert!(items.len() > 400);
    items
        .iter()
        .map(|item| {
            let entries = item["metadata"]["managedFields"].as_array().cloned().unwrap_or_default();
            let applied: Vec<Value> =
                entries.into_iter().filter(|entry| entry["operation"] == "Apply").collect();
            json!([item["kind"], item["metadata"]["uid"], applied])
        })
        .collect()
}
