//! Origins that are kept change no byte of the output, and each leads to a text that says what it is said to say: over the
//! corpora and cases beside the project where there are any, and over the cases of the project.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by a panic")]

mod case;

use case::{trial, trial_over};
use kfc_diagnostics::{Mark, SourceId, Sources, Style};
use kfc_diff::{Input, Member, compare};
use kfc_kube::redaction::render;
use kfc_kube::schema::Schema;
use kfc_kustomize::engine::{Bundle, Options, build};
use kfc_kustomize::provenance::{History, Link, StepKind};
use kfc_source::{LoadRestrictor, Surroundings};
use kfc_yaml::{Node, Scalar, ScalarKind, Value, emit, parse::parse, parse::parse_last_wins};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

/// Nothing of this machine but its folders.
fn surroundings() -> Arc<Surroundings> {
    Arc::new(Surroundings::bare(std::env::current_dir().unwrap_or_default(), std::env::temp_dir()))
}

fn built(root: &Path, keep_origins: bool) -> Option<(Bundle, Arc<Sources>)> {
    let sources = Arc::new(Sources::default());
    let options =
        Options::new(&surroundings()).restricted(LoadRestrictor::None).keeping_origins(keep_origins);
    Some((build(&root.to_string_lossy(), &options, &sources).ok()?, sources))
}

fn bytes(bundle: &Bundle) -> Vec<u8> {
    let nodes: Vec<&Node> = bundle.resources.list.iter().map(|resource| &resource.node).collect();
    emit::emit_all(&nodes).unwrap().concat()
}

/// The scalars of every text, by place.
struct Texts<'s> {
    sources: &'s Sources,
    known: HashMap<SourceId, HashMap<u32, Scalar>>,
}

impl Texts<'_> {
    fn at(&mut self, mark: Mark) -> Option<&Scalar> {
        let sources = self.sources;
        let scalars = self.known.entry(mark.source).or_insert_with(|| {
            let text = sources.get(mark.source).map(|source| source.text.clone()).unwrap_or_default();
            let mut found = HashMap::new();
            let read = parse(&text, mark.source);
            let read = read.or_else(|_| parse_last_wins(&text, mark.source).map(|(nodes, _)| nodes));
            for node in read.unwrap_or_default() {
                gather(&node, &mut found);
            }
            found
        });
        scalars.get(&mark.offset)
    }
}

fn gather(node: &Node, found: &mut HashMap<u32, Scalar>) {
    match &node.value {
        Value::Scalar(scalar) => drop(found.insert(node.mark.offset, scalar.clone())),
        Value::Map(map) => map.iter().for_each(|entry| gather(&entry.value, found)),
        Value::Seq(items) => items.iter().for_each(|item| gather(item, found)),
    }
}

/// Annotations become strings, and numbers lose their spelling, on the way through some steps. What a JSON patch brings has the
/// booleans of YAML 1.1, and numbers in 64 bits.
fn same(a: &Scalar, b: &Scalar) -> bool {
    let emitted = |scalar: &Scalar| {
        let mut out = Vec::new();
        let number = matches!(scalar.kind, ScalarKind::Int | ScalarKind::Float);
        let node = Node::scalar(scalar.text.clone(), scalar.kind, None);
        (number && emit::emit(&node, &mut out).is_ok()).then_some(out)
    };
    let is_null = |scalar: &Scalar| scalar.text.is_empty() || scalar.text == "null" || scalar.text == "~";
    let truth = |scalar: &Scalar| match scalar.text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "y" => Some(true),
        "false" | "no" | "off" | "n" => Some(false),
        _ => None,
    };
    let float = |scalar: &Scalar| {
        let is_number = matches!(scalar.kind, ScalarKind::Int | ScalarKind::Float);
        scalar.text.parse::<f64>().ok().filter(|_| is_number)
    };
    a.text == b.text
        || (is_null(a) && is_null(b))
        || (emitted(a).is_some() && emitted(a) == emitted(b))
        || (b.kind == ScalarKind::Bool && truth(a).is_some() && truth(a) == truth(b))
        || (float(a).is_some() && float(a) == float(b))
}

