//! The outer form of a file of age: what it starts with, and its bytes as text.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The first line of a file that is not a text.
pub(crate) const VERSION: &str = "age-encryption.org/v1\n";
const BEGIN: &str = "-----BEGIN AGE ENCRYPTED FILE-----";
const END: &str = "-----END AGE ENCRYPTED FILE-----";

/// Whether a file is one of age.
pub(crate) fn is_encrypted(text: &str) -> bool {
    text.starts_with(BEGIN) || text.starts_with(VERSION)
}

/// The bytes of a file that is a text.
pub(crate) fn decoded(armored: &str) -> Option<Vec<u8>> {
    let inner = armored.trim().strip_prefix(BEGIN)?.strip_suffix(END)?;
    STANDARD.decode(inner.split_whitespace().collect::<String>()).ok()
}
