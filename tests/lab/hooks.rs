//! Hooks run around the workloads, once for each change; a hook that fails stops the run. Objects are ready when a user says so.

use super::cluster::{Cluster, Run, Server, on_each_server};
use std::process::Stdio;
use std::time::Duration;

on_each_server! { Bare:
    an_object_is_ready_when_its_annotation_says_so
}

/// A Job; `more` is further fields of its specification.
fn job(name: &str, annotations: &str, image: &str, more: &str) -> String {
    format!(
        "---\napiVersion: batch/v1\nkind: Job\nmetadata: {{name: {name}, namespace: shop, annotations: {{{annotations}}}}}\nspec:\n  \
         {more}\n  template: {{spec: {{serviceAccountName: runner, restartPolicy: Never, containers: [{{name: a, image: '{image}'}}]}}}}\n"
    )
}

fn deployment(image: &str) -> String {
    format!(
        "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: web, namespace: shop}}\nspec:\n  \
         selector: {{matchLabels: {{app: web}}}}\n  \
         template: {{metadata: {{labels: {{app: web}}}}, spec: {{containers: [{{name: a, image: '{image}'}}]}}}}\n"
    )
}

const NEEDS: &str = "\
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: runner, namespace: shop}
";

fn apply(cluster: &Cluster, more: &[&str]) -> Run {
    cluster.kfc(&[&["apply", "shop.yaml", "--name", "shop"], more].concat())
}

#[test]
#[ignore = "needs the lab: .ci/lab"]
fn hooks_run_around_the_workloads_and_once_for_each_change() {
    let cluster = Cluster::start();
    let bundle = |image: &str| {
        let hooks = [
            job("migrate", "kfc.dev/hook: pre-apply", "a:1", ""),
            job("check", "kfc.dev/hook: post-apply, kfc.dev/hook-delete: succeeded", "a:1", ""),
            job("clean", "'kfc.dev/hook': 'pre-delete'", "a:1", ""),
            job("bye", "'helm.sh/hook': 'post-delete'", "a:1", "")
                .replace("serviceAccountName: runner, ", ""),
            job("tests", "'helm.sh/hook': 'test'", "a:1", ""),
        ];
        format!("{NEEDS}{}{}", hooks.concat(), deployment(image))
    };
    cluster.write("shop.yaml", &bundle("a:1"));
    let uid = |name: &str| cluster.get("job", "shop", name).map(|job| job["metadata"]["uid"].clone());
    let (out, err) = apply(&cluster, &[]).succeeds();
    let lines: Vec<&str> = out.lines().filter(|line| line.contains("hook")).collect();
    assert_eq!(lines, ["pre-apply hook Job shop/migrate", "post-apply hook Job shop/check"], "{err}");
    assert!(out.contains("created Deployment shop/web\n") && err.contains("2 hooks run"), "{out}{err}");
    let migrate = cluster.get("job", "shop", "migrate").unwrap();
    let web = cluster.get("deployment", "shop", "web").unwrap();
    let (done, made) = (&migrate["status"]["completionTime"], &web["metadata"]["creationTimestamp"]);
    assert!(done.as_str().unwrap() <= made.as_str().unwrap(), "{done} {made}");
    assert!([uid("check"), uid("clean"), uid("bye"), uid("tests")].iter().all(Option::is_none));

    let first = uid("migrate");
    let (out, err) = apply(&cluster, &[]).succeeds();
    assert!(out.is_empty() && err.contains("done: 3 unchanged\n"), "{out}{err}");
    let (_, err) = cluster.kfc(&["diff", "cluster", "shop.yaml", "--name", "shop"]).succeeds();
    assert!(!err.contains("hook"), "{err}");
    let (out, _) = cluster.kfc(&["status", "--name", "shop", "--all"]).succeeds();
    assert!(out.contains("  Job shop/migrate (hook): ready\n"), "{out}");
    // The object of a hook that went on its own is not missed.
    cluster.kubectl(&["delete", "job", "migrate", "--namespace=shop"]).succeeds();
    assert_eq!(apply(&cluster, &[]).succeeds().0, "");
    cluster.kfc(&["status", "--name", "shop"]).succeeds();

    let (out, err) = apply(&cluster, &["--run-hooks"]).succeeds();
    assert_eq!(out.lines().count(), 2, "{out}{err}");
    let second = uid("migrate");
    assert!(second.is_some() && second != first);

    cluster.write("shop.yaml", &bundle("a:2"));
    let (out, err) = apply(&cluster, &["--dry-run=server"]).succeeds();
    assert!(out.starts_with("pre-apply hook Job shop/migrate\n") && uid("migrate") == second, "{out}{err}");
    let run = cluster.kfc(&["diff", "cluster", "shop.yaml", "--name", "shop"]);
    assert!(run.err.contains("an apply runs the pre-apply hook Job shop/migrate"), "{}", run.err);
    assert!(!run.out.contains("migrate") && run.code == Some(1), "{}", run.out);
    let plan = ["plan", "shop.yaml", "--name", "shop", "--output", "plan.json"];
    let (out, _) = cluster.kfc(&plan).succeeds();
    assert!(out.ends_with("pre-apply hook Job shop/migrate\npost-apply hook Job shop/check\n"), "{out}");
    let (out, err) = cluster.kfc(&["apply", "plan.json"]).succeeds();
    assert_eq!(
        out, "pre-apply hook Job shop/migrate\npost-apply hook Job shop/check\nchanged Deployment shop/web\n",
        "{err}"
    );
    assert_ne!(uid("migrate"), second);

    let delete = ["delete", "--name", "shop", "--delete-namespaces"];
    let (out, _) = cluster.kfc(&[&delete[..], &["--dry-run"]].concat()).succeeds();
    assert!(
        out.starts_with(
            "would run the pre-delete hook Job shop/clean\nwould run the post-delete hook Job shop/bye\n"
        ),
        "{out}"
    );
    let (out, err) = cluster.kfc(&[&delete[..], &["--yes"]].concat()).succeeds();
    let ran = |name: &str| err.contains(&format!("-delete hook Job shop/{name}\n"));
    assert!(ran("clean") && ran("bye"), "{out}{err}");
    assert!(out.contains("deleted Job shop/clean\n") && out.contains("deleted Job shop/bye\n"), "{out}");
    assert!(cluster.get("namespace", "", "shop").is_none());
    assert!(cluster.get("configmap", "default", "kfc-hooks-shop").is_none());
}

