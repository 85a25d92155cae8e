//! The built-in catalogue, held against its schemas, its goldens, and what an API server would say of them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by a panic")]

mod setting;

use kfc_catalogue::assemble::assemble;
use kfc_catalogue::catalogue::{Role, Stack};
use kfc_catalogue::golden::{self, Golden, Schemas};
use kfc_catalogue::resolve::resolve;
use kfc_diagnostics::Code;
use rayon::prelude::*;
use setting::{setting, shown};
use std::path::{Path, PathBuf};
use std::process::Command;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("golden")
}

#[test]
fn every_golden_is_what_is_built_now_in_an_order_that_can_be_applied() {
    let setting = setting();
    let profiles = golden::names(&folder());
    assert!(profiles.len() >= 15, "only {} goldens", profiles.len());
    let surroundings = &setting.loader.options().surroundings;
    let schemas = Schemas::read(&folder(), surroundings, &setting.sources).unwrap();
    profiles.par_iter().for_each(|profile| {
        let resources = setting.resources(&Stack::of_profile(profile));
        let found = kfc_validate::bundle::order(&kfc_kustomize::resource::objects(&resources));
        let messages: Vec<&str> = found.iter().map(|one| one.diagnostic.message.as_str()).collect();
        assert_eq!(messages, [""; 0], "{profile}");
        let built = Golden::of(&resources).unwrap();
        let golden = std::fs::read_to_string(golden::file(&folder(), profile)).unwrap();
        if let Some(difference) = golden::difference(profile, &golden, &built.text) {
            panic!("run `kfc golden update {profile}` when this is meant:\n{difference}");
        }
        assert!(schemas.has(&built.schemas), "{}/{} has other schemas", folder().display(), golden::SCHEMAS);
    });
}

#[test]
fn the_order_is_no_accident() {
    let setting = setting();
    let mut resources = setting.resources(&Stack::of_profile("kind"));
    resources.reverse();
    let found = kfc_validate::bundle::order(&kfc_kustomize::resource::objects(&resources));
    for kind in ["Namespace", "CustomResourceDefinition", "ServiceAccount", "Role", "ConfigMap", "Secret"] {
        let before = format!("comes before {kind} ");
        assert!(found.iter().any(|one| one.diagnostic.message.contains(&before)), "no {kind} is missed");
    }
}

#[test]
fn every_profile_builds_or_says_why_not() {
    let setting = setting();
    let of = |role: Role| {
        let layers = setting.catalogue.layers.values().filter(move |layer| layer.role == role);
        layers.map(|layer| layer.name.value.clone()).collect::<Vec<_>>()
    };
    let (accelerators, architectures) = (of(Role::Accelerator), of(Role::Architecture));
    let mut profiles = Vec::new();
    for platform in of(Role::Platform) {
        for accelerator in &accelerators {
            profiles.extend(architectures.iter().map(|it| format!("{platform}+{accelerator}+{it}")));
        }
    }
    let builds = |profile: &&String| {
        let stack = Stack::of_profile(profile);
        let built =
            resolve(&setting.catalogue, &stack).and_then(|plan| assemble(&plan, &stack, &setting.loader));
        let Err(errors) = built else { return true };
        let is_reason = errors.0.iter().all(|error| error.code == Code::Unsupported);
        assert!(is_reason, "{profile}: {}", shown(&errors, &setting.sources));
        false
    };
    let built = profiles.par_iter().filter(builds).count();
    let refused = profiles.len() - built;
    assert!(built >= 30 && refused >= 10, "{built} profiles build, {refused} are refused");
}

