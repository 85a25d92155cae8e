//! Components from sources, and a catalogue at a release of upstream's manifests: fetched once, pinned, built without network, with
//! the parameters and overlays of the catalogue; and what an upgrade between two releases asks of people. Repositories are on
//! this machine.

#![cfg(all(unix, feature = "fetch"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by a panic")]
#![allow(missing_docs, reason = "a program, not a library")]

mod support;

use std::path::Path;
use support::{Project, Repository, text};

/// The objects of upstream's store: a database with a volume, and a page.
fn store(image: &str, versions: &str) -> String {
    format!(
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {{name: shelves.store.io}}\nspec:\n  \
         group: store.io\n  scope: Namespaced\n  names: {{kind: Shelf, plural: shelves}}\n  versions: [{versions}]\n---\n\
         apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {{name: data}}\nspec: {{accessModes: [ReadWriteOnce], \
         resources: {{requests: {{storage: 1Gi}}}}}}\n---\n\
         apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: db}}\nspec:\n  selector: {{matchLabels: {{app: db}}}}\n  \
         template:\n    metadata: {{labels: {{app: db}}}}\n    spec:\n      containers: [{{name: db, image: '{image}'}}]\n      \
         volumes: [{{name: data, persistentVolumeClaim: {{claimName: data}}}}]\n---\n\
         apiVersion: v1\nkind: Service\nmetadata: {{name: page}}\nspec: {{ports: [{{port: 80}}]}}\n"
    )
}

fn version(name: &str, is_stored: bool) -> String {
    let schema = "{openAPIV3Schema: {type: object}}";
    format!("{{name: {name}, served: true, storage: {is_stored}, schema: {schema}}}")
}

/// A repository with two releases of one root.
fn upstream() -> Repository {
    let kustomization = "resources: [all.yaml]\nnamespace: shop\n";
    let old = store("db:8.0", &[version("v1alpha1", true), version("v1", false)].join(", "));
    let upstream =
        Repository::new(&[("apps/store/kustomization.yaml", kustomization), ("apps/store/all.yaml", &old)]);
    upstream.git(&["tag", "v1"]);
    upstream.commit(&[("apps/store/all.yaml", &store("db:8.4", &version("v1", true)))]);
    upstream.git(&["tag", "v2"]);
    upstream
}

fn commit_of(repository: &Repository, reference: &str) -> String {
    let output = std::process::Command::new("git")
        .args(["rev-parse", reference])
        .current_dir(repository.path())
        .output()
        .unwrap();
    text(&output.stdout).trim().to_owned()
}

fn release(name: &str, repository: &Repository, more: &str) -> String {
    format!(
        "apiVersion: kfc.dev/v1alpha1\nkind: Release\nmetadata: {{name: {name}}}\nspec:\n  description: Release {name}.\n  \
         git: {}\n  ref: {name}\n  commit: '{}'\n  components:\n    database:\n      version: {name}\n      roots:\n      \
         - {{path: apps/store, except: [{{kind: Service}}]}}\n    page:\n      roots:\n      \
         - {{path: apps/store, only: [{{kind: Service}}]}}\n{more}",
        repository.url(),
        commit_of(repository, name),
    )
}

const KIND: &str = "apiVersion: kfc.dev/v1alpha1\nkind: ";

/// A catalogue with two components, whose own bases are not those of upstream.
fn catalogue(repository: &Repository) -> Project {
    let component = |name: &str, spec: &str| {
        format!("{KIND}Component\nmetadata: {{name: {name}}}\nspec:\n  stage: foundation\n{spec}")
    };
    let database = component(
        "database",
        "  parameters:\n    size: {type: string, default: 5Gi}\n    flavour: {type: string, default: plain}\n  set:\n  \
         - select: {kind: PersistentVolumeClaim, name: data}\n    path: spec.resources.requests.storage\n    \
         value: '{{ parameters.size }}'\n  - select: {kind: ConfigMap, name: settings}\n    path: data.flavour\n    \
         value: '{{ parameters.flavour }}'\n  ready: [{deployment: db, namespace: shop}]\n",
    );
    let fixed = "      fixed: {flavour: {value: plain, reason: upstream has one flavour}}\n";
    let fixed =
        |name: &str| release(name, repository, "").replacen("    page:\n", &format!("{fixed}    page:\n"), 1);
    Project::new(&[
        ("catalogue/bases/database/component.yaml", &database),
        ("catalogue/bases/database/kustomization.yaml", "resources: [own.yaml]\nnamespace: shop\n"),
        (
            "catalogue/bases/database/own.yaml",
            "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data}\nspec: {}\n---\n\
             apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\n",
        ),
        ("catalogue/bases/page/component.yaml", &component("page", "  requires: [database]\n")),
        ("catalogue/bases/page/kustomization.yaml", "resources: []\n"),
        (
            "catalogue/overlays/area/label/overlay.yaml",
            &format!("{KIND}Overlay\nmetadata: {{name: area/label}}\nspec: {{components: [page]}}\n"),
        ),
        (
            "catalogue/overlays/area/label/kustomization.yaml",
            "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nlabels: [{pairs: {ours: 'yes'}}]\n",
        ),
        (
            "catalogue/platforms/defaults.yaml",
            &format!(
                "{KIND}Platform\nmetadata: {{name: defaults}}\nspec: {{role: abstract, declares: {{}}}}\n"
            ),
        ),
        (
            "catalogue/platforms/edge.yaml",
            &format!(
                "{KIND}Platform\nmetadata: {{name: edge}}\nspec: {{role: platform, components: [page]}}\n"
            ),
        ),
        ("catalogue/releases/v1.yaml", &fixed("v1")),
        ("catalogue/releases/v2.yaml", &fixed("v2")),
    ])
}

