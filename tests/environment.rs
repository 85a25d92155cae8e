//! The environment of the process never reaches the output: the same trees are built with no variable at all and with many,
//! among them those whose names stand in env files. And no code outside of the command line could read it.

#![allow(clippy::unwrap_used)]

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;
use support::{Project, text};

/// Variables that builds, git, helm, locales and terminals know, and some that the env files below name.
const RICH: [(&str, &str); 26] = [
    ("HOME", "/home/somebody"),
    ("USER", "somebody"),
    ("REDIS_PASSWORD", "hunter2"),
    ("SECRET_OF_THE_HOST", "s3cr3t"),
    ("ARGOCD_APP_REVISION", "0123456789"),
    ("ARGOCD_APP_NAMESPACE", "elsewhere"),
    ("KUBERNETES_SERVICE_HOST", "10.0.0.1"),
    ("GIT_ASKPASS", "/bin/ask"),
    ("GIT_DIR", "/somewhere/.git"),
    ("GIT_COMMON_DIR", "/somewhere/.git"),
    ("HELM_NAMESPACE", "theirs"),
    ("KUBECONFIG", "/somewhere/config"),
    ("LANG", "tr_TR.UTF-8"),
    ("LC_ALL", "tr_TR.UTF-8"),
    ("TZ", "Asia/Kathmandu"),
    ("TERM", "xterm-256color"),
    ("COLUMNS", "20"),
    ("NO_COLOR", "1"),
    ("CLICOLOR_FORCE", "1"),
    ("CI", "true"),
    ("RAYON_NUM_THREADS", "1"),
    ("RUST_LOG", "trace"),
    ("XDG_CACHE_HOME", "/somewhere/cache"),
    ("DOCKER_CONFIG", "/somewhere/docker"),
    ("https_proxy", "http://127.0.0.1:9"),
    ("NAME WITH BLANKS", "odd"),
];

const ENV_FILE: &str = "HOME\nPATH\n  REDIS_PASSWORD\n# a comment\nSECRET_OF_THE_HOST\nARGOCD_APP_REVISION\n\
                        KUBERNETES_SERVICE_HOST\nGIT_ASKPASS\nTZ\nset=value\nempty=\n";

fn trees() -> Project {
    let generators =
        "configMapGenerator: [{name: c, envs: [a.env]}]\nsecretGenerator: [{name: s, envs: [a.env]}]\n";
    let component = format!("apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n{generators}");
    let overlay = "resources: [../root]\ncomponents: [../component]\nnamePrefix: dev-\n";
    // Names that are there already would be generated twice.
    let component = component.replace("name: c,", "name: cc,").replace("name: s,", "name: cs,");
    let stack = "apiVersion: kfc.dev/v1alpha1\nkind: Stack\nmetadata: {name: mine}\nspec:\n  platform: gke\n  \
                 components: [kubeflow-namespace]\n  overlays: [../component]\n";
    let plug_in = "apiVersion: builtin\nkind: ConfigMapGenerator\nmetadata: {name: p}\nenvs: [a.env]\n";
    Project::new(&[
        ("root/kustomization.yaml", generators),
        ("root/a.env", ENV_FILE),
        ("component/kustomization.yaml", &component),
        ("component/a.env", ENV_FILE),
        ("overlay/kustomization.yaml", overlay),
        ("plug-in/kustomization.yaml", "generators: [g.yaml]\n"),
        ("plug-in/g.yaml", plug_in),
        ("plug-in/a.env", ENV_FILE),
        ("stack/kfc.yaml", stack),
    ])
}

/// What a command prints in an environment of these variables alone.
fn printed(project: &Project, arguments: &[&str], variables: &[(&str, &str)]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kfc"));
    command.args(arguments).current_dir(project.path("")).env_clear().envs(variables.iter().copied());
    let output = command.output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
    text(&output.stdout)
}

#[test]
fn every_build_is_the_same_in_any_environment() {
    let project = trees();
    let commands: [&[&str]; 9] = [
        &["build", "root"],
        &["build", "overlay"],
        &["build", "plug-in"],
        &["build", "stack"],
        &["build", "stack", "--format", "json"],
        &["kustomize", "build", "root"],
        &["kustomize", "build", "overlay"],
        &["argocd", "generate", "overlay"],
        &["argocd", "generate", "stack"],
    ];
    for arguments in commands {
        let empty = printed(&project, arguments, &[]);
        assert!(empty.contains("REDIS_PASSWORD"), "{arguments:?}: {empty}");
        assert_eq!(empty, printed(&project, arguments, &RICH), "{arguments:?}");
    }
}