/// The bundle as the program prints it, with these arguments and variables, in this folder.
fn printed(arguments: &[&str], variables: &[(&str, &str)], folder: &Path) -> Vec<u8> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kfc"));
    command.arg("build").args(arguments).current_dir(folder);
    let output = command.envs(variables.iter().copied()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn copy(from: &Path, to: &Path) {
    for entry in walkdir::WalkDir::new(from).into_iter().filter_map(Result::ok) {
        let target = to.join(entry.path().strip_prefix(from).unwrap());
        if entry.file_type().is_dir() {
            std::fs::create_dir_all(target).unwrap();
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn threads_locale_and_folder_change_no_byte() {
    let elsewhere = tempfile::tempdir().unwrap();
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    for profile in ["gke+gpu", "minikube"] {
        let plain = [("LC_ALL", "C"), ("TZ", "UTC")];
        let first = printed(&[profile, "--jobs", "1"], &plain, here);
        let again = printed(&[profile, "--jobs", "1"], &plain, here);
        let variables = [("LC_ALL", "tr_TR.UTF-8"), ("TZ", "Asia/Tokyo")];
        let other = printed(&[profile, "--jobs", "8"], &variables, elsewhere.path());
        assert!(first == again, "two runs differ");
        assert!(first == other, "threads, locale or folder make a difference");
    }
}

#[test]
fn a_copy_of_the_catalogue_in_another_folder_gives_the_same_bytes() {
    let elsewhere = tempfile::tempdir().unwrap();
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let built_in = printed(&["aws+gpu"], &[], here);
    for name in ["copy", "a copy/deeper"] {
        let copied = elsewhere.path().join(name);
        for folder in ["bases", "overlays", "platforms"] {
            copy(&here.join(folder), &copied.join(folder));
        }
        let copied = copied.to_string_lossy();
        let on_top = printed(&["aws+gpu", "--catalog", &copied], &[], elsewhere.path());
        assert!(on_top == built_in, "a catalogue on top in `{name}` makes a difference");
        let alone = printed(&["aws+gpu", "--catalog", &copied, "--no-builtin", "--jobs", "8"], &[], here);
        assert!(alone == built_in, "a catalogue alone in `{name}` makes a difference");
    }
}

/// What `kfc` prints and says in a folder, with its exit code.
fn run(folder: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output =
        Command::new(env!("CARGO_BIN_EXE_kfc")).args(arguments).current_dir(folder).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn stacks_and_roots_have_goldens_too() {
    let folder = tempfile::tempdir().unwrap();
    let top = folder.path();
    let write = |path: &str, text: &str| {
        std::fs::create_dir_all(top.join(path).parent().unwrap()).unwrap();
        std::fs::write(top.join(path), text).unwrap();
    };
    let stack = |component: &str| {
        format!(
            "apiVersion: kfc.dev/v1alpha1\nkind: Stack\nmetadata: {{name: ml}}\n\
             spec: {{platform: kind, components: [{component}]}}\n"
        )
    };
    write("kfc.yaml", &stack("kubeflow-roles"));
    write("overlays/prod/kustomization.yaml", "resources: [map.yaml]\n");
    write("overlays/prod/map.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n");

    assert_eq!(run(top, &["golden", "update", "kind"]).0, Some(0));
    let (code, _, said) = run(top, &["golden", "check"]);
    assert!(code == Some(1) && said.contains("the stack in `kfc.yaml` has no golden"), "{said}");
    let (code, _, said) = run(top, &["golden", "check", "overlays/prod"]);
    assert!(code == Some(1) && said.contains("`overlays/prod` has no golden"), "{said}");

    let (code, printed, said) = run(top, &["golden", "update", ".", "overlays/prod"]);
    assert_eq!((code, said.as_str()), (Some(0), ""));
    assert_eq!(printed, "same: golden/schemas.types\nnew: golden/ml.yaml\nnew: golden/overlays-prod.yaml\n");
    let (code, printed, said) = run(top, &["golden", "check"]);
    assert_eq!((code, printed.as_str()), (Some(0), "3 goldens are up to date\n"), "{said}");
    assert_eq!(run(top, &["diff", "golden", "./overlays/prod"]).0, Some(0));
    assert_eq!(run(top, &["golden", "check", "ml", "./overlays/prod/"]).1, "2 goldens are up to date\n");

    write("kfc.yaml", &stack("kubeflow-namespace"));
    let (code, _, said) = run(top, &["golden", "check"]);
    assert!(code == Some(1) && said.contains("the golden of `ml` differs"), "{said}");
    assert_eq!(run(top, &["golden", "update"]).0, Some(0));
    std::fs::remove_file(top.join("golden/overlays-prod.yaml")).unwrap();
    let (code, _, said) = run(top, &["golden", "check"]);
    assert!(code == Some(1) && said.contains("golden/overlays-prod.yaml"), "{said}");
}

/// `.ci/run` does this with every profile, in seconds, with the program that is shipped.
#[test]
fn what_init_writes_is_strictly_valid() {
    let folder = tempfile::tempdir().unwrap();
    for profile in ["gke+gpu", "kind", "openshift"] {
        let name = profile.replace('+', "-");
        let (code, _, said) = run(folder.path(), &["init", profile, &name]);
        assert_eq!(code, Some(0), "{profile}: {said}");
        let (code, _, said) = run(folder.path(), &["validate", &name, "--strict", "--complete"]);
        assert_eq!(code, Some(0), "{profile}: {said}");
    }
}

#[test]
fn a_field_that_a_schema_no_longer_has_is_reported_as_removed() {
    let folder = tempfile::tempdir().unwrap();
    let top = folder.path();
    assert_eq!(run(top, &["golden", "update", "kind"]).0, Some(0));
    let schemas = top.join("golden").join(golden::SCHEMAS);
    let written = std::fs::read_to_string(&schemas).unwrap();
    let field = "  apiVersion string\n";
    std::fs::write(&schemas, written.replacen(field, &format!("{field}  apiWersion string\n"), 1)).unwrap();
    let removed = "`apiWersion` is removed";
    let (code, printed, said) = run(top, &["golden", "check"]);
    assert!(code == Some(1) && printed.contains(removed), "{printed}{said}");
    let (_, printed, said) = run(top, &["diff", "golden", "kind"]);
    assert!(printed.contains(removed), "{printed}{said}");

    std::fs::remove_file(&schemas).unwrap();
    let (code, _, said) = run(top, &["golden", "check"]);
    assert!(code == Some(1) && said.contains("`schemas.types` does not have the schema"), "{said}");
    assert_eq!(run(top, &["golden", "update"]).0, Some(0));
    assert_eq!(std::fs::read_to_string(&schemas).unwrap(), written);
}
