//! Whether we report errors in objects that real projects publish and the API server admits: every output of every root of the
//! trees in `../shared/corpora`, where there are any. Custom resources count where their CRDs are in an output of the project.

use super::admission::{Problem, admit};
use super::cluster::{Cluster, Setup};
use kfc_diagnostics::SourceId;
use kfc_kube::Object;
use kfc_kube::schema::Schema;
use kfc_kustomize::engine::read;
use kfc_kustomize::resource::{Resource, objects};
use kfc_validate::{Options, validate};
use kfc_yaml::parse::parse;
use kfc_yaml::value::to_json;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

/// The outputs of a project by name, with their resources.
type Outputs = BTreeMap<String, Vec<Resource>>;

fn outputs(project: &Path) -> Outputs {
    let files = walkdir::WalkDir::new(project.join("expected")).into_iter().filter_map(Result::ok);
    files
        .filter(|file| file.file_type().is_file())
        .map(|file| {
            let text = std::fs::read_to_string(file.path()).unwrap();
            let name = file.path().file_stem().unwrap().to_string_lossy().into_owned();
            let resources = read::resources(parse(&text, SourceId::NONE).unwrap(), &Schema::builtin());
            let resources = resources.unwrap_or_else(|errors| panic!("{name}: {errors:?}"));
            (name, resources)
        })
        .collect()
}

/// An object as the server's report names it.
fn name(object: &Object) -> String {
    let (api_version, kind) = (object.api_version(), object.kind());
    match object.namespace() {
        "" => format!("{api_version} {kind} {}", object.name()),
        namespace => format!("{api_version} {kind} {namespace}/{}", object.name()),
    }
}

/// The errors that we report, by output and object.
fn ours(outputs: &Outputs) -> HashMap<(String, String), String> {
    let mut crds: BTreeMap<&str, &Object> = BTreeMap::new();
    let all: Vec<(&String, Vec<&Object>)> =
        outputs.iter().map(|(output, resources)| (output, objects(resources))).collect();
    for object in all.iter().flat_map(|(_, objects)| objects) {
        if object.kind() == "CustomResourceDefinition" {
            crds.entry(object.name()).or_insert(object);
        }
    }
    let crds: Vec<&Object> = crds.into_values().collect();
    let mut errors = HashMap::new();
    for (output, objects) in &all {
        let names: HashMap<_, _> =
            objects.iter().map(|object| (kfc_kube::ObjectId::of(object, ""), name(object))).collect();
        for finding in validate(objects, &crds, &Options::default()).findings {
            if let Some(name) = finding.subject.as_ref().filter(|_| finding.is_error()).map(|id| &names[id]) {
                errors.insert(((*output).clone(), name.clone()), finding.diagnostic.message);
            }
        }
    }
    errors
}

/// The namespaces that an object names and no output has.
fn missing_namespaces(outputs: &Outputs) -> Vec<Value> {
    let all = || outputs.values().flatten();
    let made: BTreeSet<&str> = all().filter(|one| one.kind() == "Namespace").map(|one| one.name()).collect();
    let named: BTreeSet<&str> = all().map(|one| one.namespace()).filter(|name| !name.is_empty()).collect();
    named
        .difference(&made)
        .map(|name| json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}))
        .collect()
}

/// Writes the outputs as the judge reads them, after these namespaces.
fn write(cluster: &Cluster, namespaces: &[Value], outputs: &Outputs) -> Vec<String> {
    let write = |name: &str, objects: &[Value]| {
        let file: PathBuf = cluster.write(&format!("{name}.json"), &Value::from(objects).to_string());
        file.to_str().unwrap().to_owned()
    };
    let mut files = vec![write("0-namespaces", namespaces)];
    for (name, resources) in outputs {
        let objects: Vec<Value> = resources.iter().map(|resource| to_json(&resource.node)).collect();
        files.push(write(name, &objects));
    }
    files
}

#[test]
#[ignore = "needs the lab, and ../shared/corpora: .ci/lab corpora"]
fn real_objects_that_the_server_admits_have_no_errors() {
    let corpora = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpora");
    let mut projects: Vec<PathBuf> =
        std::fs::read_dir(corpora).unwrap().map(|entry| entry.unwrap().path()).collect();
    projects.sort();
    println!("| project | outputs | objects | different | refused | of these found | false errors |");
    let mut wrong = Vec::new();
    for project in projects {
        // Projects have the same CRDs in different releases.
        let cluster = Cluster::start_with(&Setup { bare: true, ..Setup::default() });
        let outputs = outputs(&project);
        let missing = missing_namespaces(&outputs);
        let report = admit(&cluster, &write(&cluster, &missing, &outputs));
        let problems: Vec<&Problem> =
            report.problems.iter().filter(|problem| !problem.message.starts_with("Warning: ")).collect();
        // The server knows nothing of kinds whose CRD is in no output.
        let (unknown, refused): (Vec<&Problem>, Vec<&Problem>) =
            problems.into_iter().partition(|problem| problem.message == "the server does not know this kind");
        let pairs = |problems: &[&Problem]| -> BTreeSet<(String, String)> {
            let pair = |problem: &&Problem| {
                let object = problem.object.clone();
                problem.bundles.iter().map(move |bundle| (bundle.clone(), object.clone())).collect::<Vec<_>>()
            };
            problems.iter().flat_map(pair).collect()
        };
        let mut errors = ours(&outputs);
        let unasked = pairs(&unknown);
        errors.retain(|key, _| !unasked.contains(key));
        let all_refused = pairs(&refused);
        let found =
            refused.iter().filter(|one| pairs(&[**one]).iter().all(|key| errors.contains_key(key))).count();
        errors.retain(|key, _| !all_refused.contains(key));
        let name = project.file_name().unwrap().to_string_lossy();
        println!(
            "| {name} | {} | {} | {} | {} | {found} | {} |",
            outputs.len(),
            outputs.values().map(Vec::len).sum::<usize>(),
            report.distinct - missing.len(),
            refused.len(),
            errors.len()
        );
        for problem in &refused {
            println!("refused: {}: {}", problem.object, problem.message);
        }
        wrong.extend(
            errors.into_iter().map(|((output, object), message)| format!("{output}: {object}: {message}")),
        );
    }
    wrong.sort();
    assert!(wrong.is_empty(), "{} false errors:\n{}", wrong.len(), wrong.join("\n"));
}
