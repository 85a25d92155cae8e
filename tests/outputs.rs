//! Where output goes: files are whole whatever happens, folders hold what the last run wrote, streams work.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by a panic")]
#![allow(clippy::print_stdout, reason = "says what it skips or measures")]

mod support;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Instant;
use support::{Project, config_map, text};

const KFC: &str = env!("CARGO_BIN_EXE_kfc");

/// A project with a root `new` of `count` config maps, each about 1 KB.
fn project(count: usize) -> Project {
    let mut manifest = String::new();
    for index in 0..count {
        let value = "x".repeat(1000);
        let _ = write!(manifest, "---\n{}", config_map(&format!("c{index}"), &value));
    }
    Project::new(&[("new/kustomization.yaml", "resources: [a.yaml]\n"), ("new/a.yaml", &manifest)])
}

/// Runs a line of shell in the folder of a project; `$KFC` is the program.
fn shell(project: &Project, line: &str) -> Output {
    Command::new("sh").args(["-c", line]).env("KFC", KFC).current_dir(project.path("")).output().unwrap()
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Every command that writes a file, with the file.
const WRITERS: [(&str, &str); 8] = [
    ("$KFC build new -o old/file.yaml", "file.yaml"),
    ("$KFC kustomize build new -o old/file.yaml", "file.yaml"),
    ("$KFC diff none.yaml new -o old/file.json || test $? -eq 1", "file.json"),
    ("$KFC build new -o /dev/null --report old/file.md --against none.yaml", "file.md"),
    ("$KFC golden update gke --dir old", "gke.yaml"),
    ("cd old && $KFC kustomize edit set image $(seq -f i%g:1 5000)", "kustomization.yaml"),
    ("$KFC init --force gke old", "kfc.yaml"),
    ("$KFC detect --from answers --force -o old/kfc.yaml", "kfc.yaml"),
];

fn with_old_files() -> Project {
    let project = project(200);
    project.write("none.yaml", "");
    let nodes =
        r#"{"kind": "List", "items": [{"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n"}}]}"#;
    project.write("answers/cluster.json", nodes);
    for (_, file) in WRITERS {
        let old = if file == "kustomization.yaml" { "images: []\n" } else { "# as it was\n" };
        project.write(&format!("old/{file}"), old);
    }
    project
}

#[test]
fn a_file_that_becomes_too_long_stays_as_it_was() {
    for (line, file) in WRITERS {
        let project = with_old_files();
        let before = project.read(&format!("old/{file}"));
        // The system ends what writes past the limit with a signal, unless that is ignored.
        let output = shell(&project, &format!("trap '' XFSZ; ulimit -f 0; {line}"));
        assert!(!output.status.success(), "{line}");
        assert_eq!(project.read(&format!("old/{file}")), before, "{line}");
        assert!(text(&output.stderr).contains("file too large"), "{line}: {}", text(&output.stderr));
        let left: Vec<String> =
            names(&project.path("old")).into_iter().filter(|name| name.starts_with('.')).collect();
        // Directories that `kfc init` makes first.
        let is_directory = |name: &String| [".github", ".kfc"].contains(&name.as_str());
        assert!(left.iter().all(is_directory), "{line}: {left:?}");
    }
}

#[test]
fn every_writer_replaces_the_file() {
    use std::os::unix::fs::MetadataExt;
    for (line, file) in WRITERS {
        let project = with_old_files();
        let path = project.path(&format!("old/{file}"));
        let before = path.metadata().unwrap().ino();
        // Keeps the number of the old file from being given again.
        fs::hard_link(&path, project.path("kept")).unwrap();
        let output = shell(&project, line);
        assert!(output.status.success(), "{line}: {}", text(&output.stderr));
        assert_ne!(path.metadata().unwrap().ino(), before, "{line}");
    }
}

#[test]
fn a_kill_leaves_the_old_file_or_the_new_one() {
    let project = project(600);
    let run =
        || Command::new(KFC).args(["build", "new", "-o", "out.yaml"]).current_dir(project.path("")).spawn();
    let started = Instant::now();
    assert!(run().unwrap().wait().unwrap().success());
    let takes = started.elapsed();
    let new = fs::read(project.path("out.yaml")).unwrap();
    let (mut old_ones, mut new_ones) = (0, 0);
    // Kills come just before and just after the file is replaced, however fast the machine is now.
    let mut delay = takes / 2;
    for round in 0..400_u32 {
        if round >= 40 && old_ones > 0 && new_ones > 0 {
            break;
        }
        fs::write(project.path("out.yaml"), "old\n").unwrap();
        let mut child = run().unwrap();
        std::thread::sleep(delay);
        child.kill().unwrap();
        child.wait().unwrap();
        let found = fs::read(project.path("out.yaml")).unwrap();
        assert!(found == b"old\n" || found == new, "round {round}: {} bytes", found.len());
        if found == new {
            new_ones += 1;
            delay = delay * 7 / 8;
        } else {
            old_ones += 1;
            delay = delay * 9 / 8 + takes / 64;
        }
    }
    assert!(old_ones > 0 && new_ones > 0, "all kills came at one side: {old_ones} and {new_ones}");
}

#[test]
fn after_a_kill_the_next_run_makes_a_folder_what_it_should_be() {
    let project = project(100);
    let run = || Command::new(KFC).args(["build", "new", "-o", "out/"]).current_dir(project.path("")).spawn();
    let started = Instant::now();
    assert!(run().unwrap().wait().unwrap().success());
    let takes = started.elapsed();
    let whole = names(&project.path("out"));
    for round in 0..20_u32 {
        fs::remove_dir_all(project.path("out")).unwrap();
        let mut child = run().unwrap();
        std::thread::sleep(takes * round / 18);
        child.kill().unwrap();
        child.wait().unwrap();
        if project.path("out").is_dir() {
            for name in names(&project.path("out")).iter().filter(|name| name.ends_with(".yaml")) {
                let text = project.read(&format!("out/{name}"));
                assert!(text.ends_with("  name: c") || text.contains("\n  name: c"), "{name} is cut: {text}");
            }
        }
        assert!(run().unwrap().wait().unwrap().success());
        assert_eq!(names(&project.path("out")), whole, "round {round}");
    }
}

#[test]
fn a_full_disk_changes_nothing() {
    let project = project(2000);
    // A small file system needs the rights of root, at least in a namespace of its own.
    let mount = "unshare -rm sh -c 'mkdir small && mount -t tmpfs -o size=400k tmpfs small && ";
    if !shell(&project, &format!("{mount} true'")).status.success() {
        println!("skipped: no file system can be mounted here");
        return;
    }
    let line = "mkdir small/dir && echo old > small/file && echo old > small/dir/mine
        $KFC build new -o small/file; echo file $?
        $KFC build new -o small/dir; echo dir $?
        $KFC build new -o small/made/; echo made $?
        cat small/file; ls -A small/dir small/made'";
    fs::remove_dir(project.path("small")).unwrap();
    let output = shell(&project, &format!("{mount} {line}"));
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(stdout, "file 1\ndir 1\nmade 1\nold\nsmall/dir:\nmine\n\nsmall/made:\n", "{stderr}");
    assert_eq!(stderr.matches("no space left on device").count(), 3, "{stderr}");
    assert_eq!(stderr.matches("error[").count(), 3, "{stderr}");
}

#[test]
fn streams_are_written_directly() {
    let project = project(1);
    let whole = project.good(&["build", "new"]);
    for line in [
        "$KFC build new -o /dev/stdout",
        "$KFC build new -o /dev/stdout | cat",
        "$KFC build new -o /dev/fd/3 3>&1 | cat",
        "mkfifo pipe && { $KFC build new -o pipe & cat pipe; wait; }",
        "{ $KFC build new -o /dev/stdout; } >file; cat file",
    ] {
        let output = shell(&project, line);
        assert_eq!(text(&output.stdout), whole, "{line}: {}", text(&output.stderr));
    }
    let output =
        shell(&project, "{ echo first; $KFC build new -o /dev/stdout; echo last; } >>file2; cat file2");
    assert_eq!(text(&output.stdout), format!("first\n{whole}last\n"));
    let output = shell(&project, "$KFC build new -o /dev/full");
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("cannot write /dev/full: no space left on device"));
}

