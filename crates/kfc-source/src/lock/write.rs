//! Writes a lock. The text depends only on the lock.

use super::file::{Entry, Lock, VERSION};
use super::tree;
use crate::source::Source;
use std::fmt::Write as _;

const HEADER: &str = "\
# What every remote source of the targets below was when it was vendored. Written by `kfc vendor`; builds read the trees in
# vendor/ and nothing else, after a check of every file. Do not edit: the seal tells. `kfc vendor --update` renews it.
";

/// The text of a lock.
pub(super) fn write(lock: &Lock) -> String {
    let mut text = HEADER.to_owned();
    push(&mut text, "", "version", VERSION);
    for (name, is_empty) in [("targets", lock.targets.is_empty()), ("sources", lock.entries.is_empty())] {
        text.push_str(name);
        text.push_str(if is_empty { ": []\n" } else { ":\n" });
        match name {
            "targets" => lock.targets.iter().for_each(|target| {
                text.push_str("- ");
                text.push_str(&quoted(target));
                text.push('\n');
            }),
            _ => lock.entries.iter().for_each(|entry| push_entry(&mut text, entry)),
        }
    }
    let seal = seal(&text);
    push(&mut text, "", "seal", &seal);
    text
}

/// The seal of the text before it, for any line ends.
pub(super) fn seal(text: &str) -> String {
    format!("sha256:{}", tree::sha256(text.replace('\r', "").as_bytes()))
}

fn push_entry(text: &mut String, entry: &Entry) {
    let pin = &entry.pin;
    let fields: Vec<(&str, &str)> = match &entry.source {
        Source::Git { repository, reference, submodules } => vec![
            ("git", repository),
            ("ref", reference),
            ("submodules", if *submodules { "" } else { "false" }),
            ("commit", &pin.revision),
        ],
        Source::File { url } => vec![("file", url)],
        Source::Chart { repository, name, version } => vec![
            ("chart", name),
            ("repository", repository),
            ("version", version),
            ("resolved", &pin.revision),
            ("archive", &pin.archive),
        ],
        Source::Oci { repository, reference } => {
            vec![("oci", repository), ("ref", reference), ("manifest", &pin.revision)]
        }
    };
    let mut indent = "- ";
    for (name, value) in fields.into_iter().filter(|(_, value)| !value.is_empty()) {
        match name {
            "archive" => push(text, indent, name, &format!("sha256:{value}")),
            "submodules" => push(text, indent, name, value),
            _ => push(text, indent, name, &quoted(value)),
        }
        indent = "  ";
    }
    push(text, indent, "tree", &format!("sha256:{}", entry.tree));
}

fn push(text: &mut String, indent: &str, name: &str, value: &str) {
    for part in [indent, name, ": ", value, "\n"] {
        text.push_str(part);
    }
}

/// A text as YAML reads it back as that text: in quotes, unless it is certainly a plain word.
fn quoted(text: &str) -> String {
    let is_word = |c: char| c.is_ascii_alphanumeric() || "-_./@+".contains(c);
    let starts_well = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/');
    let address = text.split_once("://").map_or(text, |(_, rest)| rest);
    let reserved = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    if starts_well
        && address.chars().all(is_word)
        && !address.is_empty()
        && !reserved.contains(&text.to_ascii_lowercase().as_str())
    {
        return text.to_owned();
    }
    let mut result = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                result.push('\\');
                result.push(c);
            }
            c if c.is_control() || c == '\u{feff}' || ('\u{2028}'..='\u{2029}').contains(&c) => {
                let _ = write!(result, "\\u{:04x}", u32::from(c));
            }
            c => result.push(c),
        }
    }
    result.push('"');
    result
}