/// What is wrong with the origin of a leaf.
fn wrong(history: &History, node: &Node, texts: &mut Texts<'_>) -> Option<String> {
    let links = history.chain(node.mark);
    let Some(first) = links.first() else { return Some("no origin".to_owned()) };
    let is_placed = |link: &Link<'_>| {
        link.step.kind == StepKind::BuildMetadata
            || link.place.is_some_and(|place| texts.sources.get(place.source).is_some())
    };
    if let Some(link) = links.iter().find(|link| !is_placed(link)) {
        return Some(format!("{} has no place", link.step.kind));
    }
    let stands_there = match first.step.kind {
        StepKind::Base => true,
        StepKind::Patch | StepKind::PatchStrategicMerge => {
            first.place.and_then(|place| texts.at(place)).is_some()
        }
        _ => false,
    };
    if !stands_there {
        return None;
    }
    let value = links.get(1).map_or(Some(node), |next| next.before)?;
    let Value::Scalar(value) = &value.value else { return None };
    match first.place.and_then(|place| texts.at(place)) {
        Some(text) if same(text, value) => None,
        Some(text) => Some(format!("`{}` stands at the base, not `{}`", text.text, value.text)),
        None => Some(format!("nothing stands at the base of `{}`", value.text)),
    }
}

fn check_leaves(history: &History, node: &Node, path: &str, texts: &mut Texts<'_>, found: &mut Vec<String>) {
    match &node.value {
        Value::Scalar(_) => {
            let place = |texts: &Texts<'_>| {
                history.place(node.mark).and_then(|place| texts.sources.locate(place)).unwrap_or_default()
            };
            if found.len() > 100 {
                return;
            }
            found.extend(wrong(history, node, texts).map(|why| format!("{path} ({}): {why}", place(texts))));
        }
        Value::Map(map) => map.iter().for_each(|entry| {
            check_leaves(history, &entry.value, &format!("{path}.{}", entry.key.text), texts, found);
        }),
        Value::Seq(items) => items.iter().enumerate().for_each(|(at, item)| {
            check_leaves(history, item, &format!("{path}[{at}]"), texts, found);
        }),
    }
}

/// Builds a root with and without origins; whether it builds at all.
fn check(root: &Path, found: &mut Vec<String>) -> bool {
    let (Some((plain, _)), Some((kept, sources))) = (built(root, false), built(root, true)) else {
        return false;
    };
    if bytes(&plain) != bytes(&kept) {
        found.push(format!("{}: origins change the output", root.display()));
    }
    let mut texts = Texts { sources: &sources, known: HashMap::new() };
    for resource in &kept.resources.list {
        let name = format!("{}: {}/{}", root.display(), resource.kind(), resource.name());
        check_leaves(resource.history(), &resource.node, &name, &mut texts, found);
    }
    true
}

fn roots_below(folder: &Path) -> Vec<PathBuf> {
    let files = walkdir::WalkDir::new(folder).sort_by_file_name().into_iter().filter_map(Result::ok);
    let is_root = |name: &str| matches!(name, "kustomization.yaml" | "kustomization.yml" | "Kustomization");
    let roots = files.filter(|file| is_root(&file.file_name().to_string_lossy()));
    roots.filter_map(|file| file.path().parent().map(Path::to_owned)).collect()
}

fn every_origin_of_the_cases_is_true() {
    let mut found = Vec::new();
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let count = roots_below(&cases).iter().filter(|root| check(root, &mut found)).count();
    assert!(count > 10, "only {count} roots build");
    assert!(found.is_empty(), "{}", found.join("\n"));
}

