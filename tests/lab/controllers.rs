//! Real controllers under a bundle, as their projects release them: each runs as the container of its simulated pod, with the
//! arguments, configuration, RBAC and definitions of the bundle, and takes a small resource of its kind where it should get.

use super::cluster::{Cluster, Setup, lab_file};
use serde_json::{Value, json};
use std::collections::BTreeSet;

mod full;

/// The namespace of the examples.
const NAMESPACE: &str = "kubeflow-user-example-com";

/// A program, and what it is the container of.
#[derive(Clone, Copy)]
struct Controller {
    /// As `tests/lab/build` calls it.
    name: &'static str,
    /// Its image without the tag.
    image: &'static str,
    /// Webhook services (`NAMESPACE/NAME`) that it answers with a certificate of its own.
    webhooks: &'static [&'static str],
    /// Whether its pods come with a resource, not with the platform.
    comes_later: bool,
    /// Parts of the paths that it asks for without a right in upstream's roles either, because it does without an answer.
    tries: &'static [&'static str],
}

const fn controller(
    name: &'static str,
    image: &'static str,
    webhooks: &'static [&'static str],
) -> Controller {
    Controller { name, image, webhooks, comes_later: false, tries: &[] }
}

const JOBSET: Controller =
    controller("jobset", "registry.k8s.io/jobset/jobset", &["kubeflow-system/jobset-webhook-service"]);
const KSERVE: Controller = controller("kserve", "kserve/kserve-controller", &[]);
const TRAINER: Controller = controller(
    "trainer",
    "ghcr.io/kubeflow/trainer/trainer-controller-manager",
    &["kubeflow-system/kubeflow-trainer-controller-manager"],
);

/// What is applied, and the programs that run in it.
struct Platform {
    cluster: Cluster,
    controllers: Vec<Controller>,
    arguments: Vec<&'static str>,
}

