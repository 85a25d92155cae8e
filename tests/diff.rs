//! Reports are complete: applied to the old bundle they give the new one. And they are never longer than a unified diff.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by a panic")]

mod case;

use case::{trial, trial_over};
use kfc_diagnostics::Sources;
use kfc_diff::apply::{Objects, apply};
use kfc_diff::report::{Format, Style, write};
use kfc_diff::{Input, Member, Report, compare, redacted_text};
use kfc_kube::ObjectId;
use kfc_kube::schema::Schema;
use kfc_kustomize::engine::read;
use kfc_yaml::parse::parse;
use kfc_yaml::value::to_json;
use proptest::prelude::*;
use rayon::prelude::*;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

fn input(name: &str, text: &str) -> Input {
    let sources = Arc::new(Sources::default());
    let (id, source) = sources.add(name, text);
    let resources = read::resources(parse(&source.text, id).unwrap(), &Schema::builtin()).unwrap();
    let resources = resources.into_iter().map(Member::new).collect();
    Input { label: name.to_owned(), resources, sources, ..Input::default() }
}

/// The objects of a bundle as reports compare them: tokens stand for values of secrets.
fn objects(bundle: &Input) -> Objects {
    let shown = redacted_text(bundle).unwrap();
    let documents = parse(&shown, kfc_diagnostics::SourceId::NONE).unwrap();
    let identity = |node: &kfc_yaml::Node| {
        let text =
            |path: &[&str]| node.at(path).and_then(kfc_yaml::Node::as_text).unwrap_or_default().to_owned();
        let api_version = text(&["apiVersion"]);
        let (group, version) = api_version.split_once('/').unwrap_or(("", &api_version));
        ObjectId {
            group: group.to_owned(),
            version: version.to_owned(),
            kind: text(&["kind"]),
            namespace: text(&["metadata", "namespace"]),
            name: text(&["metadata", "name"]),
        }
    };
    documents.iter().map(|node| (identity(node), to_json(node))).collect()
}

/// Checks that the JSON form of a report, read back, makes the new bundle of the old one.
fn check_complete(before: &Input, after: &Input) -> Report {
    let report = compare(before, after, &Schema::builtin());
    // What is written has numbers for the tokens, and is the same otherwise.
    let written = write(Format::Json, &report, &Style::default()).unwrap();
    let mut numbered = serde_json::to_value(&report).unwrap();
    kfc_diagnostics::Numbers::default().show_json(&mut numbered);
    let has_secrets = report.changes.iter().any(|change| change.identity.kind == "Secret");
    let mut read: serde_json::Value = serde_json::from_slice(&written).unwrap();
    let fields = read.as_object_mut().unwrap();
    assert_eq!(fields.remove("apiVersion").unwrap(), "kfc.dev/v1alpha1");
    assert_eq!(fields.remove("kind").unwrap(), "Report");
    assert!(has_secrets || read == numbered);
    assert_eq!(serde_json::from_value::<Report>(read).unwrap().changes.len(), report.changes.len());
    let read: Report = serde_json::from_slice(&serde_json::to_vec(&report).unwrap()).unwrap();
    assert_eq!(read, report);
    let mut changed = objects(before);
    apply(&read, &mut changed).unwrap_or_else(|why| panic!("{} to {}: {why}", before.label, after.label));
    let wanted = objects(after);
    for (identity, object) in &wanted {
        assert_eq!(changed.get(identity), Some(object), "{identity}: {} to {}", before.label, after.label);
    }
    assert_eq!(changed.len(), wanted.len());
    report
}

fn lines(bytes: &[u8]) -> usize {
    String::from_utf8_lossy(bytes).matches('\n').count()
}

fn check_short(report: &Report, before: &Input, after: &Input) {
    let texts = (redacted_text(before).unwrap(), redacted_text(after).unwrap());
    let style = Style { texts: Some((&texts.0, &texts.1)), ..Style::default() };
    let text = lines(&write(Format::Text, report, &style).unwrap());
    let unified = lines(&write(Format::Unified, report, &style).unwrap());
    // One line says that nothing changes.
    assert!(
        text <= unified.max(1),
        "{} to {}: {text} lines, {unified} in a unified diff",
        before.label,
        after.label
    );
}

/// Bytes up to which bundles are compared here: whole platforms take minutes in a build without optimisation.
const LARGEST: u64 = 1 << 20;

/// Bundles of one project, neighbours in the order of their names: other overlays or releases of the same application.
fn pairs(corpora: &Path) -> Vec<(PathBuf, PathBuf)> {
    let projects = std::fs::read_dir(corpora).unwrap();
    let mut pairs = Vec::new();
    for project in projects.map(|entry| entry.unwrap().path().join("expected")).filter(|path| path.is_dir()) {
        let mut files: Vec<PathBuf> =
            std::fs::read_dir(project).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.retain(|file| file.metadata().unwrap().len() <= LARGEST);
        files.sort();
        pairs.extend(files.windows(2).map(|pair| (pair[0].clone(), pair[1].clone())));
    }
    pairs.sort();
    pairs
}

