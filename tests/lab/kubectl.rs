//! Whether kubectl alone installs a profile with the lines that the README shows, and goes over it once more in one pass.

use super::cluster::{Cluster, Run, kfc};
use super::profiles::{incomplete, refused_pods};
use std::path::Path;

#[test]
#[ignore = "needs the lab: .ci/lab"]
fn kubectl_installs_minikube() {
    installs("minikube");
}

#[test]
#[ignore = "needs the lab: .ci/lab"]
fn kubectl_installs_onprem() {
    installs("onprem");
}

#[test]
#[ignore = "needs the lab: .ci/lab"]
fn kubectl_installs_gke_with_gpus() {
    installs("gke+gpu");
}

/// A kustomization root has waves too: definitions, what is built in, objects of the kinds defined.
#[test]
#[ignore = "needs the lab: .ci/lab"]
fn kubectl_installs_a_root_with_an_operator() {
    let cluster = Cluster::start();
    cluster.write("root/kustomization.yaml", "resources: [operator.yaml]\n");
    cluster.write("root/operator.yaml", OPERATOR);
    let (waves, pipe) = readme_lines("root");
    run(&cluster, &waves).succeeds();
    let widget = cluster.get("widgets.example.com", "operator", "w").unwrap();
    assert_eq!(widget["spec"]["size"], 3);
    run(&cluster, &pipe).succeeds();
}

fn installs(profile: &str) {
    let cluster = Cluster::start();
    let bundle = cluster.path("bundle.yaml").to_str().unwrap().to_owned();
    cluster.kfc(&["build", profile, "-o", &bundle]).succeeds();
    let (waves, pipe) = readme_lines(profile);
    let (out, err) = run(&cluster, &waves).succeeds();
    assert!(!err.to_lowercase().contains("error"), "{profile}: {err}");
    let applied = |text: &str| text.lines().filter(|line| line.ends_with(" serverside-applied")).count();
    let first = applied(&out);
    assert!(first > 400, "{profile}: {first} objects\n{out}{err}");
    cluster.kubectl(&["get", "--filename", &bundle, "--output=name"]).succeeds();
    assert_eq!(refused_pods(&cluster), "", "{profile}");
    assert_eq!(incomplete(&cluster), "", "{profile}");

    let (out, err) = run(&cluster, &pipe).succeeds();
    assert_eq!(applied(&out), first, "{profile}: {out}{err}");
}

/// A script in which `kfc` is the program under test.
pub(super) fn run(cluster: &Cluster, script: &str) -> Run {
    let script = format!("kfc() {{ {} \"$@\"; }}\n{script}", kfc().display());
    Run::of(&mut cluster.command("bash", &["-e", "-o", "pipefail", "-c", &script]))
}

/// What the README shows for kubectl alone: the loop over waves, and the pipe, both for this target.
fn readme_lines(target: &str) -> (String, String) {
    let readme = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let block = readme.split("```sh\n").skip(1).find(|block| block.contains("--waves=numbers")).unwrap();
    let block = block.split("```").next().unwrap().replace("gke+gpu", target);
    let is_pipe = |line: &&str| line.starts_with("kfc build ");
    let (pipe, waves): (Vec<&str>, Vec<&str>) = block.lines().partition(is_pipe);
    assert_eq!(
        (pipe.len(), waves.len()),
        (1, 2),
        "the README shows a loop of two lines and a pipe:\n{block}"
    );
    (waves.join("\n"), pipe.join("\n"))
}

const OPERATOR: &str = "
apiVersion: v1
kind: Namespace
metadata: {name: operator}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  names: {kind: Widget, plural: widgets}
  scope: Namespaced
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {size: {type: integer}}}}}
---
apiVersion: v1
kind: Service
metadata: {name: hooks, namespace: operator}
spec: {selector: {app: hooks}, ports: [{port: 443, targetPort: 9443}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: hooks, namespace: operator}
spec:
  selector: {matchLabels: {app: hooks}}
  template:
    metadata: {labels: {app: hooks}}
    spec: {containers: [{name: hooks, image: example.com/hooks, ports: [{containerPort: 9443}]}]}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: hooks}
webhooks:
- name: widgets.example.com
  admissionReviewVersions: [v1]
  sideEffects: None
  failurePolicy: Fail
  clientConfig: {service: {name: hooks, namespace: operator, path: /validate}}
  rules: [{apiGroups: [example.com], apiVersions: [v1], resources: [widgets], operations: [CREATE, UPDATE]}]
---
apiVersion: example.com/v1
kind: Widget
metadata: {name: w, namespace: operator}
spec: {size: 3}
";
