//! Stacks for teams: environments, clusters, stacks that extend others, values in files, setters, and catalogues of one's own.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by a panic")]

mod documents;
mod support;

use documents::{blocks, yaml};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Output};
use support::{Project, text};

/// A small catalogue: one component with a parameter and a secret, and one that a platform adds.
const CATALOGUE: [(&str, &str); 8] = [
    (
        "catalogue/platforms/defaults.yaml",
        "apiVersion: kfc.dev/v1alpha1
kind: Platform
metadata: {name: defaults}
spec:
  description: Facts
  role: abstract
  declares:
    kubernetes: {type: string, default: '1.37'}
    storage.class: {type: string, default: standard}
  parameters:
    domain: {type: string, minLength: 3, default: example.com}
    token: {type: string, writeOnly: true, default: ''}
",
    ),
    (
        "catalogue/platforms/edge.yaml",
        "{apiVersion: kfc.dev/v1alpha1, kind: Platform, metadata: {name: edge}, \
         spec: {description: Small, role: platform, components: [web]}}",
    ),
    (
        "catalogue/platforms/cloud.yaml",
        "{apiVersion: kfc.dev/v1alpha1, kind: Platform, metadata: {name: cloud}, \
         spec: {description: Large, role: platform, components: [web], facts: {storage: {class: ssd}}}}",
    ),
    (
        "catalogue/bases/web/component.yaml",
        "apiVersion: kfc.dev/v1alpha1
kind: Component
metadata: {name: web}
spec:
  description: Pages
  stage: workbench
  parameters:
    color: {type: string, default: blue}
    size: {type: integer, default: 1}
  set:
  - {select: {kind: ConfigMap, name: web}, path: data.domain, value: '{{ parameters.domain }}'}
  - {select: {kind: ConfigMap, name: web}, path: data.color, value: '{{ parameters.color }}'}
  - {select: {kind: ConfigMap, name: web}, path: data.class, value: '{{ facts.storage.class }}'}
",
    ),
    ("catalogue/bases/web/kustomization.yaml", "resources: [web.yaml]\n"),
    (
        "catalogue/bases/web/web.yaml",
        "{apiVersion: v1, kind: ConfigMap, metadata: {name: web, namespace: default}, data: {a: b}}\n",
    ),
    (
        "catalogue/bases/extra/component.yaml",
        "{apiVersion: kfc.dev/v1alpha1, kind: Component, metadata: {name: extra}, \
         spec: {description: More, stage: workbench}}",
    ),
    (
        "catalogue/bases/extra/kustomization.yaml",
        "configMapGenerator: [{name: extra, namespace: default, literals: [a=b]}]\n\
         generatorOptions: {disableNameSuffixHash: true}\n",
    ),
];

/// A stack, as the lines of its `spec`.
fn stack(name: &str, spec: &str) -> String {
    let spec: String = spec.lines().fold(String::new(), |text, line| text + "  " + line + "\n");
    format!("apiVersion: kfc.dev/v1alpha1\nkind: Stack\nmetadata: {{name: {name}}}\nspec:\n{spec}")
}

fn project(files: &[(&str, &str)]) -> Project {
    Project::new(&CATALOGUE.iter().chain(files).copied().collect::<Vec<_>>())
}

/// What a run that succeeds prints.
fn printed(project: &Project, arguments: &[&str]) -> String {
    let output = project.run(arguments);
    assert!(output.status.success(), "{arguments:?}\n{}", text(&output.stderr));
    text(&output.stdout)
}

/// What a run that fails reports.
fn reported(project: &Project, arguments: &[&str]) -> String {
    let output = project.run(arguments);
    assert_eq!(output.status.code(), Some(1), "{arguments:?}\n{}", text(&output.stderr));
    assert_eq!(text(&output.stdout), "");
    text(&output.stderr)
}

/// The data of the ConfigMap that the stack builds.
fn data(project: &Project, arguments: &[&str]) -> Value {
    let arguments = [&["build", "--format", "json"], arguments].concat();
    let list: Vec<Value> = serde_json::from_str(&printed(project, &arguments)).unwrap();
    list.into_iter().find(|item| item["metadata"]["name"] == "web").unwrap()["data"].take()
}

