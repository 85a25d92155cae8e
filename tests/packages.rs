//! What a release consists of, made and installed: archives, a package for Debian, the manifest for krew, the action, and the man
//! pages. Where the tools of a kind are missing, its test says so.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by a panic")]
#![allow(clippy::print_stdout, reason = "says what it skips")]

mod support;

use kfc_diagnostics::SourceId;
use kfc_yaml::parse::parse;
use kfc_yaml::value::to_json;
use serde_json::Value;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};
use support::{Answer, Project, Server, text};

const TARGETS: [&str; 5] = [
    "x86_64-unknown-linux-musl",
    "aarch64-unknown-linux-musl",
    "x86_64-apple-darwin",
    "aarch64-apple-darwin",
    "x86_64-pc-windows-msvc",
];

fn top() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn has(program: &str) -> bool {
    let is_there = Command::new(program).arg("--version").output().is_ok();
    if !is_there {
        println!("skipped: there is no {program}");
    }
    is_there
}

fn yaml(path: &str) -> Value {
    to_json(&parse(&std::fs::read_to_string(top().join(path)).unwrap(), SourceId::NONE).unwrap()[0])
}

/// A project with a small program and small pages, of which releases are made.
fn project() -> Project {
    let project = Project::new(&[
        ("program", "#!/bin/sh\necho \"kfc 9.9.9 $*\"\n"),
        ("pages/completions/kfc.bash", "complete kfc\n"),
        ("pages/completions/kfc.fish", "complete kfc\n"),
        ("pages/completions/_kfc", "complete kfc\n"),
        ("pages/man/kfc.1", ".TH kfc 1\n"),
    ]);
    std::fs::set_permissions(project.path("program"), std::fs::Permissions::from_mode(0o755)).unwrap();
    project
}

fn script(project: &Project, name: &str, arguments: &[&str]) -> Output {
    let script = top().join("deploy/release").join(name);
    let output = Command::new(script).args(arguments).current_dir(project.path("")).output().unwrap();
    assert!(output.status.success(), "{name}: {}", text(&output.stderr));
    output
}

fn pack(project: &Project, out: &str) {
    for target in TARGETS {
        script(project, "archive", &["program", target, "9.9.9", "pages", out]);
    }
}

#[test]
fn archives_are_installed_after_a_check_and_krew_knows_them() {
    if !["tar", "zip", "curl", "sha256sum"].into_iter().all(has) {
        return;
    }
    let project = project();
    pack(&project, "out");
    pack(&project, "again");
    let server = Server::new();
    let address = server.url("/releases");
    script(&project, "krew", &["9.9.9", &format!("{address}/v9.9.9"), "out"]);
    let mut sums = String::new();
    for entry in std::fs::read_dir(project.path("out")).unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        let bytes = std::fs::read(entry.path()).unwrap();
        if !name.ends_with(".yaml") {
            assert_eq!(
                bytes,
                std::fs::read(project.path("again").join(&name)).unwrap(),
                "{name} is reproducible"
            );
        }
        let sum = Command::new("sha256sum").arg(&name).current_dir(project.path("out")).output().unwrap();
        sums += &text(&sum.stdout);
        server.set(&format!("/releases/v9.9.9/{name}"), Answer::ok(bytes));
    }
    server.file("/releases/v9.9.9/SHA256SUMS", &sums);

    let manifest = std::fs::read_to_string(project.path("out/kfc.krew.yaml")).unwrap();
    let manifest = to_json(&parse(&manifest, SourceId::NONE).unwrap()[0]);
    let platforms = manifest["spec"]["platforms"].as_array().unwrap();
    assert_eq!(platforms.len(), TARGETS.len());
    for platform in platforms {
        let name = platform["uri"].as_str().unwrap().rsplit('/').next().unwrap();
        assert!(sums.contains(&format!("{}  {name}", platform["sha256"].as_str().unwrap())), "{platform}");
    }

    // As the action does it.
    let action = yaml("action.yml");
    let steps = action["runs"]["steps"].as_array().unwrap();
    let run = |step: &Value, variables: &[(&str, &str)]| {
        let mut command = Command::new("bash");
        command.args(["-euo", "pipefail", "-c", step["run"].as_str().unwrap()]).current_dir(project.path(""));
        command.envs(variables.iter().copied()).output().unwrap()
    };
    let temporary = project.path("runner").to_string_lossy().into_owned();
    let file = |name: &str| project.path(name).to_string_lossy().into_owned();
    let variables = [
        ("VERSION", "9.9.9"),
        ("RELEASES", address.as_str()),
        ("GITHUB_ACTION_PATH", top().to_str().unwrap()),
        ("RUNNER_TEMP", &temporary),
        ("GITHUB_PATH", &file("path")),
        ("GITHUB_OUTPUT", &file("output")),
    ];
    let installed = run(&steps[0], &variables);
    assert!(installed.status.success(), "{}", text(&installed.stderr));
    assert_eq!(project.read("path"), format!("{temporary}/kfc\n"));
    let path = format!("{temporary}/kfc:{}", std::env::var("PATH").unwrap());
    let ran = run(&steps[1], &[("COMMAND", "golden check"), ("PATH", &path)]);
    assert_eq!(text(&ran.stdout), "kfc 9.9.9 golden check\n");

    server.file("/releases/v9.9.9/SHA256SUMS", &sums.replace(|c: char| c.is_ascii_digit(), "0"));
    let refused = run(&steps[0], &variables);
    assert!(!refused.status.success(), "an archive that is not the one of the release");
    server.file("/releases/v9.9.9/SHA256SUMS", "");
    assert!(!run(&steps[0], &variables).status.success(), "an archive without a checksum");
}