#[test]
#[ignore = "needs the lab: .ci/lab"]
fn a_hook_that_fails_stops_the_run_and_runs_again() {
    let cluster = Cluster::start();
    // No node has the label: the Job cannot end in time.
    let failing = |name: &str, hook: &str| {
        job(name, hook, "a:1", "activeDeadlineSeconds: 1\n  backoffLimit: 0")
            .replace("restartPolicy: Never,", "restartPolicy: Never, nodeSelector: {none: such},")
    };
    let before = "kfc.dev/hook: pre-apply";
    cluster.write("shop.yaml", &[NEEDS, &failing("migrate", before), &deployment("a:1")].concat());
    let (_, err) = apply(&cluster, &[]).fails();
    assert!(err.contains("error[KFC1605]: Job shop/migrate failed: DeadlineExceeded"), "{err}");
    assert!(
        err.contains("it is a pre-apply hook: the workloads of its wave and later waves were not applied"),
        "{err}"
    );
    assert!(cluster.get("deployment", "shop", "web").is_none());
    assert!(cluster.get("serviceaccount", "shop", "runner").is_some());
    let (out, _) = cluster.kfc(&["status", "--name", "shop"]).fails();
    assert!(out.contains("Job shop/migrate (hook): failed: DeadlineExceeded"), "{out}");

    let right = job("migrate", before, "a:1", "");
    cluster.write("shop.yaml", &[NEEDS, &right, &deployment("a:1")].concat());
    let (out, _) = apply(&cluster, &[]).succeeds();
    assert!(out.contains("created Deployment shop/web\n"), "{out}");

    // Nothing but a new hook: only that one runs, and again after it failed.
    let after = "kfc.dev/hook: post-apply";
    cluster.write("shop.yaml", &[NEEDS, &right, &failing("check", after), &deployment("a:1")].concat());
    for _ in 0..2 {
        let (_, err) = apply(&cluster, &[]).fails();
        assert!(err.contains("running the post-apply hook Job shop/check\n"), "{err}");
        assert!(!err.contains("hook Job shop/migrate") && err.contains("nothing was pruned"), "{err}");
    }
    // A hook that left the bundle is pruned with what it made.
    cluster.write("shop.yaml", &[NEEDS, &right, &deployment("a:1")].concat());
    let (out, err) = apply(&cluster, &["--prune"]).succeeds();
    assert!(out.contains("pruned Job shop/check\n"), "{out}{err}");

    // Nobody else's Job is deleted to run a hook.
    let (wave, other) = (job("other", before, "a:1", ""), job("other", "", "a:2", ""));
    cluster.apply(&other);
    let uid = || cluster.get("job", "shop", "other").unwrap()["metadata"]["uid"].clone();
    let theirs = uid();
    cluster.write("shop.yaml", &[NEEDS, &right, &wave, &deployment("a:1")].concat());
    let (_, err) = apply(&cluster, &[]).fails();
    assert!(
        err.contains("error[KFC1613]: Job shop/other cannot run: an object of this name exists"),
        "{err}"
    );
    apply(&cluster, &[]).fails();
    assert_eq!(uid(), theirs);
    apply(&cluster, &["--adopt"]).succeeds();
    assert_ne!(uid(), theirs);
}