const OWN: &str = "catalogues: [catalogue]\nbuiltin: false\n";

fn three() -> String {
    let spec = format!(
        "{OWN}platform: edge
parameters: {{domain: ml.example.com, web: {{color: red}}}}
environments:
  dev:
  staging:
    values: [staging.yaml]
  prod:
    platform: cloud
    components: [web, extra]
    parameters: {{domain: prod.example.com, web: {{color: null}}}}
clusters:
- {{name: one, environment: prod, context: admin@one, spec: {{parameters: {{domain: one.example.com}}}}}}
- {{name: two, environment: prod, spec: {{facts: {{storage: {{class: nvme}}}}}}}}
"
    );
    stack("ml", &spec)
}

fn of_three() -> Project {
    project(&[
        ("kfc.yaml", &three()),
        ("staging.yaml", "domain: staging.example.com\nfacts: {storage: {class: hdd}}\n"),
        ("more.yaml", "web: {color: green}\n"),
    ])
}

#[test]
fn environments_differ_by_their_lines() {
    let project = of_three();
    let class = |arguments: &[&str]| data(&project, arguments);
    assert_eq!(class(&["-e", "dev"])["domain"], "ml.example.com");
    let staging = class(&["--environment", "staging"]);
    assert_eq!((&staging["domain"], &staging["color"]), (&"staging.example.com".into(), &"red".into()));
    assert_eq!(staging["class"], "hdd");
    let prod = class(&[".@prod"]);
    assert_eq!((&prod["domain"], &prod["class"]), (&"prod.example.com".into(), &"ssd".into()));
    assert_eq!(prod["color"], "blue", "null takes the value of the stack away");
    assert!(printed(&project, &["build", "-e", "prod"]).contains("name: extra"));
    // Flags come after files, and --set last.
    let values = class(&["-e", "staging", "--values", "more.yaml", "--set", "domain=set.example.com"]);
    assert_eq!((&values["domain"], &values["color"]), (&"set.example.com".into(), &"green".into()));
    assert_eq!(class(&["--targets", "one"])["domain"], "one.example.com");
    assert_eq!(class(&["-e", "prod", "--targets", "t*"])["class"], "nvme");
}

#[test]
fn each_environment_and_cluster_has_a_file() {
    let project = of_three();
    printed(&project, &["build", "-e", "*", "-o", "out/{environment}.yaml"]);
    for name in ["dev", "staging", "prod"] {
        let alone = printed(&project, &["build", "-e", name]);
        assert_eq!(project.read(&format!("out/{name}.yaml")), alone, "{name}");
    }
    printed(&project, &["build", "--targets", "one,two", "-o", "out/{environment}-{cluster}.yaml"]);
    assert!(project.read("out/prod-one.yaml").contains("one.example.com"));
    let error = reported(&project, &["build", "-e", "dev", "-e", "prod"]);
    assert!(error.contains("2 targets need a file each") && error.contains("{environment}"), "{error}");
}

#[test]
fn an_environment_has_to_be_named_and_to_exist() {
    let project = of_three();
    let error = reported(&project, &["build"]);
    assert!(error.contains("--> kfc.yaml:9:3"), "the key of the environments: {error}");
    assert!(error.contains("dev, staging, prod"), "{error}");
    let error = reported(&project, &["graph", "-e", "prd"]);
    assert!(error.contains("has no environment `prd`") && error.contains("did you mean `prod`?"), "{error}");
    let error = reported(&project, &["build", "--targets", "three"]);
    assert!(error.contains("has no cluster `three`"), "{error}");
    let error = reported(&project, &["build", "edge", "--catalog", "catalogue", "-e", "dev"]);
    assert!(error.contains("is not a stack"), "{error}");
    let error = reported(&project, &["explain", "configmap/web", "-e", "*"]);
    assert!(error.contains("works on one environment, and 3 are named"), "{error}");
}

