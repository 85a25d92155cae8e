//! Functions and external plug-ins run by explicit choice alone: not without their flags, in any command, nor for what was fetched.
//! They end in time, print within limits, and nothing that they print about secrets is shown. Containers are run by a program that
//! replaces docker and writes down what it is given.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

mod support;

use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::time::{Duration, Instant};
use support::{Project, Repository, text};

const BOTH: [&str; 2] = ["--enable-alpha-plugins", "--enable-exec"];
const SETTINGS: &str = "{apiVersion: v1, kind: ConfigMap, metadata: {name: settings}, data: {a: b}}\n";
/// Leaves a mark, and prints what it reads.
const MARKING: &str = "#!/bin/sh\ntouch \"$(dirname \"$0\")/ran\"\ncat\n";

fn exec(path: &str) -> String {
    config(&format!("exec: {{path: {path}}}"))
}

fn config(function: &str) -> String {
    format!(
        "apiVersion: example.com/v1\nkind: Edit\nmetadata:\n  name: edit\n  annotations:\n    \
         config.kubernetes.io/function: |\n      {function}\n"
    )
}

/// A root with one function.
fn project(field: &str, function: &str, script: &str) -> Project {
    let project = Project::new(&[
        ("root/kustomization.yaml", &format!("resources: [settings.yaml]\n{field}: [fn.yaml]\n")),
        ("root/settings.yaml", SETTINGS),
        ("root/fn.yaml", function),
    ]);
    program(&project, "root/fn.sh", script);
    project
}

fn program(project: &Project, path: &str, script: &str) {
    project.write(path, script);
    std::fs::set_permissions(project.path(path), std::fs::Permissions::from_mode(0o755)).unwrap();
}

fn build<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["build", "root"][..], &BOTH, more].concat()
}

#[test]
fn nothing_runs_without_its_flag() {
    let commands: &[&[&str]] = &[
        &["build", "root"],
        &["build", "root", "--enable-exec"],
        &["build", "root", "--enable-helm", "--env", "A=b", "--network", "--as-current-user"],
        &["build", "root", "other", "--output", "out/{root}.yaml"],
        &["kustomize", "build", "root"],
        &["kustomize", "build", "root", "--enable-exec"],
        &["validate", "root"],
        &["diff", "root", "other"],
        &["explain", "configmap/settings", "-t", "root"],
        &["explain", "--unused", "-t", "root"],
        &["golden", "update", "root"],
        &["vendor", "root"],
        &["kustomize", "localize", "root", "copy"],
        &["argocd", "generate", "root"],
        &["build", "kind", "--catalog", "catalog", "--components", "own"],
        #[cfg(feature = "cluster")]
        &["apply", "root", "--dry-run=client"],
        #[cfg(feature = "cluster")]
        &["plan", "root", "-o", "plan"],
    ];
    // All commands for one of the forms, some for each.
    let some = [&["build", "root"][..], &["kustomize", "build", "root"], &["argocd", "generate", "root"]];
    for field in ["transformers", "generators", "validators"] {
        for function in [exec("./fn.sh"), exec("fn.sh"), config("container: {image: i}"), legacy()] {
            let mut project = project(field, &function, MARKING);
            program(&project, "bin/docker", MARKING);
            program(&project, "bin/fn.sh", MARKING);
            program(&project, "plugin/example.com/v1/edit/Edit", MARKING);
            project.write("other/kustomization.yaml", "resources: [settings.yaml]\n");
            project.write("other/settings.yaml", SETTINGS);
            project.write(
                "catalog/bases/own/component.yaml",
                "apiVersion: kfc.dev/v1alpha1\nkind: Component\nmetadata: {name: own}\nspec: {stage: data}\n",
            );
            project.write(
                "catalog/bases/own/kustomization.yaml",
                &format!("resources: [../../../root]\n{field}: [fn.yaml]\n"),
            );
            project.write("catalog/bases/own/fn.yaml", &function);
            program(&project, "catalog/bases/own/fn.sh", MARKING);
            let path = std::env::var("PATH").unwrap();
            project.variables.push(("PATH", format!("{}:{path}", project.path("bin").display())));
            project.variables.push(("KUSTOMIZE_PLUGIN_HOME", project.path("plugin").display().to_string()));
            // What an application may set in Argo CD.
            project.variables.push(("ARGOCD_ENV_ENABLE_EXEC", "true".to_owned()));
            let is_first = field == "transformers" && function == exec("./fn.sh");
            for arguments in if is_first { commands } else { &some } {
                project.run(arguments);
                let ran = ["root", "bin", "plugin/example.com/v1/edit", "catalog/bases/own"];
                let ran: Vec<&&str> =
                    ran.iter().filter(|place| project.path(place).join("ran").exists()).collect();
                assert!(ran.is_empty(), "{arguments:?} runs what {field} names in {ran:?}");
            }
            let errors = project.bad(&["build", "root"]);
            assert!(errors.contains("KFC0701") && errors.contains("--enable-alpha-plugins"), "{errors}");
        }
    }
}

