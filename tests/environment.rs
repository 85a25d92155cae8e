//! The environment of the process never reaches the output: the same trees are built with no variable at all and with many,
//! among them those whose names stand in env files. And no code outside of the command line could read it.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

mod support;

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
