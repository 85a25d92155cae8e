//! The types of our own files, their JSON Schemas and docs/files.md: all files fit them, files with faults fit neither, and the
//! page has the fields that the types have.

#![cfg(feature = "schema")]
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]
#![allow(missing_docs, reason = "a program, not a library")]

use kfc_catalogue::files::{ClusterSpec, ComponentFile, OverlayFile, PlatformFile, ReleaseFile, StackText};
use kfc_catalogue::schema::{FileKind, reference};
use kfc_diagnostics::{Diagnostics, SourceId, Sources};
use kfc_source::lock;
use kfc_yaml::value::to_json;
use kfc_yaml::{Node, de, parse::parse};
use serde_json::Value;
use std::path::Path;

fn top() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn node(text: &str) -> Node {
    parse(text, SourceId(0)).unwrap().remove(0)
}

/// The errors of the reader.
fn read(kind: FileKind, text: &str) -> Diagnostics {
    let node = node(text);
    match kind {
        FileKind::Component => de::read::<ComponentFile>(&node).1,
        FileKind::Overlay => de::read::<OverlayFile>(&node).1,
        FileKind::Platform => de::read::<PlatformFile>(&node).1,
        FileKind::Release => de::read::<ReleaseFile>(&node).1,
        FileKind::Stack => de::read::<StackText>(&node).1,
        FileKind::Clusters => de::read::<Vec<ClusterSpec>>(&node).1,
        FileKind::Lock => de::read::<lock::LockFile>(&node).1,
    }
}

/// Null counts as absent.
fn without_nulls(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|_, value| !value.is_null());
            map.values_mut().for_each(without_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(without_nulls),
        _ => {}
    }
}