fn legacy() -> String {
    "{apiVersion: example.com/v1, kind: Edit, metadata: {name: edit}}\n".to_owned()
}

#[test]
fn every_command_that_builds_runs_them_with_the_flags() {
    let project = project("transformers", &exec("./fn.sh"), MARKING);
    let commands: &[&[&str]] = &[
        &["build", "root"],
        &["kustomize", "build", "root"],
        &["validate", "root"],
        &["diff", "root", "root"],
        &["explain", "--unused", "-t", "root"],
        &["argocd", "generate", "root"],
    ];
    for arguments in commands {
        project.good(&[*arguments, &BOTH].concat());
        let ran = project.path("root/ran");
        assert!(ran.exists(), "{arguments:?}");
        std::fs::remove_file(ran).unwrap();
    }
    let errors = project.bad(&["build", "root", "--enable-alpha-plugins"]);
    assert!(errors.contains("add `--enable-exec`"), "{errors}");
}

#[test]
fn what_was_fetched_runs_nothing() {
    let function = exec("./fn.sh");
    let repository = Repository::new(&[
        ("root/kustomization.yaml", "resources: [settings.yaml]\ntransformers: [fn.yaml]\n"),
        ("root/settings.yaml", SETTINGS),
        ("root/fn.yaml", &function),
        ("root/fn.sh", MARKING),
        ("configs/kustomization.yaml", "resources: [fn.yaml]\n"),
        ("configs/fn.yaml", &function),
        (
            "change/kustomization.yaml",
            "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\npatches: [{path: p.yaml, target: {kind: Edit}}]\n",
        ),
        (
            "change/p.yaml",
            "- {op: replace, path: /metadata/annotations/config.kubernetes.io~1function, value: \"exec: {path: ./fn.sh}\"}\n",
        ),
    ]);
    let url = |path: &str| format!("{}//{path}?ref=main", repository.url());
    let project = project("transformers", &exec("./none.sh"), MARKING);
    let configs = format!("resources: [fn.yaml]\ncomponents: ['{}']\n", url("change"));
    project.write("root/configs/kustomization.yaml", &configs);
    project.write("root/configs/fn.yaml", &exec("./none.sh"));
    for kustomization in [
        format!("resources: ['{}']\n", url("root")),
        format!("resources: [settings.yaml]\ntransformers: ['{}']\n", url("configs")),
        "resources: [settings.yaml]\ntransformers: [configs]\n".to_owned(),
    ] {
        project.write("root/kustomization.yaml", &kustomization);
        let errors = project.bad(&build(&[]));
        assert!(errors.contains("fetched or generated"), "{kustomization}{errors}");
        assert!(!project.path("root/ran").exists(), "{kustomization}");
    }
}

