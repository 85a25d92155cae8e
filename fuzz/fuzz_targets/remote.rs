//! What comes from elsewhere: URLs, indexes of chart repositories, manifests of registries, archives. Nothing is ever
//! written outside the folder that an archive is unpacked into.
#![no_main]

use kfc_source::RemoteRoot;
use kfc_source::lock::tree;
use kfc_source::remote::{archive, chart, oci};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(text) = std::str::from_utf8(data) {
        if let Some(Ok(root)) = RemoteRoot::parse(text) {
            assert!(!root.path.split('/').any(|part| part == "..") || !root.path.starts_with(".."));
        }
    }
    let _ = chart::releases(data, "web");
    let _ = oci::read_manifest(data);
    let above = tempfile::tempdir().expect("a folder");
    let into = above.path().join("into");
    std::fs::create_dir(&into).expect("a folder");
    let limits = archive::Limits { bytes: 1 << 20, files: 100 };
    if archive::unpack(data, &into, &limits).is_ok() {
        tree::list(&into, false).expect("what was unpacked may be vendored");
    }
    assert_eq!(std::fs::read_dir(above.path()).expect("a folder").count(), 1);
});
