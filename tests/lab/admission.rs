//! Whether the API server admits what we build.

use super::cluster::{Cluster, Run, Setup, lab_file};
use serde::Deserialize;
use std::collections::BTreeSet;
use std::path::Path;

#[derive(Debug, Deserialize)]
pub(crate) struct Report {
    pub(crate) objects: usize,
    pub(crate) distinct: usize,
    pub(crate) problems: Vec<Problem>,
}

/// What the server refuses or warns of.
#[derive(Debug, Deserialize)]
pub(crate) struct Problem {
    pub(crate) object: String,
    pub(crate) bundles: Vec<String>,
    pub(crate) message: String,
}

/// Every object of every profile with a golden, in one go: most are in many profiles. A refusal fails, and a warning of the
/// server too.
#[test]
#[ignore = "needs the lab: .ci/lab"]
fn every_object_of_every_profile_is_admitted_without_a_warning() {
    let cluster = Cluster::start_with(&Setup { bare: true, ..Setup::default() });
    let profiles = kfc_catalogue::golden::names(&Path::new(env!("CARGO_MANIFEST_DIR")).join("golden"));
    assert!(profiles.len() >= 22, "only {} profiles", profiles.len());
    cluster.define_platform_kinds();
    let bundles: Vec<String> = profiles
        .iter()
        .map(|profile| {
            let file = cluster.path(&format!("{profile}.json")).to_str().unwrap().to_owned();
            cluster.kfc(&["build", profile, "--format", "json", "-o", &file]).succeeds();
            file
        })
        .collect();
    let report = admit(&cluster, &bundles);
    assert!(report.objects > 500 * profiles.len() && report.distinct > 600, "{report:?}");
    let problems: Vec<String> = report
        .problems
        .iter()
        .map(|problem| {
            let Problem { object, bundles, message } = problem;
            format!("{object} (in {} of {}): {message}", bundles.len(), profiles.len())
        })
        .collect();
    assert!(
        problems.is_empty(),
        "{} of {} objects:\n{}",
        problems.len(),
        report.distinct,
        problems.join("\n")
    );
}

/// Asks the API server about the objects of some bundles, each a file with a JSON list.
pub(crate) fn admit(cluster: &Cluster, bundles: &[String]) -> Report {
    let program = lab_file("admit.py");
    let folder = cluster.folder().to_str().unwrap();
    let mut args = vec!["-B", program.to_str().unwrap(), folder];
    args.extend(bundles.iter().map(String::as_str));
    let (out, _) = Run::of(&mut cluster.command("python3", &args)).succeeds();
    serde_json::from_str(&out).unwrap()
}

const EXISTING: &str = "\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: widgets, singular: widget, kind: Widget, listKind: WidgetList}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            properties:
              size:
                type: integer
                x-kubernetes-validations: [{rule: self >= oldSelf, message: a widget never shrinks}]
              color: {type: string}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: fixed, namespace: default}
immutable: true
data: {a: b}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: default}
spec: {selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: default}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: example.com/web:1}]}
---
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: fast}
provisioner: example.com/disks
parameters: {type: ssd}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data, namespace: default}
spec: {accessModes: [ReadWriteOnce], storageClassName: fast, resources: {requests: {storage: 1Gi}}}
";

const WIDGET: &str = "\
apiVersion: example.com/v1
kind: Widget
metadata: {name: one, namespace: default}
spec: {size: 3, color: red}
";

/// Changes of objects that exist: what `--against cluster` says of each is what the server says of the update.
#[test]
#[ignore = "needs the lab: .ci/lab"]
fn changes_of_what_exists_are_refused_as_by_the_server() {
    let cluster = Cluster::start_with(&Setup { bare: true, ..Setup::default() });
    cluster.apply(EXISTING);
    cluster.wait("the kind Widget is served", 30, || {
        cluster.kubectl(&["get", "widgets.example.com"]).code == Some(0)
    });
    cluster.apply(WIDGET);
    let everything = format!("{EXISTING}---\n{WIDGET}");
    // What is changed, into what, and how many objects the server then refuses.
    let changes: [(&str, &str, usize); 12] = [
        ("size: 3", "size: 2", 1),
        ("size: 3", "size: 4", 0),
        ("color: red", "color: blue", 0),
        ("data: {a: b}", "data: {a: c}", 1),
        ("immutable: true", "immutable: false", 1),
        ("{selector: {app: web}, ports", "{selector: {app: other}, ports", 0),
        ("matchLabels: {app: web}", "matchLabels: {app: web, tier: a}", 1),
        ("web:1", "web:2", 0),
        ("type: ssd", "type: hdd", 1),
        ("ReadWriteOnce", "ReadWriteMany", 1),
        ("storageClassName: fast", "storageClassName: slow", 1),
        ("scope: Namespaced", "scope: Cluster", 1),
    ];
    for (from, to, refused) in changes {
        assert!(everything.contains(from), "{from}");
        let file = cluster.write("changed.yaml", &everything.replacen(from, to, 1));
        let file = file.to_str().unwrap();
        let server =
            cluster.kubectl(&["apply", "--server-side", "--force-conflicts", "--dry-run=server", "-f", file]);
        let answers =
            server.err.lines().filter(|line| line.contains("is invalid") || line.contains("Forbidden"));
        assert_eq!(answers.count(), refused, "{to}: {}", server.err);
        let run = cluster.kfc(&["validate", file, "--against", "cluster", "--format", "json"]);
        let report: serde_json::Value = serde_json::from_str(&run.out).unwrap();
        let wrong: BTreeSet<String> = report["targets"]
            .as_array()
            .into_iter()
            .flatten()
            .flat_map(|target| target["findings"].as_array().into_iter().flatten())
            .filter(|finding| finding["severity"] == "error")
            .map(|finding| finding["resource"].to_string())
            .collect();
        assert_eq!(wrong.len(), refused, "{to}: {wrong:#?}\nthe server: {}", server.err);
        assert_eq!(run.code, Some(i32::from(refused > 0)), "{to}: {}", run.err);
    }
}