#[test]
fn a_line_of_an_env_file_without_a_value_is_empty() {
    let project = trees();
    let built = printed(&project, &["build", "root"], &RICH);
    // The hash is that of empty values.
    for line in [
        "  HOME: \"\"\n",
        "  REDIS_PASSWORD: \"\"\n",
        "  empty: \"\"\n",
        "  set: value\n",
        "  set: dmFsdWU=\n",
    ] {
        assert!(built.contains(line), "{line}: {built}");
    }
}

/// The text of every Rust file in and below a folder, without its tests.
fn sources(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") && !path.ends_with("tests.rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            let code = text.split("test)]\nmod tests").next().unwrap_or_default();
            let code = code.split("all(test, unix))]\nmod tests").next().unwrap_or_default().to_owned();
            found.push((path, code));
        }
    }
}

/// Lines of the crates that have one of these words, `CRATE/FILE: LINE`. The command line is not among them.
fn lines_with(words: &[&str], is_passed_over: impl Fn(&str) -> bool) -> Vec<String> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("crates");
    let mut found = Vec::new();
    sources(&top, &mut found);
    assert!(found.len() > 100, "the sources have moved");
    let mut lines = Vec::new();
    for (path, text) in found {
        let name = path.strip_prefix(&top).unwrap().to_string_lossy().replace('\\', "/");
        let Some((name, file)) = name.split_once("/src/") else { continue };
        let name = format!("{name}/{file}");
        if is_passed_over(&name) {
            continue;
        }
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        let hits = code.filter(|line| words.iter().any(|word| line.contains(word)));
        lines.extend(hits.map(|line| format!("{name}: {}", line.trim())));
    }
    lines
}

#[test]
fn only_the_command_line_reads_environment_working_directory_and_clock() {
    let words = [
        "env::var",
        "env::vars",
        "env::current",
        "env::home_dir",
        "env::args",
        "env::temp_dir",
        "env::set",
        "current_dir()",
        "SystemTime",
        "UNIX_EPOCH",
        "Utc::now",
        "Local::now",
        "Timestamp::now",
        "OffsetDateTime::now",
        // These ask for the folder of temporary files.
        "TempDir::new()",
        "tempfile::tempdir()",
        "tempfile::tempfile()",
        "NamedTempFile::new()",
    ];
    assert_eq!(lines_with(&words, |_| false), [""; 0]);
}

#[test]
fn only_code_that_waits_for_others_measures_time() {
    // A deadline never reaches the output: it ends a wait for a process, a server or a cluster.
    let waits = |name: &str| {
        ["kfc-cluster/apply/", "kfc-cluster/cluster/", "kfc-source/remote/", "kfc-source/program.rs"]
            .iter()
            .any(|folder| name.starts_with(folder))
    };
    assert_eq!(lines_with(&["Instant"], waits), [""; 0]);
}

#[test]
fn only_the_door_opens_files_that_a_tree_names() {
    let words = ["fs::read(", "fs::read_to_string(", "fs::File::open(", " File::open(", "OpenOptions"];
    // Not of a tree: what was written here before, the answer of our own checkout, docker's own settings.
    let opens = |name: &str| {
        [
            "kfc-source/write/",
            "kfc-source/file.rs",
            "kfc-source/door.rs",
            "kfc-source/remote/git.rs",
            "kfc-source/remote/credentials.rs",
        ]
        .iter()
        .any(|place| name.starts_with(place))
    };
    assert_eq!(lines_with(&words, opens), [""; 0]);
}

#[test]
fn only_one_crate_touches_the_file_system_and_starts_programs() {
    let words = [
        "std::fs",
        "Command::new",
        "tempfile::",
        "walkdir",
        ".canonicalize()",
        ".symlink_metadata()",
        ".read_link()",
        ".exists()",
        ".is_dir()",
        ".is_file()",
    ];
    assert_eq!(lines_with(&words, |name| name.starts_with("kfc-source/")), [""; 0]);
}
