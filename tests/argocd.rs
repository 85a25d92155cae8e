//! What Argo CD relies on: environment variables, parameters, exit codes, nothing but the result on standard output.
//!
//! `tests/argocd/cases` has one folder a case: in `app/` kfc runs as a plug-in's command does, `environment` has the variables
//! and nothing else is set, `command` the arguments, one a line (`argocd generate` when it is not there). `expected` is
//! standard output and `notes.txt` standard error of a run that goes well; `error.txt` is standard error of one that fails. With
//! `KFC_UPDATE_CASES=1` the expected files are written anew, to be reviewed.

#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn folders(path: &str) -> Vec<PathBuf> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let mut folders: Vec<PathBuf> =
        std::fs::read_dir(top).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    assert!(!folders.is_empty(), "no case found");
    folders
}

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

fn run(case: &Path) -> Output {
    let environment = text(&case.join("environment"));
    let command = case.join("command");
    let command = if command.exists() { text(&command) } else { "argocd\ngenerate".to_owned() };
    Command::new(env!("CARGO_BIN_EXE_kfc"))
        .current_dir(case.join("app"))
        .env_clear()
        .envs(environment.lines().filter_map(|line| line.split_once('=')))
        .args(command.lines())
        .output()
        .unwrap()
}

#[test]
fn every_case_gives_what_its_folder_says() {
    let mut failures = Vec::new();
    for case in folders("tests/argocd/cases") {
        let output = run(&case);
        let fails = case.join("error.txt").exists();
        let code = output.status.code();
        let (out, told) =
            (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
        let expected = match fails {
            true => [("error.txt", told)].to_vec(),
            false => [("expected", out.clone()), ("notes.txt", told)].to_vec(),
        };
        if code != Some(i32::from(fails)) || fails && !out.is_empty() {
            failures.push(format!("{}: exit code {code:?}, standard output {out:?}", case.display()));
        }
        for (name, actual) in expected {
            let path = case.join(name);
            if std::env::var_os("KFC_UPDATE_CASES").is_some() && !(name == "notes.txt" && actual.is_empty()) {
                std::fs::write(&path, &actual).unwrap();
            }
            if text(&path) != actual {
                failures.push(format!(
                    "{}\n--- expected\n{}\n--- actual\n{actual}",
                    path.display(),
                    text(&path)
                ));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

/// A copy of a folder that may be changed.
fn copy(from: &Path, to: &Path) {
    for entry in walkdir::WalkDir::new(from) {
        let entry = entry.unwrap();
        let target = to.join(entry.path().strip_prefix(from).unwrap());
        match entry.file_type().is_dir() {
            true => std::fs::create_dir_all(target).unwrap(),
            false => drop(std::fs::copy(entry.path(), target).unwrap()),
        }
    }
}

/// Puts kfc under a name that Argo CD's `kustomize.path.v5.5.0` may point at.
#[cfg(unix)]
fn kustomize(folder: &Path) -> PathBuf {
    let program = folder.join("kustomize-v5.5.0");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_kfc"), &program).unwrap();
    program
}

/// Runs the commands of a case as Argo CD does: edits in the application's folder, then a build of its absolute path. Gives
/// the bundle. A line `append FILE` stands for what Argo CD writes into the kustomization itself.
#[cfg(unix)]
fn render(case: &Path, folder: &Path, program: &Path) -> String {
    let app = folder.join("app");
    let mut bundle = String::new();
    for line in text(&case.join("command")).lines() {
        let words: Vec<String> =
            line.split(' ').map(|word| word.replace("{path}", &app.display().to_string())).collect();
        if let [append, file] = words.as_slice()
            && append == "append"
        {
            let kustomization = app.join("kustomization.yaml");
            let changed = text(&kustomization) + &text(&case.join(file));
            std::fs::write(kustomization, changed).unwrap();
            continue;
        }
        let mut command = Command::new(program);
        if words[0] == "edit" {
            command.current_dir(&app);
        }
        let output = command.args(&words).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {line}: {told}", case.display());
        bundle = String::from_utf8(output.stdout).unwrap();
        assert_eq!(bundle.is_empty(), words[0] == "edit", "{}: {line}", case.display());
    }
    bundle
}

#[cfg(unix)]
#[test]
fn argo_cd_can_have_kfc_for_its_kustomize() {
    let has_kubectl = Command::new("kubectl").arg("version").arg("--client").output().is_ok();
    if !has_kubectl {
        println!("comparison with kubectl kustomize: skipped, there is no kubectl");
    }
    for case in folders("tests/argocd/kustomize") {
        let scratch = tempfile::tempdir().unwrap();
        copy(&case, scratch.path());
        let bundle = render(&case, scratch.path(), &kustomize(scratch.path()));
        let expected = case.join("expected.yaml");
        if std::env::var_os("KFC_UPDATE_CASES").is_some() {
            std::fs::write(&expected, &bundle).unwrap();
        }
        assert_eq!(bundle, text(&expected), "{}", case.display());
        if has_kubectl {
            let output =
                Command::new("kubectl").arg("kustomize").arg(scratch.path().join("app")).output().unwrap();
            assert_eq!(bundle, String::from_utf8_lossy(&output.stdout), "{}", case.display());
        }
    }
}

/// The first version in a text, found as Argo CD finds it.
fn version_in(text: &str) -> String {
    let pattern = regex::Regex::new(r"v?([0-9]+)(\.[0-9]+)?(\.[0-9]+)?").unwrap();
    pattern.find(text).unwrap().as_str().to_owned()
}

#[cfg(unix)]
#[test]
fn argo_cd_reads_the_version() {
    let scratch = tempfile::tempdir().unwrap();
    let program = kustomize(scratch.path());
    for arguments in [&["version"][..], &["version", "--short"]] {
        let output = Command::new(&program).args(arguments).output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty());
        assert_eq!(version_in(&String::from_utf8(output.stdout).unwrap()), "v5.5.0");
    }
}