#[test]
fn a_comparison_that_cannot_be_written_is_trouble() {
    let project = project(1);
    project.write("none.yaml", "");
    for (line, code) in [
        ("$KFC diff none.yaml new >/dev/null", 1),
        ("$KFC diff none.yaml new >/dev/full", 2),
        ("$KFC diff none.yaml new --fail-on data-loss >/dev/full", 2),
        ("$KFC diff none.yaml new -o nowhere/x.md", 2),
        ("$KFC diff none.yaml new --fail-on data-loss -o nowhere/x.md", 2),
        ("$KFC diff new new >/dev/full", 2),
        ("$KFC build new >/dev/full", 1),
        ("$KFC build new >&-", 1),
        ("$KFC diff none.yaml new >&-", 2),
        ("$KFC golden update gke >&-", 1),
        ("$KFC list components >&-", 1),
        ("$KFC build new -o made.yaml >&-", 0),
        ("$KFC version >&- <&-", 1),
    ] {
        let output = Command::new("sh")
            .args(["-c", line])
            .env("KFC", KFC)
            .current_dir(project.path(""))
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(code), "{line}: {}", text(&output.stderr));
        if code != 0 && !line.ends_with("/dev/null") {
            assert!(text(&output.stderr).contains("cannot write"), "{line}: {}", text(&output.stderr));
        }
    }
}

