//! A whole build of a kustomization with two files: a bundle or errors, never a panic. The three texts are parted by lines
//! of four equals signs.
#![no_main]

use kfc_diagnostics::{Sources, Style};
use kfc_kube::redaction::render;
use kfc_kustomize::engine::{Options, build};
use kfc_source::Surroundings;
use kfc_yaml::emit;
use libfuzzer_sys::fuzz_target;
use std::sync::Arc;

/// Nothing of this machine but its folders.
fn surroundings() -> Arc<Surroundings> {
    Arc::new(Surroundings::bare(std::env::current_dir().unwrap_or_default(), std::env::temp_dir()))
}

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    // A remote root would start git.
    if text.contains("//") || text.contains("git") {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let names = ["kustomization.yaml", "a.yaml", "b.yaml"];
    for (name, part) in names.iter().zip(text.split("====\n")) {
        std::fs::write(folder.path().join(name), part).expect("a file");
    }
    let sources = Arc::new(Sources::default());
    match build(&folder.path().to_string_lossy(), &Options::new(&surroundings()), &sources) {
        Ok(bundle) => {
            let nodes: Vec<_> = bundle.resources.list.iter().map(|resource| &resource.node).collect();
            let _ = emit::emit_all(&nodes);
        }
        Err(errors) => assert!(!render(&errors, &sources, Style { colour: true, width: 80 }).is_empty()),
    }
});
