//! Any bytes: the parser gives nodes or errors, and where the fast path reads a document the general parser reads the same.
#![no_main]

use kfc_diagnostics::SourceId;
use kfc_yaml::parse::{parse, parse_generally, parse_last_wins};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let fast = parse(text, SourceId::NONE);
    let general = parse_generally(text, SourceId::NONE);
    // Spaces behind the last line break belong to a block scalar in YAML 1.1 and not in 1.2: the fast path follows Go.
    let ends_in_spaces = text.trim_end_matches(' ').ends_with('\n') && text.ends_with(' ');
    // Of what stands between two lines `---`, only the general parser reads more than one document.
    let has_ends = text.lines().any(|line| line.starts_with("..."));
    if let (Ok(fast), Ok(general), false) = (&fast, &general, ends_in_spaces || has_ends) {
        assert_eq!(fast, general);
    }
    let _ = parse_last_wins(text, SourceId::NONE);
});
