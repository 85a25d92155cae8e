//! Hides the values of secrets in all output: reports, explanations, graphs, errors, source lines. Only this module decides
//! what is hidden and what replaces it. [`kfc_diagnostics::text`] does the same for credentials in texts of other programs
//! ([`kfc_diagnostics::Foreign`]).
//!
//! Of a Secret, names, labels, type and `immutable` are open and everything else is hidden, annotation values and fields
//! that no Secret has included ([`object`]). In comparisons and explanations, `<hidden 1>` replaces each: numbered
//! in the order in which they appear, the same number for the same bytes, written in base64 or not
//! ([`kfc_diagnostics::Numbers`]). A number reveals nothing about a value, and differs between reports. In source lines,
//! stars cover the values ([`mod@line`]). [`copied`] also finds what was copied out of Secrets into other objects.

pub mod copied;
mod document;
mod holding;
pub mod line;
pub mod message;
pub mod object;
mod redactor;

pub use holding::{came_from_secret, holds_secret};
pub use redactor::{Redactor, note_target, redacted, render, render_plain, render_run};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::borrow::Cow;

/// Whether objects of a kind have values that are hidden: `Secret`, and misspellings of it.
#[must_use]
pub fn is_secret(kind: &str) -> bool {
    ["Secret", "Secrets"].iter().any(|word| kind.trim().eq_ignore_ascii_case(word))
}

/// The bytes that a text stands for at a path of a Secret: values of `data` are in base64.
fn bytes_at<'t>(path: &[&str], text: &'t str) -> Cow<'t, [u8]> {
    if path.first() != Some(&"data") {
        return Cow::Borrowed(text.as_bytes());
    }
    let compact: String = text.split_whitespace().collect();
    STANDARD.decode(compact).map_or(Cow::Borrowed(text.as_bytes()), Cow::Owned)
}