#[test]
fn lists_show_the_lines_that_differ_and_no_secret() {
    let spec = format!(
        "{OWN}platform: edge
environments:
  dev: {{parameters: {{token: PLANTED, domain: dev.example.com}}, without: [extra]}}
clusters: clusters.yaml
"
    );
    let clusters = "- {name: a, environment: dev, spec: {parameters: {domain: a.example.com}}}\n";
    let project = project(&[("kfc.yaml", &stack("ml", &spec)), ("clusters.yaml", clusters)]);
    let environments = printed(&project, &["list", "environments"]);
    assert!(environments.contains("domain=dev.example.com") && environments.contains("without=extra"));
    assert!(environments.contains("token=…") && !environments.contains("PLANTED"), "{environments}");
    let clusters: Value =
        serde_json::from_str(&printed(&project, &["list", "clusters", "-o", "json"])).unwrap();
    let line = &clusters["items"][0]["differs"][0];
    assert_eq!((&line["name"], &line["value"]), (&"domain".into(), &"a.example.com".into()));
    assert_eq!(line["place"], "clusters.yaml:1:59");
}

/// A stack with fifty clusters, each with a domain of its own and every fifth with another class of storage.
fn fifty() -> String {
    (0..50).fold(String::new(), |mut text, at| {
        let facts = if at % 5 == 0 { ", facts: {storage: {class: fast}}" } else { "" };
        let domain = format!("{{parameters: {{domain: c{at}.example.com}}{facts}}}");
        writeln!(text, "- {{name: c{at}, environment: prod, context: admin@c{at}, spec: {domain}}}").unwrap();
        text
    })
}

#[test]
fn fifty_clusters_resolve_and_show_each_line_of_difference() {
    let spec = format!("{OWN}platform: cloud\nenvironments: {{prod: {{}}}}\nclusters: clusters.yaml\n");
    let project = project(&[("kfc.yaml", &stack("ml", &spec)), ("clusters.yaml", &fifty())]);
    let list: Value = serde_json::from_str(&printed(&project, &["list", "clusters", "-o", "json"])).unwrap();
    let items = list["items"].as_array().unwrap();
    assert_eq!(items.len(), 50);
    let names = |item: &Value| -> Vec<String> {
        item["differs"]
            .as_array()
            .unwrap()
            .iter()
            .map(|line| line["name"].as_str().unwrap().to_owned())
            .collect()
    };
    for (at, item) in items.iter().enumerate() {
        let expected = if at % 5 == 0 { vec!["facts.storage.class", "domain"] } else { vec!["domain"] };
        assert_eq!(names(item), expected, "{item}");
        assert_eq!(item["context"], format!("admin@c{at}"));
    }
    printed(&project, &["build", "--targets", "*", "-o", "out/{cluster}.yaml"]);
    for at in 0..50 {
        let bundle = project.read(&format!("out/c{at}.yaml"));
        let class = if at % 5 == 0 { "class: fast" } else { "class: ssd" };
        assert!(bundle.contains(&format!("domain: c{at}.example.com")) && bundle.contains(class), "{bundle}");
    }
    printed(&project, &["golden", "update", ".", "--targets", "*"]);
    let checked = printed(&project, &["golden", "check", ".", "--targets", "*"]);
    assert_eq!(checked, "50 goldens are up to date\n");
}

#[test]
fn stacks_extend_stacks() {
    let base = "catalogues: [../catalogue]\nbuiltin: false\nplatform: edge\ncomponents: [web, extra]
parameters: {domain: base.example.com, web: {color: red, size: 3}}
values: [values.yaml]
overlays: [site, other]
environments: {dev: {parameters: {domain: dev.example.com}}, prod: {}}
";
    let own = "extends: ../base\nwithout: [extra]\nparameters: {web: {color: green}}\nwithoutOverlays: [../base/other]\noverlays: [own]
environments: {prod: {platform: cloud}}
";
    let overlay = |name: &str| {
        format!(
            "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\ncommonAnnotations: {{of: {name}, {name}: here}}\n"
        )
    };
    let (site, other, mine) = (overlay("site"), overlay("other"), overlay("own"));
    let project = project(&[
        ("base/kfc.yaml", &stack("base", base)),
        ("base/values.yaml", "facts: {storage: {class: tape}}\n"),
        ("base/site/kustomization.yaml", &site),
        ("base/other/kustomization.yaml", &other),
        ("team/kfc.yaml", &stack("team", own)),
        ("team/own/kustomization.yaml", &mine),
    ]);
    let bundle = printed(&project, &["build", "team", "-e", "prod"]);
    assert!(!bundle.contains("name: extra") && bundle.contains("site: here"), "{bundle}");
    assert!(bundle.contains("of: own") && !bundle.contains("other: here"), "{bundle}");
    let data = data(&project, &["team", "-e", "prod"]);
    let expected = [("domain", "base.example.com"), ("color", "green"), ("class", "tape")];
    for (name, value) in expected {
        assert_eq!(data[name], value, "{name}");
    }
    assert!(printed(&project, &["build", "team@dev"]).contains("domain: dev.example.com"));
}