const MAP: &str = "\
apiVersion: v1
kind: ConfigMap
metadata:
  name: cell
  namespace: default
  annotations: {kfc.dev/ready: \"has(object.data.phase) && object.data.phase == 'warm'\"}
data: {size: '1'}
";

fn an_object_is_ready_when_its_annotation_says_so(server: Server) {
    let cluster = Cluster::start_with(&server.setup());
    cluster.write("cell.yaml", MAP);
    let args = ["apply", "cell.yaml", "--name", "cell"];
    let (_, err) = cluster.kfc(&[&args[..], &["--timeout", "1s"]].concat()).fails();
    let lacks = "`has(object.data.phase) && object.data.phase == 'warm'` is not true";
    assert!(
        err.contains(&format!("error[KFC1604]: ConfigMap default/cell was not ready in time: {lacks}")),
        "{err}"
    );
    let (out, _) = cluster.kfc(&["status", "--name", "cell"]).fails();
    assert!(out.contains(&format!("ConfigMap default/cell: in progress: {lacks}\n")), "{out}");
    let mut waiting =
        cluster.kfc_command(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    std::thread::sleep(Duration::from_secs(2));
    assert!(waiting.try_wait().unwrap().is_none(), "it does not wait");
    let patch = r#"{"data": {"phase": "warm"}}"#;
    cluster.kubectl(&["patch", "configmap", "cell", "--type=merge", "--patch", patch]).succeeds();
    let done = waiting.wait_with_output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    cluster.kfc(&["status", "--name", "cell"]).succeeds();

    cluster.write("cell.yaml", &MAP.replace("object.data.phase == 'warm'", "self.data"));
    let (_, err) = cluster.kfc(&args).fails();
    assert!(
        err.contains("error[KFC1612]: the annotation `kfc.dev/ready` of ConfigMap default/cell is not"),
        "{err}"
    );
    assert!(err.contains("--> cell.yaml:"), "{err}");
}

const STACK: &str = "\
apiVersion: kfc.dev/v1alpha1
kind: Stack
metadata: {name: site}
spec:
  platform: kind
  components: [metacontroller]
  ready:
  - kind: ServiceAccount
    name: meta-*
    when: object.metadata.labels.phase == 'warm'
    failed: object.metadata.labels.phase == 'broken'
    message: nobody warmed it
";

#[test]
#[ignore = "needs the lab: .ci/lab"]
fn a_stack_says_when_objects_are_ready_and_when_they_failed() {
    let cluster = Cluster::start();
    cluster.write("site/kfc.yaml", STACK);
    let apply = ["apply", "site", "--timeout", "20s"];
    let (_, err) = cluster.kfc(&apply).fails();
    let object = "ServiceAccount kubeflow/meta-controller-service";
    assert!(
        err.contains(&format!("error[KFC1604]: {object} was not ready in time: nobody warmed it")),
        "{err}"
    );
    let label = |value: &str| {
        let label = format!("phase={value}");
        let args = ["label", "--overwrite", "--namespace=kubeflow", "serviceaccount/meta-controller-service"];
        cluster.kubectl(&[&args[..], &[&label]].concat()).succeeds();
    };
    label("broken");
    let (_, err) = cluster.kfc(&apply).fails();
    let why = "`object.metadata.labels.phase == 'broken'` is true";
    assert!(err.contains(&format!("error[KFC1605]: {object} failed: {why}")), "{err}");
    label("warm");
    cluster.kfc(&apply).succeeds();
    cluster.kfc(&["status", "site"]).succeeds();
}
