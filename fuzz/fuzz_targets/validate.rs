//! Whatever a bundle holds, definitions with odd schemas and rules above all, validation ends and does not panic.

#![no_main]

use kfc::build::read;
use kfc::diagnostics::SourceId;
use kfc::schema::Schema;
use kfc::validate::{Options, validate};
use kfc::yaml::parse::parse;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let documents = parse(text, SourceId::NONE).unwrap_or_default();
    if let Ok(resources) = read::resources(documents, &Schema::builtin()) {
        drop(validate(&resources, &[], &Options::default()));
    }
});
