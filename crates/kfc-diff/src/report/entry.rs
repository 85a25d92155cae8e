//! One entry of a report for programs: a rule, what it found in which resource, and the line of source. What differs
//! between two bundles and what a validation finds are both written from this, in every format for programs.

use base16ct::lower;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

/// Digits of a fingerprint.
const FINGERPRINT: usize = 16;

/// How bad an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// For information.
    Note,
    /// To be checked.
    Warning,
    /// To be fixed.
    Error,
    /// Something may be lost for ever.
    Critical,
}

/// A line of source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub file: String,
    /// Line, from 1.
    pub line: u32,
    /// Column, from 1; none for the whole line.
    pub column: Option<u32>,
}

/// What entries are grouped by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its name, or a code.
    pub id: String,
    /// A description that is readable without context; empty when the name says it.
    pub description: String,
    /// Where more can be read; empty when there is nothing more.
    pub help: String,
}

/// One thing that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The rule's id.
    pub rule: String,
    /// How bad it is.
    pub level: Level,
    /// What is wrong, with the resource, in one line.
    pub message: String,
    /// The resource, and the path of the field in it.
    pub subject: String,
    /// Where it comes from: programs refuse entries without a file, so the bundle is named when nothing else is known.
    pub place: Place,
}

impl Entry {
    /// The same finding has the same fingerprint in every run.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        hash(&format!("{} {}", self.rule, self.subject))
    }
}

/// The start of a text's digest.
pub(super) fn hash(text: &str) -> String {
    lower::encode_string(&Sha256::digest(text)[..FINGERPRINT / 2])
}

/// A path as a relative reference: reserved characters are percent-encoded.
pub(super) fn uri(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' | b'~' | b'+' => {
                out.push(char::from(byte));
            }
            _ => drop(write!(out, "%{byte:02X}")),
        }
    }
    out
}
