//! Any bytes: the parser gives nodes or errors, and where the fast path reads a document the general parser reads the same.
#![no_main]

use kfc::diagnostics::SourceId;
use kfc::yaml::parse::{parse, parse_generally, parse_last_wins};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let fast = parse(text, SourceId::NONE);
    let general = parse_generally(text, SourceId::NONE);
    if let (Ok(fast), Ok(general)) = (&fast, &general) {
        assert_eq!(fast, general);
    }
    let _ = parse_last_wins(text, SourceId::NONE);
});
