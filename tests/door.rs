//! Every file that a tree names is opened at one door: links are resolved first and lead nowhere that the load restrictor
//! refuses, what is no file is refused by its name, and no message tells what lies outside.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

mod support;

use std::os::unix::fs::symlink;
use std::process::{Command, Stdio};
use support::{Project, Repository, config_map, text};

/// What must never be printed.
const PLANTED: &str = "PLANTED-outside-of-the-root";

fn planted() -> String {
    format!("{PLANTED}: x\nresources: [cm.yaml]\ncommonLabels: {{from: {PLANTED}}}\n")
}

/// A project with something outside of its roots that is worth reading.
fn project(files: &[(&str, &str)]) -> Project {
    let project = Project::new(files);
    project.write("outside/kustomization.yaml", &planted());
    project.write("outside/cm.yaml", &config_map("outside", PLANTED));
    project
}

/// The errors of a run that fails, without what was planted.
#[track_caller]
fn refused(project: &Project, arguments: &[&str], words: &[&str]) -> String {
    let output = project.run(arguments);
    let (out, errors) = (text(&output.stdout), text(&output.stderr));
    assert!(!output.status.success(), "{arguments:?}: {out}");
    assert!(!out.contains(PLANTED) && !errors.contains(PLANTED), "{arguments:?}: {out}{errors}");
    for word in words {
        assert!(errors.contains(word), "{arguments:?}: `{word}` is not in {errors}");
    }
    errors
}

const ROOTS: [&[&str]; 8] = [
    &["build", "root"],
    &["vendor", "root"],
    &["vendor", "root", "--dry-run"],
    &["kustomize", "build", "root"],
    &["argocd", "generate", "root"],
    &["validate", "root"],
    &["explain", "ConfigMap/x", "--target", "root"],
    &["kustomize", "localize", "root", "copy"],
];

#[test]
fn a_kustomization_file_that_leads_out_of_its_root_is_refused() {
    let project = project(&[("root/cm.yaml", &config_map("x", "one"))]);
    let link = project.path("root/kustomization.yaml");
    for target in
        ["../outside/kustomization.yaml", "../outside/missing.yaml", "/proc/self/environ", "/dev/zero"]
    {
        symlink(target, &link).unwrap();
        for arguments in ROOTS {
            refused(&project, arguments, &["`root/kustomization.yaml` is a symbolic link that leads out of"]);
        }
        std::fs::remove_file(&link).unwrap();
    }
}

#[test]
fn below_a_root_of_one_s_own_links_lead_out_just_as_little() {
    for entry in ["resources: [sub]", "components: [sub]", "generators: [sub]", "transformers: [sub]"] {
        let project = project(&[("root/kustomization.yaml", entry), ("root/sub/cm.yaml", "")]);
        symlink("../../outside/kustomization.yaml", project.path("root/sub/kustomization.yaml")).unwrap();
        refused(&project, &["build", "root"], &["KFC0005", "root/sub/kustomization.yaml"]);
    }
}

#[test]
fn links_inside_of_the_root_are_followed_and_others_when_the_user_says_so() {
    let project = project(&[
        ("root/cm.yaml", &config_map("x", "one")),
        ("root/real/k.yaml", "resources: [cm.yaml]\nnamePrefix: a-\n"),
        ("other/k.yaml", "resources: [cm.yaml]\nnamePrefix: b-\n"),
    ]);
    let link = project.path("root/kustomization.yaml");
    symlink("real/k.yaml", &link).unwrap();
    assert!(project.good(&["build", "root"]).contains("name: a-x"));
    std::fs::remove_file(&link).unwrap();
    symlink("../other/k.yaml", &link).unwrap();
    let lifted = ["build", "root", "--load-restrictor", "LoadRestrictionsNone"];
    assert!(project.good(&lifted).contains("name: b-x"));
    // kustomize passes over a file that it may not read, and takes the next name.
    project.write("root/kustomization.yml", "resources: [cm.yaml]\nnamePrefix: c-\n");
    assert!(project.good(&["build", "root"]).contains("name: c-x"));
}