/// The errors of the schema.
fn validate(kind: FileKind, text: &str) -> Vec<String> {
    let validator = jsonschema::validator_for(&kind.schema()).unwrap();
    let mut value = to_json(&node(text));
    without_nulls(&mut value);
    validator.iter_errors(&value).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

#[test]
fn every_file_fits_its_type_and_its_schema() {
    let mut counts = [0; FileKind::ALL.len()];
    for folder in [
        "bases",
        "overlays",
        "platforms",
        "releases",
        "examples",
        "tests/catalogue",
        "tests/cases/stack-file",
    ] {
        for entry in walkdir::WalkDir::new(top().join(folder)).into_iter().map(Result::unwrap) {
            let path = entry.path();
            let name = path.file_name().unwrap().to_string_lossy();
            let is_in = |folder: &str| path.parent().unwrap().ends_with(folder);
            let kind = match name.as_ref() {
                "component.yaml" => FileKind::Component,
                "overlay.yaml" => FileKind::Overlay,
                "kfc.yaml" => FileKind::Stack,
                "clusters.yaml" => FileKind::Clusters,
                "kfc.lock" => FileKind::Lock,
                name if is_in("platforms") && name.ends_with(".yaml") => FileKind::Platform,
                name if is_in("releases") && name.ends_with(".yaml") => FileKind::Release,
                _ => continue,
            };
            let text = std::fs::read_to_string(path).unwrap();
            let errors = read(kind, &text);
            assert!(errors.is_empty(), "{}: {errors}", path.display());
            let errors = validate(kind, &text);
            assert!(errors.is_empty(), "{}: {errors:#?}", path.display());
            counts[FileKind::ALL.iter().position(|known| *known == kind).unwrap()] += 1;
        }
    }
    let least = [40, 20, 15, 4, 3, 1, 0];
    assert!(counts.iter().zip(least).all(|(count, least)| *count >= least), "{counts:?}");
}

/// Files of each kind with everything that they may have.
fn whole(kind: FileKind) -> String {
    match kind {
        FileKind::Component => "apiVersion: kfc.dev/v1alpha1\nkind: Component\nmetadata: {name: a}\nspec:\n  \
            description: d\n  stage: data\n  version: v1\n  base: .\n  source:\n  \
            - {git: a, ref: b, commit: '2222222222222222222222222222222222222222', path: c, namespace: d, only: [{kind: e}], except: [{group: f, namespace: g, name: h}]}\n  \
            - {chart: a, repository: b, version: c, release: d, namespace: e, values: {f: 1}, only: [{name: g}], except: [{kind: h}]}\n  \
            requires: [b, {component: c}, {capability: e, when: f}]\n  provides: [g]\n  conflicts: [h]\n  \
            supports: [{when: i, reason: j}]\n  parameters: {k: {type: string, default: l, writeOnly: true, published: true}}\n  \
            secrets: [{name: s, namespace: s, description: s, keys: {a: constant, b: {random: {length: 32, alphabet: hex}}, c: {bcrypt: b}, d: {copy: {namespace: s, name: s, key: b}, when: t}}, readers: [{kind: s, name: s}], rotation: s}]\n  \
            set:\n  - {select: {kind: ConfigMap, has: data.m}, inside: n, optional: true, path: o, when: p, value: [1]}\n  \
            ready: [{deployment: q, namespace: r}, {crd: s}, {group: t, kind: u, name: v*, when: w, failed: x, message: y}]\n"
            .to_owned(),
        FileKind::Overlay => "apiVersion: kfc.dev/v1alpha1\nkind: Overlay\nmetadata: {name: a/b}\nspec:\n  \
            description: d\n  when: c\n  components: [e]\n  after: [f/g]\n  \
            set: [{select: {name: h}, path: i, value: 1}]\n  ready: [{kind: j, when: k}]\n"
            .to_owned(),
        FileKind::Platform => "apiVersion: kfc.dev/v1alpha1\nkind: Platform\nmetadata: {name: a}\nspec:\n  \
            description: d\n  role: platform\n  extends: [b]\n  declares: {c: {type: string}}\n  parameters: {e: {}}\n  \
            facts: {f: 1}\n  prefers: {g: h}\n  components: [i, {name: j, when: k}]\n  without: [l]\n  supports: m\n"
            .to_owned(),
        FileKind::Release => format!(
            "apiVersion: kfc.dev/v1alpha1\nkind: Release\nmetadata: {{name: a}}\nspec:\n  description: d\n  git: b\n  ref: c\n  \
             commit: '{}'\n  tree: sha256:{}\n  components:\n    e:\n      description: f\n      version: g\n      supports: v\n      \
             roots: [h, {{path: i, namespace: j, only: [{{name: k}}], except: [{{kind: l}}]}}]\n      \
             set: [{{select: {{kind: m}}, path: n, value: 1}}]\n      ready: [{{job: o}}]\n      \
             fixed: {{p: {{value: q, reason: r}}}}\n  without: [w]\n  leftOut: {{s/t: u}}\n",
            "2".repeat(40),
            "1".repeat(64)
        ),
        FileKind::Stack => "apiVersion: kfc.dev/v1alpha1\nkind: Stack\nmetadata: {name: a}\nspec:\n  \
            platform: b\n  release: s\n  components: [c]\n  present: [d]\n  without: [e]\n  facts: {f: 1}\n  parameters: {g: [1]}\n  \
            secrets: {s: generated, t: {existing: u}, v: {external: {store: w, kind: SecretStore, key: x}}, y/z: {value: {file: a}}}\n  \
            profiles: [{name: a, owner: b, contributors: [{user: c, role: view}, {group: d}], quota: {cpu: 1}}]\n  groups: {d: [e]}\n  \
            extends: z\n  values: [v]\n  withoutOverlays: [w]\n  set: [{select: {component: c, kind: d}, path: e, value: 1}]\n  \
            environments: {dev: {platform: e}}\n  clusters: [{name: f, environment: dev, context: c, spec: {without: [g]}}]\n  \
            overlays: [h]\n  prefers: {i: j}\n  catalogues: [k]\n  builtin: false\n  \
            defaults: {concurrency: 4, context: t, jobs: 2, offline: true, qps: 8}\n  \
            ready: [{group: l, kind: m, namespace: n, name: o, when: p, failed: q, message: r}]\n"
            .to_owned(),
        FileKind::Clusters => "- {name: f, environment: e, context: c, spec: {without: [g]}}\n- {name: a}\n".to_owned(),
        FileKind::Lock => {
            let (digest, commit) = (format!("sha256:{}", "1".repeat(64)), "2".repeat(40));
            format!(
                "version: 1\ntargets: [a]\nsources:\n- {{chart: b, repository: c, version: d, resolved: e, archive: '{digest}', \
                 tree: '{digest}'}}\n- {{file: f, tree: '{digest}'}}\n- {{git: g, ref: h, submodules: false, commit: '{commit}', \
                 tree: '{digest}'}}\n- {{oci: i, ref: j, manifest: '{digest}', tree: '{digest}'}}\nseal: {digest}\n"
            )
        }
    }
}

/// Faults: the kind of file, what is replaced in one that has everything, and by what.
const FAULTS: [(FileKind, &str, &str); 94] = [
    (FileKind::Component, "kfc.dev/v1alpha1", "kfc.dev/v2"),
    (FileKind::Component, "kind: Component", "kind: Stack"),
    (FileKind::Component, "{name: a}", "{}"),
    (FileKind::Component, "{name: a}", "{name: a, namespace: b}"),
    (FileKind::Component, "description: d", "descriptions: d"),
    (FileKind::Component, "version: v1", "version: 1.0"),
    (FileKind::Component, "stage: data", "stage: date"),
    (FileKind::Component, "  stage: data\n", ""),
    (FileKind::Component, "[b, {component: c}", "[5, {component: c}"),
    (FileKind::Component, "{component: c}", "{component: c, capability: d}"),
    (FileKind::Component, "{component: c}", "{when: c}"),
    (FileKind::Component, "{component: c}", "[c]"),
    (FileKind::Component, "provides: [g]", "provides: g"),
    (FileKind::Component, "{when: i, reason: j}", "{reason: j}"),
    (FileKind::Component, "{k: {type", "{k: 5, l: {type"),
    (FileKind::Component, "select: {kind: ConfigMap, has: data.m}, ", ""),
    (FileKind::Component, "kind: ConfigMap,", "kinds: ConfigMap,"),
    (FileKind::Component, "optional: true", "optional: maybe"),
    (FileKind::Component, "optional: true", "optional: yes"),
    (FileKind::Stack, "builtin: false", "builtin: Off"),
    (FileKind::Component, ", value: [1]", ""),
    (FileKind::Component, ", value: [1]", ", value: ~"),
    (FileKind::Component, "{deployment: q, ", "{"),
    (FileKind::Component, "{crd: s}", "{crd: s, job: t}"),
    (FileKind::Component, "{crd: s}", "{crds: s}"),
    (FileKind::Component, "{crd: s}", "{crd: s, when: t}"),
    (FileKind::Component, "{crd: s}", "{crd: s, message: t}"),
    (FileKind::Component, "kind: u, ", ""),
    (FileKind::Component, "when: w, ", ""),
    (FileKind::Component, "- {git: a, ", "- {"),
    (FileKind::Component, "{git: a, ref: b", "{git: a, refs: b"),
    (FileKind::Component, "{git: a, ref: b", "{git: a, chart: d, ref: b"),
    (FileKind::Component, "commit: '2", "commit: 'v"),
    (FileKind::Component, "repository: b, version: c, ", "repository: b, "),
    (FileKind::Component, "only: [{kind: e}]", "only: [{kinds: e}]"),
    (FileKind::Component, "a: constant", "a: constants"),
    (FileKind::Component, "length: 32", "length: 7"),
    (FileKind::Component, "alphabet: hex", "alphabet: words"),
    (FileKind::Component, ", alphabet: hex", ""),
    (FileKind::Component, "{bcrypt: b}", "{bcrypt: b, random: {length: 32, alphabet: hex}}"),
    (FileKind::Component, "{copy: {namespace: s, name: s, key: b}", "{copy: {name: s, key: b}"),
    (FileKind::Component, "readers: [{kind: s, name: s}]", "readers: [s]"),
    (FileKind::Component, "description: s, keys", "keys"),
    (FileKind::Stack, "s: generated", "s: generate"),
    (FileKind::Stack, "{existing: u}", "{existing: u, external: {store: w}}"),
    (FileKind::Stack, "kind: SecretStore", "kind: Store"),
    (FileKind::Stack, "profiles: [{name: a,", "profiles: [{name: A,"),
    (FileKind::Stack, "owner: b", "owner: '*'"),
    (FileKind::Stack, "{user: c, role: view}", "{user: c, role: look}"),
    (FileKind::Stack, "{user: c, role: view}", "{user: c, group: d}"),
    (FileKind::Stack, "{group: d}", "{role: edit}"),
    (FileKind::Stack, "groups: {d: [e]}", "groups: {d: e}"),
    (FileKind::Stack, "{file: a}", "a"),
    (FileKind::Stack, "{file: a}", "{password: a}"),
    (FileKind::Release, "  ref: c\n", ""),
    (FileKind::Release, "tree: sha256:", "tree: sha1:"),
    (FileKind::Release, "roots: [h, {path: i, ", "roots: [h, {"),
    (FileKind::Release, "{value: q, reason: r}", "{value: q}"),
    (FileKind::Release, "leftOut: {s/t: u}", "leftOut: [s/t]"),
    (FileKind::Stack, "release: s", "release: 26.03"),
    (FileKind::Overlay, "{kind: j, ", "{"),
    (FileKind::Stack, ", when: p", ""),
    (FileKind::Stack, "when: p", "when: [p]"),
    (FileKind::Overlay, "when: c", "when: true"),
    (FileKind::Overlay, "after: [f/g]", "before: [f/g]"),
    (FileKind::Overlay, "path: i, ", ""),
    (FileKind::Platform, "role: platform", "role: cluster"),
    (FileKind::Platform, "  role: platform\n", ""),
    (FileKind::Platform, "facts: {f: 1}", "facts: [f]"),
    (FileKind::Platform, "prefers: {g: h}", "prefers: {g: [h]}"),
    (FileKind::Platform, "{name: j, when: k}", "{when: k}"),
    (FileKind::Platform, "supports: m", "supports: {when: m}"),
    (FileKind::Platform, "supports: m", "supports: 5"),
    (FileKind::Stack, "extends: z", "extends: [z]"),
    (FileKind::Stack, "values: [v]", "values: v"),
    (FileKind::Stack, "{component: c, kind: d}", "{components: c, kind: d}"),
    (FileKind::Stack, "withoutOverlays: [w]", "withoutOverlay: [w]"),
    (FileKind::Stack, "dev: {platform: e}", "dev: {platforms: e}"),
    (FileKind::Stack, "dev: {platform: e}", "dev: platform"),
    (FileKind::Stack, "clusters: [{name: f, ", "clusters: [{"),
    (FileKind::Stack, "spec: {without: [g]}", "spec: {without: g}"),
    (FileKind::Clusters, "- {name: f, ", "- {"),
    (FileKind::Clusters, "context: c", "contexts: c"),
    (FileKind::Clusters, "spec: {without: [g]}", "spec: {withouts: [g]}"),
    (FileKind::Stack, "components: [c]", "components: c"),
    (FileKind::Stack, "components: [c]", "components: [{name: c}]"),
    (FileKind::Stack, "builtin: false", "builtin: 'false'"),
    (FileKind::Stack, "parameters: {g: [1]}", "parameters: g"),
    (FileKind::Lock, "version: 1", "versions: 1"),
    (FileKind::Lock, "version: 1", "version: one"),
    (FileKind::Lock, "{file: f, ", "{files: f, "),
    (FileKind::Lock, "{file: f, ", "{file: f, git: g, "),
    (FileKind::Lock, "commit: ", "revision: "),
    (FileKind::Lock, "submodules: false", "submodules: none"),
];

#[test]
fn files_with_everything_fit_and_files_with_faults_do_not() {
    for kind in FileKind::ALL {
        let text = whole(kind);
        assert!(read(kind, &text).is_empty(), "{}", read(kind, &text));
        assert_eq!(validate(kind, &text), [""; 0], "{text}");
    }
    for (kind, from, to) in FAULTS {
        let text = whole(kind);
        assert!(text.contains(from), "{from}");
        let wrong = text.replacen(from, to, 1);
        assert!(!read(kind, &wrong).is_empty(), "the reader accepts {to:?} for {from:?}");
        assert!(!validate(kind, &wrong).is_empty(), "the schema accepts {to:?} for {from:?}");
    }
}

#[test]
fn what_is_written_fits() {
    let digest = "1".repeat(64);
    let written = lock::Lock {
        targets: vec![".".to_owned()],
        entries: vec![lock::Entry {
            source: kfc_source::remote::Source::File { url: "https://example.com/a.yaml".to_owned() },
            pin: kfc_source::remote::Pin::default(),
            tree: digest,
        }],
        ..lock::Lock::default()
    };
    assert_eq!(validate(FileKind::Lock, &written.text()), [""; 0]);
    assert!(lock::read(&written.text(), Sources::default().add("kfc.lock", "").0).is_ok());
}

/// `INSTA_UPDATE=always` writes the page.
#[test]
fn the_page_of_fields_is_current() {
    let page = top().join("docs/files.md");
    let expected = reference();
    if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
        std::fs::write(&page, &expected).unwrap();
    }
    let found = std::fs::read_to_string(&page).unwrap_or_default();
    assert!(
        found == expected,
        "run `INSTA_UPDATE=always cargo test --test schemas`, and read the difference"
    );
}

#[test]
fn the_program_prints_every_schema() {
    let printed = |kind: &str| {
        let output =
            std::process::Command::new(env!("CARGO_BIN_EXE_kfc")).args(["schema", kind]).output().unwrap();
        (output.status.code(), output.stdout, String::from_utf8(output.stderr).unwrap())
    };
    for kind in FileKind::ALL {
        let (code, text, _) = printed(kind.word());
        assert_eq!(code, Some(0));
        let found = serde_json::from_slice::<Value>(&text).unwrap();
        match kind {
            // With the names of the catalogue.
            FileKind::Stack | FileKind::Clusters => assert_eq!(found["$id"], kind.schema()["$id"]),
            _ => assert_eq!(found, kind.schema()),
        }
    }
    let (code, text, _) = printed("report");
    assert_eq!(code, Some(0));
    assert_eq!(text, kfc_diff::report::SCHEMA.as_bytes());
    let (code, _, errors) = printed("stak");
    assert_eq!(code, Some(2));
    assert!(
        errors.contains(
            "use one of component, overlay, platform, release, stack, clusters, lock, values, report"
        ),
        "{errors}"
    );
}