const BUILD: [&str; 5] = ["build", "edge", "--no-builtin", "--catalog", "catalogue"];

fn built(project: &Project, more: &[&str]) -> String {
    project.good(&[&BUILD[..], more].concat())
}

#[test]
fn a_release_is_fetched_once_and_built_with_our_setters_and_overlays() {
    let upstream = upstream();
    let project = catalogue(&upstream);
    let listed = project.good(&["catalog", "list", "--catalog", "catalogue"]);
    assert!(listed.contains("Release v1.") && listed.contains("26.03"), "{listed}");
    let said = project.good(&["catalog", "fetch", "v1", "-o", "got", "--catalog", "catalogue"]);
    assert!(said.starts_with("v1: 2 components from 1 source, in got\n"), "{said}");
    upstream.remove();
    let ours = built(&project, &[]);
    assert!(ours.contains("name: settings") && !ours.contains("db:8.0"), "{ours}");
    let at_release = built(&project, &["--release", "got", "--set", "database.size=7Gi"]);
    for part in ["image: db:8.0", "storage: 7Gi", "namespace: shop", "ours: \"yes\"", "name: page"] {
        assert!(at_release.contains(part), "{part}: {at_release}");
    }
    assert!(!at_release.contains("name: settings"), "{at_release}");
    let stack = format!(
        "{KIND}Stack\nmetadata: {{name: s}}\nspec:\n  platform: edge\n  release: got\n  builtin: false\n  catalogues: [catalogue]\n"
    );
    project.write("kfc.yaml", &stack);
    assert_eq!(project.good(&["build", "kfc.yaml", "--set", "database.size=7Gi"]), at_release);
    assert_eq!(project.good(&["build", "kfc.yaml", "--release", "catalog"]), ours);
    let refused =
        project.bad(&[&BUILD[..], &["--release", "got", "--set", "database.flavour=other"]].concat());
    assert!(refused.contains("cannot be set in this release: upstream has one flavour"), "{refused}");
    project.write("got/vendor/more.txt", "");
    let tree = project.path("got/vendor");
    let tree = std::fs::read_dir(tree)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.is_dir())
        .unwrap();
    std::fs::write(tree.join("tree/apps/store/all.yaml"), "").unwrap();
    let refused = project.bad(&[&BUILD[..], &["--release", "got"]].concat());
    assert!(refused.contains("KFC1404"), "{refused}");
}

#[test]
fn a_checkout_stands_for_the_network_when_it_is_the_release() {
    let upstream = upstream();
    let project = catalogue(&upstream);
    let fetch = |from: &str| {
        project.run(&["catalog", "fetch", "v1", "-o", "got", "--catalog", "catalogue", "--from", from])
    };
    let clone = upstream.path().to_str().unwrap();
    assert!(fetch(clone).status.success(), "{}", text(&fetch(clone).stderr));
    let lock = project.read("got/kfc.lock");
    let tree = lock.split("tree: ").nth(1).unwrap().split_whitespace().next().unwrap().to_owned();
    let plain = project.path("plain");
    std::fs::create_dir_all(plain.join("apps/store")).unwrap();
    upstream.git(&["checkout", "--quiet", "v1"]);
    for name in ["kustomization.yaml", "all.yaml"] {
        let below = Path::new("apps/store").join(name);
        std::fs::copy(upstream.path().join(&below), plain.join(&below)).unwrap();
    }
    std::fs::remove_dir_all(project.path("got")).unwrap();
    let unknown = fetch("plain");
    assert!(
        text(&unknown.stderr).contains("the digest of the release is not known"),
        "{}",
        text(&unknown.stderr)
    );
    let map = project.read("catalogue/releases/v1.yaml");
    project.write(
        "catalogue/releases/v1.yaml",
        &map.replace("  components:", &format!("  tree: {tree}\n  components:")),
    );
    assert!(fetch("plain").status.success(), "{}", text(&fetch("plain").stderr));
    assert_eq!(project.read("got/kfc.lock"), lock);
    std::fs::remove_dir_all(project.path("got")).unwrap();
    std::fs::write(plain.join("more"), "").unwrap();
    let other = fetch("plain");
    assert!(text(&other.stderr).contains("KFC1017"), "{}", text(&other.stderr));
    assert!(!project.path("got/kfc.lock").exists());
}