#[test]
fn a_program_that_a_generator_names_does_not_run() {
    let project = project("transformers", &exec("./fn.sh"), MARKING);
    let made = "configMapGenerator:\n- name: edit\n  literals: [a=b]\n  options:\n    disableNameSuffixHash: true\n    annotations:\n      config.kubernetes.io/function: 'exec: {path: ./fn.sh}'\n";
    project.write("root/kustomization.yaml", "resources: [settings.yaml]\ntransformers: [configs]\n");
    project.write("root/configs/kustomization.yaml", "generators: [fn.yaml]\n");
    project.write("root/configs/fn.yaml", &exec("./make.sh"));
    program(
        &project,
        "root/configs/make.sh",
        &format!("#!/bin/sh\ncat >/dev/null\ncat <<'END'\n{}END\n", exec("./fn.sh")),
    );
    let errors = project.bad(&build(&[]));
    assert!(errors.contains("fetched or generated"), "{errors}");
    assert!(!project.path("root/ran").exists());
    // Written in a file of this machine, it runs, as in kustomize.
    project.write("root/configs/kustomization.yaml", made);
    project.good(&build(&[]));
    assert!(project.path("root/ran").exists());
}

#[test]
fn one_that_hangs_is_ended() {
    let project = project("transformers", &exec("./fn.sh"), "#!/bin/sh\nsleep 600 &\nwait\n");
    let started = Instant::now();
    let errors = project.bad(&build(&["--function-timeout", "1s"]));
    assert!(errors.contains("took longer than 1 s"), "{errors}");
    assert!(started.elapsed() < Duration::from_secs(120), "{:?}", started.elapsed());
}

#[test]
fn one_that_prints_without_end_is_ended() {
    for redirect in ["", " >&2"] {
        let project = project("transformers", &exec("./fn.sh"), &format!("#!/bin/sh\nyes more{redirect}\n"));
        let errors = project.bad(&build(&[]));
        assert!(errors.contains("printed more than 64 MiB"), "{errors}");
    }
}

#[test]
fn output_that_is_not_a_list_has_its_place() {
    let bad = |printed: &str| {
        let script = format!("#!/bin/sh\ncat >/dev/null\nprintf '%s' '{printed}'\n");
        project("transformers", &exec("./fn.sh"), &script).bad(&build(&[]))
    };
    for (printed, what) in [
        ("hello", "it is not a `ResourceList`"),
        ("[1, 2]", "it is not a `ResourceList`"),
        ("kind: ResourceList\nitems: x", "`items` is not a list"),
        ("kind: ResourceList\nitems: [x]", "it is not a `ResourceList`"),
        ("kind: ResourceList\nitems: [{a: b}]", "this resource has no `kind`"),
        ("", "printed nothing"),
        ("a: [", "KFC0101"),
    ] {
        let errors = bad(printed);
        assert!(errors.contains(what), "{printed}: {errors}");
        assert!(
            errors.contains("root/fn.yaml:") || errors.contains("the output of the function Edit `edit`:"),
            "{errors}"
        );
    }
    let errors = project("transformers", &exec("./fn.sh"), "#!/bin/sh\ncat >/dev/null\nprintf '\\377'\n")
        .bad(&build(&[]));
    assert!(errors.contains("bytes that are not text"), "{errors}");
}

#[test]
fn secrets_that_a_function_prints_are_not_shown() {
    const MARKER: &str = "PLANTED-7f3a9c-long-enough";
    let secret =
        format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: s}}\nstringData: {{password: {MARKER}}}\n");
    for script in [
        // It knows the value from its input.
        format!("#!/bin/sh\ncat >/dev/null\necho 'cannot use {MARKER}' >&2\nexit 1\n"),
        // It decrypted the value, and fails afterwards.
        format!(
            "#!/bin/sh\ncat >/dev/null\nprintf '%s' '{secret}'\necho 'cannot use {MARKER}' >&2\nexit 1\n"
        ),
        // Its output is not what it should be.
        format!("#!/bin/sh\ncat >/dev/null\necho 'password {MARKER}'\n"),
        format!("#!/bin/sh\ncat >/dev/null\nprintf '%s' '{secret}: ['\n"),
        format!("#!/bin/sh\ncat >/dev/null\necho 'kind: Other\npassword: {MARKER}'\n"),
    ] {
        let project = project("transformers", &exec("./fn.sh"), &script);
        project.write("root/settings.yaml", &secret);
        let errors = project.bad(&build(&[]));
        assert!(!errors.contains(MARKER), "{script}: {errors}");
        assert!(!errors.contains(['\u{f0f0}', '\u{f0f1}']), "{errors}");
    }
}

