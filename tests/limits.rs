//! Small inputs that ask for much end with an error: in bounded memory, within seconds, and never by an abort.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by a panic")]

mod support;

use std::fmt::Write as _;
use std::process::Command;
use std::time::{Duration, Instant};
use support::{Project, text};

/// Kilobytes of memory that a run may ask for.
const MEMORY: usize = 4 << 20;
/// Nothing takes this long, in a build that is not optimised, on a machine that does other things.
const PATIENCE: Duration = Duration::from_secs(300);

/// Runs kfc in bounded memory; gives the exit code and standard error.
#[track_caller]
fn run(project: &Project, arguments: &[&str]) -> (Option<i32>, String) {
    run_within(MEMORY, project, arguments)
}

/// As [`run`], with another bound.
#[track_caller]
fn run_within(memory: usize, project: &Project, arguments: &[&str]) -> (Option<i32>, String) {
    let started = Instant::now();
    let output = Command::new("sh")
        .args(["-c", &format!("ulimit -v {memory}; exec \"$0\" \"$@\""), env!("CARGO_BIN_EXE_kfc")])
        .args(arguments)
        .current_dir(project.path(""))
        .output()
        .unwrap();
    assert!(started.elapsed() < PATIENCE, "{arguments:?} took {:?}", started.elapsed());
    (output.status.code(), text(&output.stderr))
}

#[track_caller]
fn refused(files: &[(&str, &str)], arguments: &[&str], why: &str) {
    let project = Project::new(files);
    let (code, errors) = run(&project, arguments);
    assert_eq!(code, Some(1), "{errors:.2000}");
    assert!(errors.contains(why), "{errors:.2000}");
    assert!(errors.len() < 100_000, "{} bytes of errors", errors.len());
}

const CONFIG_MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n";

/// The text of each number below a count, one after the other.
fn repeated(count: usize, text: impl Fn(usize) -> String) -> String {
    (0..count).fold(String::new(), |all, at| all + &text(at))
}

#[test]
fn an_error_far_to_the_right_is_shown() {
    for column in [65_530, 70_000, 1_000_000] {
        let padding = " ".repeat(column);
        let root = format!(
            "resources: [a.yaml]\npatches: [{{target: {{kind: ConfigMap}},{padding}patch: '[{{\"op\": \"remove\", \"path\": \"/data/nothing\"}}]'}}]\n"
        );
        let files = [("kustomization.yaml", root.as_str()), ("a.yaml", CONFIG_MAP)];
        refused(&files, &["build", "."], &format!("kustomization.yaml:2:{}", column + 46));
        let unknown = format!("{{resources: [a.yaml],{padding}namePrefx: x}}\n");
        let files = [("kustomization.yaml", unknown.as_str()), ("a.yaml", CONFIG_MAP)];
        refused(&files, &["build", "."], "namePrefx");
    }
}

#[test]
fn a_line_of_many_megabytes_is_shown() {
    let root = format!("namePrefx: x {}", "\0".repeat(5 << 20));
    let project = Project::new(&[("kustomization.yaml", &root)]);
    let (code, errors) = run_within(800 << 10, &project, &["build", "."]);
    assert_eq!(code, Some(1), "{errors:.500}");
    assert!(errors.contains("error["), "{errors:.500}");
    assert!(errors.len() < 100_000, "{} bytes of errors", errors.len());
}

#[test]
fn timeouts_have_an_end() {
    for timeout in ["18446744073709551615", "9223372036854775807", "277777777h"] {
        let root = format!("resources: ['file:///not/there?ref=v1&timeout={timeout}']\n");
        refused(&[("kustomization.yaml", &root)], &["build", "."], "cannot fetch");
    }
}

