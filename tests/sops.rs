//! Files of sops in a tree: `--enable-sops` alone has them decrypted, to what a tree with the decrypted files builds, and nothing
//! that kfc says shows a value of them. The files are those that the real sops made (`crates/kfc-sops/tests`).

#![cfg(feature = "sops")]
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

mod support;

use base64::Engine as _;
use std::path::{Path, PathBuf};
use support::{Project, Repository, text};

const FILES: &str = "crates/kfc-sops/tests/files";
/// What the files for these tests have in them.
const MARKER: &str = "PLANTED-7f3a9c";

const ROOT: &str = "\
resources: [secret.yaml, documents.yaml, config-map.yaml, web.yaml]
patches:
- path: patch.yaml
secretGenerator:
- name: files
  files: [values.yaml, values.json, docker.dockerconfigjson, renamed=note.txt, key=bytes, settings.json=suffix.yaml]
- name: variables
  envs: [variables.env]
configMapGenerator:
- name: open
  files: [suffix.yaml]
  envs: [variables.env]
replacements:
- source: {kind: ConfigMap, name: settings, fieldPath: data.token}
  targets:
  - select: {kind: Deployment}
    fieldPaths: [metadata.annotations.token]
    options: {create: true}
";

const WEB: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: web}]}
";

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(FILES).join(name)
}

fn read(name: &str) -> String {
    std::fs::read_to_string(file(name)).unwrap()
}

/// A root with files of sops, or with what sops decrypts them to.
fn project(directory: &str) -> Project {
    let mut project = Project::new(&[("kustomization.yaml", ROOT), ("web.yaml", WEB)]);
    for entry in std::fs::read_dir(file(directory)).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        std::fs::copy(file(directory).join(&name), project.path(&name)).unwrap();
    }
    if directory == "decrypted" {
        std::fs::write(project.path("bytes"), (0..=255).collect::<Vec<u8>>().repeat(3)).unwrap();
    }
    project.variables.push(("SOPS_AGE_KEY_FILE", file("test-only.agekey").display().to_string()));
    project
}

#[test]
fn a_tree_builds_to_what_the_decrypted_tree_builds_to() {
    let plain = project("decrypted");
    // The key of the generated object asks for JSON.
    let settings = "{\n\t\"name_unencrypted\": \"open\",\n\t\"count_unencrypted\": 7,\n\t\"ratio_unencrypted\": 0.5,\n\t\"on_unencrypted\": true,\n\t\"when_unencrypted\": \"2024-05-01T00:00:00Z\",\n\t\"nothing_unencrypted\": null,\n\t\"tree_unencrypted\": [\n\t\t\"a\",\n\t\t{\n\t\t\t\"b\": 1\n\t\t}\n\t],\n\t\"password\": \"closed\"\n}\n";
    plain.write("settings.json", settings);
    plain.write("kustomization.yaml", &ROOT.replace("settings.json=suffix.yaml", "settings.json"));
    let encrypted = project("encrypted");
    for command in [&["build", "."][..], &["kustomize", "build", "."]] {
        let expected = plain.good(command);
        assert!(expected.contains(MARKER));
        assert_eq!(encrypted.good(&[command, &["--enable-sops"]].concat()), expected, "{command:?}");
        assert_eq!(plain.good(&[command, &["--enable-sops"]].concat()), expected, "{command:?}");
    }
}

#[test]
fn files_stay_as_they_are_without_the_flag() {
    let project = project("encrypted");
    let bundle = project.good(&["build", "."]);
    assert!(bundle.contains("ENC[AES256_GCM,data:") && bundle.contains("-----BEGIN AGE ENCRYPTED FILE-----"));
    let encoded = base64::engine::general_purpose::STANDARD.encode(read("encrypted/values.json"));
    assert!(bundle.replace(['\n', ' '], "").contains(&encoded));
    // Neither a variable nor what an application sets in Argo CD is a flag.
    let mut asked = project;
    asked.variables.push(("ARGOCD_ENV_ENABLE_SOPS", "true".to_owned()));
    asked.variables.push(("KFC_ENABLE_SOPS", "true".to_owned()));
    assert_eq!(
        asked.good(&["argocd", "generate"]).matches("ENC[AES256_GCM,").count(),
        bundle.matches("ENC[AES256_GCM,").count()
    );
    assert!(!asked.good(&["argocd", "generate", "--enable-sops"]).contains("ENC["));
}

