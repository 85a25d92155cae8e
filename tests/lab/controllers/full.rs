//! The controllers that a change does not wait for: their programs take minutes to compile.

use super::{Controller, NAMESPACE, Platform, controller, status_of};
use serde_json::{Value, json};

const KUEUE: Controller =
    controller("kueue", "registry.k8s.io/kueue/kueue", &["kueue-system/kueue-webhook-service"]);
const CERT_MANAGER: [Controller; 3] = [
    Controller {
        // It wants only the headers, which a refusal has too.
        tries: &["/livez/ping"],
        ..controller("cert-manager-controller", "quay.io/jetstack/cert-manager-controller", &[])
    },
    controller("cert-manager-cainjector", "quay.io/jetstack/cert-manager-cainjector", &[]),
    controller(
        "cert-manager-webhook",
        "quay.io/jetstack/cert-manager-webhook",
        &["cert-manager/cert-manager-webhook"],
    ),
];
const TRAINING_OPERATOR: Controller = controller(
    "training-operator",
    "ghcr.io/kubeflow/training-v1/training-operator",
    &["kubeflow/training-operator"],
);
const MPI_OPERATOR: Controller = controller("mpi-operator", "mpioperator/mpi-operator", &[]);
const KATIB: [Controller; 2] = [
    Controller {
        // A pod whose owner it cannot read is for it no pod of a trial.
        tries: &["/replicasets/"],
        ..controller("katib-controller", "ghcr.io/kubeflow/katib/katib-controller", &[])
    },
    // The service of katib that is written in Go suggests instead of the one that is written in Python.
    Controller {
        comes_later: true,
        ..controller("katib-goptuna", "ghcr.io/kubeflow/katib/suggestion-hyperopt", &[])
    },
];

const ARGO: Controller = controller("workflow-controller", "quay.io/argoproj/workflow-controller", &[]);
// Its controller and its webhook are one program.
const SPARK_OPERATOR: Controller = controller(
    "spark-operator",
    "ghcr.io/kubeflow/spark-operator/controller",
    &["kubeflow/spark-operator-webhook-svc"],
);
const KNATIVE: [Controller; 4] = [
    controller("knative-controller", "gcr.io/knative-releases/knative.dev/serving/cmd/controller", &[]),
    controller(
        "knative-webhook",
        "gcr.io/knative-releases/knative.dev/serving/cmd/webhook",
        &["knative-serving/webhook"],
    ),
    controller("knative-autoscaler", "gcr.io/knative-releases/knative.dev/serving/cmd/autoscaler", &[]),
    controller("knative-activator", "gcr.io/knative-releases/knative.dev/serving/cmd/activator", &[]),
];

/// The account of the example's steps, with the rights that the bundle adds to those of editors.
const EDITOR: &str = "
apiVersion: v1
kind: ServiceAccount
metadata: {name: default-editor, namespace: kubeflow-user-example-com}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: default-editor, namespace: kubeflow-user-example-com}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: edit}
subjects: [{kind: ServiceAccount, name: default-editor, namespace: kubeflow-user-example-com}]
";

/// A Job that asks for more than the queue of the example has, and one of somebody who has no queue.
const JOBS: &str = "
apiVersion: batch/v1
kind: Job
metadata:
  name: large
  namespace: kubeflow-user-example-com
  labels: {kueue.x-k8s.io/queue-name: examples}
spec:
  template:
    spec:
      restartPolicy: Never
      containers:
      - name: work
        image: example.com/work:v1
        resources: {requests: {cpu: 3}}
---
apiVersion: batch/v1
kind: Job
metadata: {name: unqueued, namespace: kubeflow-user-example-com}
spec:
  template:
    spec:
      restartPolicy: Never
      containers: [{name: work, image: 'example.com/work:v1'}]
";

#[test]
#[ignore = "needs the lab: .ci/full"]
fn training_operator_runs_the_pods_of_each_kind_of_job() {
    let platform = Platform::start(&[TRAINING_OPERATOR], &["--components", "training-operator"]);
    platform.apply_example("training-operator");
    platform.apply_example("arena");
    let jobs = [
        ("jaxjob", "jax-example", 2),
        ("paddlejob", "paddle-example", 2),
        ("pytorchjob", "train-mnist", 2),
        ("tfjob", "linear-fit", 2),
        ("xgboostjob", "xgboost-example", 3),
    ];
    for (kind, name, pods) in jobs {
        platform.await_condition(kind, name, "Running");
        let all = platform.list("pods").into_iter();
        let own = all.filter(|pod| pod["metadata"]["labels"]["training.kubeflow.org/job-name"] == name);
        assert_eq!(own.count(), pods, "pods of {kind} {name}");
    }
    platform.assert_sound();
}

