//! The snippets of docs/gitops.md do what they say: YAML is YAML, and the steps of CI run in a repository that `kfc init` made.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

mod documents;

use documents::{block, blocks, strings, text, yaml};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

const PAGE: &str = "docs/gitops.md";

/// A clone of a repository with a stack, on a branch with a change, and a folder of programs that kfc is in. Programs of others
/// are stood in for by ones that write down what they are called with.
struct Repository {
    scratch: TempDir,
}

impl Repository {
    fn new() -> Self {
        let repository = Self { scratch: tempfile::tempdir().unwrap() };
        std::fs::create_dir(repository.path("bin")).unwrap();
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_kfc"), repository.path("bin/kfc")).unwrap();
        for program in ["gh", "flux"] {
            let script = format!("#!/bin/sh\necho {program} \"$@\" >> \"$CALLS\"\n");
            let path = repository.path("bin").join(program);
            std::fs::write(&path, script).unwrap();
            std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        }
        repository.setup();
        repository
    }

    fn setup(&self) {
        self.succeeds(
            "git init --quiet --bare --initial-branch main ../origin.git
             git clone --quiet ../origin.git . 2>/dev/null
             git checkout --quiet -B main
             kfc init kind . >/dev/null
             sed -i '/^  - [a-z-]* *#/{/- kserve /!d}' kfc.yaml
             kfc build . --argocd --output bundle.yaml
             git add --all && git commit --quiet --message start
             git push --quiet origin main
             git checkout --quiet -b change
             sed -i 's/domain: .*/domain: ml.example.test/' kfc.yaml
             kfc build . --argocd --output bundle.yaml
             git commit --quiet --all --message change",
        );
    }

