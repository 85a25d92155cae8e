//! The two YAML parsers agree: on every YAML file of a folder, and on texts made at random.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

mod case;

use case::{trial, trial_over};
use kfc_diagnostics::SourceId;
use kfc_yaml::parse::{parse, parse_generally};
use kfc_yaml::{Node, emit};
use proptest::prelude::*;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

fn emitted(nodes: &[Node]) -> Option<Vec<u8>> {
    let refs: Vec<&Node> = nodes.iter().collect();
    Some(emit::emit_all(&refs).ok()?.concat())
}

fn both_parsers_read_every_file_alike(folder: &Path) {
    let is_yaml = |path: &Path| path.extension().is_some_and(|end| end == "yaml" || end == "yml");
    // Every fifth file is enough in a debug build.
    let every = if cfg!(debug_assertions) { 5 } else { 1 };
    let files = walkdir::WalkDir::new(folder).sort_by_file_name().into_iter().filter_map(Result::ok);
    let mut compared = 0;
    for entry in files.filter(|entry| is_yaml(entry.path())).step_by(every) {
        let Ok(text) = std::fs::read_to_string(entry.path()) else { continue };
        let (fast, general) = (parse(&text, SourceId::NONE), parse_generally(&text, SourceId::NONE));
        let (Ok(fast), Ok(general)) = (fast, general) else { continue };
        assert!(fast == general, "{} is read in two ways", entry.path().display());
        assert_eq!(emitted(&fast), emitted(&general), "{}", entry.path().display());
        compared += 1;
    }
    assert!(compared > 0, "no file was compared");
}

/// Lines that look like YAML, put together without care.
fn text() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        "[ ]{0,6}[a-c]{1,2}:( [a-z0-9.~]{0,6})?",
        "[ ]{0,6}- [a-c]{1,2}(: [a-z0-9]{0,4})?",
        "[ ]{0,6}- - [a-c]{0,2}",
        "[ ]{0,6}[a-c]: [|>][+-]?[1-3]?",
        "[ ]{0,8}[a-z \t#:'\"]{0,12}",
        "[ ]{0,4}[a-c]: (\"[a-z \\\\n]{0,6}\"|'[a-z ']{0,6}'|\\{[a-c: ,]{0,8}\\}|\\[[a-z ,]{0,8}\\])",
        "[ ]{0,4}# [a-z]{0,3}",
        Just(String::new()),
        Just("---".to_owned()),
    ];
    // What stands behind the last line break is read differently by YAML 1.1 and 1.2: every text ends with one.
    proptest::collection::vec(line, 0..12).prop_map(|lines| lines.join("\n") + "\n")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    fn texts_made_at_random_are_read_alike(text in text()) {
        let (fast, general) = (parse(&text, SourceId::NONE), parse_generally(&text, SourceId::NONE));
        if let (Ok(fast), Ok(general)) = (&fast, &general) {
            prop_assert_eq!(fast, general, "{:?}", text);
        }
    }

    fn what_is_emitted_is_read_as_the_same(text in text()) {
        if let Ok(nodes) = parse(&text, SourceId::NONE)
            && let Some(first) = emitted(&nodes) {
                let again = parse(std::str::from_utf8(&first).unwrap(), SourceId::NONE).unwrap();
                prop_assert_eq!(emitted(&again).unwrap_or_default(), first, "{:?}", text);
            }
    }
}

/// The directory to compare over, where it is not that of the corpora.
fn own_folder() -> Option<PathBuf> {
    std::env::var_os("KFC_YAML_FOLDER").map(PathBuf::from)
}

fn main() -> ExitCode {
    let name = "both_parsers_read_every_file_alike";
    let every_file = match own_folder() {
        Some(_) => trial(name, || both_parsers_read_every_file_alike(&own_folder().unwrap())),
        None => trial_over(name, "corpora", both_parsers_read_every_file_alike),
    };
    case::run(vec![
        every_file,
        trial("texts_made_at_random_are_read_alike", texts_made_at_random_are_read_alike),
        trial("what_is_emitted_is_read_as_the_same", what_is_emitted_is_read_as_the_same),
    ])
}