#[test]
fn a_folder_is_made_and_holds_what_the_last_run_wrote() {
    let project = Project::new(&[
        ("kustomization.yaml", "resources: [a.yaml, b.yaml]\n"),
        ("a.yaml", &config_map("a", "1")),
        ("b.yaml", &config_map("b", "1")),
    ]);
    project.good(&["build", "-o", "new/folder/"]);
    let out = project.path("new/folder");
    assert_eq!(
        names(&out),
        [".kfc-files", "01-v1_configmap_default_a.yaml", "01-v1_configmap_default_b.yaml"]
    );
    project.write("new/folder/mine.yaml", "mine");
    project.write("kustomization.yaml", "resources: [b.yaml]\n");
    project.good(&["build", "-o", "new/folder"]);
    assert_eq!(names(&out), [".kfc-files", "01-v1_configmap_default_b.yaml", "mine.yaml"]);
    // The names of kustomize in place of ours.
    project.good(&["kustomize", "build", "-o", "new/folder"]);
    assert_eq!(names(&out), [".kfc-files", "mine.yaml", "v1_configmap_b.yaml"]);
    project.write("new/folder/v1_configmap_b.yaml", "edited");
    let output = project.run(&["build", "--format", "json", "-o", "new/folder"]);
    assert!(
        text(&output.stderr).contains("v1_configmap_b.yaml is no longer written, but was changed by hand")
    );
    assert_eq!(
        names(&out),
        [".kfc-files", "01-v1_configmap_default_b.json", "mine.yaml", "v1_configmap_b.yaml"]
    );
    // As kustomize does it, there is no list.
    project.good(&["kustomize", "build", "-o", "plain/"]);
    assert_eq!(names(&project.path("plain")), ["v1_configmap_b.yaml"]);
    assert!(project.bad(&["build", "-o", "a.yaml/"]).contains("cannot write a.yaml/"));
}

#[test]
fn two_resources_for_one_file_stop_the_build() {
    let role = |name: &str| {
        format!(
            "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {{name: {name}}}\nrules: []\n---\n"
        )
    };
    let roles: String = ["Edit", "edit", "x/y", "x_y"].into_iter().map(role).collect();
    let project = Project::new(&[("kustomization.yaml", "resources: [r.yaml]\n"), ("r.yaml", &roles)]);
    for command in [&["build", "-o", "out/"][..], &["kustomize", "build", "-o", "out/"]] {
        let errors = project.bad(command);
        assert_eq!(errors.matches("two resources would be written to one file").count(), 2, "{errors}");
        assert!(!project.path("out").exists());
    }
}