fn reports_of_real_trees_are_complete_and_short(corpora: &Path) {
    let pairs = pairs(corpora);
    assert!(pairs.len() >= 20, "only {} pairs", pairs.len());
    pairs.par_iter().for_each(|(before, after)| {
        let read = |path: &Path| input(&path.to_string_lossy(), &std::fs::read_to_string(path).unwrap());
        let (before, after) = (read(before), read(after));
        let report = check_complete(&before, &after);
        check_short(&report, &before, &after);
    });
}

fn reports_of_goldens_are_complete_and_short() {
    let golden = |profile: &str| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("golden/{profile}.yaml"));
        input(profile, &std::fs::read_to_string(path).unwrap())
    };
    for (before, after) in
        [("gke", "gke+gpu"), ("aws", "azure"), ("minikube", "gke+gpu"), ("onprem", "openshift")]
    {
        let (before, after) = (golden(before), golden(after));
        let report = check_complete(&before, &after);
        check_short(&report, &before, &after);
    }
}

fn value() -> impl Strategy<Value = String> {
    let scalar =
        prop_oneof!["[a-c]{1,2}", "[1-9]{1,2}", Just("null".to_owned()), Just("\"l\\nm\\nn\\n\"".to_owned())];
    scalar.prop_recursive(4, 24, 5, |inner| {
        let list =
            prop::collection::vec(inner.clone(), 0..5).prop_map(|items| format!("[{}]", items.join(", ")));
        let named = prop::collection::btree_map("[a-d]", inner.clone(), 0..4).prop_map(|map| {
            let items: Vec<String> =
                map.iter().map(|(name, value)| format!("{{name: {name}, x: {value}}}")).collect();
            format!("[{}]", items.join(", "))
        });
        let map = prop::collection::btree_map("[a-d]", inner, 0..4).prop_map(|map| {
            let entries: Vec<String> = map.iter().map(|(key, value)| format!("{key}: {value}")).collect();
            format!("{{{}}}", entries.join(", "))
        });
        prop_oneof![list, named, map]
    })
}

/// A bundle of a few resources with random names and bodies.
fn bundle() -> impl Strategy<Value = String> {
    let names =
        prop_oneof!["[a-c]", Just("settings-2g7m5bd4hk".to_owned()), Just("settings-6ct58987ht".to_owned())];
    prop::collection::btree_map((names, prop_oneof!["x", "y"]), value(), 0..4).prop_map(|resources| {
        let document = |((name, namespace), value): (&(String, String), &String)| {
            format!("---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, namespace: {namespace}}}\nspec: {value}\n")
        };
        resources.iter().map(document).collect()
    })
}

proptest! {
    fn reports_of_random_bundles_are_complete(before in bundle(), after in bundle()) {
        check_complete(&input("before", &before), &input("after", &after));
    }
}

fn no_format_shows_the_values_of_secrets() {
    let secret = |name: &str, value: &str| {
        format!(
            "apiVersion: v1\nkind: Secret\nmetadata:\n  name: {name}\n  annotations:\n    kubectl.kubernetes.io/last-applied-configuration: '{{\"stringData\": {{\"a\": \"{value}\"}}}}'\nstringData:\n  a: {value}\n  b: |\n    first\n    {value}\n---\n"
        )
    };
    let before = input(
        "before",
        &(secret("kept", "planted-one") + &secret("old", "planted-two") + &secret("gone", "planted-gone")),
    );
    let after = input("after", &(secret("kept", "planted-three") + &secret("new", "planted-two")));
    let report = compare(&before, &after, &Schema::builtin());
    assert!(!report.changes.is_empty());
    let texts = (redacted_text(&before).unwrap(), redacted_text(&after).unwrap());
    let style = Style { folded: true, texts: Some((&texts.0, &texts.1)), ..Style::default() };
    let formats = [
        Format::Text,
        Format::Markdown,
        Format::Json,
        Format::Sarif,
        Format::Junit,
        Format::CodeQuality,
        Format::Unified,
        Format::Html,
    ];
    for format in formats {
        let bytes = write(format, &report, &style).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        assert!(!text.contains("planted"), "{format:?}: {text}");
    }
}

fn main() -> ExitCode {
    case::run(vec![
        trial_over(
            "reports_of_real_trees_are_complete_and_short",
            "corpora",
            reports_of_real_trees_are_complete_and_short,
        ),
        trial("reports_of_goldens_are_complete_and_short", reports_of_goldens_are_complete_and_short),
        trial("reports_of_random_bundles_are_complete", reports_of_random_bundles_are_complete),
        trial("no_format_shows_the_values_of_secrets", no_format_shows_the_values_of_secrets),
    ])
}
