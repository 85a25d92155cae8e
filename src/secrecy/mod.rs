//! The values of secrets stay out of everything that is said: reports, explanations, graphs, errors, source lines. What is
//! hidden, and what stands for it, is decided here and nowhere else. So is what may be said of texts of others
//! ([`Foreign`], [`mod@text`]).
//!
//! Of a Secret, names, labels, type and `immutable` are open and everything else is hidden, annotation values and fields
//! that no Secret has included ([`object`]). Where values are compared or looked at, `<hidden 1>` stands for each: numbered
//! in the order in which they appear, the same number for the same bytes, whether they were written in base64 or not
//! ([`Numbers`]). A number says nothing of a value, and nothing across two reports. Where a line of a source is shown,
//! stars cover the values in it ([`line`]).

pub(crate) mod address;
mod document;
mod foreign;
pub(crate) mod line;
pub(crate) mod message;
mod numbers;
pub(crate) mod object;
pub mod text;

pub use foreign::Foreign;
pub use numbers::Numbers;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::borrow::Cow;

/// Whether objects of a kind have values that are hidden: `Secret`, and what somebody may have written for it.
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
