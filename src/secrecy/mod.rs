//! The values of secrets stay out of everything that is said: reports, explanations, errors, source lines. What is hidden,
//! and what stands for it, is decided here and nowhere else.
//!
//! A Secret's values stand below `data` and `stringData`, and in the annotation in which kubectl keeps a copy of what was
//! applied. Where they are compared or looked at, a digest stands for each: the same for the same bytes, whether they were
//! written in base64 or not. Where a line of a source is shown, stars cover them ([`line`]).

pub(crate) mod line;
pub(crate) mod message;
pub(crate) mod object;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

/// Where kubectl keeps a copy of what was applied.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Bytes of a digest that are shown.
const SHOWN: usize = 6;

/// Whether objects of a kind have values that are hidden.
#[must_use]
pub fn is_secret(kind: &str) -> bool {
    kind == "Secret"
}

/// Whether what stands at a path of a secret, and below it, is hidden.
#[must_use]
pub fn is_hidden(path: &[&str]) -> bool {
    matches!(path, ["data" | "stringData", ..] | ["metadata", "annotations", LAST_APPLIED, ..])
}

/// What stands for the value of a field of a secret.
#[must_use]
pub fn digest_at(path: &[&str], text: &str) -> String {
    if path.first() != Some(&"data") {
        return digest(text.as_bytes());
    }
    let compact: String = text.split_whitespace().collect();
    digest(&STANDARD.decode(compact).unwrap_or_else(|_| text.as_bytes().to_vec()))
}

/// What stands for bytes that must not be shown.
#[must_use]
pub fn digest(bytes: &[u8]) -> String {
    let hash = Sha256::digest(bytes);
    let text: String = hash.iter().take(SHOWN).map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{text}")
}
