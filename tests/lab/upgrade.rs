//! Whether an upgrade goes as `kfc upgrade` says: its steps are followed to the letter on a cluster that an older bundle was applied
//! to, and nothing is recreated, lost or stored in another version but what the report names.

use super::cluster::{Cluster, Run};
use super::kubectl::run;
use super::profiles::{incomplete, refused_pods};
use serde_json::Value;
use std::collections::BTreeSet;

/// A stack of minikube with these further fields.
fn stack(fields: &str) -> String {
    format!(
        "apiVersion: kfc.dev/v1alpha1\nkind: Stack\nmetadata: {{name: ml}}\nspec:\n  platform: minikube\n{fields}"
    )
}

/// Selects the pods of every workload by one label more.
const OLDER_SELECTORS: &str = "\
apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component
patches:
- target: {group: apps}
  patch: |-
    - {op: add, path: /spec/selector/matchLabels/older, value: 'yes'}
    - {op: add, path: /spec/template/metadata/labels/older, value: 'yes'}
";

/// What `kfc upgrade` says, as JSON and as text.
fn report(cluster: &Cluster, args: &[&str]) -> (Value, String) {
    let (json, _) = cluster.kfc(&[&["upgrade"], args, &["--format", "json"]].concat()).fails();
    let (text, _) = cluster.kfc(&[&["upgrade"], args].concat()).fails();
    (serde_json::from_str(&json).unwrap(), text)
}

/// The objects of one of the report's lists.
fn objects_of(report: &Value, list: &str) -> BTreeSet<String> {
    let concerns = report[list].as_array().unwrap().iter();
    concerns.map(|concern| concern["object"].as_str().unwrap().to_owned()).collect()
}

/// Waits until the server has put together what it says of its kinds: for hundreds of new definitions a busy machine takes longer
/// than the half a minute that kubectl gives it.
const AWAIT_KINDS: &str =
    "timeout 300 sh -c 'until kubectl get --raw=/openapi/v2 >/dev/null; do sleep 1; done'";

/// Runs the commands of the printed steps in their order; `kfc apply` gets these flags, too.
fn follow(cluster: &Cluster, text: &str, flags: &str) -> Run {
    let steps = text.split_once("\nStep 1: ").expect("steps").1;
    let commands = steps.lines().filter_map(|line| line.strip_prefix("      "));
    let script: Vec<String> = commands
        .map(|command| {
            if command.starts_with("kfc apply ") {
                format!("{command} {flags}")
            } else if command.contains("kubectl replace") {
                format!("{AWAIT_KINDS}\n{command}")
            } else {
                command.to_owned()
            }
        })
        .collect();
    run(cluster, &script.join("\n"))
}

/// The objects that an apply recreated, by what it printed.
fn recreated(out: &str) -> BTreeSet<String> {
    out.lines().filter_map(|line| line.strip_prefix("recreated ")).map(str::to_owned).collect()
}

/// What holds data, or objects of others.
const DATA: &str = "persistentvolumeclaims,persistentvolumes,namespaces,customresourcedefinitions,secrets";

mod full {
    #[test]
    #[ignore = "needs the lab, and minutes: .ci/full"]
    fn workloads_with_selectors_of_an_older_bundle_are_recreated_and_their_data_stays() {
        super::workloads_with_older_selectors();
    }
}

fn workloads_with_older_selectors() {
    let cluster = Cluster::start();
    cluster.write("older/kustomization.yaml", OLDER_SELECTORS);
    cluster.write("kfc.yaml", &stack("  overlays: [older]\n"));
    cluster.kfc(&["apply", "."]).succeeds();
    let workloads: BTreeSet<String> =
        cluster.identities("deployments,statefulsets,daemonsets").into_keys().collect();
    assert!(workloads.len() > 40, "{workloads:?}");
    let data = cluster.identities(DATA);
    assert!(data.len() > 100, "{data:?}");

    cluster.write("kfc.yaml", &stack(""));
    let (upgrade, text) = report(&cluster, &[".", "--from", "cluster"]);
    assert_eq!(objects_of(&upgrade, "recreations"), workloads, "{text}");
    assert!(text.contains("nothing that holds data is removed"), "{text}");
    let (out, err) = cluster.kfc(&["apply", "."]).fails();
    assert_eq!(out, "", "nothing is written before all is agreed to");
    assert_eq!(err.matches("error[KFC1602]").count(), workloads.len(), "{err}");

    let (out, err) = follow(&cluster, &text, "--recreate").succeeds();
    assert_eq!(recreated(&out), workloads, "{err}");
    let lines = out.lines().filter(|line| !line.starts_with("recreated ")).count();
    assert_eq!(lines, 0, "nothing else changes: {out}");
    assert_eq!(cluster.identities(DATA), data);
    assert_eq!(refused_pods(&cluster), "");
    assert_eq!(incomplete(&cluster), "");
    let (out, err) = cluster.kfc(&["apply", "."]).succeeds();
    assert_eq!(out, "", "a second apply changes something:\n{err}");
    println!(
        "figure: {} workloads with older selectors recreated, {} objects with data kept",
        workloads.len(),
        data.len()
    );
}