#[test]
fn stacks_that_extend_each_other_are_an_error_with_the_chain() {
    let project = project(&[
        ("a/kfc.yaml", &stack("a", "extends: ../b\nplatform: edge\n")),
        ("b/kfc.yaml", &stack("b", "extends: ../c/kfc.yaml\n")),
        ("c/kfc.yaml", &stack("c", "extends: ../a\n")),
        ("d/kfc.yaml", &stack("d", "extends: ../catalogue\n")),
    ]);
    let error = reported(&project, &["build", "a"]);
    assert!(error.contains("KFC1020") && error.contains("--> c/kfc.yaml:5:12"), "{error}");
    let chain = "`a/kfc.yaml` extends `b/kfc.yaml` extends `c/kfc.yaml` extends `a/kfc.yaml`";
    assert!(error.contains(chain), "{error}");
    let error = reported(&project, &["build", "d"]);
    assert!(error.contains("the directory `../catalogue` has no stack"), "{error}");
}

#[test]
fn errors_of_all_environments_are_reported_once_with_their_places() {
    let spec = format!(
        "{OWN}platform: edge
components: [web, nothing]
environments:
  dev:
    parameters: {{domain: x}}
  prod:
    facts: {{storage: {{clas: ssd}}}}
    overlays: [nowhere]
"
    );
    let project = project(&[("kfc.yaml", &stack("ml", &spec))]);
    for command in [&["validate"][..], &["build", "-e", "*", "-o", "{environment}.yaml"]] {
        let errors = text(&project.run(command).stderr);
        assert_eq!(errors.matches("the component `nothing` does not exist").count(), 1, "{errors}");
        for place in ["kfc.yaml:8:21", "kfc.yaml:11:28", "kfc.yaml:13:25", "kfc.yaml:14:18"] {
            assert!(errors.contains(place), "{place}: {errors}");
        }
        let both = if command[0] == "build" { "in dev, prod" } else { "in .@dev, .@prod" };
        assert!(errors.contains(both), "{errors}");
    }
}

#[test]
fn wrong_definitions_are_errors_at_their_places() {
    let spec = format!(
        "{OWN}platform: edge
values: [list.yaml, missing.yaml]
environments:
  Dev: {{extends: ../base}}
  prod: {{withoutOverlays: [nothing], environments: {{}}}}
clusters:
- {{name: a, environment: prd}}
- {{name: a, environment: prod}}
- {{name: b}}
- {{name: c, environment: prod, context: same}}
- {{name: d, environment: prod, context: same}}
"
    );
    let project = project(&[("kfc.yaml", &stack("ml", &spec)), ("list.yaml", "- a\n")]);
    let errors = reported(&project, &["list", "clusters"]);
    for expected in [
        "a file of values must be a mapping",
        "kfc.yaml:8:23",
        "`Dev` is not a name of an environment",
        "`extends` is a field of a stack, not of an environment",
        "`environments` is a field of a stack",
        "has no environment `prd`",
        "the cluster `a` is defined more than once",
        "the cluster `b` has no environment",
        "the clusters `c` and `d` have one context, `same`",
    ] {
        assert!(errors.contains(expected), "{expected}: {errors}");
    }
    let spec = format!("{OWN}platform: edge\nenvironments: {{prod: {{withoutOverlays: [nothing]}}}}\n");
    project.write("kfc.yaml", &stack("ml", &spec));
    let error = reported(&project, &["build", "-e", "prod"]);
    assert!(error.contains("no overlay `nothing` is left out"), "{error}");
    project.write("kfc.yaml", &stack("ml", &format!("{OWN}environments: {{prod: {{}}}}\n")));
    let error = reported(&project, &["build", "-e", "prod"]);
    assert!(error.contains("a stack needs `platform`") && error.contains("kfc.yaml:7:18"), "{error}");
}

