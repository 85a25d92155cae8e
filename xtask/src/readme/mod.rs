//! Runs the commands of the README as they are written there, and checks what the README says of their output. A command that is
//! new in the README runs without a word here, or fails the step.

mod commands;
mod sandbox;

use crate::program::{Failure, Finished, failed, passed, read, top};
use sandbox::{Place, Sandbox};
use std::path::Path;

/// Commands that are not run here, by how they begin, with the reason.
const LEFT: [(&str, &str); 12] = [
    ("cargo test", "the step `tests` runs it"),
    ("cargo install ", "the step `sizes` builds the program"),
    ("kfc apply ", "needs a cluster: `.ci/lab`"),
    ("kfc delete ", "needs a cluster: `.ci/lab`"),
    ("kfc diff cluster ", "needs a cluster: `.ci/lab`"),
    ("kfc history ", "needs a cluster: `.ci/lab`"),
    ("kfc rollback ", "needs a cluster: `.ci/lab`"),
    ("kfc inventory ", "needs a cluster: `.ci/lab`"),
    ("kfc detect ", "needs a cluster: `.ci/lab`"),
    ("kfc init --detect ", "needs a cluster: `.ci/lab`"),
    ("kubectl port-forward ", "needs a cluster: `.ci/lab login`"),
    ("kubectl rollout ", "needs a cluster: `.ci/lab login`"),
];

/// Commands that run elsewhere than in a root, by how they begin.
const PLACES: [(&str, Place); 7] = [
    ("kfc list environments examples", Place::Repository),
    ("kfc build examples/environments", Place::Repository),
    ("cargo run ", Place::Repository),
    ("kfc golden check", Place::Repository),
    ("kfc validate kfc.yaml", Place::Stack),
    ("kfc kustomize create", Place::Resources),
    ("kfc diff golden:gke ", Place::Goldens),
];

/// Commands that may end with 1: there are differences.
const COMPARES: &str = "kfc diff ";

fn entry<'a, T>(table: &'a [(&str, T)], command: &str) -> Option<&'a T> {
    table.iter().find(|(start, _)| command.starts_with(start)).map(|(_, value)| value)
}

/// What became of the commands.
#[derive(Default)]
struct Runs {
    ran: usize,
    left: usize,
    /// How many objects kubectl got from commands that apply this profile.
    applied: Vec<usize>,
}

/// The profile that the README applies with kubectl.
const APPLIED: &str = "kfc build gke+gpu";

fn run_all(commands: &[String], sandbox: &Sandbox) -> Result<Runs, Failure> {
    let mut runs = Runs::default();
    for command in commands {
        if let Some(reason) = entry(&LEFT, command) {
            println!("left: {command}: {reason}");
            runs.left += 1;
            continue;
        }
        println!("{command}");
        let place = entry(&PLACES, command).copied().unwrap_or(Place::Root);
        let output = sandbox.shell(command, place)?;
        let is_good =
            output.status.success() || (command.starts_with(COMPARES) && output.status.code() == Some(1));
        if !is_good {
            let errors = String::from_utf8_lossy(&output.stderr);
            return failed(format!("`{command}` ended with {}: {errors}", output.status));
        }
        if command.starts_with("cargo run ") {
            same("the first command", &output.stdout, &sandbox.kfc(&["build", "minikube"])?)?;
        }
        if command.contains("| kubectl apply") {
            let objects = objects(&sandbox.take_applied()?);
            runs.applied.extend(command.contains(APPLIED).then_some(objects));
        }
        runs.ran += 1;
    }
    Ok(runs)
}

/// Entries of a table that no command of the README begins with.
fn unused<'a, T>(table: &[(&'a str, T)], commands: &[String]) -> Vec<&'a str> {
    let starts = table.iter().map(|(start, _)| *start);
    starts.filter(|start| !commands.iter().any(|command| command.starts_with(start))).collect()
}

fn same(what: &str, found: &[u8], expected: &[u8]) -> Result<(), Failure> {
    if found == expected { Ok(()) } else { failed(format!("{what}: not the same bytes as expected")) }
}

fn check(is_true: bool, claim: &str) -> Result<(), Failure> {
    if is_true { Ok(()) } else { failed(format!("not true any more: {claim}")) }
}

/// How many objects a bundle has.
fn objects(bundle: &[u8]) -> usize {
    String::from_utf8_lossy(bundle).lines().filter(|line| line.starts_with("kind:")).count()
}

fn json(bytes: &[u8]) -> Result<serde_json::Value, Failure> {
    serde_json::from_slice(bytes).map_err(|error| Failure(error.to_string()))
}

