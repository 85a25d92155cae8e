//! The built-in catalogue, held against its schemas, its goldens, and what an API server would say of them.

#![allow(clippy::unwrap_used, clippy::panic)]

use kfc::assemble::assemble;
use kfc::catalogue::{Catalogue, Role, Stack, schema, to_json};
use kfc::check;
use kfc::diagnostics::{Diagnostics, SourceId, Sources, Style, render};
use kfc::golden;
use kfc::resolve::resolve;
use kfc::resource::Resource;
use kfc::sources::{Loader, Options};
use kfc::yaml::parse::parse;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

struct Setting {
    sources: Arc<Sources>,
    loader: Loader,
    catalogue: Catalogue,
}

fn setting() -> Setting {
    let sources = Arc::new(Sources::default());
    let loader = Loader::here(Options::default(), &sources);
    let catalogue = Catalogue::load(&loader, &[]);
    let catalogue = catalogue.unwrap_or_else(|errors| panic!("{}", shown(&errors, &sources)));
    Setting { sources, loader, catalogue }
}

fn shown(diagnostics: &Diagnostics, sources: &Sources) -> String {
    render(diagnostics, sources, Style { colour: false, width: 140, run: "build" })
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("golden")
}

fn bundle(setting: &Setting, profile: &str) -> Vec<Resource> {
    let stack = Stack::of_profile(profile);
    let plan = resolve(&setting.catalogue, &stack);
    let plan = plan.unwrap_or_else(|errors| panic!("{}", shown(&errors, &setting.sources)));
    let assembled = assemble(&plan, &stack, &setting.loader);
    let assembled = assembled.unwrap_or_else(|errors| panic!("{}", shown(&errors, &setting.sources)));
    assembled.bundle.resources.list
}

#[test]
fn every_golden_is_what_is_built_now() {
    let setting = setting();
    let profiles = golden::profiles(&folder());
    assert!(profiles.len() >= 15, "only {} goldens", profiles.len());
    for profile in profiles {
        let built = golden::render(&setting.catalogue, &profile, &setting.loader);
        let built = built.unwrap_or_else(|errors| panic!("{}", shown(&errors, &setting.sources)));
        let golden = std::fs::read_to_string(golden::file(&folder(), &profile)).unwrap();
        if let Some(difference) = golden::difference(&profile, &golden, &built) {
            panic!("run `kfc golden update {profile}` when this is meant:\n{difference}");
        }
    }
}

#[test]
fn no_golden_has_dangling_references_or_a_wrong_order_or_unstructural_definitions() {
    let setting = setting();
    for profile in golden::profiles(&folder()) {
        let resources = bundle(&setting, &profile);
        let mut found = check::references(&resources);
        found.extend(check::order(&resources));
        found.extend(check::structural(&resources));
        assert!(found.is_empty(), "{profile}: {}", shown(&found, &setting.sources));
    }
}

#[test]
fn every_profile_builds_or_says_why_not() {
    let setting = setting();
    let of = |role: Role| {
        let layers = setting.catalogue.layers.values().filter(move |layer| layer.role == role);
        layers.map(|layer| layer.name.text.clone()).collect::<Vec<_>>()
    };
    let (mut built, mut refused) = (0, 0);
    for platform in of(Role::Platform) {
        for accelerator in of(Role::Accelerator) {
            for architecture in of(Role::Architecture) {
                let profile = format!("{platform}+{accelerator}+{architecture}");
                match golden::render(&setting.catalogue, &profile, &setting.loader) {
                    Ok(_) => built += 1,
                    Err(errors) => {
                        refused += 1;
                        let is_reason =
                            |e: &kfc::diagnostics::Diagnostic| e.code == kfc::diagnostics::Code::Unsupported;
                        assert!(errors.0.iter().all(is_reason), "{}", shown(&errors, &setting.sources));
                    }
                }
            }
        }
    }
    assert!(built >= 30 && refused >= 10, "{built} profiles build, {refused} are refused");
}

#[test]
fn every_file_of_the_catalogue_fits_its_schema() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut checked = 0;
    for (folder, file, kind) in [
        ("bases", "component.yaml", "component"),
        ("overlays", "overlay.yaml", "overlay"),
        ("platforms", "", "platform"),
        ("tests/cases/stack-file/input", "kfc.yaml", "stack"),
    ] {
        let schema: serde_json::Value = serde_json::from_str(schema::of(kind).unwrap()).unwrap();
        let validator = jsonschema::validator_for(&schema).unwrap();
        let files = walkdir::WalkDir::new(top.join(folder)).into_iter().filter_map(Result::ok);
        let is_meant = |name: &str| name.ends_with(".yaml") && (file.is_empty() || name == file);
        for entry in files.filter(|entry| is_meant(&entry.file_name().to_string_lossy())) {
            let text = std::fs::read_to_string(entry.path()).unwrap();
            let value = to_json(&parse(&text, SourceId::NONE).unwrap()[0]);
            let errors: Vec<String> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
            assert!(errors.is_empty(), "{}: {errors:?}", entry.path().display());
            let mut wrong = value;
            wrong["spec"]["unheard"] = serde_json::json!(1);
            assert!(!validator.is_valid(&wrong), "{kind}: an unknown field passes");
            checked += 1;
        }
    }
    assert!(checked > 50, "only {checked} files");
}

/// The bundle as the program prints it, with these variables, in this folder.
fn printed(profile: &str, jobs: &str, variables: &[(&str, &str)], folder: &Path) -> Vec<u8> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kfc"));
    command.args(["build", profile, "--jobs", jobs]).current_dir(folder);
    let output = command.envs(variables.iter().copied()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

#[test]
fn threads_locale_and_folder_change_no_byte() {
    let elsewhere = tempfile::tempdir().unwrap();
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let first = printed("gke+gpu", "1", &[("LC_ALL", "C"), ("TZ", "UTC")], here);
    let again = printed("gke+gpu", "1", &[("LC_ALL", "C"), ("TZ", "UTC")], here);
    let other = printed("gke+gpu", "8", &[("LC_ALL", "tr_TR.UTF-8"), ("TZ", "Asia/Tokyo")], elsewhere.path());
    assert!(first == again, "two runs differ");
    assert!(first == other, "threads, locale or folder make a difference");
}