#[test]
fn results_of_a_function_are_reported() {
    let script = "#!/bin/sh\ncat >/dev/null\ncat <<'END'\napiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems: []\nresults:\n\
                  - {message: two replicas at least, severity: error}\n- {message: quiet, severity: info}\nEND\n";
    let project = project("transformers", &exec("./fn.sh"), script);
    let output = project.run(&build(&[]));
    let errors = text(&output.stderr);
    assert!(errors.contains("two replicas at least") && !errors.contains("quiet"), "{errors}");
}

#[test]
fn functions_get_the_variables_that_the_user_passes() {
    let script = "#!/bin/sh\ncat >/dev/null\necho \"{apiVersion: v1, kind: A, metadata: {name: a}, own: '$OWN', passed: '$MY_TOKEN', other: '$OTHER_TOKEN'}\"\n";
    let mut project = project("generators", &config("exec: {path: ./fn.sh, envs: [OWN=1]}"), script);
    project.variables.push(("MY_TOKEN", "mine".to_owned()));
    project.variables.push(("OTHER_TOKEN", "other".to_owned()));
    assert!(
        project
            .good(&build(&[]))
            .contains("kind: A\nmetadata:\n  name: a\nother: \"\"\nown: \"1\"\npassed: \"\"\n")
    );
    let output = project.good(&build(&["--env", "MY_TOKEN", "--env", "OWN=2"]));
    assert!(output.contains("other: \"\"\nown: \"2\"\npassed: mine\n"), "{output}");
    // Elsewhere than on kustomize's command line, the letter names an environment of a stack.
    let as_kustomize = [&["kustomize"], build(&["-e", "MY_TOKEN", "-e", "OWN=2"]).as_slice()].concat();
    assert_eq!(project.good(&as_kustomize), output);
    project.write("root/fn.yaml", &config("exec: {path: ./fn.sh, envs: [MY_TOKEN]}"));
    let errors = project.bad(&build(&[]));
    assert!(errors.contains("add `--env MY_TOKEN` to pass it"), "{errors}");
    assert!(project.good(&build(&["--env", "MY_TOKEN"])).contains("passed: mine\n"));
}

/// A project with a stand-in for docker, and the arguments that it was given.
fn container(function: &str) -> Project {
    let mut project = project("transformers", &config(function), "#!/bin/sh\n");
    let script = "#!/bin/sh\nprintf '%s\\n' \"$@\" >\"$(dirname \"$0\")/arguments\"\nenv >\"$(dirname \"$0\")/environment\"\ncat\n";
    program(&project, "bin/docker", script);
    project.write("root/data/file", "x\n");
    let path = std::env::var("PATH").unwrap();
    project.variables.push(("PATH", format!("{}:{path}", project.path("bin").display())));
    project.variables.push(("MY_TOKEN", "PLANTED".to_owned()));
    project
}

fn arguments(project: &Project) -> String {
    project.read("bin/arguments").replace('\n', " ")
}

const ALPHA: [&str; 3] = ["build", "root", "--enable-alpha-plugins"];

#[test]
fn containers_have_no_network_and_no_rights() {
    let project = container("container: {image: 'example.com/edit:v1', envs: [B=2, A=1]}");
    project.good(&ALPHA);
    let expected = "run --rm -i -a STDIN -a STDOUT -a STDERR --network none --user nobody --security-opt=no-new-privileges \
                    -e A=1 -e B=2 -e LOG_TO_STDERR=true -e STRUCTURED_RESULTS=true example.com/edit:v1 ";
    assert_eq!(arguments(&project), expected);
    assert!(!project.read("bin/environment").contains("PLANTED"));
    // A flag alone gives no network: the function has to ask for it.
    project.good(&[&ALPHA[..], &["--network", "--network-name", "n"]].concat());
    assert_eq!(arguments(&project), expected);
}