/// A catalogue of one component whose patch has this expression.
fn with_expression(expression: &str) -> Project {
    let component = format!(
        "apiVersion: kfc.dev/v1alpha1\nkind: Component\nmetadata: {{name: c}}\nspec:\n  stage: data\n  description: x\n  version: v1\n  set:\n  - select: {{kind: ConfigMap}}\n    path: data.k\n    value: {}\n",
        serde_json::to_string(&format!("{{{{ {expression} }}}}")).unwrap()
    );
    let layer = |name: &str, role: &str| {
        format!(
            "apiVersion: kfc.dev/v1alpha1\nkind: Platform\nmetadata: {{name: {name}}}\nspec: {{description: x, role: {role}}}\n"
        )
    };
    Project::new(&[
        (
            "kfc.yaml",
            "apiVersion: kfc.dev/v1alpha1\nkind: Stack\nmetadata: {name: s}\nspec:\n  platform: p\n  builtin: false\n  catalogues: [cat]\n  components: [c]\n",
        ),
        ("cat/platforms/defaults.yaml", &layer("defaults", "abstract")),
        ("cat/platforms/p.yaml", &layer("p", "platform")),
        ("cat/bases/c/component.yaml", &component),
        ("cat/bases/c/kustomization.yaml", "resources: [a.yaml]\n"),
        ("cat/bases/c/a.yaml", &format!("{CONFIG_MAP}data: {{k: v}}\n")),
    ])
}

#[test]
fn expressions_end() {
    let good = with_expression("'a' ~ 1");
    assert_eq!(run(&good, &["build", "kfc.yaml"]), (Some(0), String::new()));
    for (expression, why) in [
        ("not ".repeat(30_000) + "true", "more than 500 operators"),
        ("-".repeat(30_000) + "1", "more than 500 operators"),
        ("1+".repeat(40_000) + "1", "more than 500 operators"),
        ("('x'*1000000)|replace('x','y'*10000)".to_owned(), "takes too many steps"),
        ("(['x'*100000]*100000)|join".to_owned(), "takes too many steps"),
        ("[1]|slice(1000000000)".to_owned(), "takes too many steps"),
        ("'%1000000000d'|format(1)".to_owned(), "takes too many steps"),
    ] {
        let (code, errors) = run(&with_expression(&expression), &["build", "kfc.yaml"]);
        assert_eq!(code, Some(1), "{errors:.2000}");
        assert!(errors.contains(why), "{errors:.2000}");
    }
}

/// A definition with a rule, and an object of it with a list of this length.
fn with_rule(rule: &str, length: usize) -> Project {
    let rule = serde_json::to_string(rule).unwrap();
    let list = vec!["x"; length].join(", ");
    let bundle = format!(
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {{name: foos.example.com}}\nspec:\n  group: example.com\n  scope: Namespaced\n  names: {{kind: Foo, plural: foos, singular: foo}}\n  versions:\n  - name: v1\n    served: true\n    storage: true\n    schema:\n      openAPIV3Schema:\n        type: object\n        properties:\n          spec:\n            type: object\n            properties: {{n: {{type: integer}}, l: {{type: array, items: {{type: string}}}}}}\n            x-kubernetes-validations: [{{rule: {rule}}}]\n---\napiVersion: example.com/v1\nkind: Foo\nmetadata: {{name: f, namespace: default}}\nspec: {{n: 1, l: [{list}]}}\n"
    );
    Project::new(&[("bundle.yaml", &bundle)])
}

#[test]
fn rules_of_definitions_end() {
    let (code, errors) = run(&with_rule("self.n == 2", 3), &["validate", "bundle.yaml"]);
    assert_eq!(code, Some(1), "{errors}");
    for (rule, length, why) in [
        ("lists.range(1000000000).size() > 0".to_owned(), 1, "could take 1e9 steps"),
        ("self.l.all(a, self.l.all(b, self.l.all(c, a == c)))".to_owned(), 1000, "steps on this object"),
        ("'%.1000000000f'.format([1.0]).size() > 0".to_owned(), 1, "has more than 3 digits"),
        ("1 + ".repeat(20_000) + "1 > 0", 1, "more than 2000 operators"),
        ("1 + ".repeat(1900) + "1 == 0", 1, "the rule is 1 + 1"),
        ("(".repeat(240) + "1" + &")".repeat(240) + " == 0", 1, "the rule is (((("),
        ("!".repeat(1999) + "true", 1, "the rule is !!!!"),
    ] {
        let (code, errors) = run(&with_rule(&rule, length), &["validate", "bundle.yaml"]);
        assert!(matches!(code, Some(0 | 1)), "{code:?} {errors:.2000}");
        assert!(errors.contains(why), "{rule:.100}: {errors:.2000}");
    }
}