#[test]
fn what_lies_outside_is_not_told() {
    let project = project(&[("there/root/cm.yaml", "")]);
    project.write("there/passwd", "x");
    project.write("there/folder/x", "x");
    let errors = |path: &str| {
        project.write("there/root/kustomization.yaml", &format!("resources:\n- {path}\n"));
        refused(&project, &["build", "there/root"], &["KFC0005"]).replace(path, "PATH")
    };
    let outside = project.path("there/passwd").display().to_string();
    for (is, is_not) in [
        ("../passwd", "../passwx"),
        ("../folder", "../foldex"),
        ("/etc/passwd", "/etc/passwx"),
        (outside.as_str(), "/nowhere/at/all"),
    ] {
        let (is, is_not) = (errors(is), errors(is_not));
        let plain = |text: &str| {
            text.replace("passwd", "N").replace("passwx", "N").replace("folder", "N").replace("foldex", "N")
        };
        let words = |text: &str| {
            plain(text)
                .lines()
                .filter(|line| line.contains("KFC0005") || line.contains(" = "))
                .map(|line| line.split('`').step_by(2).collect::<String>())
                .collect::<Vec<_>>()
        };
        assert_eq!(words(&is), words(&is_not));
        assert!(!is_not.contains("did you mean"), "{is_not}");
    }
    // Nor by links in the root: not of files, and not of folders either.
    std::fs::create_dir_all(project.path("there/empty")).unwrap();
    project.write("there/empty/kustomization.old", "x");
    let link = project.path("there/root/link");
    let entries =
        ["resources: [link]", "components: [link]", "generators: [link]", "patches: [{path: link}]"];
    for entry in entries {
        let seen: Vec<String> =
            ["../passwd", "../passwx", "../empty", "../emptx", "/etc", "/etcx", "../empty/x"]
                .into_iter()
                .map(|target| {
                    symlink(target, &link).unwrap();
                    project.write("there/root/kustomization.yaml", entry);
                    let errors = refused(&project, &["build", "there/root"], &["KFC0005"]);
                    std::fs::remove_file(&link).unwrap();
                    errors
                })
                .collect();
        assert!(seen.iter().all(|errors| *errors == seen[0]), "{entry}: {seen:#?}");
        assert!(
            seen[0].contains("`there/root/link` is a symbolic link that leads out of the root"),
            "{seen:#?}"
        );
    }
    for name in ["kfc.yaml", "kustomization.yaml"] {
        let link = project.path("there/root").join(name);
        drop(std::fs::remove_file(&link));
        let seen = ["../passwd", "../passwx"].map(|target| {
            symlink(target, &link).unwrap();
            let found = project.good(&["argocd", "discover", "there/root"]);
            let errors = refused(&project, &["build", "there/root"], &["KFC0005"]);
            std::fs::remove_file(&link).unwrap();
            (found, errors)
        });
        assert_eq!(seen[0], seen[1]);
    }
    // Another root may be named from anywhere, and is suggested.
    project.write("there/base/kustomization.yaml", "namePrefix: a-\n");
    let help = errors("../bse");
    assert!(help.contains("did you mean `there/base`?"), "{help}");
}

#[test]
fn what_is_no_file_is_refused_by_its_name() {
    let make_pipe = |project: &Project, path: &str| {
        assert!(Command::new("mkfifo").arg(project.path(path)).status().unwrap().success());
    };
    let pipe = project(&[("root/cm.yaml", &config_map("x", "one"))]);
    make_pipe(&pipe, "root/kustomization.yaml");
    refused(&pipe, &["build", "root"], &["`root/kustomization.yaml` is a pipe, expected a file"]);
    for entry in ["resources: [p]", "patches: [{path: p}]", "configMapGenerator: [{name: c, files: [p]}]"] {
        let named = project(&[("root/kustomization.yaml", entry)]);
        make_pipe(&named, "root/p");
        refused(&named, &["build", "root"], &["`root/p` is a pipe, expected a file"]);
    }
    let stack = project(&[]);
    make_pipe(&stack, "kfc.lock");
    stack.write("kustomization.yaml", "resources: ['https://example.com/o/r?ref=v1']\n");
    refused(&stack, &["build"], &["`kfc.lock` is a pipe"]);
    let named = project(&[]);
    make_pipe(&named, "kfc.yaml");
    refused(&named, &["build", "."], &["`kfc.yaml` is a pipe, expected a file"]);
    let answers = project(&[("answers/nodes.json", "{}")]);
    make_pipe(&answers, "answers/pods.json");
    let output = answers.run(&["detect", "--from", "answers"]);
    assert!(text(&output.stderr).contains("pods.json"), "{}", text(&output.stderr));
}

