//! What the tests of documents share: the blocks of a page, and YAML of them.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]
#![allow(dead_code, reason = "each program that has it uses part of it")]

use kfc_diagnostics::SourceId;
use kfc_yaml::parse;
use kfc_yaml::value::to_json;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// A file of the project.
pub(crate) fn file(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The text of a file of the project.
pub(crate) fn text(path: &str) -> String {
    std::fs::read_to_string(file(path)).unwrap()
}

/// The blocks of one language on a page, in order.
pub(crate) fn blocks(page: &str, language: &str) -> Vec<String> {
    let page = text(page);
    let start = format!("```{language}\n");
    let blocks: Vec<String> =
        page.split(&start).skip(1).map(|rest| rest.split("```").next().unwrap().to_owned()).collect();
    assert!(!blocks.is_empty(), "no block found");
    blocks
}

/// The block that has a text in it.
pub(crate) fn block(page: &str, language: &str, has: &str) -> String {
    let found = blocks(page, language).into_iter().find(|block| block.contains(has));
    found.unwrap_or_else(|| unreachable!("{page} has no block with `{has}`"))
}

/// The documents of a YAML text.
pub(crate) fn yaml(text: &str) -> Vec<Value> {
    parse::parse(text, SourceId(0))
        .unwrap_or_else(|errors| unreachable!("{errors:?}\n{text}"))
        .iter()
        .map(to_json)
        .collect()
}

/// The strings of a list.
pub(crate) fn strings(value: &Value) -> Vec<String> {
    value.as_array().unwrap().iter().map(|item| item.as_str().unwrap().to_owned()).collect()
}