#[test]
fn copies_of_copies_end() {
    let mut operations = String::new();
    for at in 0..60 {
        let _ = writeln!(operations, "- {{op: copy, from: /data, path: /data/x{at}}}");
    }
    let root = "resources: [a.yaml]\npatches: [{path: p.yaml, target: {kind: ConfigMap}}]\n";
    let map = format!("{CONFIG_MAP}data: {{k: v}}\n");
    let files = [("kustomization.yaml", root), ("a.yaml", map.as_str()), ("p.yaml", operations.as_str())];
    refused(&files, &["build", "."], "more than 200,000 values");
    // One operation a patch.
    let patches = repeated(60, |at| {
        format!(
            "- {{target: {{kind: ConfigMap}}, patch: '[{{\"op\": \"copy\", \"from\": \"/data\", \"path\": \"/data/x{at}\"}}]'}}\n"
        )
    });
    let root = format!("resources: [a.yaml]\npatches:\n{patches}");
    refused(&[("kustomization.yaml", &root), ("a.yaml", &map)], &["build", "."], "more than 200,000 values");
    // Ever deeper.
    let deep = repeated(17, |at| {
        format!("- {{op: copy, from: /data, path: {}/d}}\n", "/data".to_owned() + &"/d".repeat((1 << at) - 1))
    });
    let files = [
        ("kustomization.yaml", "resources: [a.yaml]\npatches: [{path: p.yaml, target: {kind: ConfigMap}}]\n"),
        ("a.yaml", map.as_str()),
        ("p.yaml", deep.as_str()),
    ];
    refused(&files, &["build", "."], "nested more than 500 levels deep");
}

#[test]
fn values_that_are_replaced_by_themselves_end() {
    let replacements = |path: &str, options: &str, target: &str| -> String {
        let one = |at: usize| {
            format!(
                "- source: {{kind: ConfigMap, name: x, fieldPath: {path}}}\n  targets: [{{select: {{kind: ConfigMap}}, fieldPaths: [{}], options: {{{options}}}}}]\n",
                target.replace("AT", &at.to_string())
            )
        };
        let list: String = (0..40).map(one).collect();
        format!("resources: [a.yaml]\nreplacements:\n{list}")
    };
    let map = format!("{CONFIG_MAP}data: {{k: v-w}}\n");
    let root = replacements("data", "create: true", "data.xAT");
    refused(&[("kustomization.yaml", &root), ("a.yaml", &map)], &["build", "."], "more than 200,000 values");
    let root = replacements("data.k", "delimiter: '-', index: 0", "data.k");
    let text = format!("{CONFIG_MAP}data: {{k: v-w}}\n");
    let project = Project::new(&[("kustomization.yaml", &root), ("a.yaml", &text)]);
    let (code, errors) = run(&project, &["build", ".", "-o", "/dev/null"]);
    assert!(code == Some(0) || errors.contains("16 MiB"), "{code:?} {errors:.2000}");
    let root = replacements("data.k", "delimiter: '-', index: 100000", "data.k");
    refused(&[("kustomization.yaml", &root), ("a.yaml", &map)], &["build", "."], "16 MiB of text");
}

