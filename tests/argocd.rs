//! What Argo CD relies on: environment variables, parameters, exit codes, nothing but the result on standard output.
//!
//! `tests/argocd/cases` has one folder a case: in `app/` kfc runs as a plug-in's command does, `environment` has the variables
//! and nothing else is set, `command` the arguments, one a line (`argocd generate` when it is not there).
//! `tests/argocd/kustomize` has the calls of `kustomize` that Argo CD makes for an application in `app/`.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

mod case;
mod documents;

use case::{Outcome, Transcript, text, trial};

use documents::{strings, yaml};
use libtest_mimic::Completion;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output};

fn plug_in(case: &Path) -> Outcome {
    let environment = text(&case.join("environment"));
    let command = match text(&case.join("command")) {
        command if command.is_empty() => "argocd\ngenerate".to_owned(),
        command => command,
    };
    let mut transcript = Transcript::default();
    transcript.run(
        Command::new(env!("CARGO_BIN_EXE_kfc"))
            .current_dir(case.join("app"))
            .env_clear()
            .envs(environment.lines().filter_map(|line| line.split_once('=')))
            .args(command.lines()),
    );
    transcript.check(case)
}

/// A copy of a folder that may be changed.
fn copy(from: &Path, to: &Path) {
    for entry in walkdir::WalkDir::new(from) {
        let entry = entry.unwrap();
        let target = to.join(entry.path().strip_prefix(from).unwrap());
        if entry.file_type().is_dir() {
            std::fs::create_dir_all(target).unwrap();
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Puts kfc under a name that Argo CD's `kustomize.path.v5.8.1` may point at.
#[cfg(unix)]
fn kustomize(folder: &Path) -> PathBuf {
    let program = folder.join("kustomize-v5.8.1");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_kfc"), &program).unwrap();
    program
}

/// Runs the commands of a case as Argo CD does: edits in the application's folder, then a build of its absolute path. Gives
/// the bundle. A line `append FILE` stands for what Argo CD writes into the kustomization itself.
#[cfg(unix)]
fn render(case: &Path, folder: &Path, transcript: &mut Transcript) -> String {
    copy(case, folder);
    let (app, program) = (folder.join("app"), kustomize(folder));
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
        let mut command = Command::new(&program);
        if words[0] == "edit" {
            command.current_dir(&app);
        }
        bundle = transcript.run(command.args(&words));
    }
    bundle
}

#[cfg(unix)]
fn instead_of_kustomize(case: &Path) -> Outcome {
    let scratch = tempfile::tempdir().unwrap();
    let mut transcript = Transcript::hiding(scratch.path());
    render(case, scratch.path(), &mut transcript);
    transcript.check(case)
}

#[cfg(unix)]
fn as_kubectl_kustomize(case: &Path) -> Outcome {
    if !case::has_program("kubectl") {
        return Ok(Completion::ignored_with("there is no kubectl"));
    }
    let scratch = tempfile::tempdir().unwrap();
    let bundle = render(case, scratch.path(), &mut Transcript::default());
    let output = Command::new("kubectl").arg("kustomize").arg(scratch.path().join("app")).output().unwrap();
    case::same(&String::from_utf8(output.stdout).unwrap(), &bundle, "kubectl kustomize", "kfc")
}

/// The first version in a text, found as Argo CD finds it.
fn version_in(text: &str) -> String {
    let pattern = regex::Regex::new(r"v?([0-9]+)(\.[0-9]+)?(\.[0-9]+)?").unwrap();
    pattern.find(text).unwrap().as_str().to_owned()
}

#[cfg(unix)]
fn argo_cd_reads_the_version() {
    let scratch = tempfile::tempdir().unwrap();
    let program = kustomize(scratch.path());
    for arguments in [&["version"][..], &["version", "--short"]] {
        let output = Command::new(&program).args(arguments).output().unwrap();
        assert!(output.status.success());
        assert_eq!(version_in(&String::from_utf8(output.stdout).unwrap()), "v5.8.1");
    }
}

const README: &str = "deploy/argocd/README.md";

/// A folder with the stack that `kfc init` writes.
fn stack() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let output =
        Command::new(env!("CARGO_BIN_EXE_kfc")).args(["init", "kind"]).arg(folder.path()).output().unwrap();
    assert!(output.status.success());
    folder
}

/// Runs kfc with these arguments, `kfc` first, in a folder.
fn kfc(words: &[String], folder: &Path, environment: &[(&str, String)]) -> Output {
    assert_eq!(words[0], "kfc");
    let mut command = Command::new(env!("CARGO_BIN_EXE_kfc"));
    command.args(&words[1..]).current_dir(folder).env_clear();
    command.envs(environment.iter().map(|(name, value)| (*name, value.as_str()))).output().unwrap()
}

fn the_plug_in_calls_commands_that_there_are() {
    let plugin = yaml(&documents::text("deploy/argocd/plugin.yaml")).remove(0);
    let spec = &plugin["spec"];
    let folder = stack();
    let call = |command: &serde_json::Value| {
        let output = kfc(&strings(command), folder.path(), &[]);
        assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(call(&spec["discover"]["find"]["command"]), "kfc.yaml\n");
    assert!(call(&spec["init"]["command"]).starts_with("kfc "));
    assert!(yaml(&call(&spec["generate"]["command"])).iter().all(|resource| resource["kind"].is_string()));
    let announced = call(&spec["parameters"]["dynamic"]["command"]);
    let announced: Vec<serde_json::Value> = serde_json::from_str(&announced).unwrap();
    assert!(announced.iter().any(|parameter| parameter["name"] == "domain"));
    // A root takes just those that are announced for every application.
    let root = documents::file("deploy/argocd/install/../example");
    for parameter in spec["parameters"]["static"].as_array().unwrap() {
        let parameters = format!(r#"[{{"name": {}, "string": ""}}]"#, parameter["name"]);
        let output =
            kfc(&strings(&spec["generate"]["command"]), &root, &[("ARGOCD_APP_PARAMETERS", parameters)]);
        assert!(output.status.success(), "{parameter}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

fn the_application_of_the_readme_is_rendered() {
    let application = yaml(&documents::block(README, "yaml", "katib.storageSize")).remove(0);
    let parameters = application["spec"]["source"]["plugin"]["parameters"].to_string();
    let words = ["kfc", "argocd", "generate"].map(str::to_owned);
    let output = kfc(&words, stack().path(), &[("ARGOCD_APP_PARAMETERS", parameters)]);
    let bundle = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    for part in ["storage: 20Gi", "storageClassName: premium-rwo", "serving.ml.example.com"] {
        assert!(bundle.contains(part), "{part}");
    }
    assert!(!bundle.contains("name: cert-manager-webhook"), "cert-manager is there already");
}

/// The bundle of a root, which `kubectl kustomize` has to build, too.
fn built(root: &Path) -> String {
    let words = ["kfc", "build", "."].map(str::to_owned);
    let output = kfc(&words, root, &[]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let bundle = String::from_utf8(output.stdout).unwrap();
    if let Ok(output) = Command::new("kubectl").arg("kustomize").arg(root).output() {
        assert_eq!(bundle, String::from_utf8_lossy(&output.stdout));
    }
    bundle
}

fn the_installation_puts_the_sidecar_in_place() {
    let bundle = yaml(&built(&documents::file("deploy/argocd/example")));
    let server = bundle.iter().find(|resource| resource["kind"] == "Deployment").unwrap();
    let pod = &server["spec"]["template"]["spec"];
    let named = |list: &str, name: &str| {
        pod[list].as_array().unwrap().iter().find(|item| item["name"] == name).cloned().unwrap_or_default()
    };
    assert_eq!(named("containers", "kfc")["command"][0], "/var/run/argocd/argocd-cmp-server");
    assert_eq!(named("containers", "kfc")["securityContext"]["runAsUser"], 999);
    assert!(named("containers", "argocd-repo-server")["volumeMounts"].as_array().unwrap().len() == 3);
    let copied = named("initContainers", "kfc-kustomize")["command"][2].clone();
    let settings = bundle.iter().find(|resource| resource["kind"] == "ConfigMap").unwrap();
    assert_eq!(settings["data"]["kustomize.path.v5.8.1-kfc"], copied);
    // The API server wants names that are unique among containers and init containers together, and among volumes.
    let names = |lists: &[&str]| {
        let items = lists.iter().flat_map(|list| pod[*list].as_array().unwrap());
        items.map(|item| item["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    for lists in [&["containers", "initContainers"][..], &["volumes"]] {
        let mut unique = names(lists);
        unique.sort();
        unique.dedup();
        assert_eq!(unique.len(), names(lists).len(), "{:?}", names(lists));
    }
    // What containers mount, the pod has.
    for container in
        pod["containers"].as_array().unwrap().iter().chain(pod["initContainers"].as_array().unwrap())
    {
        for mount in container["volumeMounts"].as_array().unwrap() {
            assert!(named("volumes", mount["name"].as_str().unwrap()).is_object(), "{mount}");
        }
    }
}

fn the_kustomizations_of_the_readme_build() {
    for has in ["newName:", "configMapGenerator"] {
        let scratch = tempfile::tempdir().unwrap();
        copy(&documents::file("deploy"), &scratch.path().join("kfc/deploy"));
        for (from, to) in [("example/argocd.yaml", "argocd.yaml"), ("plugin.yaml", "plugin.yaml")] {
            std::fs::copy(documents::file("deploy/argocd").join(from), scratch.path().join(to)).unwrap();
        }
        let kustomization = documents::block(README, "yaml", has);
        std::fs::write(scratch.path().join("kustomization.yaml"), kustomization).unwrap();
        let bundle = built(scratch.path());
        let expected = match has {
            "newName:" => "image: registry.example.org/tools/kfc-argocd:0.1.0",
            _ => "mountPath: /home/argocd/cmp-server/config/plugin.yaml",
        };
        assert!(bundle.contains(expected), "{bundle}");
    }
}

fn the_image_is_built_from_what_is_there() {
    let file = documents::text("deploy/argocd/Containerfile");
    let ignored = documents::text("deploy/argocd/Containerfile.containerignore");
    assert_eq!(
        ignored,
        documents::text("deploy/argocd/Containerfile.dockerignore"),
        "one list for both programs"
    );
    let copies =
        file.lines().filter_map(|line| line.strip_prefix("COPY ")).filter(|rest| !rest.starts_with("--from"));
    let mut count = 0;
    for words in copies.map(|rest| rest.split_whitespace().collect::<Vec<_>>()) {
        for source in &words[..words.len() - 1] {
            count += 1;
            assert!(documents::file(source).exists(), "{source}");
            assert!(
                ignored.lines().any(|line| line.strip_prefix('!') == Some(source)),
                "{source} is ignored"
            );
        }
    }
    assert!(count > 5);
}

fn main() -> ExitCode {
    let mut trials = case::trials("tests/argocd/cases", "plug-in/", plug_in);
    trials.extend([
        trial("the_plug_in_calls_commands_that_there_are", the_plug_in_calls_commands_that_there_are),
        trial("the_application_of_the_readme_is_rendered", the_application_of_the_readme_is_rendered),
        trial("the_installation_puts_the_sidecar_in_place", the_installation_puts_the_sidecar_in_place),
        trial("the_kustomizations_of_the_readme_build", the_kustomizations_of_the_readme_build),
        trial("the_image_is_built_from_what_is_there", the_image_is_built_from_what_is_there),
    ]);
    #[cfg(unix)]
    {
        trials.extend(case::trials("tests/argocd/kustomize", "kustomize/", instead_of_kustomize));
        trials.extend(case::trials("tests/argocd/kustomize", "kubectl/", as_kubectl_kustomize));
        trials.push(trial("argo_cd_reads_the_version", argo_cd_reads_the_version));
    }
    case::run(trials)
}
