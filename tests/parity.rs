//! Every component of the catalogue beside upstream's manifests of the same release, object by object and field by field.
//!
//! `tests/parity/sources.yaml` names the releases, `tests/parity/components` has a table for each component: the roots that
//! upstream builds, and every object and field that differs on purpose, with the reason. A difference that no line names fails,
//! and so does a line without a difference. The trees of upstream are not part of the repository: `KFC_UPSTREAM` names a
//! directory with a checkout of each source; the comparisons are ignored without it. With `KFC_PARITY=write`, the run writes
//! the results to `docs/parity.md`. CRDs are not compared here.
//!
//! With `KFC_RELEASE`, a directory that `kfc catalog fetch` wrote, the program instead prints what of our bases that release has in
//! another way, component by component: `cargo xtask facts` runs it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by a panic")]
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "says what it skips or measures, or what a release changes"
)]
#![allow(missing_docs, reason = "a program, not a library")]

mod case;
mod parity {
    pub(crate) mod compare;
    pub(crate) mod facts;
    pub(crate) mod form;
    pub(crate) mod grants;
    pub(crate) mod page;
    pub(crate) mod table;
    pub(crate) mod trees;
}

use kfc_diagnostics::SourceId;
use kfc_source::FileSystem;
use kfc_yaml::parse::parse;
use kfc_yaml::value::to_json;
use libtest_mimic::{Completion, Trial};
use parity::compare::{Compared, compare_all, differences};
use parity::table::Tables;
use parity::{facts, page, trees};
use serde_json::{Value, json};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

fn top() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn every_component_has_a_table() {
    let entries = std::fs::read_dir(top().join("bases")).unwrap();
    let mut components: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    components.sort();
    let tables = Tables::read();
    assert_eq!(tables.components.keys().cloned().collect::<Vec<_>>(), components);
    for (name, table) in &tables.components {
        let given = [!table.upstream.is_empty(), table.within.is_some(), table.why.is_some()];
        let count = given.iter().filter(|is_given| **is_given).count();
        assert_eq!(count, 1, "{name}: one of `upstream`, `within` and `why` is due");
        assert!(table.within.iter().all(|other| tables.components.contains_key(other)), "{name}: `within`");
        for root in &table.upstream {
            assert!(tables.sources.contains_key(&root.source), "{name}: unknown source {}", root.source);
        }
        for line in &table.differs {
            assert!(
                line.field.is_none() == line.only.is_some(),
                "{name}: {} needs `field` or `only`",
                line.object
            );
            assert!(line.reason.split_whitespace().count() >= 3, "{name}: {} has no reason", line.object);
            assert!(!line.object.contains('*'), "{name}: {} is a pattern", line.object);
        }
    }
}

fn values(texts: &[&str]) -> Vec<Value> {
    let parsed = texts.iter().map(|text| parse(text, SourceId::NONE).unwrap().remove(0));
    parsed.map(|node| to_json(&node)).collect()
}

/// A definition of a kind without a namespace, whose field `size` has a default.
const DEFINITION: &str = "{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: things.x.io},
  spec: {group: x.io, scope: Cluster, names: {kind: Thing}, versions: [
    {name: v1, storage: true, schema: {openAPIV3Schema: {properties: {spec: {properties: {size: {default: 3}}}}}}}]}}";

fn two_spellings_of_one_object_are_equal() {
    let upstream = values(&[
        DEFINITION,
        "{apiVersion: x.io/v1beta1, kind: Thing, metadata: {name: a, namespace: lost}, spec: {}}",
        "{apiVersion: v1, kind: ConfigMap, metadata: {name: c-5fb9tc7md2, creationTimestamp: null}, data: {a: 'x: 1 # one'}}",
        "{apiVersion: v1, kind: Secret, metadata: {name: s, annotations: {}}, stringData: {a: x}}",
        "{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r}, rules: [
            {apiGroups: ['', apps], resources: [pods], verbs: [get]}, {apiGroups: [''], resources: [pods], verbs: [list]}]}",
        "{apiVersion: v1, kind: Service, metadata: {name: w}, spec: {ports: [{port: 80}]}}",
        "{apiVersion: apps/v1, kind: Deployment, metadata: {name: w}, spec: {strategy: {type: RollingUpdate}, template: {spec: {
            serviceAccount: w, containers: [{name: w, args: [], env: [{name: A, value: ''}], envFrom: [
            {configMapRef: {name: c-5fb9tc7md2}}], resources: {limits: {cpu: 1000m}}}]}}}}",
    ]);
    let ours = values(&[
        "{apiVersion: x.io/v1, kind: Thing, metadata: {name: a}, spec: {size: 3}}",
        "{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {a: '{\"x\": 1}'}}",
        "{apiVersion: v1, kind: Secret, metadata: {name: s}, data: {a: eA==}}",
        "{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r}, rules: [
            {apiGroups: [apps], resources: [pods], verbs: [get]}, {apiGroups: [''], resources: [pods], verbs: [list, get]}]}",
        "{apiVersion: v1, kind: Service, metadata: {name: w}, spec: {ports: [{port: 80, targetPort: 80, protocol: TCP}]}}",
        "{apiVersion: apps/v1, kind: Deployment, metadata: {name: w}, spec: {replicas: 1, template: {spec: {
            serviceAccountName: w, containers: [{name: w, env: [{name: A}], envFrom: [{configMapRef: {name: c}}],
            resources: {limits: {cpu: '1'}}}]}}}}",
    ]);
    assert_eq!(differences(upstream, ours), []);
}