    fn path(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    /// Runs a script in the clone, as a CI system does.
    fn run(&self, script: &str) -> Output {
        let here = self.path("clone");
        std::fs::create_dir_all(&here).unwrap();
        let path = format!("{}:{}", self.path("bin").display(), std::env::var("PATH").unwrap());
        Command::new("bash")
            .args(["-e", "-c", script])
            .current_dir(here)
            .env("PATH", path)
            .env("HOME", self.scratch.path())
            .env("CALLS", self.path("calls"))
            .env("GITHUB_BASE_REF", "main")
            .env("GITHUB_REPOSITORY", "example/platform")
            .env("GITHUB_STEP_SUMMARY", self.path("summary.md"))
            .env("NUMBER", "7")
            .env("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "main")
            .envs(["AUTHOR", "COMMITTER"].map(|who| (format!("GIT_{who}_NAME"), "Somebody")))
            .envs(["AUTHOR", "COMMITTER"].map(|who| (format!("GIT_{who}_EMAIL"), "somebody@example.com")))
            .output()
            .unwrap()
    }

    fn succeeds(&self, script: &str) {
        let output = self.run(script);
        assert!(output.status.success(), "{script}\n{}", String::from_utf8_lossy(&output.stderr));
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_default()
    }
}

/// The commands of a workflow's steps.
fn steps(workflow: &str, job: &str) -> Vec<String> {
    let steps = &yaml(workflow)[0]["jobs"][job]["steps"];
    let runs = steps.as_array().unwrap().iter().filter_map(|step| step["run"].as_str());
    runs.map(str::to_owned).collect()
}

#[test]
fn every_block_of_yaml_is_yaml() {
    for page in [PAGE, "deploy/argocd/README.md"] {
        for block in blocks(page, "yaml") {
            assert!(yaml(&block).iter().all(serde_json::Value::is_object), "{page}: {block}");
        }
    }
}

#[test]
fn the_workflow_is_the_one_that_init_writes() {
    let folder = tempfile::tempdir().unwrap();
    let status = Command::new(env!("CARGO_BIN_EXE_kfc"))
        .args(["init", "kind"])
        .arg(folder.path())
        .output()
        .unwrap()
        .status;
    assert!(status.success());
    let written = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    assert_eq!(blocks(PAGE, "yaml")[0], written(".github/workflows/platform.yaml"));
    let spec = &yaml(&written("argocd.yaml"))[0]["spec"];
    assert_eq!(spec["source"]["plugin"]["name"], "kfc");
    // What a controller writes is neither shown as a difference nor set back.
    assert_eq!(
        spec["ignoreDifferences"][0]["managedFieldsManagers"][0],
        "clusterrole-aggregation-controller"
    );
    assert_eq!(spec["ignoreDifferences"][1]["name"], "istio-validator-istio-system");
    let left = Command::new(env!("CARGO_BIN_EXE_kfc"))
        .args(["argocd", "ignore-differences"])
        .arg(folder.path())
        .output()
        .unwrap();
    let left = &yaml(&String::from_utf8(left.stdout).unwrap())[0]["ignoreDifferences"];
    let objects = |entries: &serde_json::Value| -> BTreeSet<String> {
        let entries = entries.as_array().unwrap().iter();
        entries.map(|entry| format!("{} {}", entry["kind"], entry["name"])).collect()
    };
    assert!(objects(left).contains(r#""MutatingWebhookConfiguration" "webhook.serving.knative.dev""#));
    assert!(objects(left).is_subset(&objects(&spec["ignoreDifferences"])));
    assert!(
        strings(&spec["syncPolicy"]["syncOptions"]).contains(&"RespectIgnoreDifferences=true".to_owned())
    );
}

#[test]
fn the_steps_for_github_tell_what_changes() {
    let repository = Repository::new();
    repository.succeeds("kfc golden update .");
    for step in steps(&blocks(PAGE, "yaml")[0], "platform") {
        // No source is remote here, so there is no lock to be checked.
        if step != "kfc vendor --check" {
            repository.succeeds(&step);
        }
    }
    assert!(repository.read("clone/kfc.sarif").contains("\"version\": \"2.1.0\""));
    assert!(repository.read("summary.md").contains("serving.ml.example.test"));
    assert_eq!(repository.read("clone/report.md"), repository.read("summary.md"));
    assert_eq!(
        repository.read("calls"),
        "gh pr comment 7 --edit-last --create-if-none --body-file report.md\n"
    );
}

#[test]
fn the_steps_for_github_fail_on_a_bundle_that_nobody_reviewed() {
    let repository = Repository::new();
    repository.succeeds("sed -i 's/domain: .*/domain: other.example.test/' kfc.yaml");
    let steps = steps(&blocks(PAGE, "yaml")[0], "platform");
    let step = steps.iter().find(|step| step.contains("git diff --exit-code")).unwrap();
    assert_eq!(repository.run(step).status.code(), Some(1));
    let first = steps.first().unwrap();
    repository.succeeds("sed -i 's/platform: kind/platform: knid/' kfc.yaml");
    assert_eq!(repository.run(first).status.code(), Some(1));
}

#[test]
fn the_script_for_gitlab_tells_what_changes() {
    let repository = Repository::new();
    let job = &yaml(&block(PAGE, "yaml", "CI_MERGE_REQUEST"))[0]["platform"];
    for line in &documents::strings(&job["script"]) {
        repository.succeeds(line);
    }
    assert!(repository.read("clone/validate.xml").starts_with("<?xml"));
    for report in ["clone/report.md", "clone/report.html"] {
        assert!(repository.read(report).contains("serving.ml.example.test"), "{report}");
    }
}

#[test]
fn the_steps_for_flux_push_a_bundle() {
    let repository = Repository::new();
    let workflow = block(PAGE, "yaml", "flux push artifact");
    for step in &steps(&workflow, "push") {
        repository.succeeds(step);
    }
    assert!(repository.read("clone/rendered/bundle.yaml").contains("kind: Deployment"));
    let call = repository.read("calls");
    let start = "flux push artifact oci://ghcr.io/example/platform:latest --path rendered --source /";
    assert!(call.starts_with(start) && call.contains("origin.git --revision main@sha1:"), "{call}");
}

#[test]
fn the_script_for_a_branch_commits_a_bundle_once() {
    let repository = Repository::new();
    let script = block(PAGE, "sh", "worktree");
    repository.succeeds(&script);
    let tip = |repository: &Repository| repository.run("git -C ../origin.git rev-parse rendered").stdout;
    let first = tip(&repository);
    repository
        .succeeds("git worktree remove --force ../rendered && git branch -D rendered 2>/dev/null || true");
    repository.succeeds(&script);
    assert_eq!(first, tip(&repository), "nothing changed, so nothing is committed");
    repository.succeeds("git -C ../origin.git show rendered:bundle.yaml | grep -q 'kind: Deployment'");
}

#[test]
fn the_pages_name_files_that_are_there() {
    let page = text(PAGE);
    for target in page.split("](").skip(1).map(|rest| rest.split([')', '#']).next().unwrap()) {
        assert!(Path::new(&documents::file("docs")).join(target).exists(), "{target}");
    }
}
