//! Real controllers under a bundle: jobset, trainer and kserve's managers, as their projects release them, run as the
//! containers of their simulated pods, with the arguments, configuration, RBAC and definitions of the bundle.

use super::cluster::{Cluster, Setup};
use serde_json::Value;

/// Manager, image, and the webhook service that it serves with a certificate of its own.
const MANAGERS: [(&str, &str, Option<&str>); 3] = [
    ("jobset", "registry.k8s.io/jobset/jobset", Some("kubeflow-system/jobset-webhook-service")),
    (
        "trainer",
        "ghcr.io/kubeflow/trainer/trainer-controller-manager",
        Some("kubeflow-system/kubeflow-trainer-controller-manager"),
    ),
    ("kserve", "kserve/kserve-controller", None),
];

const TRAIN_JOB: &str = "
apiVersion: trainer.kubeflow.org/v1alpha1
kind: TrainJob
metadata: {name: train, namespace: lab}
spec:
  runtimeRef: {name: torch-distributed}
  trainer:
    numNodes: 2
    image: example.com/train:v1
    command: [python, train.py]
";

const SERVICE: &str = "
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata:
  name: model
  namespace: lab
  annotations: {serving.kserve.io/deploymentMode: RawDeployment}
spec:
  predictor:
    model:
      modelFormat: {name: sklearn}
      storageUri: s3://models/iris
";

#[test]
#[ignore = "needs the lab: .ci/lab"]
fn managers_reconcile_a_train_job_to_complete_and_an_inference_service_to_ready() {
    let cluster = Cluster::start_with(&Setup {
        programs: MANAGERS.iter().map(|(program, image, _)| (*image, (*program).to_owned())).collect(),
        left: MANAGERS.iter().filter_map(|(_, _, service)| *service).collect(),
        ..Setup::default()
    });
    cluster.kfc(&["apply", "onprem"]).succeeds();
    for (program, ..) in MANAGERS {
        cluster.wait(&format!("{program} runs and answers its readiness probe"), 120, || {
            states(&cluster, program).iter().any(|state| state["ready"] == true)
        });
    }
    cluster.apply("{apiVersion: v1, kind: Namespace, metadata: {name: lab}}");
    cluster.apply(TRAIN_JOB);
    cluster.apply(SERVICE);
    cluster
        .wait("the TrainJob is complete", 120, || has_condition(&cluster, "trainjob", "train", "Complete"));
    cluster.wait("the InferenceService is ready", 120, || {
        has_condition(&cluster, "inferenceservice", "model", "Ready")
    });

    let jobs = cluster.list("jobs.batch");
    let nodes = jobs.iter().find(|job| job["metadata"]["namespace"] == "lab").expect("a Job of the JobSet");
    assert_eq!(nodes["spec"]["completions"], 2, "{nodes}");
    let deployment =
        cluster.get("deployment", "lab", "model-predictor").expect("a Deployment of the InferenceService");
    assert_eq!(deployment["status"]["readyReplicas"], 1, "{deployment}");
    for (program, ..) in MANAGERS {
        for state in states(&cluster, program) {
            let pod = state["pod"].as_str().unwrap();
            assert_eq!(state["restarts"], 0, "{state}\n{}", ends(&cluster, pod));
        }
        assert_eq!(denials(&cluster, program), "", "{program} lacks rights");
    }
    let (out, err) = cluster.kfc(&["apply", "onprem"]).succeeds();
    assert_eq!(out, "", "a second apply changes what the managers own:\n{err}");
}

fn has_condition(cluster: &Cluster, kind: &str, name: &str, condition: &str) -> bool {
    let object = cluster.get(kind, "lab", name).unwrap();
    let conditions = object["status"]["conditions"].as_array().cloned().unwrap_or_default();
    conditions.iter().any(|entry| entry["type"] == condition && entry["status"] == "True")
}

/// What became of the containers that run a program.
fn states(cluster: &Cluster, program: &str) -> Vec<Value> {
    let folders = std::fs::read_dir(cluster.path("pods")).into_iter().flatten();
    let texts =
        folders.filter_map(|folder| std::fs::read_to_string(folder.unwrap().path().join("state.json")).ok());
    texts
        .map(|text| serde_json::from_str(&text).unwrap())
        .filter(|state: &Value| state["program"] == program)
        .collect()
}

/// The lines of a program's logs in which the API server denied it something.
fn denials(cluster: &Cluster, program: &str) -> String {
    let pods = states(cluster, program).into_iter().map(|state| state["pod"].as_str().unwrap().to_owned());
    let logs: Vec<String> = pods.map(|pod| log(cluster, &pod)).collect();
    let denied = logs.iter().flat_map(|log| log.lines()).filter(|line| line.contains("is forbidden"));
    denied.collect::<Vec<_>>().join("\n")
}

/// The last lines of each run of a pod's program but the one that still runs.
fn ends(cluster: &Cluster, pod: &str) -> String {
    const LINES: usize = 15;
    let log = log(cluster, pod);
    let runs: Vec<&str> = log.split("\n== ").collect();
    let ended = &runs[..runs.len().saturating_sub(1)];
    let ends = ended.iter().map(|run| {
        let lines: Vec<&str> = run.lines().collect();
        lines[lines.len().saturating_sub(LINES)..].join("\n")
    });
    ends.collect::<Vec<_>>().join("\n\n")
}

/// What the programs of a pod's containers wrote, run after run.
fn log(cluster: &Cluster, pod: &str) -> String {
    let folders = std::fs::read_dir(cluster.path("pods")).unwrap().map(|folder| folder.unwrap().path());
    let folders = folders.filter(|folder| folder.to_str().unwrap().contains(pod));
    folders.map(|folder| std::fs::read_to_string(folder.join("log")).unwrap()).collect()
}