fn what_a_server_stores_differently_is_found() {
    let account = "{kind: ServiceAccount, name: w, namespace: x}";
    let binding = format!(
        "{{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {{name: b}},
        roleRef: {{kind: ClusterRole, name: all}}, subjects: [{account}]}}"
    );
    let all = "{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: all},
        aggregationRule: {clusterRoleSelectors: [{matchLabels: {all: 'true'}}]}}";
    let part = |verb: &str| {
        format!(
            "{{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {{name: part, labels: {{all: 'true'}}}},
            rules: [{{apiGroups: [''], resources: [pods], verbs: [{verb}]}}]}}"
        )
    };
    let deployment = |argument: &str| {
        format!(
            "{{apiVersion: apps/v1, kind: Deployment, metadata: {{name: w, namespace: x}}, spec: {{template: {{spec: {{
            containers: [{{name: w, args: [a, {argument}]}}]}}}}}}}}"
        )
    };
    let upstream = values(&[
        &binding,
        all,
        &part("get"),
        &deployment("b"),
        "{apiVersion: v1, kind: Pod, metadata: {name: p}}",
    ]);
    let ours = values(&[&binding, all, &part("list"), &deployment("c")]);
    let field = |object: &str, field: &str| (object.to_owned(), Some(field.to_owned()));
    assert_eq!(
        differences(upstream, ours),
        [
            field("ClusterRole part", "rules.pods"),
            field("Deployment x/w", "spec.template.spec.containers[name=w].args"),
            field("Permissions x/w", "allowed.pods"),
            ("Pod p".to_owned(), None),
        ]
    );
}

fn files_of_newer_releases_replace_those_of_the_tree() {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("parity-trees");
    for (file, text) in
        [("platform/store.yaml", "image: store:1.2.0"), ("store/release.yaml", "image: store:1.3.0")]
    {
        let path = directory.join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let source = json!({"repository": "a/b", "release": "v1", "commit": "c",
        "files": {"store.yaml": "store/release.yaml"}, "versions": {"1.3.0": "1.3.1"}});
    let trees = trees::Trees::of(&directory, "platform", &serde_json::from_value(source).unwrap());
    assert_eq!(trees.read(&directory.join("platform/store.yaml")).unwrap(), b"image: store:1.3.1");
}

/// The comparison of one component, or the reason why there is none.
fn trial(name: &str, compared: &Result<Arc<Compared>, String>) -> Trial {
    let (name, compared) = (name.to_owned(), compared.clone());
    Trial::ignorable_test(name.clone(), move || match compared {
        Err(why) => Ok(Completion::ignored_with(why)),
        Ok(compared) => match compared.components.get(&name) {
            None => Ok(Completion::ignored_with("upstream has no manifests of it")),
            Some(found) => found.unexplained().map_or(Ok(Completion::Completed), |text| Err(text.into())),
        },
    })
}

fn main() -> ExitCode {
    let tables = Tables::read();
    if let Some(release) = std::env::var_os("KFC_RELEASE").filter(|path| !path.is_empty()) {
        let (report, count) = facts::report(&tables, Path::new(&release));
        print!("{report}");
        return if count == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    let compared = trees::directory().map(|directory| Arc::new(compare_all(&tables, &directory)));
    let mut trials: Vec<Trial> = tables.components.keys().map(|name| trial(name, &compared)).collect();
    for (name, test) in [
        ("every_component_has_a_table", every_component_has_a_table as fn()),
        ("two_spellings_of_one_object_are_equal", two_spellings_of_one_object_are_equal),
        ("what_a_server_stores_differently_is_found", what_a_server_stores_differently_is_found),
        (
            "files_of_newer_releases_replace_those_of_the_tree",
            files_of_newer_releases_replace_those_of_the_tree,
        ),
    ] {
        trials.push(case::trial(name, test));
    }
    let source_trial = |name: &String| {
        let (name, compared) = (name.clone(), compared.clone());
        Trial::ignorable_test(format!("source-{name}"), move || match compared {
            Err(why) => Ok(Completion::ignored_with(why)),
            Ok(compared) => match compared.digests.get(&name) {
                Some((due, found)) if due.as_ref() != Some(found) => Err(format!(
                    "the tree is not the release that tests/parity/sources.yaml names: its digest is {found}"
                )
                .into()),
                _ => Ok(Completion::Completed),
            },
        })
    };
    trials.extend(tables.sources.keys().map(source_trial));
    let for_page = compared.clone();
    trials.push(Trial::ignorable_test("the_page_has_the_results", move || match for_page {
        Err(why) => Ok(Completion::ignored_with(why)),
        Ok(compared) => page::check(&compared, &Tables::read(), &top().join("docs/parity.md")),
    }));
    case::run(trials)
}