fn every_origin_of_the_corpora_is_true(shared: &Path) {
    let mut found = Vec::new();
    let mut roots = roots_below(&shared.join("conformance"));
    let corpora = roots_below(&shared.join("corpora"));
    // Every ninth root is enough in a debug build.
    roots.extend(corpora.into_iter().step_by(if cfg!(debug_assertions) { 9 } else { 1 }));
    let count = roots.iter().filter(|root| check(root, &mut found)).count();
    assert!(count > 50, "only {count} roots build");
    assert!(
        found.is_empty(),
        "{} of {count} roots:\n{}",
        found.len(),
        found[..found.len().min(60)].join("\n")
    );
}

/// The errors of a root, with the lines that they point at.
fn errors(root: &Path, keep_origins: bool) -> Option<String> {
    let sources = Arc::new(Sources::default());
    let options =
        Options::new(&surroundings()).restricted(LoadRestrictor::None).keeping_origins(keep_origins);
    let errors = build(&root.to_string_lossy(), &options, &sources).err()?;
    Some(render(&errors, &sources, Style { colour: false, width: 140 }))
}

fn errors_are_the_same_with_and_without_origins() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut roots = roots_below(&top.join("tests/cases"));
    roots.extend(roots_below(&top.join("tests/kustomize")));
    let mut failing = 0;
    for root in roots {
        let plain = errors(&root, false);
        failing += usize::from(plain.is_some());
        assert_eq!(plain, errors(&root, true), "{}", root.display());
    }
    assert!(failing > 60, "only {failing} roots fail");
}

/// Values that no explanation may show, plain or as base64.
const PLANTED: [&str; 5] = ["planted-one", "planted-two", "planted-three", "planted-four", "planted-five"];

/// A tree in which secret values come from a file, a patch, a generator and a merge, and go on into another resource.
fn planted(folder: &Path) {
    let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).unwrap();
    write(
        "secret.yaml",
        "apiVersion: v1\nkind: Secret\nmetadata:\n  name: fixed\n  annotations:\n    \
         kubectl.kubernetes.io/last-applied-configuration: '{\"stringData\":{\"a\":\"planted-one\"}}'\n\
         stringData:\n  a: planted-one\n  gone: planted-five\ndata:\n  b: cGxhbnRlZC10d28=\n---\n\
         apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: copy\ndata:\n  token: none\n",
    );
    write("three.txt", "planted-three");
    write(
        "kustomization.yaml",
        "resources: [secret.yaml]\nnamePrefix: p-\nsecretGenerator:\n- name: made\n  literals: [c=planted-four]\n  \
         files: [three.txt]\npatches:\n- patch: |\n    apiVersion: v1\n    kind: Secret\n    metadata:\n      \
         name: fixed\n    stringData:\n      a: planted-two\n      gone: null\n- patch: |\n    apiVersion: v1\n    \
         kind: Secret\n    metadata:\n      name: fixed\n    stringData:\n      a: planted-three\n\
         replacements:\n- source: {kind: Secret, name: fixed, fieldPath: stringData.a}\n  targets:\n  \
         - select: {kind: ConfigMap, name: copy}\n    fieldPaths: [data.token]\n",
    );
}

fn values_of_secrets_are_never_shown() {
    let folder = tempfile::tempdir().unwrap();
    planted(folder.path());
    let root = folder.path().to_string_lossy().into_owned();
    let run = |arguments: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_kfc"));
        let output = command.args(arguments).args(["-t", &root]).output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8_lossy(&text).into_owned())
    };
    let mut asked = vec![vec!["explain", "--unused"], vec!["explain", "--unused", "--format", "json"]];
    let resources = ["secret/fixed", "secret/made", "cm/copy"];
    let fields =
        ["", "stringData", "stringData.a", "data", "data.b", "data.c", "data.token", "stringData.gone"];
    for resource in resources {
        for field in fields {
            for format in ["text", "json"] {
                let mut arguments = vec!["explain", resource, "--format", format];
                arguments.extend((!field.is_empty()).then_some(field));
                asked.push(arguments);
            }
        }
    }
    let mut hidden = 0;
    for arguments in asked {
        let (code, text) = run(&arguments);
        assert!(code == Some(0) || text.contains("KFC1302"), "{arguments:?}: {text}");
        hidden += usize::from(text.contains("<hidden 1>"));
        assert!(!text.contains("sha256:"), "{text}");
        for value in PLANTED {
            let encoded = base64::engine::Engine::encode(&base64::engine::general_purpose::STANDARD, value);
            let is_clean = !text.contains(value) && !text.contains(&encoded);
            assert!(is_clean, "{arguments:?} shows {value}:\n{text}");
        }
    }
    assert!(hidden > 15, "only {hidden} answers hide values");
}