impl Platform {
    /// Applies `onprem`, or what the arguments make of it, and waits for the controllers.
    fn start(controllers: &[Controller], arguments: &[&'static str]) -> Self {
        let issues_certificates = controllers.iter().any(|one| one.name == "cert-manager-controller");
        let setup = Setup {
            without: issues_certificates.then_some("certificates").into_iter().collect(),
            programs: controllers.iter().map(|one| (one.image, one.name.to_owned())).collect(),
            left: controllers.iter().flat_map(|one| one.webhooks).copied().collect(),
            audited: true,
            ..Setup::default()
        };
        let platform = Self {
            cluster: Cluster::start_with(&setup),
            controllers: controllers.to_vec(),
            arguments: [&["apply", "onprem"], arguments].concat(),
        };
        platform.cluster.kfc(&platform.arguments).succeeds();
        for Controller { name, .. } in controllers.iter().filter(|one| !one.comes_later) {
            platform.cluster.wait(&format!("{name} runs and answers its readiness probe"), 180, || {
                platform.states(name).iter().any(|state| state["ready"] == true)
            });
        }
        platform
            .cluster
            .apply(&format!("{{apiVersion: v1, kind: Namespace, metadata: {{name: {NAMESPACE}}}}}"));
        platform
    }

    /// Applies the example of a component, as users find it.
    fn apply_example(&self, component: &str) {
        let directory = lab_file("../../examples").join(component).join("cpu");
        let (bundle, _) = self.cluster.kfc(&["build", directory.to_str().unwrap()]).succeeds();
        self.cluster.apply(&bundle);
    }

    /// An object in the namespace of the examples.
    fn get(&self, kind: &str, name: &str) -> Value {
        self.cluster.get(kind, NAMESPACE, name).unwrap_or_default()
    }

    /// The objects of a kind in the namespace of the examples.
    fn list(&self, kind: &str) -> Vec<Value> {
        let mut objects = self.cluster.list(kind);
        objects.retain(|object| object["metadata"]["namespace"] == NAMESPACE);
        objects
    }

    /// Waits until an object has a condition with this status.
    #[track_caller]
    fn await_condition(&self, kind: &str, name: &str, condition: &str) {
        let what = format!("{condition} of {kind} {name}");
        self.cluster.wait(&what, 180, || status_of(&self.get(kind, name), condition) == "True");
    }

    /// Ends a pod as a kubelet does after its containers have succeeded.
    fn complete_pod(&self, pod: &Value) {
        let ended = |container: &Value| {
            json!({
                "name": container["name"], "image": container["image"], "imageID": "", "ready": false, "restartCount": 0,
                "state": {"terminated": {"exitCode": 0, "reason": "Completed"}},
            })
        };
        let containers = pod["spec"]["containers"].as_array().unwrap();
        let statuses: Vec<Value> = containers.iter().map(ended).collect();
        let patch = json!({"status": {"phase": "Succeeded", "containerStatuses": statuses}});
        self.patch_status("pod", pod["metadata"]["name"].as_str().unwrap(), &patch);
    }

    /// Changes the status of an object, as a controller that does not run here would.
    fn patch_status(&self, kind: &str, name: &str, patch: &Value) {
        let patch = patch.to_string();
        let flags = ["--subresource=status", "--type=merge", "--patch", &patch];
        self.cluster
            .kubectl(&[&["patch", kind, name, "--namespace", NAMESPACE], &flags[..]].concat())
            .succeeds();
    }

    /// What became of the containers that run a program.
    fn states(&self, program: &str) -> Vec<Value> {
        let folders = std::fs::read_dir(self.cluster.path("pods")).into_iter().flatten();
        let texts = folders
            .filter_map(|folder| std::fs::read_to_string(folder.unwrap().path().join("state.json")).ok());
        texts
            .map(|text| serde_json::from_str(&text).unwrap())
            .filter(|state: &Value| state["program"] == program)
            .collect()
    }

    /// What holds for each controller at the end: no run of it ended, and the API server denied its ServiceAccount nothing.
    /// And nothing that it wrote is in the way of another apply.
    #[track_caller]
    fn assert_sound(&self) {
        for Controller { name, tries, .. } in &self.controllers {
            for state in self.states(name) {
                let pod = state["pod"].as_str().unwrap();
                assert_eq!(state["restarts"], 0, "{state}\n{}", self.ends(pod));
                let account = state["account"].as_str().unwrap();
                let mut denials = self.cluster.denials(account);
                denials.retain(|denial| !tries.iter().any(|path| denial.contains(path)));
                assert_eq!(denials, BTreeSet::new(), "{name} lacks rights");
            }
        }
        let (out, err) = self.cluster.kfc(&self.arguments).succeeds();
        assert_eq!(out, "", "a second apply changes what the controllers own:\n{err}");
    }

    /// The last lines of each run of a pod's program but the one that still runs.
    fn ends(&self, pod: &str) -> String {
        const LINES: usize = 15;
        let log = self.log(pod);
        let runs: Vec<&str> = log.split("\n== ").collect();
        let ended = &runs[..runs.len().saturating_sub(1)];
        let ends = ended.iter().map(|run| {
            let lines: Vec<&str> = run.lines().collect();
            lines[lines.len().saturating_sub(LINES)..].join("\n")
        });
        ends.collect::<Vec<_>>().join("\n\n")
    }

    /// What the programs of a pod's containers wrote, run after run.
    fn log(&self, pod: &str) -> String {
        let folders =
            std::fs::read_dir(self.cluster.path("pods")).unwrap().map(|folder| folder.unwrap().path());
        let folders = folders.filter(|folder| folder.to_str().unwrap().contains(pod));
        folders.map(|folder| std::fs::read_to_string(folder.join("log")).unwrap()).collect()
    }
}

/// The status of a condition of an object; empty when there is none.
fn status_of(object: &Value, condition: &str) -> String {
    let conditions = object["status"]["conditions"].as_array().into_iter().flatten();
    let mut statuses = conditions.filter(|entry| entry["type"] == condition).map(|entry| &entry["status"]);
    statuses.next().and_then(Value::as_str).unwrap_or_default().to_owned()
}

const SERVICE: &str = "
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata:
  name: model
  namespace: kubeflow-user-example-com
  annotations: {serving.kserve.io/deploymentMode: RawDeployment}
spec:
  predictor:
    model:
      modelFormat: {name: sklearn}
      storageUri: s3://models/iris
";

#[test]
#[ignore = "needs the lab: .ci/lab"]
fn managers_of_a_whole_platform_reconcile_a_train_job_and_an_inference_service() {
    let platform = Platform::start(&[JOBSET, TRAINER, KSERVE], &[]);
    platform.apply_example("jobset");
    platform.apply_example("trainer");
    platform.apply_example("kserve");
    platform.cluster.apply(SERVICE);
    platform.await_condition("jobset", "leader-and-workers", "Completed");
    platform.await_condition("trainjob", "fit-line", "Complete");
    platform.await_condition("inferenceservice", "model", "Ready");
    platform.cluster.wait("the InferenceService without a mode has a Knative Service", 60, || {
        !platform.get("services.serving.knative.dev", "smollm-predictor").is_null()
    });
    platform.assert_sound();
}

#[test]
#[ignore = "needs the lab: .ci/lab"]
fn jobset_completes_its_jobs() {
    let platform = Platform::start(&[JOBSET], &["--components", "jobset"]);
    platform.apply_example("jobset");
    platform.await_condition("jobset", "leader-and-workers", "Completed");
    platform.assert_sound();
}

#[test]
#[ignore = "needs the lab: .ci/lab"]
fn trainer_completes_a_train_job_on_two_nodes() {
    let platform = Platform::start(&[JOBSET, TRAINER], &["--components", "trainer"]);
    platform.apply_example("trainer");
    platform.await_condition("trainjob", "fit-line", "Complete");
    let jobs = platform.list("jobs.batch");
    assert_eq!(jobs[0]["spec"]["completions"], 2, "{jobs:?}");
    platform.assert_sound();
}

#[test]
#[ignore = "needs the lab: .ci/lab"]
fn kserve_makes_a_deployment_of_a_model() {
    let platform = Platform::start(&[KSERVE], &["--components", "kserve"]);
    platform.cluster.apply(SERVICE);
    platform.await_condition("inferenceservice", "model", "Ready");
    let deployment = platform.get("deployment", "model-predictor");
    assert_eq!(deployment["status"]["readyReplicas"], 1, "{deployment}");
    platform.assert_sound();
}
