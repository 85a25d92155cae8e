//! What is emitted parses to the same output again.
#![no_main]

use kfc_diagnostics::SourceId;
use kfc_yaml::{Node, emit, parse};
use libfuzzer_sys::fuzz_target;

fn emitted(node: &Node) -> Option<String> {
    let mut out = Vec::new();
    emit::emit(node, &mut out).ok()?;
    Some(String::from_utf8(out).expect("the output is text"))
}

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    // Line breaks of YAML 1.1 alone are written raw, as libyaml does, and read as YAML 1.2 has them.
    if text.contains(['\u{85}', '\u{2028}', '\u{2029}']) || text.contains('\\') {
        return;
    }
    let Ok(nodes) = parse::parse(text, SourceId::NONE) else { return };
    for node in &nodes {
        let Some(first) = emitted(node) else { continue };
        let again =
            parse::parse(&first, SourceId::NONE).unwrap_or_else(|errors| panic!("{first:?}: {errors:?}"));
        let second: String = again.iter().filter_map(emitted).collect();
        assert!(again.is_empty() || first == second, "{first:?}\n{second:?}");
    }
});