fn explanations_do_not_depend_on_the_number_of_threads() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/explain-resource/input/root");
    let explained = |threads: &str| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_kfc"));
        command.args(["explain", "deploy/web", "--format", "json", "-t"]).arg(&root);
        let output = command.env("RAYON_NUM_THREADS", threads).output().unwrap();
        assert!(output.status.success());
        output.stdout
    };
    let one = explained("1");
    for threads in ["2", "3", "8"] {
        assert!(explained(threads) == one, "{threads} threads make a difference");
    }
}

fn a_diff_report_names_the_line_that_made_each_change() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/explain-resource/input/root");
    let (bundle, sources) = built(&root, true).unwrap();
    let text = String::from_utf8(bytes(&bundle)).unwrap();
    let earlier = [
        ("web:v2", "web:v1"),
        ("value: loud", "value: low"),
        ("replicas: 3", "replicas: 2"),
        ("calls: eu-web", "calls: eu-web\n    example.com/owner: nobody"),
        ("team: red", "team: blue"),
    ];
    let text = earlier.iter().fold(text, |text, (now, then)| text.replace(now, then));
    let resources =
        kfc_kustomize::engine::read::resources(parse(&text, SourceId::NONE).unwrap(), &Schema::builtin());
    let members = |resources: Vec<_>| resources.into_iter().map(Member::new).collect();
    let before = Input { resources: members(resources.unwrap()), ..Input::default() };
    let after = Input { resources: members(bundle.resources.list), sources, ..Input::default() };
    let report = compare(&before, &after, &Schema::builtin());
    let deployment = report.changes.iter().find(|change| change.identity.kind == "Deployment").unwrap();
    let line = |path: &str| {
        let paths: Vec<String> = deployment.fields.iter().map(|field| field.path.to_string()).collect();
        let at = paths.iter().position(|known| known.ends_with(path));
        let field = &deployment.fields[at.unwrap_or_else(|| panic!("no {path} in {paths:?}"))];
        let origin = field.after_origin.clone().unwrap();
        (origin.file.rsplit("/root/").next().unwrap().to_owned(), origin.line, origin.step)
    };
    let expected = |file: &str, line: u32, step: &str| (file.to_owned(), line, step.to_owned());
    assert_eq!(line(".image"), expected("kustomization.yaml", 11, "images"));
    assert_eq!(line("[name=MODE].value"), expected("team/mode.yaml", 12, "patches"));
    assert_eq!(line("spec.replicas"), expected("kustomization.yaml", 16, "replicas"));
    assert_eq!(line("labels.team"), expected("kustomization.yaml", 7, "labels"));
    assert_eq!(line("owner']"), expected("team/kustomization.yaml", 7, "patches"));
}

fn main() -> ExitCode {
    case::run(vec![
        trial("every_origin_of_the_cases_is_true", every_origin_of_the_cases_is_true),
        trial_over("every_origin_of_the_corpora_is_true", "", every_origin_of_the_corpora_is_true),
        trial("errors_are_the_same_with_and_without_origins", errors_are_the_same_with_and_without_origins),
        trial("values_of_secrets_are_never_shown", values_of_secrets_are_never_shown),
        trial(
            "explanations_do_not_depend_on_the_number_of_threads",
            explanations_do_not_depend_on_the_number_of_threads,
        ),
        trial(
            "a_diff_report_names_the_line_that_made_each_change",
            a_diff_report_names_the_line_that_made_each_change,
        ),
    ])
}