#[test]
fn schemas_of_parameters_end() {
    let mut schema = "{type: string}".to_owned();
    for _ in 0..25 {
        schema = format!("{{anyOf: [{schema}, {{type: string}}]}}");
    }
    let project = with_expression("parameters.p");
    let path = "cat/bases/c/component.yaml";
    let component = format!("{}  parameters:\n    p: {schema}\n", project.read(path));
    project.write(path, &component);
    let (code, errors) = run(&project, &["build", "kfc.yaml", "--set", "c.p=1"]);
    assert_eq!(code, Some(1), "{errors:.2000}");
    assert!(errors.contains("more than 20000 schemas"), "{errors:.2000}");
}

#[test]
fn aliases_of_long_texts_end() {
    let aliases = "- *a\n".repeat(20_000);
    let map = format!("{CONFIG_MAP}data: {{k: v}}\nlist:\n- &a {}\n{aliases}", "x".repeat(100_000));
    refused(
        &[("kustomization.yaml", "resources: [a.yaml]\n"), ("a.yaml", &map)],
        &["build", "."],
        "more than 64 MiB",
    );
}

#[test]
fn patterns_that_take_megabytes_end() {
    // Without a limit each takes 6 MB, and all of them more than there is.
    let patches = repeated(60, |at| {
        format!("- {{target: {{kind: ConfigMap, name: '(\\pL{{30}}){{6}}{at}'}}, patch: '[]'}}\n")
    });
    let root = format!("resources: [a.yaml]\npatches:\n{patches}");
    let project = Project::new(&[("kustomization.yaml", &root), ("a.yaml", CONFIG_MAP)]);
    let (code, errors) = run_within(1 << 18, &project, &["build", "."]);
    assert_eq!(code, Some(1), "{errors:.500}");
    assert!(errors.contains("size limit"), "{errors:.500}");
}

#[test]
fn long_lists_are_edited() {
    let images = repeated(20_000, |at| format!("- name: i{at}\n  newTag: v1\n"));
    let project = Project::new(&[("kustomization.yaml", &format!("images:\n{images}"))]);
    let (code, errors) = run(&project, &["kustomize", "edit", "set", "image", "i9999=x:v2"]);
    assert_eq!(code, Some(0), "{errors:.500}");
    assert!(project.read("kustomization.yaml").contains("newName: x"));
}

#[test]
fn paths_of_thousands_of_steps_end() {
    let map = format!("{CONFIG_MAP}data: {{k: v}}\n");
    let path = format!("{}b", "a.".repeat(3000));
    let root = format!(
        "resources: [a.yaml]\nreplacements:\n- source: {{kind: ConfigMap, name: x, fieldPath: data.k}}\n  \
         targets: [{{select: {{kind: ConfigMap}}, fieldPaths: ['{path}'], options: {{create: true}}}}]\n"
    );
    refused(&[("kustomization.yaml", &root), ("a.yaml", &map)], &["build", "."], "more than 500 steps");
    let path = format!("{}b", "a/".repeat(20_000));
    let transformer = format!(
        "apiVersion: builtin\nkind: AnnotationsTransformer\nmetadata: {{name: t}}\nannotations: {{z: y}}\n\
         fieldSpecs: [{{path: '{path}', create: true}}]\n"
    );
    let root = "resources: [a.yaml]\ntransformers: [t.yaml]\n";
    let files = [("kustomization.yaml", root), ("a.yaml", &*map), ("t.yaml", &*transformer)];
    refused(&files, &["build", "."], "more than 500 steps");
}

#[test]
fn tokens_that_no_header_can_hold_are_refused() {
    let config = "apiVersion: v1\nkind: Config\ncurrent-context: c\n\
        clusters: [{name: c, cluster: {server: 'http://127.0.0.1:1'}}]\n\
        contexts: [{name: c, context: {cluster: c, user: a}}]\nusers: [{name: a, user: {token: \"one\\ntwo\"}}]\n";
    refused(&[("k.yaml", config)], &["detect", "--kubeconfig", "k.yaml"], "control character");
}
