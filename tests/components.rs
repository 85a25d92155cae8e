//! The built-in catalogue as a whole: every component on every platform, and nothing in it that has no effect.

#![allow(clippy::unwrap_used, clippy::panic)]

mod setting;

use kfc::catalogue::{Component, DEFAULTS, Parameter, Role, Stack, to_json};
use kfc::diagnostics::Mark;
use kfc::yaml::Node;
use setting::{Setting, setting};
use std::path::Path;
use std::process::Command;

/// Components that stand for one another: at most one of each line can take part.
const CHOICES: [&[&str]; 3] = [
    &["mysql", "cloud-sql", "rds", "azure-mysql"],
    &["seaweedfs", "gcs", "s3", "azure-blob"],
    &["dex", "external-issuer"],
];

fn layers(setting: &Setting, role: Role) -> Vec<String> {
    let layers = setting.catalogue.layers.values().filter(|layer| layer.role == role);
    layers.map(|layer| layer.name.text.clone()).collect()
}

/// All components but the device plug-ins, which the profile decides on, and those that stand for another.
fn everything(setting: &Setting) -> Vec<String> {
    let choices: Vec<&str> = CHOICES.iter().flat_map(|choice| choice.iter().copied()).collect();
    let is_meant = |component: &&Component| {
        let name = component.name.text.as_str();
        !choices.contains(&name) && !component.provides.iter().any(|c| c.text == "accelerator-device-plugin")
    };
    setting.catalogue.components.values().filter(is_meant).map(|c| c.name.text.clone()).collect()
}

#[test]
fn every_component_fits_every_platform() {
    let setting = setting();
    let all = everything(&setting);
    assert!(all.len() > 30, "only {} components", all.len());
    for platform in layers(&setting, Role::Platform) {
        let accelerated = if platform == "kind" { platform.clone() } else { format!("{platform}+gpu") };
        for profile in [platform, accelerated] {
            let resources = setting.resources(&Stack::of_profile(&profile).with_components(&all));
            setting.check(&profile, &resources);
        }
    }
}

#[test]
fn every_component_builds_alone() {
    let setting = setting();
    for name in everything(&setting) {
        let resources = setting.resources(&Stack::of_profile("onprem").with_components([&name]));
        setting.check(&name, &resources);
    }
}

#[test]
fn the_services_of_clouds_and_an_issuer_of_ones_own_build() {
    let cases: [&[&str]; 5] = [
        &[
            "gke+managed",
            "cloud-sql.instance=project:region:name",
            "cloudIdentity=kfc@project.iam.gserviceaccount.com",
        ],
        &[
            "aws+managed",
            "rds.host=db.example.com",
            "s3.region=eu-west-1",
            "cloudIdentity=arn:aws:iam::1:role/kfc",
        ],
        &[
            "azure+managed",
            "azure-mysql.host=db.example.com",
            "azure-blob.account=example",
            "cloudIdentity=0-0-0-0",
        ],
        &["onprem", "facts.services.issuer=external", "external-issuer.issuer=https://login.example.com"],
        &["onprem", "pipelines.bucket=ml", "seaweedfs.bucket=ml", "user=a@b.c"],
    ];
    for case in cases {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kfc"));
        command.args(["build", case[0]]);
        for setting in &case[1..] {
            command.args(["--set", setting]);
        }
        let output = command.output().unwrap();
        assert!(output.status.success(), "{case:?}: {}", String::from_utf8_lossy(&output.stderr));
        let bundle = String::from_utf8(output.stdout).unwrap();
        for value in case[1..].iter().filter_map(|setting| setting.split_once('=')) {
            let lands = value.0.starts_with("facts.") || bundle.contains(value.1);
            assert!(lands, "{case:?}: `{}` is nowhere in the bundle", value.1);
        }
    }
}

/// All text of expressions that a component, or an overlay, or a layer has.
fn expressions(node: &Node, out: &mut String) {
    if let Some(map) = node.as_map() {
        map.iter().for_each(|entry| expressions(&entry.value, out));
    } else if let Some(items) = node.as_seq() {
        items.iter().for_each(|item| expressions(item, out));
    } else {
        out.push_str(node.as_text().unwrap_or_default());
        out.push('\n');
    }
}

/// The files of the catalogue, without the declarations of parameters and facts themselves.
fn text_of_catalogue() -> String {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut out = String::new();
    for folder in ["bases", "overlays", "platforms"] {
        for entry in walkdir::WalkDir::new(top.join(folder)).into_iter().filter_map(Result::ok) {
            let name = entry.file_name().to_string_lossy().into_owned();
            if matches!(name.as_str(), "component.yaml" | "overlay.yaml")
                || folder == "platforms" && name.ends_with(".yaml")
            {
                let text = std::fs::read_to_string(entry.path()).unwrap();
                let nodes = kfc::yaml::parse::parse(&text, kfc::diagnostics::SourceId::NONE).unwrap();
                expressions(&nodes[0], &mut out);
            }
        }
    }
    out
}

#[test]
fn every_parameter_and_fact_has_an_effect() {
    let setting = setting();
    let text = text_of_catalogue();
    let defaults = &setting.catalogue.layers[DEFAULTS];
    // What kfc itself reads, not an overlay.
    let by_kfc = ["kubernetes"];
    for fact in defaults.declares.iter().filter(|fact| !by_kfc.contains(&fact.name.text.as_str())) {
        assert!(text.contains(&fact.name.text), "no expression has the fact `{}`", fact.name.text);
    }
    let is_used = |parameter: &Parameter, component: Option<&str>| {
        let name = &parameter.name.text;
        let of_overlay =
            component.map(|c| [format!("parameters.{c}.{name}"), format!("parameters['{c}'].{name}")]);
        text.contains(&format!("parameters.{name}"))
            || of_overlay.is_some_and(|names| names.iter().any(|n| text.contains(n)))
    };
    for parameter in &defaults.parameters {
        assert!(is_used(parameter, None), "no expression has the parameter `{}`", parameter.name.text);
    }
    for component in setting.catalogue.components.values() {
        for parameter in &component.parameters {
            let name = component.name.text.as_str();
            assert!(is_used(parameter, Some(name)), "nothing uses `{name}.{}`", parameter.name.text);
            assert!(
                parameter.schema.get("description").is_some(),
                "`{name}.{}` says nothing of itself",
                parameter.name.text
            );
            assert!(parameter.name.mark != Mark::NONE);
        }
    }
}

#[test]
fn every_manifest_of_the_catalogue_is_listed_by_its_kustomization() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    for folder in ["bases", "overlays"] {
        for entry in walkdir::WalkDir::new(top.join(folder)).into_iter().filter_map(Result::ok) {
            let name = entry.file_name().to_string_lossy().into_owned();
            if !entry.file_type().is_file()
                || ["kustomization.yaml", "component.yaml", "overlay.yaml"].contains(&name.as_str())
            {
                continue;
            }
            let beside = entry.path().with_file_name("kustomization.yaml");
            let text = std::fs::read_to_string(&beside).unwrap();
            let listed =
                to_json(&kfc::yaml::parse::parse(&text, kfc::diagnostics::SourceId::NONE).unwrap()[0])
                    .to_string();
            assert!(listed.contains(&name), "{} is listed nowhere", entry.path().display());
        }
    }
}