#[test]
fn setters_of_stacks_and_overlays_are_typed() {
    let overlay = "apiVersion: kfc.dev/v1alpha1
kind: Overlay
metadata: {name: only-setters}
spec:
  when: storage.class == 'ssd'
  components: [web]
  set:
  - {select: {component: web, kind: ConfigMap}, path: data.from, value: 'overlay of {{ parameters.domain }}'}
";
    let spec = format!(
        "{OWN}platform: edge
set:
- {{select: {{component: web, kind: ConfigMap}}, path: data.size, value: '{{{{ parameters.web.size }}}} pages'}}
overlays: [setters]
environments:
  dev: {{}}
  prod: {{platform: cloud}}
"
    );
    let project = project(&[("kfc.yaml", &stack("ml", &spec)), ("setters/overlay.yaml", overlay)]);
    let dev = data(&project, &["-e", "dev"]);
    assert_eq!((&dev["size"], dev.get("from")), (&"1 pages".into(), None));
    assert_eq!(data(&project, &["-e", "prod"])["from"], "overlay of example.com");
    let explained = printed(&project, &["explain", "configmap/web", "data.size", "-e", "dev"]);
    assert!(explained.contains("kfc.yaml:9:"), "{explained}");
    project.write("setters/overlay.yaml", &overlay.replace("component: web,", "component: wbe,"));
    let error = reported(&project, &["build", "-e", "prod"]);
    assert!(
        error.contains("`wbe` is not in the bundle") && error.contains("setters/overlay.yaml:8:"),
        "{error}"
    );
    assert!(error.contains("did you mean `web`?"), "{error}");
}

#[test]
fn values_of_secrets_are_in_no_line_that_is_shown() {
    let spec = format!(
        "{OWN}platform: edge
environments:
  dev: {{parameters: {{token: PLANTED, domain: x}}}}
  prod: {{values: [secret.yaml], parameters: {{domain: x}}}}
"
    );
    let secret = "{token: PLANTED, domain: 5}\n";
    let project = project(&[("kfc.yaml", &stack("ml", &spec)), ("secret.yaml", secret)]);
    for environment in ["dev", "prod"] {
        let errors = reported(&project, &["build", "-e", environment]);
        assert!(errors.contains("KFC1009") && !errors.contains("PLANTED"), "{errors}");
    }
    let errors = text(&project.run(&["build", "-e", "dev", "--values", "secret.yaml"]).stderr);
    assert!(errors.contains("KFC1009") && !errors.contains("PLANTED"), "{errors}");
}

/// Runs git in a project.
fn git(project: &Project, arguments: &[&str]) -> Output {
    let identity = ["-c", "user.name=a", "-c", "user.email=a@example.com"];
    let output = Command::new("git").args(identity).args(arguments).current_dir(project.path("")).output();
    let output = output.unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
    output
}

