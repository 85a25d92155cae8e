//! Whatever a bundle holds, definitions with odd schemas and rules above all, validation ends and does not panic.

#![no_main]

use kfc_diagnostics::SourceId;
use kfc_kube::schema::Schema;
use kfc_kustomize::engine::read;
use kfc_kustomize::resource::objects;
use kfc_validate::{Options, validate};
use kfc_yaml::parse::parse;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let documents = parse(text, SourceId::NONE).unwrap_or_default();
    if let Ok(resources) = read::resources(documents, &Schema::builtin()) {
        drop(validate(&objects(&resources), &[], &Options::default()));
    }
});