#[test]
fn an_upgrade_says_what_to_save_and_which_versions_to_migrate_before_it_applies() {
    let upstream = upstream();
    let project = catalogue(&upstream);
    for name in ["v1", "v2"] {
        project.good(&["catalog", "fetch", name, "-o", name, "--catalog", "catalogue"]);
    }
    let upgrade = |from: &str, to: &str| {
        let arguments =
            ["upgrade", "edge", "--no-builtin", "--catalog", "catalogue", "--from", from, "--to", to];
        let output = project.run(&arguments);
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let (code, said, errors) = upgrade("./v1", "./v2");
    assert_eq!(code, Some(1), "{errors}");
    let expected = "\
From edge, ./v1 (4 resources) to edge, ./v2 (4 resources)

Data
  nothing that holds data is removed

Step 1: save data
  Deployment shop/db (database): db:8.0 → db:8.4, with the data of PVC data

Step 2: store custom resources in versions that stay, or the API server refuses their CRDs
  shelves.store.io (database): stored in v1alpha1, to be stored in v1
      kubectl patch crd shelves.store.io --type=json --patch='[{\"op\":\"replace\",\"path\":\"/spec/versions/0/storage\",\"value\":false},{\"op\":\"replace\",\"path\":\"/spec/versions/1/storage\",\"value\":true}]'
      [ -z \"$(kubectl get shelves.store.io --all-namespaces --output=name)\" ] || kubectl get shelves.store.io --all-namespaces --output=json | kubectl replace --filename=-
      kubectl patch crd shelves.store.io --subresource=status --type=merge --patch='{\"status\":{\"storedVersions\":[\"v1\"]}}'

Step 3: do by hand
  CustomResourceDefinition shelves.store.io (database): manifests and programs of your own that use store.io/v1alpha1 must use store.io/v1

Step 4: apply
      kfc apply edge --release=./v2 --catalog=catalogue --no-builtin
  database: 2 resources change
";
    assert_eq!(said, expected);
    let (code, said, _) = upgrade("./v1", "./v1");
    assert_eq!(code, Some(0), "{said}");
    let (code, said, _) = upgrade("./v1", "catalog");
    assert_eq!(code, Some(1));
    assert!(
        said.contains("the CRD of `Shelf` is removed: every `Shelf` in the cluster is deleted"),
        "{said}"
    );
}

#[test]
fn an_upgrade_of_a_stack_applies_the_new_release_and_says_what_to_change_in_its_file() {
    let upstream = upstream();
    let project = catalogue(&upstream);
    for name in ["v1", "v2"] {
        project.good(&["catalog", "fetch", name, "-o", name, "--catalog", "catalogue"]);
    }
    let stack = format!(
        "{KIND}Stack\nmetadata: {{name: s}}\nspec:\n  platform: edge\n  release: v1\n  builtin: false\n  catalogues: [catalogue]\n"
    );
    project.write("kfc.yaml", &stack);
    let upgrade = |arguments: &[&str]| {
        let output = project.run(&[&["upgrade", "."], arguments].concat());
        let (said, errors) = (text(&output.stdout), text(&output.stderr));
        assert_eq!(output.status.code(), Some(1), "{errors}");
        said
    };
    let said = upgrade(&["--to", "v2", "--set", "database.size=7Gi"]);
    let expected = "      kfc apply . --release=v2 --set=database.size=7Gi\n  \
                    then set `release: v2` in kfc.yaml, or the next apply goes back\n";
    assert!(said.contains(expected), "{said}");
    // The bases of the catalogue need the flag, too, as long as the file names a release.
    let said = upgrade(&[]);
    let expected = "      kfc apply . --release=catalog\n  then remove `release` from kfc.yaml, or the next apply goes back\n";
    assert!(said.contains(expected), "{said}");
}

#[test]
fn a_component_names_its_sources_and_the_lock_pins_them() {
    let upstream = upstream();
    let component = format!(
        "{KIND}Component\nmetadata: {{name: web}}\nspec:\n  stage: workbench\n  source:\n    git: {}\n    ref: v1\n    path: apps/store\n    only: [{{kind: Service}}]\n",
        upstream.url()
    );
    let defaults =
        format!("{KIND}Platform\nmetadata: {{name: defaults}}\nspec: {{role: abstract, declares: {{}}}}\n");
    let edge =
        format!("{KIND}Platform\nmetadata: {{name: edge}}\nspec: {{role: platform, components: [web]}}\n");
    let stack = format!(
        "{KIND}Stack\nmetadata: {{name: s}}\nspec: {{platform: edge, builtin: false, catalogues: [c]}}\n"
    );
    let project = Project::new(&[
        ("c/bases/web/component.yaml", &component),
        ("c/platforms/defaults.yaml", &defaults),
        ("c/platforms/edge.yaml", &edge),
        ("kfc.yaml", &stack),
    ]);
    assert!(project.good(&["vendor", "kfc.yaml"]).ends_with("kfc.lock has 1 source, 1 changed\n"));
    let commit = commit_of(&upstream, "v1");
    let lock = project.read("kfc.lock");
    assert!(lock.contains("ref: v1\n") && lock.contains(&commit), "{lock}");
    upstream.remove();
    let built = project.run_without_programs(&["build", "kfc.yaml"]);
    assert_eq!(text(&built.stderr), "");
    assert!(text(&built.stdout).contains("name: page") && !text(&built.stdout).contains("name: db"));
    project.good(&["vendor", "--check"]);
    project.write("c/bases/web/component.yaml", &component.replace("apps/store", "apps/shop"));
    let missing = project.bad(&["build", "kfc.yaml"]);
    assert!(missing.contains("c/bases/web/component.yaml:9:11"), "{missing}");
    project.write("c/bases/web/component.yaml", &format!("{component}  base: .\n"));
    let both = project.bad(&["build", "kfc.yaml"]);
    assert!(both.contains("a component has either `base` or `source`"), "{both}");
}

/// The names in a list of waves, and what waits for objects that are not in it.
fn awaited_in_vain(waves: &str) -> Vec<String> {
    let waves: serde_json::Value = serde_json::from_str(waves).unwrap();
    let waves = waves["waves"].as_array().unwrap();
    let resources = waves.iter().flat_map(|wave| wave["resources"].as_array().unwrap());
    let names: Vec<&str> = resources.map(|resource| resource["name"].as_str().unwrap()).collect();
    let commands = waves.iter().flat_map(|wave| wave["waitFor"].as_array().unwrap());
    let commands = commands.map(|command| command.as_str().unwrap().to_owned());
    let waits_in_vain = |command: &String| {
        let named = command.split_whitespace().filter(|word| !word.starts_with('-'));
        let mut named =
            named.filter_map(|word| word.split_once('/')).map(|(_, name)| name.trim_matches('\''));
        named.any(|name| !names.contains(&name))
    };
    commands.filter(waits_in_vain).collect()
}

/// Every profile that has a golden, from every release that is in a directory below `KFC_RELEASES`.
#[test]
#[ignore = "needs releases: KFC_RELEASES=DIR, with what `kfc catalog fetch NAME -o DIR/NAME` wrote"]
fn every_profile_builds_from_every_release() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let releases = std::env::var_os("KFC_RELEASES").unwrap();
    let directories = std::fs::read_dir(releases).unwrap().map(|entry| entry.unwrap().path());
    let mut directories: Vec<_> = directories.filter(|path| path.join("release.yaml").is_file()).collect();
    directories.sort();
    assert!(!directories.is_empty(), "there is no release");
    let goldens = std::fs::read_dir(top.join("golden")).unwrap().map(|entry| entry.unwrap().path());
    let goldens = goldens.filter(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    let mut profiles: Vec<String> =
        goldens.map(|path| path.file_stem().unwrap().to_string_lossy().into_owned()).collect();
    profiles.retain(|name| name != "targets");
    profiles.sort();
    let mut problems: Vec<String> = Vec::new();
    for directory in &directories {
        for profile in &profiles {
            let output = std::process::Command::new(env!("CARGO_BIN_EXE_kfc"))
                .args(["build", profile, "--offline", "--waves=json", "--release"])
                .arg(directory)
                .output()
                .unwrap();
            if output.status.success() {
                for command in awaited_in_vain(&text(&output.stdout)) {
                    let place = directory.display();
                    problems.push(format!("{place} {profile}: nothing satisfies `{command}`"));
                }
            } else {
                problems.push(format!("{} {profile}: {}", directory.display(), text(&output.stderr)));
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}