#[test]
fn revisions_are_compared_by_environment_and_goldens_by_what_a_change_reaches() {
    let project = of_three();
    std::fs::remove_dir(project.path(".git")).unwrap();
    git(&project, &["init", "--quiet"]);
    let written = printed(&project, &["golden", "update", "."]);
    for name in ["ml-dev", "ml-staging", "ml-prod"] {
        assert!(written.contains(&format!("new: golden/{name}.yaml")), "{written}");
    }
    git(&project, &["add", "--all"]);
    git(&project, &["commit", "--quiet", "--message", "start"]);
    assert_eq!(printed(&project, &["golden", "check"]), "3 goldens are up to date\n");
    project.write("staging.yaml", "domain: new.example.com\n");
    let output = project.run(&["diff", "HEAD:.", ".", "-e", "*", "--format", "json"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let components: Vec<&str> = report["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| change["component"].as_str().unwrap())
        .collect();
    assert_eq!(components, ["staging/web"]);
    let output = project.run(&["golden", "check", "--changed-since", "HEAD"]);
    let errors = text(&output.stderr);
    assert!(errors.contains("changes since HEAD can reach 1 of 3 goldens"), "{errors}");
    assert!(errors.contains("`kfc golden update ml-staging`"), "{errors}");
    // An environment that the revision does not have is new, and one without a golden is reported.
    project.write("kfc.yaml", &three().replace("  dev:\n", "  dev:\n    qa: {}\n"));
    let output = project.run(&["diff", "HEAD:.", ".", "-e", "qa", "--format", "json"]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["summary"]["added"], 1, "{}", text(&output.stderr));
    let errors = text(&project.run(&["golden", "check"]).stderr);
    assert!(errors.contains("have no golden, so they were not checked: qa"), "{errors}");
}

#[test]
fn applies_go_to_the_clusters_of_an_environment() {
    let project = of_three();
    let plan = printed(&project, &["apply", "-e", "prod", "--dry-run=client", "--format", "json"]);
    assert_eq!(plan.matches("\"cluster\"").count(), 2, "{plan}");
    assert!(plan.contains("\"one\"") && plan.contains("\"two\""), "{plan}");
    let one =
        printed(&project, &["apply", "-e", "*", "--targets", "two", "--dry-run=client", "--format", "json"]);
    assert!(!one.contains("\"cluster\""), "{one}");
    let error = reported(&project, &["apply", "-e", "prod", "--context", "three", "--dry-run=client"]);
    assert!(error.contains("the clusters have the contexts admin@one, two"), "{error}");
}

fn kfc(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_kfc")).args(arguments).current_dir(folder).output().unwrap()
}

fn succeeds(folder: &Path, arguments: &[&str]) -> String {
    let output = kfc(folder, arguments);
    assert!(output.status.success(), "{arguments:?}\n{}", text(&output.stderr));
    text(&output.stdout)
}

#[test]
fn what_is_new_builds_and_an_ejected_component_builds_the_same() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path();
    let spec = "platform: edge-site\ncatalogues: [.]\ncomponents: [reports, jobset]\n";
    std::fs::write(folder.join("kfc.yaml"), stack("ml", spec)).unwrap();
    succeeds(folder, &["new", "component", "reports"]);
    succeeds(folder, &["new", "overlay", "limits"]);
    succeeds(folder, &["new", "platform", "edge-site"]);
    succeeds(folder, &["validate", "--strict"]);
    let before = succeeds(folder, &["build"]);
    assert!(before.contains("registry.example.com/reports:0.1.0"));
    let again = kfc(folder, &["new", "component", "reports"]);
    assert!(text(&again.stderr).contains("bases/reports/component.yaml already exists"));
    succeeds(folder, &["eject", "jobset"]);
    assert_eq!(succeeds(folder, &["build"]), before, "a copy makes no difference");
    let provenance = std::fs::read_to_string(folder.join("bases/jobset/ejected.yaml")).unwrap();
    assert!(
        provenance.contains("component: jobset\n") && provenance.contains("digest: sha256:"),
        "{provenance}"
    );
    assert!(text(&kfc(folder, &["eject", "jobset"]).stderr).contains("is a copy of `jobset` already"));
    succeeds(folder, &["eject", "jobset", "--force"]);
    assert!(text(&kfc(folder, &["eject", "jobst"]).stderr).contains("did you mean `jobset`?"));
    // The copy is what is built.
    let component = folder.join("bases/jobset/kustomization.yaml");
    let changed = std::fs::read_to_string(&component).unwrap() + "commonAnnotations: {changed: here}\n";
    std::fs::write(component, changed).unwrap();
    assert!(succeeds(folder, &["build"]).contains("changed: here"));
}

/// Every generated file of YAML names its schema in the first line, and those that are ours fit it.
#[test]
fn generated_files_name_their_schemas() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path();
    succeeds(folder, &["init", "kind", ".", "-e", "dev", "-e", "prod"]);
    succeeds(folder, &["new", "component", "reports"]);
    let mut count = 0;
    for entry in walkdir::WalkDir::new(folder).into_iter().map(Result::unwrap) {
        let name = entry.file_name().to_string_lossy();
        if !name.ends_with(".yaml") || ["namespace.yaml", "workload.yaml"].contains(&name.as_ref()) {
            continue;
        }
        let content = std::fs::read_to_string(entry.path()).unwrap();
        let first = content.lines().next().unwrap();
        let schema = first
            .strip_prefix("# yaml-language-server: $schema=")
            .unwrap_or_else(|| panic!("{name}: {first}"));
        if schema.starts_with("https://") {
            continue;
        }
        let schema = std::fs::read_to_string(entry.path().parent().unwrap().join(schema)).unwrap();
        let schema: Value = serde_json::from_str(&schema).unwrap();
        let value = yaml(&content).remove(0);
        let validator = jsonschema::validator_for(&schema).unwrap();
        let errors: Vec<String> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{name}: {errors:?}");
        count += 1;
    }
    assert_eq!(count, 3, "kfc.yaml, clusters.yaml, component.yaml");
    assert_eq!(succeeds(folder, &["list", "environments", "-o", "name"]), "dev\nprod\n");
    let schema = std::fs::read_to_string(folder.join(".kfc/stack.json")).unwrap();
    let schema: Value = serde_json::from_str(&schema).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let is_valid = |spec: Value| {
        let stack = json!({
            "apiVersion": "kfc.dev/v1alpha1", "kind": "Stack", "metadata": {"name": "a"}, "spec": spec,
        });
        validator.is_valid(&stack)
    };
    assert!(is_valid(
        json!({"platform": "gke+gpu", "components": ["katib"], "parameters": {"domain": "a.example"}})
    ));
    for wrong in [
        json!({"platform": "gkee"}),
        json!({"components": ["katibb"]}),
        json!({"parameters": {"domian": "a"}}),
        json!({"parameters": {"katib": {"storageSize": {}}}}),
        json!({"facts": {"storage": {"clas": "a"}}}),
        json!({"environments": {"dev": {"components": ["katibb"]}}}),
        json!({"environments": {"dev": {"environments": {}}}}),
        json!({"clusters": [{"name": "a", "spec": {"platform": "gkee"}}]}),
    ] {
        assert!(!is_valid(wrong.clone()), "{wrong}");
    }
}

/// The commands of docs/environments.md run in a copy of the example, as they are printed.
#[cfg(unix)]
#[test]
fn the_commands_of_the_page_run_in_the_example() {
    let scratch = tempfile::tempdir().unwrap();
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = scratch.path().join("example");
    copy(&here.join("examples/environments"), &folder);
    std::fs::create_dir(scratch.path().join("bin")).unwrap();
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_kfc"), scratch.path().join("bin/kfc")).unwrap();
    let path = format!("{}:{}", scratch.path().join("bin").display(), std::env::var("PATH").unwrap());
    let run = |script: &str| {
        Command::new("bash")
            .args(["-e", "-c", script])
            .current_dir(&folder)
            .env("PATH", &path)
            .output()
            .unwrap()
    };
    let mut count = 0;
    for block in blocks("docs/environments.md", "sh") {
        for command in block.lines().filter(|line| !line.is_empty()) {
            let output = run(command);
            assert!(output.status.success(), "{command}\n{}", text(&output.stderr));
            count += 1;
        }
    }
    assert!(count >= 18, "{count}");
    // What is new and ejected changes nothing that was built before.
    assert!(run("kfc golden check").status.success());
}

fn copy(from: &Path, to: &Path) {
    for entry in walkdir::WalkDir::new(from).into_iter().map(Result::unwrap) {
        let target = to.join(entry.path().strip_prefix(from).unwrap());
        if entry.file_type().is_dir() {
            std::fs::create_dir_all(target).unwrap();
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// What is detected is no stack: one in the working directory, whose environments would have to be named, does not matter.
#[test]
#[cfg(feature = "cluster")]
fn a_detected_profile_has_no_environments() {
    let project = project(&[(
        "kfc.yaml",
        &stack("team", "environments: {dev: {platform: kind}, prod: {platform: gke}}\n"),
    )]);
    let missing = ["--kubeconfig", "none"];
    for command in [&["apply"][..], &["plan", "--output", "plan.json"]] {
        let error = project.run(&[command, &["--detect"], &missing].concat());
        let error = text(&error.stderr);
        assert!(error.contains("kubeconfig") && !error.contains("KFC1019"), "{command:?}: {error}");
        let error = project.run(&[command, &["--detect", "-e", "prod"], &missing].concat());
        let error = text(&error.stderr);
        assert!(error.contains("cannot be used with"), "{command:?}: {error}");
    }
}