#[test]
fn goldens_are_read_in_their_folder() {
    let project = project(&[("golden/gke.yaml", "")]);
    let link = project.path("golden/gke.yaml");
    for target in ["/proc/self/environ", "../../secret"] {
        std::fs::remove_file(&link).unwrap();
        symlink(target, &link).unwrap();
        for arguments in
            [&["golden", "check", "gke"][..], &["golden", "update", "gke"], &["diff", "golden", "gke"]]
        {
            refused(&project, arguments, &["golden/gke.yaml"]);
        }
    }
    // The folder itself may be a link just as well.
    std::fs::remove_dir_all(project.path("golden")).unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    std::fs::write(elsewhere.path().join("gke.yaml"), config_map("x", PLANTED)).unwrap();
    symlink(elsewhere.path(), project.path("golden")).unwrap();
    refused(&project, &["golden", "check", "gke"], &["KFC0005"]);
}

#[test]
fn a_revision_reads_nothing_outside_of_itself() {
    let repository =
        Repository::new(&[("own.yaml", &config_map("x", "one")), ("base/cm.yaml", &config_map("x", "one"))]);
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("cm.yaml"), config_map("outside", PLANTED)).unwrap();
    std::fs::write(outside.path().join("kustomization.yaml"), "resources: [cm.yaml]\n").unwrap();
    symlink(outside.path().join("cm.yaml"), repository.path().join("bundle.yaml")).unwrap();
    symlink("own.yaml", repository.path().join("inside.yaml")).unwrap();
    symlink(outside.path(), repository.path().join("folder")).unwrap();
    symlink(outside.path().join("nothing"), repository.path().join("nothing")).unwrap();
    symlink(outside.path().join("kustomization.yaml"), repository.path().join("base/kustomization.yaml"))
        .unwrap();
    repository.commit(&[("root/kustomization.yaml", "resources: [../folder]\n")]);
    let run = |side: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kfc"));
        command.args(["diff", "own.yaml", side]).current_dir(repository.path()).output().unwrap()
    };
    for side in ["HEAD:bundle.yaml", "HEAD:folder", "HEAD:base", "HEAD:root", "HEAD:nothing", "HEAD:folder/x"]
    {
        let output = run(side);
        let (out, errors) = (text(&output.stdout), text(&output.stderr));
        assert_eq!(output.status.code(), Some(2), "{side}: {out}{errors}");
        assert!(
            !out.contains(PLANTED) && !errors.contains(PLANTED) && errors.contains("KFC0005"),
            "{side}: {out}{errors}"
        );
    }
    assert_eq!(run("HEAD:inside.yaml").status.code(), Some(0));
}