#[test]
fn a_profile_as_a_folder_is_in_the_order_of_its_bundle() {
    let project = project(0);
    let whole = project.good(&["build", "minikube"]);
    project.good(&["build", "minikube", "-o", "out/"]);
    let files = names(&project.path("out"));
    let read: Vec<String> = files
        .iter()
        .filter(|name| name.ends_with(".yaml"))
        .map(|name| project.read(&format!("out/{name}")))
        .collect();
    assert!(read.join("---\n") == whole, "the files by name are not in the order of the bundle");
}

#[test]
fn two_runs_into_one_folder_at_once_give_what_one_gives() {
    let project = project(100);
    let run = || {
        let mut command = Command::new(KFC);
        command.args(["build", "new", "-o", "out/"]).current_dir(project.path("")).spawn().unwrap()
    };
    for _ in 0..5 {
        let mut both = [run(), run()];
        assert!(both.iter_mut().all(|child| child.wait().unwrap().success()));
        assert_eq!(names(&project.path("out")).len(), 101);
    }
}

#[test]
fn a_new_stack_is_named_after_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let site = folder.path().join("Team A");
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_kfc"))
        .args(["init", "kind"])
        .arg(&site)
        .output()
        .unwrap();
    assert!(output.status.success());
    for file in ["kfc.yaml", "argocd.yaml"] {
        let text = std::fs::read_to_string(site.join(file)).unwrap();
        assert!(text.contains("metadata:\n  name: team-a\n"), "{file}: {text}");
    }
}

#[test]
fn several_targets_are_built_in_one_run() {
    let project = project(2);
    project.write("overlays/prod/kustomization.yaml", "resources: [../../new]\nnamePrefix: prod-\n");
    project.write("overlays/test/kustomization.yaml", "resources: [../../new]\nnamePrefix: test-\n");
    project.write("overlays/notes/README.md", "no root\n");
    let run = |line: &str| {
        let output = shell(&project, line);
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let done = (Some(0), String::new(), String::new());
    assert_eq!(run("$KFC build 'overlays/*' new -o 'out/{root}.yaml'"), done);
    assert_eq!(names(&project.path("out")), ["new.yaml", "overlays-prod.yaml", "overlays-test.yaml"]);
    for (target, file) in
        [("overlays/prod", "overlays-prod"), ("overlays/test", "overlays-test"), ("new", "new")]
    {
        let alone = run(&format!("$KFC build {target}")).1;
        assert_eq!(fs::read_to_string(project.path(&format!("out/{file}.yaml"))).unwrap(), alone);
    }
    assert_eq!(run("$KFC build 'overlays/*' -o 'split/{root}/'"), done);
    let files = names(&project.path("split/overlays-test"));
    assert!(files.iter().any(|file| file.contains("test-c0")), "{files:?}");

    // One that fails stops none of the others, and is named.
    project.write("overlays/a/kustomization.yaml", "resources: [none.yaml]\n");
    let (code, _, said) = run("rm -r out; $KFC build 'overlays/*' -o 'out/{root}.yaml'");
    assert_eq!((code, names(&project.path("out")).len()), (Some(1), 2), "{said}");
    assert!(said.starts_with("overlays/a:\nerror[") && said.contains("none.yaml"), "{said}");
    assert!(said.ends_with("1 of 3 targets could not be built\n"), "{said}");

    for (line, reason) in [
        ("$KFC build overlays/prod new", "2 targets need a file each"),
        ("$KFC build 'overlay/*' -o '{root}.yaml'", "no kustomization root and no stack matches `overlay/*`"),
        ("$KFC build new new/ -o '{root}.yaml'", "`new` is the name of both"),
        (
            "$KFC build overlays/prod new -o '{root}.yaml' --waves",
            "`--wave`, `--waves` or `--wait-for` is about one",
        ),
        (
            "$KFC build overlays/prod new -o '{root}.yaml' --report a.md --against new",
            "`--report` is about one",
        ),
    ] {
        let (code, _, said) = run(line);
        assert!(code == Some(1) && said.contains(reason), "{line}: {said}");
    }
}
