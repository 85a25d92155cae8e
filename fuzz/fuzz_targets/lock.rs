//! The lock and the list of a tree: what is read is written back the same, everything else is an error.
#![no_main]

use kfc_diagnostics::Sources;
use kfc_source::lock;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (id, _) = Sources::default().add("kfc.lock", text);
    if let Ok(lock) = lock::read(text, id) {
        assert_eq!(lock.text(), text.replace('\r', ""));
    }
    if let Ok(list) = lock::tree::read(text) {
        assert_eq!(lock::tree::write(&list), text);
    }
});