#[test]
fn a_base_from_elsewhere_tells_nothing_of_this_machine() {
    let outside = tempfile::tempdir().unwrap();
    std::fs::create_dir(outside.path().join("there")).unwrap();
    std::fs::write(outside.path().join("there/kustomization.yaml"), planted()).unwrap();
    std::fs::create_dir(outside.path().join("empty")).unwrap();
    let repository = Repository::new(&[("base/cm.yaml", &config_map("x", "one"))]);
    let link = repository.path().join("base/link");
    let url = format!("{}//base?ref=main", repository.url());
    let project = project(&[]);
    let up = "../".repeat(30);
    for field in ["resources", "components"] {
        for lifted in [&[][..], &["--load-restrictor", "LoadRestrictionsNone"]] {
            let seen = ["there", "empty", "there/kustomization.yaml", "nothing"].map(|name| {
                let target = outside.path().join(name);
                symlink(&target, &link).unwrap();
                let by_path = format!("{up}{}", target.strip_prefix("/").unwrap().display());
                let seen = ["link", &by_path].map(|entry| {
                    repository.commit(&[("base/kustomization.yaml", &format!("{field}: [{entry}]\n"))]);
                    let arguments = [&["build", "--no-lock", &url], lifted].concat();
                    let errors = refused(&project, &arguments, &["KFC0005"]);
                    let lines = errors.lines().filter(|line| line.contains("KFC") || line.contains(" = "));
                    lines.collect::<Vec<_>>().join("\n").replace(&format!("/{name}`"), "/NAME`")
                });
                std::fs::remove_file(&link).unwrap();
                seen
            });
            assert!(seen.iter().all(|errors| *errors == seen[0]), "{field}: {seen:#?}");
        }
    }
}

/// Makes a program that leaves a mark when it is run.
fn program(path: &std::path::Path, mark: &std::path::Path) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, format!("#!/bin/sh\ntouch '{}'\n", mark.display())).unwrap();
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
}

#[test]
fn a_revision_runs_no_program() {
    let repository = Repository::new(&[("own.yaml", &config_map("x", "one"))]);
    let elsewhere = tempfile::tempdir().unwrap();
    let (run, mark) = (elsewhere.path().join("hooks/post-index-change"), elsewhere.path().join("mark"));
    program(&run, &mark);
    let diff = |folder: &std::path::Path| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kfc"));
        command.args(["diff", "own.yaml", "HEAD:own.yaml"]).current_dir(folder).output().unwrap()
    };
    repository.git(&["config", "core.fsmonitor", &run.display().to_string()]);
    repository.git(&["config", "core.hooksPath", &elsewhere.path().join("hooks").display().to_string()]);
    let output = diff(repository.path());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(!mark.exists());
    // What looks like a repository is a folder of the checkout, with a configuration that somebody else wrote.
    let inner = repository.path().join("inner");
    std::fs::rename(repository.path().join(".git"), elsewhere.path().join("git")).unwrap();
    std::fs::create_dir(&inner).unwrap();
    let copied = Command::new("cp").arg("-r").arg(elsewhere.path().join("git/.")).arg(&inner).status();
    assert!(copied.unwrap().success());
    std::fs::write(inner.join("own.yaml"), config_map("x", "one")).unwrap();
    let worktree = format!("[core]\nbare = false\nworktree = {}\n", inner.display());
    std::fs::write(inner.join("config"), worktree).unwrap();
    let output = diff(&inner);
    assert_eq!(output.status.code(), Some(2), "{}{}", text(&output.stdout), text(&output.stderr));
}

#[test]
fn lists_of_targets_name_stacks_and_roots_alone() {
    let project = project(&[("golden/x.yaml", ""), ("root/kustomization.yaml", "resources: []\n")]);
    project.write("outside/broken", &format!("{PLANTED}: ["));
    let outside = project.path("outside/broken").display().to_string();
    let here = project.path("root");
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kfc"));
        let output = command.args(arguments).current_dir(&here).output().unwrap();
        let errors = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {errors}");
        assert!(!errors.contains(PLANTED), "{arguments:?}: {errors}");
        errors
    };
    project.write("root/golden/x.yaml", "");
    let seen = ["/proc/self/environ", "../outside/broken", &outside, "../outside/nothing", "/nothing", "../"]
        .map(|target| {
            project.write("root/golden/targets.yaml", &format!("x: {target}\n"));
            run(&["golden", "update"]);
            run(&["golden", "check"]).replace(target, "TARGET")
        });
    assert!(seen.iter().all(|errors| *errors == seen[0]), "{seen:#?}");
    assert!(seen[0].contains("the target `TARGET` of a golden is not a stack or root"), "{seen:#?}");
}