#[test]
#[ignore = "needs the lab: .ci/full"]
fn mpi_operator_launches_once_the_workers_run() {
    let platform = Platform::start(&[MPI_OPERATOR], &["--components", "mpi-operator"]);
    platform.apply_example("mpi-operator");
    platform.await_condition("mpijob", "pi", "Succeeded");
    let launcher = platform.get("job", "pi-launcher");
    assert_eq!(launcher["status"]["succeeded"], 1, "{launcher}");
    platform.assert_sound();
}

#[test]
#[ignore = "needs the lab: .ci/full"]
fn kueue_admits_a_job_that_the_quota_has_room_for_and_holds_back_another() {
    let platform = Platform::start(&[KUEUE], &["--components", "kueue"]);
    platform.apply_example("kueue");
    platform.cluster.apply(JOBS);
    platform.await_condition("job", "unqueued", "Complete");
    platform.await_condition("job", "queued", "Complete");
    let workload_of = |job: &str| {
        let workloads = platform.list("workloads.kueue.x-k8s.io").into_iter();
        let mut own = workloads.filter(|one| one["metadata"]["ownerReferences"][0]["name"] == job);
        own.next().unwrap_or_default()
    };
    platform
        .cluster
        .wait("the Workload is finished", 60, || status_of(&workload_of("queued"), "Finished") == "True");
    assert_eq!(status_of(&workload_of("queued"), "Admitted"), "True");
    platform.cluster.wait("the large Workload waits", 60, || {
        status_of(&workload_of("large"), "QuotaReserved") == "False"
    });
    let large = platform.get("job", "large");
    assert_eq!(large["spec"]["suspend"], true, "{large}");
    assert!(large["status"]["active"].is_null(), "{large}");
    platform.assert_sound();
}

#[test]
#[ignore = "needs the lab: .ci/full"]
fn cert_manager_issues_the_certificates_that_webhooks_are_called_with() {
    let platform = Platform::start(&CERT_MANAGER, &["--components", "admission-webhook,katib,pvcviewer"]);
    let certificates = platform.cluster.list("certificates.cert-manager.io");
    assert!(certificates.len() >= 3, "{certificates:?}");
    for certificate in &certificates {
        let [namespace, name] =
            ["namespace", "name"].map(|field| certificate["metadata"][field].as_str().unwrap());
        platform.cluster.wait(&format!("Certificate {name} is ready"), 120, || {
            let certificate = platform.cluster.get("certificate", namespace, name).unwrap();
            status_of(&certificate, "Ready") == "True"
        });
        let secret =
            platform.cluster.get("secret", namespace, certificate["spec"]["secretName"].as_str().unwrap());
        let annotations = &secret.expect("the Secret of a Certificate")["metadata"]["annotations"];
        assert_eq!(annotations["cert-manager.io/certificate-name"], name, "{annotations}");
    }
    // What the API server has to trust when it calls the webhook of PodDefaults comes from the Secret that the webhook serves.
    let webhooks = platform.cluster.get(
        "mutatingwebhookconfiguration",
        "",
        "poddefaults-webhook-mutating-webhook-configuration",
    );
    let secret = platform.cluster.get("secret", "kubeflow", "poddefaults-webhook-certs").unwrap();
    assert_eq!(webhooks.unwrap()["webhooks"][0]["clientConfig"]["caBundle"], secret["data"]["ca.crt"]);
    platform.assert_sound();
}

