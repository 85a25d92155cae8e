//! Whether profiles really arrive: applied as a user would, with every pod admitted, and a second apply that changes nothing.
//! Openshift's profiles need an API server of its own and are not among them.

use super::cluster::Cluster;
use serde_json::{Value, json};

#[test]
#[ignore = "needs the lab: .ci/lab"]
fn minikube_arrives() {
    arrives("minikube");
}

#[test]
#[ignore = "needs the lab: .ci/lab"]
fn onprem_arrives() {
    arrives("onprem");
}

#[test]
#[ignore = "needs the lab: .ci/lab"]
fn gke_with_gpus_arrives() {
    arrives("gke+gpu");
}

mod full {
    //! The rest, for which a landing change does not wait.
    use super::{applied_profiles, arrives};

    #[test]
    #[ignore = "needs the lab, and minutes: .ci/full"]
    fn every_other_profile_arrives() {
        let others = applied_profiles();
        assert!(others.len() >= 17, "only {others:?}");
        others.iter().for_each(|profile| arrives(profile));
    }
}

/// The profiles with a golden that this server can hold, without those that have a test of their own.
fn applied_profiles() -> Vec<String> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("golden");
    let mut all = kfc::golden::profiles(&folder);
    all.retain(|profile| {
        !profile.starts_with("openshift") && !["minikube", "onprem", "gke+gpu"].contains(&profile.as_str())
    });
    all
}

/// Applies a profile to a fresh cluster and holds the outcome against what is promised.
fn arrives(profile: &str) {
    let cluster = Cluster::start();
    let bundle = cluster.path("bundle.yaml").to_str().unwrap().to_owned();
    cluster.kfc(&["build", profile, "-o", &bundle]).succeeds();
    let (out, err) = cluster.kfc(&["apply", profile]).succeeds();
    assert!(out.lines().count() > 400, "{profile}: {out}{err}");
    assert!(out.lines().all(|line| line.starts_with("created ")), "{profile}: {out}");
    assert_eq!(refused_pods(&cluster), "", "{profile}");
    assert_eq!(incomplete(&cluster), "", "{profile}");

    let before = applied_fields(&cluster, &bundle);
    let (out, err) = cluster.kfc(&["apply", profile]).succeeds();
    assert_eq!(out, "", "a second apply of {profile} changes something:\n{err}");
    assert!(before == applied_fields(&cluster, &bundle), "a second apply of {profile} wrote fields");

    let (out, err) = cluster.kfc(&["diff", "cluster", profile, "--all"]).succeeds();
    assert!(out.is_empty() || out.contains("nothing differs"), "{profile}: {out}{err}");
}

/// What pod security, quotas and webhooks said of pods: they refuse a pod, never the Deployment that wants it.
fn refused_pods(cluster: &Cluster) -> String {
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
fn incomplete(cluster: &Cluster) -> String {
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