#[test]
fn a_package_for_debian_has_the_program_its_completions_and_pages() {
    if !has("dpkg-deb") {
        return;
    }
    let project = project();
    script(&project, "deb", &["program", "amd64", "9.9.9", "pages", "out"]);
    let listed = Command::new("dpkg-deb")
        .arg("--contents")
        .arg(project.path("out/kfc_9.9.9_amd64.deb"))
        .output()
        .unwrap();
    let listed = text(&listed.stdout);
    for line in ["-rwxr-xr-x root/root", "./usr/bin/kfc", "./usr/share/man/man1/kfc.1.gz", "completions/kfc"]
    {
        assert!(listed.contains(line), "{line}: {listed}");
    }
}

#[test]
fn every_command_has_a_page() {
    fn names(prefix: &str, command: &clap::Command, all: &mut Vec<String>) {
        for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
            let name = format!("{prefix}-{}", sub.get_name());
            names(&name, sub, all);
            all.push(name);
        }
    }
    let folder = tempfile::tempdir().unwrap();
    clap_mangen::generate_to(kfc::cli::kfc_command(), folder.path()).unwrap();
    let mut all = vec!["kfc".to_owned()];
    names("kfc", &kfc::cli::kfc_command(), &mut all);
    for name in all {
        let page = std::fs::read_to_string(folder.path().join(format!("{name}.1")));
        assert!(page.unwrap_or_else(|error| panic!("{name}: {error}")).contains(".SH SYNOPSIS"), "{name}");
    }
}

#[test]
fn workflows_and_hooks_name_what_exists() {
    let workflow = yaml(".github/workflows/release.yml");
    let jobs = workflow["jobs"].as_object().unwrap();
    let targets = jobs["programs"]["strategy"]["matrix"]["include"].as_array().unwrap();
    let targets: Vec<&str> = targets.iter().map(|entry| entry["target"].as_str().unwrap()).collect();
    assert_eq!(targets, TARGETS);
    for (name, job) in jobs {
        for step in job["steps"].as_array().unwrap() {
            if let Some(used) = step["uses"].as_str() {
                let commit = used.split_once('@').unwrap().1;
                assert_eq!(commit.len(), 40, "{name}: {used} is pinned by its commit");
            }
            let words = step["run"].as_str().unwrap_or_default().split_whitespace();
            for path in words.filter(|word| word.starts_with("deploy/")) {
                assert!(top().join(path).is_file(), "{name}: {path}");
            }
        }
    }
    for image in jobs["images"]["strategy"]["matrix"]["image"].as_array().unwrap() {
        let stage = format!(" AS {}\n", image.as_str().unwrap());
        assert!(std::fs::read_to_string(top().join("deploy/image/Containerfile")).unwrap().contains(&stage));
    }
    let command = kfc::cli::kfc_command();
    for hook in yaml(".pre-commit-hooks.yaml").as_array().unwrap() {
        let entry = hook["entry"].as_str().unwrap();
        let mut words = entry.split(' ').skip(1).filter(|word| !word.starts_with('-'));
        let found = words.try_fold(&command, |command, word| command.find_subcommand(word));
        assert!(found.is_some(), "{entry}");
    }
}