#[test]
fn no_value_of_a_file_is_shown() {
    let project = project("encrypted");
    project.write("old/kustomization.yaml", "resources: [web.yaml]\n");
    project.write("old/web.yaml", WEB);
    let show = |arguments: &[&str]| {
        let output = project.run(&[arguments, &["--enable-sops"]].concat());
        assert!(output.status.code().is_some_and(|status| status < 2), "{}", text(&output.stderr));
        let shown = text(&output.stdout) + &text(&output.stderr);
        let encoded = base64::engine::general_purpose::STANDARD.encode(MARKER);
        for form in [MARKER, &encoded, "correct horse"] {
            assert!(!shown.contains(form), "{arguments:?} shows {form}:\n{shown}");
        }
        shown
    };
    for format in ["text", "markdown", "json", "sarif", "unified", "html", "json-patch"] {
        let shown = show(&["diff", "old", ".", "--all", "--format", format]);
        assert!(shown.contains("settings") || format == "sarif", "{format}: {shown}");
    }
    for what in [
        &["configmap/settings", "data.token"][..],
        &["deployment/web", "spec.template.spec.containers[0].env[0].value"],
        &["deployment/web", "metadata.annotations.token"],
        &["secret/database"],
        &["deployment/web", "--format", "json"],
    ] {
        let shown = show(&[&["explain"], what, &["-t", "."]].concat());
        assert!(shown.contains("hidden"), "{what:?}: {shown}");
    }
    show(&["validate", "."]);
    show(&["explain", "--unused", "-t", "."]);
}

#[test]
fn errors_show_no_value_of_a_file() {
    let project = project("encrypted");
    let refused = |kustomization: &str| {
        project.write("kustomization.yaml", kustomization);
        let errors = project.bad(&["build", ".", "--enable-sops"]);
        assert!(!errors.contains(MARKER), "{errors}");
        errors
    };
    let errors = refused("resources: [no-list.yaml]\n");
    assert!(errors.contains("no-list.yaml:3:8") && errors.contains("items: *"), "{errors}");
    let errors = refused("resources: [config-map.yaml]\npatches: [{path: patch.yaml}]\n");
    assert!(errors.contains("Deployment") && errors.contains("patch.yaml:4:11"), "{errors}");
    let path =
        "{kind: ConfigMap, name: settings, fieldPath: data.token, options: {delimiter: '-', index: 7}}";
    let errors = refused(&format!(
        "resources: [config-map.yaml]\nreplacements: [{{source: {path}, targets: [{{select: {{kind: A}}}}]}}]\n"
    ));
    assert!(errors.contains("has no part 7"), "{errors}");
}

#[test]
fn what_cannot_be_decrypted_is_an_error_with_its_place() {
    let mut project = project("encrypted");
    std::fs::copy(file("refused/pgp.yaml"), project.path("pgp.yaml")).unwrap();
    project.write(
        "kustomization.yaml",
        "secretGenerator:\n- name: a\n  files: [pgp.yaml]\n- name: b\n  envs: [variables.env]\n",
    );
    let errors = project.bad(&["build", ".", "--enable-sops"]);
    assert!(errors.contains("KFC0603") && errors.contains("kustomization.yaml:3:11"), "{errors}");
    assert!(errors.contains("`pgp.yaml` is encrypted for PGP ("), "{errors}");
    project.write("kustomization.yaml", "secretGenerator:\n- name: b\n  envs: [variables.env]\n");
    project.variables.clear();
    let errors = project.bad(&["build", ".", "--enable-sops"]);
    assert!(errors.contains(", and there is no identity of age"), "{errors}");
    assert!(errors.contains("SOPS_AGE_KEY_FILE"), "{errors}");
    project.variables.push(("SOPS_AGE_KEY_FILE", "nothing".to_owned()));
    let errors = project.bad(&["build", ".", "--enable-sops"]);
    assert!(errors.contains("nothing` cannot be read"), "{errors}");
    project.variables.push(("SOPS_AGE_KEY", read("test-only.agekey").lines().last().unwrap().to_owned()));
    assert!(project.good(&["build", ".", "--enable-sops"]).contains("PASSWORD: "));
}

#[test]
fn what_was_fetched_is_not_decrypted() {
    let files = ["secret.yaml", "variables.env"].map(|name| (name, read(&format!("encrypted/{name}"))));
    let [secret, variables] = files.each_ref().map(|(name, text)| (*name, text.as_str()));
    let resources = Repository::new(&[("kustomization.yaml", "resources: [secret.yaml]\n"), secret]);
    let generator = "secretGenerator: [{name: a, envs: [variables.env]}]\n";
    let generators = Repository::new(&[("kustomization.yaml", generator), variables]);
    for repository in [resources, generators] {
        let mut project = project("encrypted");
        let url = repository.url();
        project.write("kustomization.yaml", &format!("resources: ['{url}?ref=main']\n"));
        assert!(
            project.good(&["build", "."]).contains("RU5DW0FFUzI1Nl9HQ00")
                || project.good(&["build", "."]).contains("ENC[")
        );
        let errors = project.bad(&["build", ".", "--enable-sops"]);
        assert!(errors.contains("KFC0603") && errors.contains("was fetched"), "{errors}");
        project.good(&["vendor", "."]);
        let errors = project.bad(&["build", ".", "--enable-sops"]);
        assert!(errors.contains("was fetched"), "{errors}");
        // A copy in the tree is one's own.
        project.good(&["kustomize", "localize", ".", "copy"]);
        let bundle = project.good(&["build", "copy", "--enable-sops"]);
        assert!(!bundle.contains("ENC["), "{bundle}");
        project.variables.clear();
    }
}