#[test]
#[ignore = "needs the lab: .ci/full"]
fn katib_starts_trials_with_the_parameters_that_are_suggested() {
    let platform = Platform::start(&KATIB, &["--components", "katib"]);
    // As the profile controller labels it.
    let label = "katib.kubeflow.org/metrics-collector-injection=enabled";
    platform.cluster.kubectl(&["label", "namespace", NAMESPACE, label]).succeeds();
    platform.apply_example("katib");
    let trial_pods = || {
        let mut pods = platform.list("pods");
        pods.retain(|pod| pod["metadata"]["labels"]["katib.kubeflow.org/trial"].is_string());
        pods
    };
    platform.cluster.wait("two trials have a pod", 180, || trial_pods().len() == 2);
    for pod in trial_pods() {
        let containers = pod["spec"]["containers"].as_array().unwrap();
        let names: Vec<_> = containers.iter().map(|one| one["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["training-container", "metrics-logger-and-collector"]);
        let command = containers[0].to_string();
        let rate = command.split("--lr=").nth(1).unwrap().split(' ').next().unwrap();
        assert!((0.005..=0.05).contains(&rate.parse::<f64>().unwrap()), "{command}");
    }
    platform.assert_sound();
}

/// Ends a step of the example as argo's executor in its pod does: it reports what the step printed, with the rights of the pod's
/// account, and the containers end.
fn end_step(platform: &Platform, task: &str, printed: &str) -> Value {
    const PREFIX: &str = "workflows.argoproj.io";
    let annotation =
        |pod: &Value, name: &str| pod["metadata"]["annotations"][format!("{PREFIX}/{name}")].clone();
    let step = || {
        let mut pods = platform.list("pods").into_iter();
        pods.find(|pod| annotation(pod, "node-name") == format!("two-steps.{task}")).unwrap_or_default()
    };
    platform.cluster.wait(&format!("the step {task} runs"), 120, || step()["status"]["phase"] == "Running");
    let pod = step();
    let labels = json!({format!("{PREFIX}/workflow"): "two-steps", format!("{PREFIX}/report-outputs-completed"): "true"});
    let report = json!({
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "WorkflowTaskResult",
        "metadata": {"name": annotation(&pod, "node-id"), "namespace": NAMESPACE, "labels": labels},
        "outputs": {"result": printed},
    });
    let account = platform.cluster.sign_in(NAMESPACE, pod["spec"]["serviceAccountName"].as_str().unwrap());
    let file = platform.cluster.write(&format!("{task}.json"), &report.to_string());
    platform
        .cluster
        .kubectl(&["create", "--context", &account, "--filename", file.to_str().unwrap()])
        .succeeds();
    platform.complete_pod(&pod);
    pod
}

#[test]
#[ignore = "needs the lab: .ci/full"]
fn argo_runs_the_second_step_of_a_workflow_with_what_the_first_one_printed() {
    let platform = Platform::start(&[ARGO], &["--components", "argo-workflows"]);
    platform.cluster.apply(EDITOR);
    platform.apply_example("argo-workflows");
    end_step(&platform, "count", "4950");
    let second = end_step(&platform, "tell", "4950");
    assert!(second.to_string().contains("4950"), "{second}");
    platform.cluster.wait("the Workflow has succeeded", 60, || {
        platform.get("workflow", "two-steps")["status"]["phase"] == "Succeeded"
    });
    platform.assert_sound();
}

#[test]
#[ignore = "needs the lab: .ci/full"]
fn spark_operator_starts_the_driver_of_an_application_and_follows_it() {
    let platform = Platform::start(&[SPARK_OPERATOR], &["--components", "spark-operator"]);
    platform.cluster.wait("both the controller and the webhook run", 60, || {
        let states = platform.states("spark-operator");
        states.len() == 2 && states.iter().all(|state| state["ready"] == true)
    });
    platform.apply_example("spark-operator");
    let await_state = |state: &str| {
        platform.cluster.wait(&format!("the application is {state}"), 120, || {
            platform.get("sparkapplication", "pi")["status"]["applicationState"]["state"] == state
        });
    };
    await_state("RUNNING");
    let driver = platform.get("pod", "pi-driver");
    // From the webhook for pods: what Spark itself has no setting for.
    assert_eq!(driver["metadata"]["ownerReferences"][0]["kind"], "SparkApplication", "{driver}");
    assert_eq!(driver["spec"]["containers"][0]["securityContext"]["runAsUser"], 185, "{driver}");
    platform.complete_pod(&driver);
    await_state("COMPLETED");
    platform.assert_sound();
}

#[test]
#[ignore = "needs the lab: .ci/full"]
fn knative_makes_a_service_ready_once_its_ingress_is() {
    const INGRESS: &str = "ingresses.networking.internal.knative.dev";
    // No registry can be reached that would know the digest of a tag.
    let tags = ["--set", "knative-serving.untaggedRegistries=index.docker.io"];
    let platform = Platform::start(&KNATIVE, &[&["--components", "knative-serving"], &tags[..]].concat());
    platform.apply_example("knative-serving");
    platform.await_condition("configurations.serving.knative.dev", "hello", "Ready");
    let deployment = platform.get("deployment", "hello-00001-deployment");
    let containers = deployment["spec"]["template"]["spec"]["containers"].as_array().unwrap();
    let sidecar = containers.iter().find(|one| one["name"] == "queue-proxy").unwrap();
    let settings = platform.cluster.get("configmap", "knative-serving", "config-deployment").unwrap();
    assert_eq!(sidecar["image"], settings["data"]["queue-sidecar-image"]);
    platform.await_condition("podautoscaler", "hello-00001", "Active");
    // As the program does that makes istio's routes of it.
    platform.cluster.wait("the route has an ingress", 60, || !platform.get(INGRESS, "hello").is_null());
    let conditions = ["NetworkConfigured", "LoadBalancerReady", "Ready"]
        .map(|name| json!({"type": name, "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"}));
    let gateway = json!({"ingress": [{"domainInternal": "gateway.istio-system.svc.cluster.local"}]});
    let generation = platform.get(INGRESS, "hello")["metadata"]["generation"].clone();
    let status = json!({"status": {
        "observedGeneration": generation, "conditions": conditions, "publicLoadBalancer": gateway, "privateLoadBalancer": gateway,
    }});
    platform.patch_status(INGRESS, "hello", &status);
    platform.await_condition("services.serving.knative.dev", "hello", "Ready");
    platform.assert_sound();
}
