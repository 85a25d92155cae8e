//! A program that uses the engine gives the runner of functions itself: this one starts nothing, and files are in memory.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

use kfc_diagnostics::Sources;
use kfc_kube::schema::Schema;
use kfc_kustomize::Kustomizer;
use kfc_kustomize::engine::Options;
use kfc_kustomize::package::{FunctionRun, Input, Scope, files_of, paths_of, read_located, run_functions};
use kfc_source::{Call, CallFailure, Caller, Finished, Memory, Runner, Surroundings};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// Gives what was written before, and keeps what it was asked for.
#[derive(Debug, Default)]
struct Fake {
    printed: String,
    calls: Mutex<Vec<String>>,
}

impl Runner for Fake {
    fn run(&self, call: &Call) -> Result<Finished, CallFailure> {
        let input = String::from_utf8(call.input.clone()).unwrap();
        let kind = input.lines().find(|line| line.starts_with("kind: ")).unwrap_or("");
        let arguments = call.arguments.join(" ");
        self.calls.lock().unwrap().push(format!(
            "{} {arguments} in {} ({kind})",
            call.program,
            call.directory.display()
        ));
        Ok(Finished { status: Some(0), stdout: self.printed.clone().into_bytes(), stderr: Vec::new() })
    }

    fn variable(&self, _: Caller, _: &str) -> Option<OsString> {
        None
    }

    fn engine(&self) -> Option<String> {
        None
    }

    fn plug_in(&self, below_home: &Path) -> Result<PathBuf, CallFailure> {
        Ok(Path::new("/home").join(below_home))
    }
}

const FUNCTION: &str = "apiVersion: example.com/v1\nkind: Edit\nmetadata:\n  name: edit\n  annotations:\n    \
                        config.kubernetes.io/function: 'exec: {path: ../bin/edit, args: [a, b]}'\n";

fn files(function: &str) -> Memory {
    Memory::new([
        ("/app/kustomization.yaml", "resources: [a.yaml]\ntransformers: [fn.yaml]\n"),
        ("/app/a.yaml", "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {k: v}}"),
        ("/app/fn.yaml", function),
    ])
}

fn options(fake: &Arc<Fake>) -> Options {
    let mut options = Options::new(&Arc::new(Surroundings::in_memory(Memory::default())));
    options.functions.runner = Some(Arc::clone(fake) as Arc<dyn Runner>);
    options.functions.exec = true;
    options
}

#[test]
fn a_function_runs_through_the_runner_of_the_caller() {
    let printed = "kind: ResourceList\nitems:\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {k: new}}\n";
    let fake = Arc::new(Fake { printed: printed.to_owned(), ..Fake::default() });
    let built = Kustomizer::new(options(&fake)).run(&files(FUNCTION), "app").unwrap();
    assert_eq!(
        String::from_utf8(built.yaml().unwrap()).unwrap(),
        "apiVersion: v1\ndata:\n  k: new\nkind: ConfigMap\nmetadata:\n  name: a\n"
    );
    assert_eq!(*fake.calls.lock().unwrap(), ["/bin/edit a b in /app (kind: ResourceList)"]);
}

#[test]
fn nothing_runs_without_a_runner_or_leave() {
    let files = files(FUNCTION);
    assert!(Kustomizer::in_memory().run(&files, "app").is_err());
    let fake = Arc::new(Fake::default());
    let mut options = options(&fake);
    options.functions.exec = false;
    assert!(Kustomizer::new(options).run(&files, "app").is_err());
    assert!(fake.calls.lock().unwrap().is_empty());
}

#[test]
fn a_plug_in_cannot_be_named_out_of_its_home() {
    for (api_version, kind) in
        [("../../x/v1", "Edit"), ("a/b/c", "Edit"), ("example.com/..", "Edit"), ("example.com/v1", "../Edit")]
    {
        let fake = Arc::new(Fake::default());
        let function = format!("{{apiVersion: {api_version}, kind: {kind}, metadata: {{name: edit}}}}");
        let error = Kustomizer::new(options(&fake)).run(&files(&function), "app").unwrap_err().to_string();
        assert!(error.contains("are not the name of a plug-in"), "{api_version} {kind}: {error}");
        assert!(fake.calls.lock().unwrap().is_empty());
    }
}

#[test]
fn each_field_keeps_its_provenance_through_a_function() {
    let printed = "kind: ResourceList\nitems:\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {k: v, new: x}}\n";
    let fake = Arc::new(Fake { printed: printed.to_owned(), ..Fake::default() });
    let built = Kustomizer::new(options(&fake).keeping_origins(true)).run(&files(FUNCTION), "app").unwrap();
    let resource = &built.resources()[0];
    let steps = |path: &[&str]| -> Vec<String> {
        let value = resource.node.at(path).unwrap();
        resource.history().chain(value.mark).iter().map(|link| link.step.kind.to_string()).collect()
    };
    assert_eq!(steps(&["data", "k"]), ["base"]);
    assert_eq!(steps(&["data", "new"]), ["transformers"]);
}

#[test]
fn functions_of_a_directory_run_on_what_is_in_and_below_theirs() {
    let files = Memory::new([
        ("/work/app/a.yaml", "kind: A # one\nmetadata: {name: a}\n"),
        ("/work/app/low/fn.yaml", FUNCTION),
        ("/work/app/low/b.json", r#"{"kind": "B", "metadata": {"name": "b"}}"#),
    ]);
    let printed = "kind: C\nmetadata: {name: c, namespace: n}\n";
    let fake = Arc::new(Fake { printed: printed.to_owned(), ..Fake::default() });
    let (options, sources) = (options(&fake).functions, Sources::default());
    let input = Input { files: &files, working_directory: Path::new("/work"), sources: &sources };
    let steps = Mutex::new(Vec::new());
    let run = FunctionRun {
        input,
        options: &options,
        schema: &Schema::builtin(),
        is_global: false,
        directories: &[],
        explicit: None,
        report: &|program| steps.lock().unwrap().push(program.to_owned()),
    };
    let resources = read_located(&input, "app", Scope::WithJson).unwrap();
    assert_eq!(paths_of(&resources), ["a.yaml", "low/b.json", "low/fn.yaml"]);
    let ran = run_functions(resources, &run);
    assert!(ran.errors.is_empty(), "{:?}", ran.errors);
    let files: Vec<_> = files_of(ran.resources.unwrap()).unwrap().into_iter().collect();
    let expected = [
        ("a.yaml", "kind: A # one\nmetadata: {name: a}\n"),
        ("low/n/c_c.yaml", "kind: C\nmetadata: {name: c, namespace: n}\n"),
    ];
    assert_eq!(files, expected.map(|(name, text)| (name.to_owned(), text.to_owned())));
    assert_eq!(*fake.calls.lock().unwrap(), ["/bin/edit a b in /work (kind: ResourceList)"]);
    assert_eq!(*steps.lock().unwrap(), ["../bin/edit"]);
}
