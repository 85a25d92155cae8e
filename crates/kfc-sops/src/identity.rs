//! The secret keys of age that a run may use.

use crate::armor;
use bech32::Bech32;
use bech32::primitives::decode::CheckedHrpstring;
use std::fmt;
use x25519_dalek::{X25519_BASEPOINT_BYTES, x25519};

/// What the text of an X25519 identity starts with.
const PREFIX: &str = "AGE-SECRET-KEY-1";
/// The part of it that Bech32 does not encode, in lowercase.
const HUMAN_PART: &str = "age-secret-key-";

/// One secret key of age's type X25519, with its public one.
pub(crate) struct Identity {
    pub(crate) secret: [u8; 32],
    pub(crate) public: [u8; 32],
}

/// The secret keys of age that a run may use, and what was wrong where keys were looked for.
///
/// ```
/// use kfc_sops::Identities;
///
/// let mut identities = Identities::default();
/// identities.add_text("SOPS_AGE_KEY", "# a comment\nAGE-PLUGIN-X");
/// assert!(identities.is_empty());
/// ```
#[derive(Default)]
pub struct Identities {
    pub(crate) list: Vec<Identity>,
    /// Why there are not more, as whole sentences.
    pub(crate) problems: Vec<String>,
}

/// Shows how many there are, and no key.
impl fmt::Debug for Identities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identities")
            .field("count", &self.list.len())
            .field("problems", &self.problems)
            .finish()
    }
}

impl Identities {
    /// Adds the identities of a text, separated by white space; a line that starts with `#` is a comment. `place` says where the
    /// text is from, for messages. What is not an identity of the type X25519 becomes a problem, which is reported when a
    /// file cannot be decrypted.
    pub fn add_text(&mut self, place: &str, text: &str) {
        if armor::is_encrypted(text) {
            self.problems.push(format!("{place} is encrypted itself, and kfc asks for no passphrase"));
            return;
        }
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            for word in line.split_whitespace() {
                match identity(word) {
                    Ok(identity) => self.list.push(identity),
                    Err(what) => self.problems.push(format!("{place} has {what}")),
                }
            }
        }
    }

    /// Notes why a place gives no identities.
    pub fn add_problem(&mut self, problem: impl Into<String>) {
        self.problems.push(problem.into());
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }
}

/// The identity that a word is, or what it is instead.
fn identity(word: &str) -> Result<Identity, &'static str> {
    if word.starts_with("AGE-PLUGIN-") {
        return Err("an identity of a plug-in of age, which kfc does not run");
    }
    if word.starts_with("AGE-SECRET-KEY-PQ-1") {
        return Err("a post-quantum identity of age, which kfc does not know");
    }
    if !word.starts_with(PREFIX) {
        return Err("a line that is not an identity of age (`AGE-SECRET-KEY-1…`)");
    }
    let decoded = CheckedHrpstring::new::<Bech32>(word).ok();
    let decoded = decoded.filter(|decoded| decoded.hrp().to_lowercase() == HUMAN_PART);
    let bytes: Vec<u8> = decoded.iter().flat_map(CheckedHrpstring::byte_iter).collect();
    match <[u8; 32]>::try_from(bytes) {
        Ok(secret) => Ok(Identity { secret, public: x25519(secret, X25519_BASEPOINT_BYTES) }),
        Err(_) => Err("an identity of age with a typing error"),
    }
}

#[cfg(test)]
mod tests {
    use super::Identities;

    #[test]
    fn what_is_not_an_identity_is_a_problem_that_does_not_repeat_it() {
        let mut identities = Identities::default();
        identities.add_text("`keys.txt`", "# AGE-SECRET-KEY-1PLANTED\nAGE-SECRET-KEY-1PLANTED AGE-PLUGIN-YUBIKEY-1PLANTED\nPLANTED\nAGE-SECRET-KEY-PQ-1PLANTED\n");
        assert!(identities.is_empty());
        let shown = format!("{identities:?}");
        assert!(!shown.contains("PLANTED"), "{shown}");
        assert_eq!(
            identities.problems,
            [
                "`keys.txt` has an identity of age with a typing error",
                "`keys.txt` has an identity of a plug-in of age, which kfc does not run",
                "`keys.txt` has a line that is not an identity of age (`AGE-SECRET-KEY-1…`)",
                "`keys.txt` has a post-quantum identity of age, which kfc does not know",
            ]
        );
    }
}