/// What the README says of profiles.
fn check_profiles(sandbox: &Sandbox) -> Result<(), Failure> {
    let text =
        |arguments: &[&str]| Ok::<_, Failure>(String::from_utf8_lossy(&sandbox.kfc(arguments)?).into_owned());
    let less = text(&["build", "onprem", "--without", "spark-operator", "--set", "domain=ml.example.com"])?;
    check(less.contains("serving.ml.example.com"), "a parameter is set")?;
    let waves = text(&["build", "azure", "--argocd"])?;
    check(waves.contains("argocd.argoproj.io/sync-wave: \"1\""), "--argocd adds waves")?;
    let options = "argocd.argoproj.io/sync-options: ServerSideApply=true,Prune=false";
    check(waves.contains(options), "--argocd adds sync options")?;
    for what in ["components", "platforms", "overlays", "parameters", "facts"] {
        check(!sandbox.kfc(&["list", what])?.is_empty(), &format!("kfc list {what}"))?;
    }
    for format in ["tree", "dot", "mermaid", "svg", "json"] {
        check(!sandbox.kfc(&["graph", "gke+gpu", "--format", format])?.is_empty(), "kfc graph")?;
    }
    json(&sandbox.kfc(&["schema", "stack"])?)?;
    let stack = sandbox.shell("kfc argocd generate && kfc build . >/dev/null", Place::Stack)?;
    check(stack.status.success() && objects(&stack.stdout) > 0, "Argo CD's plug-in builds a stack")
}

/// What the README says of waves: those that kubectl got are the bundle.
fn check_waves(sandbox: &Sandbox, applied: &[usize]) -> Result<(), Failure> {
    let bundle = objects(&sandbox.kfc(&["build", "gke+gpu"])?);
    // By waves, and in one pass.
    check(applied == [bundle, bundle], &format!("kubectl gets {bundle} objects in waves: {applied:?}"))?;
    let waves = json(&sandbox.kfc(&["build", "gke+gpu", "--waves=json"])?)?;
    let waves = waves["waves"].as_array().cloned().unwrap_or_default();
    let is_full =
        |wave: &serde_json::Value| wave["resources"].as_array().is_some_and(|list| !list.is_empty());
    check(!waves.is_empty() && waves.iter().all(is_full), "each wave has resources")
}

/// What the README says of the engine, on the smallest example.
fn check_engine(sandbox: &Sandbox) -> Result<(), Failure> {
    let root = top().join("examples/quickstart").display().to_string();
    let bundle = sandbox.kfc(&["build", &root])?;
    check(
        String::from_utf8_lossy(&bundle).contains("\nkind: Deployment\n"),
        "the quickstart has a Deployment",
    )?;
    sandbox.kfc(&["build", &root, "-o", "again.yaml"])?;
    same("-o FILE", &sandbox.file("again.yaml")?, &bundle)?;
    same("kfc kustomize build", &sandbox.kfc(&["kustomize", "build", &root])?, &bundle)?;
    for jobs in ["1", "8"] {
        same("--jobs", &sandbox.kfc(&["build", &root, "--jobs", jobs])?, &bundle)?;
    }
    sandbox.kfc(&["build", &root, "-o", "parts/"])?;
    check(sandbox.names("parts", ".yaml")?.len() == 2, "-o DIR/ writes one file per resource")?;
    let list = json(&sandbox.kfc(&["build", &root, "--format", "json"])?)?;
    check(list.as_array().is_some_and(|list| list.len() == 2), "--format json is a list")?;
    let named = sandbox.shell(&format!("kustomize build '{root}'"), Place::Root)?;
    same("under the name kustomize", &named.stdout, &bundle)?;
    let version = sandbox.shell("kustomize version", Place::Root)?;
    same("kustomize version", &version.stdout, b"v5.8.1\n")?;
    let empty = sandbox.shell("mkdir empty && kfc build empty", Place::Root)?;
    let is_failure = empty.status.code() == Some(1) && empty.stdout.is_empty();
    check(is_failure, "a build that fails ends with 1 and prints nothing")
}

pub(crate) fn run(program: &Path) -> Finished {
    if !program.is_file() {
        return failed(format!("{} does not exist: `cargo xtask sizes` builds it", program.display()));
    }
    let commands = commands::of(&read(&top().join("README.md"))?)?;
    let stale = [unused(&LEFT, &commands), unused(&PLACES, &commands)].concat();
    if !stale.is_empty() {
        return failed(format!("the README has no command that begins with {stale:?}"));
    }
    let sandbox = Sandbox::new(program)?;
    let runs = run_all(&commands, &sandbox)?;
    check_profiles(&sandbox)?;
    check_waves(&sandbox, &runs.applied)?;
    check_engine(&sandbox)?;
    passed(format!("{} commands work, {} need more than this step has", runs.ran, runs.left))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by a panic")]
    use super::{LEFT, PLACES, commands, entry, objects, unused};
    use crate::program::{read, top};

    #[test]
    fn every_exception_is_for_a_command_of_the_readme() {
        let commands = commands::of(&read(&top().join("README.md")).unwrap()).unwrap();
        assert!(commands.len() > 40, "{commands:#?}");
        assert_eq!(unused(&LEFT, &commands), [""; 0]);
        assert_eq!(unused(&PLACES, &commands), [""; 0]);
    }

    #[test]
    fn an_exception_is_found_by_how_a_command_begins() {
        assert_eq!(entry(&LEFT, "cargo test --test cases"), Some(&"the step `tests` runs it"));
        assert_eq!(entry(&LEFT, "kfc build minikube"), None);
    }

    #[test]
    fn objects_are_counted_by_their_kind() {
        assert_eq!(objects(b"apiVersion: v1\nkind: A\nspec:\n  kind: B\n---\nkind: C\n"), 2);
    }
}