#[test]
fn targets_of_a_lock_lie_below_it() {
    let project = project(&[("root/kustomization.yaml", "resources: []\n"), ("root/own/cm.yaml", "")]);
    project.write("outside/broken", &format!("{PLANTED}: ["));
    symlink("../outside/broken", project.path("root/link")).unwrap();
    for target in ["/proc/self/environ", "../outside/broken", "../outside/nothing", "../outside", "link"] {
        let lock = kfc_source::lock::Lock { targets: vec![target.to_owned()], ..Default::default() };
        project.write("root/kfc.lock", &lock.text());
        for arguments in [&["vendor", "root", "--check"][..], &["vendor", "root"]] {
            let message = format!("the target `{target}` of kfc.lock is not below the directory of kfc.lock");
            refused(&project, arguments, &["KFC1403", &message]);
        }
    }
}

#[test]
fn what_a_link_to_vendored_trees_leads_to_stays() {
    let project = project(&[("kustomization.yaml", "resources: []\n")]);
    project.good(&["vendor"]);
    let trees = [format!("other/sha256-{}/x", "a".repeat(64)), "other/.new-x/y".to_owned()];
    for path in &trees {
        project.write(path, "x");
    }
    symlink("other", project.path("vendor")).unwrap();
    project.good(&["vendor"]);
    assert!(trees.iter().all(|path| project.path(path).exists()));
}

#[test]
fn nothing_is_written_through_a_link() {
    let project = project(&[("root/cm.yaml", &config_map("x", "one"))]);
    project.write("root/real.yaml", "resources: [cm.yaml]\n");
    symlink("real.yaml", project.path("root/kustomization.yaml")).unwrap();
    let mut edit = Command::new(env!("CARGO_BIN_EXE_kfc"));
    edit.args(["kustomize", "edit", "set", "nameprefix", "a-"]).current_dir(project.path("root"));
    let output = edit.output().unwrap();
    assert!(
        !output.status.success() && text(&output.stderr).contains("symbolic link"),
        "{}",
        text(&output.stderr)
    );
    assert_eq!(project.read("root/real.yaml"), "resources: [cm.yaml]\n");
    std::fs::create_dir(project.path("new")).unwrap();
    symlink("../written", project.path("new/kfc.yaml")).unwrap();
    for arguments in [&["init", "gke", "new"][..], &["init", "gke", "new", "--force"]] {
        assert!(!project.run(arguments).status.success());
        assert!(!project.path("written").exists());
    }
}

#[test]
fn pipes_that_the_user_names_are_read() {
    let project = project(&[("a.yaml", &config_map("x", "one")), ("b.yaml", &config_map("x", "two"))]);
    let kfc = env!("CARGO_BIN_EXE_kfc");
    let bash = |script: &str| {
        let mut command = Command::new("bash");
        command.args(["-c", script]).current_dir(project.path("")).stdin(Stdio::null()).output().unwrap()
    };
    if Command::new("bash").arg("--version").output().is_err() {
        return;
    }
    let same = bash(&format!("{kfc} diff <(cat a.yaml) <(cat a.yaml)"));
    assert_eq!(same.status.code(), Some(0), "{}", text(&same.stderr));
    let differ = bash(&format!("{kfc} diff <(cat a.yaml) <(cat b.yaml)"));
    assert_eq!(differ.status.code(), Some(1), "{}", text(&differ.stderr));
    assert!(text(&differ.stdout).contains("value"), "{}", text(&differ.stdout));
    let valid = bash(&format!("cat a.yaml | {kfc} validate /dev/stdin"));
    assert!(valid.status.success() && text(&valid.stdout).contains("1 resource"), "{}", text(&valid.stderr));
    let endless = bash(&format!("ulimit -v 4000000; {kfc} diff a.yaml /dev/zero"));
    assert!(text(&endless.stderr).contains("is larger than 256 MiB"), "{}", text(&endless.stderr));
}