#[test]
fn flags_say_what_containers_get() {
    let project = container(
        "container: {image: i, network: true, envs: [A=1], mounts: [{type: bind, src: data, dst: /data}, {type: tmpfs, dst: /t}]}",
    );
    let errors = project.bad(&ALPHA);
    assert!(errors.contains("needs a network") && errors.contains("--network"), "{errors}");
    let root = project.path("root").canonicalize().unwrap().display().to_string();
    let flags = [
        "--network",
        "--as-current-user",
        "--env",
        "MY_TOKEN",
        "--env",
        "A=2",
        "--mount",
        "type=bind,src=/m,dst=/n,rw=true",
    ];
    project.good(&[&ALPHA[..], &flags].concat());
    let given = arguments(&project);
    let user = given.split("--user ").nth(1).unwrap().split(' ').next().unwrap().to_owned();
    assert!(user.split(':').all(|id| id.parse::<u32>().is_ok()), "{given}");
    let expected = format!(
        "run --rm -i -a STDIN -a STDOUT -a STDERR --network host --user {user} --security-opt=no-new-privileges \
         --mount type=bind,source={root}/data,target=/data,readonly --mount type=tmpfs,target=/t \
         --mount type=bind,source=/m,target=/n -e LOG_TO_STDERR=true -e STRUCTURED_RESULTS=true -e MY_TOKEN -e A i "
    );
    assert_eq!(given, expected);
    let environment = project.read("bin/environment");
    assert!(environment.contains("MY_TOKEN=PLANTED\n") && environment.contains("A=2\n"), "{environment}");
    project.good(&[&ALPHA[..], &["--network", "--network-name", "inner"]].concat());
    assert!(arguments(&project).contains("--network inner "));
}

#[test]
fn no_tree_gives_a_container_more_than_its_root() {
    for (mount, why) in [
        ("{type: bind, src: /etc, dst: /d}", "must be a path in the root"),
        ("{type: bind, src: ../outside, dst: /d}", "must be a path in the root"),
        ("{type: bind, src: link, dst: /d}", "leads out of"),
        ("{type: bind, src: data, dst: '/d,source=/etc'}", "a comma"),
        ("{type: bind, src: 'data,source=/etc', dst: /d}", "a comma"),
        ("{type: volume, src: v, dst: /d}", "`type` must be"),
        ("{type: bind, src: data}", "it has no `dst`"),
    ] {
        let project = container(&format!("container: {{image: i, mounts: [{mount}]}}"));
        project.write("outside/file", "x\n");
        symlink("../outside", project.path("root/link")).unwrap();
        let errors = project.bad(&ALPHA);
        assert!(errors.contains(why), "{mount}: {errors}");
        assert!(!project.path("bin/arguments").exists(), "{mount}");
    }
    for function in ["container: {image: --privileged}", "container: {image: i, envs: [MY_TOKEN]}"] {
        let project = container(function);
        project.bad(&ALPHA);
        assert!(!project.path("bin/arguments").exists(), "{function}");
    }
    let mut project = container("container: {image: i}");
    project.variables.push(("PATH", project.path("nowhere").display().to_string()));
    let errors = project.bad(&ALPHA);
    assert!(errors.contains("needs docker or podman"), "{errors}");
}

#[test]
fn the_plug_in_of_argo_cd_runs_what_its_operator_enables() {
    let project = project("transformers", &exec("./fn.sh"), MARKING);
    let errors = project.bad(&["argocd", "generate", "root"]);
    assert!(errors.contains("functions are not enabled"), "{errors}");
    assert!(!project.path("root/ran").exists());
    project.good(&["argocd", "generate", "root", "--enable-alpha-plugins", "--enable-exec"]);
    assert!(project.path("root/ran").exists());
}

#[test]
fn what_a_function_changes_is_explained_by_its_configuration() {
    let project = project("transformers", &exec("./fn.sh"), "#!/bin/sh\nsed -e 's/a: b/a: changed/'\n");
    let shown =
        project.good(&[&["explain", "configmap/settings", "data.a", "-t", "root"][..], &BOTH].concat());
    assert!(
        shown.contains("changed") && shown.contains("transformers") && shown.contains("root/fn.yaml"),
        "{shown}"
    );
    assert!(shown.contains("root/settings.yaml"), "{shown}");
}