mod upstream {
    //! From a release of upstream's manifests, with custom resources that are stored in versions of that time.

    use super::super::cluster::{Cluster, lab_file};
    use super::super::parity::trees;
    use super::{follow, incomplete, objects_of, recreated, refused_pods, report};
    use serde_json::Value;
    use std::collections::{BTreeMap, BTreeSet};

    /// Components whose examples people have in such a release.
    const EXAMPLES: [&str; 11] = [
        "admission-webhook",
        "argo-workflows",
        "katib",
        "knative-serving",
        "kserve",
        "mpi-operator",
        "notebooks",
        "spark-operator",
        "tensorboards",
        "training-operator",
        "volumes",
    ];

    /// Routes and policies of a team, in each version that istio served, and a Profile in its former version.
    const OBJECTS: &str = "
apiVersion: kubeflow.org/v1beta1
kind: Profile
metadata: {name: team}
spec: {owner: {kind: User, name: team@example.com}}
---
apiVersion: networking.istio.io/v1alpha3
kind: VirtualService
metadata: {name: oldest, namespace: kubeflow-user-example-com}
spec: {hosts: [a.example.com], http: [{route: [{destination: {host: a}}]}]}
---
apiVersion: networking.istio.io/v1beta1
kind: VirtualService
metadata: {name: older, namespace: kubeflow-user-example-com}
spec: {hosts: [b.example.com], http: [{route: [{destination: {host: b}}]}]}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: newest, namespace: kubeflow-user-example-com}
spec: {host: a}
---
apiVersion: networking.istio.io/v1beta1
kind: ServiceEntry
metadata: {name: store, namespace: kubeflow-user-example-com}
spec: {hosts: [store.example.com], ports: [{number: 443, name: tls, protocol: TLS}], resolution: DNS}
---
apiVersion: security.istio.io/v1beta1
kind: AuthorizationPolicy
metadata: {name: team, namespace: kubeflow-user-example-com}
spec: {action: ALLOW, rules: [{}]}
";

    /// An object of any kind, and its identity. Two groups may have kinds of one name.
    type Identities = BTreeMap<(String, String), String>;

    /// All objects that people or tools made, but not what controllers made of them.
    fn identities(cluster: &Cluster) -> Identities {
        let (kinds, _) = cluster.kubectl(&["api-resources", "--verbs=list", "--output=name"]).succeeds();
        let is_kept = |kind: &&str| {
            let passing =
                ["events", "endpoints", "endpointslices", "ipaddresses", "leases", "persistentvolumes"];
            !passing.contains(&kind.split('.').next().unwrap()) && !kind.ends_with("metrics.k8s.io")
        };
        let kinds: Vec<&str> = kinds.lines().filter(is_kept).collect();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let all = cluster.list(&kinds.join(","));
        let own = all.iter().filter(|object| object["metadata"]["ownerReferences"].is_null());
        own.map(|object| {
            let metadata = &object["metadata"];
            let place = match text(&metadata["namespace"]) {
                namespace if namespace.is_empty() => text(&metadata["name"]),
                namespace => format!("{namespace}/{}", text(&metadata["name"])),
            };
            let version = text(&object["apiVersion"]);
            let group = version.split_once('/').map_or("", |(group, _)| group).to_owned();
            ((format!("{} {place}", text(&object["kind"])), group), text(&metadata["uid"]))
        })
        .collect()
    }

    /// In which versions etcd has the custom resources of each definition.
    fn stored_versions(cluster: &Cluster) -> BTreeMap<String, BTreeSet<String>> {
        let program = lab_file("stored.py");
        let mut command = cluster.command("python3", &["-B", program.to_str().unwrap()]);
        let (out, _) = super::Run::of(&mut command).succeeds();
        serde_json::from_str(&out).unwrap()
    }

    /// The versions that a definition says objects may be stored in.
    fn listed_versions(cluster: &Cluster) -> BTreeMap<String, BTreeSet<String>> {
        let definitions = cluster.list("customresourcedefinitions");
        let entry = |definition: &Value| {
            let versions = definition["status"]["storedVersions"].as_array().unwrap().iter();
            let versions = versions.map(|version| version.as_str().unwrap().to_owned()).collect();
            (definition["metadata"]["name"].as_str().unwrap().to_owned(), versions)
        };
        definitions.iter().map(entry).collect()
    }

    /// Fetches the release into `old`.
    fn fetch(cluster: &Cluster) {
        let clone = trees::directory().unwrap().join("kubeflow-manifests");
        cluster
            .kfc(&["catalog", "fetch", "1.10.2", "-o", "old", "--from", clone.to_str().unwrap()])
            .succeeds();
    }

    /// What people have made in it.
    fn use_it(cluster: &Cluster) {
        cluster.apply("{apiVersion: v1, kind: Namespace, metadata: {name: kubeflow-user-example-com}}");
        cluster.apply(OBJECTS);
        for component in EXAMPLES {
            let directory = lab_file("../../examples").join(component).join("cpu");
            let (bundle, _) = cluster.kfc(&["build", directory.to_str().unwrap()]).succeeds();
            cluster.apply(&bundle);
        }
        let stored = stored_versions(cluster);
        assert_eq!(stored["virtualservices.networking.istio.io"], BTreeSet::from(["v1beta1".to_owned()]));
        let (definitions, _) = cluster.kubectl(&["get", "crd", "--output=yaml"]).succeeds();
        cluster.write("crds.yaml", &definitions);
    }

    /// Follows the steps of an upgrade, and holds what became of the objects against what it says.
    fn upgrades(cluster: &Cluster, arguments: &[&str], flags: &str) {
        use_it(cluster);
        let before = identities(cluster);
        let (upgrade, text) = report(cluster, &[arguments, &["--stored", "crds.yaml"]].concat());
        println!("{text}");
        let (out, err) = follow(cluster, &text, flags).succeeds();

        let after = identities(cluster);
        let names = |list: &str| objects_of(&upgrade, list);
        let pruned: BTreeSet<String> =
            out.lines().filter_map(|line| line.strip_prefix("pruned ")).map(str::to_owned).collect();
        let gone: BTreeSet<String> =
            before.keys().filter(|key| !after.contains_key(key)).map(|(name, _)| name.clone()).collect();
        assert_eq!(gone.difference(&pruned).collect::<Vec<_>>(), [""; 0], "objects are lost:\n{err}");
        let is_other =
            |(key, uid): &(&(String, String), &String)| after.get(key).is_some_and(|now| now != *uid);
        let other: BTreeSet<String> =
            before.iter().filter(is_other).map(|((name, _), _)| name.clone()).collect();
        assert_eq!(other, recreated(&out));
        assert_eq!(other.difference(&names("recreations")).collect::<Vec<_>>(), [""; 0], "{text}");

        // Every object is stored in a version that its definition lists, and those that were migrated in the new one alone.
        let listed = listed_versions(cluster);
        for (definition, versions) in stored_versions(cluster) {
            // Definitions are among what etcd has as JSON.
            let listed = listed.get(&definition).unwrap_or(&versions);
            assert!(versions.is_subset(listed), "{definition}: {versions:?}");
        }
        for migration in upgrade["migrations"].as_array().unwrap() {
            let (definition, to) =
                (migration["definition"].as_str().unwrap(), migration["to"].as_str().unwrap());
            assert_eq!(listed[definition], BTreeSet::from([to.to_owned()]), "{definition}");
        }
        assert_eq!(refused_pods(cluster), "");
        assert_eq!(incomplete(cluster), "");
        println!(
            "figure: {} objects of 1.10.2, {} recreated, {} pruned, {} definitions migrated",
            before.len(),
            other.len(),
            pruned.len(),
            upgrade["migrations"].as_array().unwrap().len()
        );
    }

    #[test]
    #[ignore = "needs the lab and the trees of upstream: KFC_UPSTREAM=DIR .ci/lab upstream"]
    fn release_1_10_2_is_upgraded_by_the_steps_that_are_printed() {
        let cluster = Cluster::start();
        fetch(&cluster);
        let stack = "apiVersion: kfc.dev/v1alpha1\nkind: Stack\nmetadata: {name: ml}\nspec: {platform: onprem, release: old}\n";
        cluster.write("kfc.yaml", stack);
        cluster.kfc(&["apply", ".", "--timeout", "4m"]).succeeds();
        upgrades(&cluster, &["."], "--recreate --yes");
    }
}
