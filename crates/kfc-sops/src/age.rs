//! The format age v1 (age-encryption.org/v1), as far as sops uses it: a short text for recipients of the type X25519, in the armor
//! of the format.

use crate::armor::{self, VERSION};
use crate::identity::Identity;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::{hkdf, hmac};
use x25519_dalek::x25519;

/// Bytes of a key that the header wraps.
const FILE_KEY: usize = 16;
/// Bytes of the nonce before the payload.
const PAYLOAD_NONCE: usize = 16;
/// Bytes of a payload that is one chunk: with more there are several, and no key of sops is so long.
const LARGEST_CHUNK: usize = (64 << 10) + 16;
/// Base64 characters in a full line of a stanza.
const COLUMNS: usize = 64;

/// What went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AgeFailure {
    /// The text is not one of age, or was changed.
    Malformed,
    /// No recipient is of the type X25519.
    NoX25519,
    /// No identity fits.
    NoIdentity,
}

/// A recipient in a header.
struct Stanza {
    /// What is after `->`: its type, and arguments.
    words: Vec<String>,
    body: Vec<u8>,
}

/// A header, and where it ends.
struct Header {
    stanzas: Vec<Stanza>,
    mac: Vec<u8>,
    /// The bytes up to and including `---`, which the MAC covers.
    covered: usize,
    /// Where the payload starts.
    end: usize,
}

/// Decrypts an armored text with the first identity that fits.
pub(crate) fn decrypt(armored: &str, identities: &[Identity]) -> Result<Vec<u8>, AgeFailure> {
    let bytes = armor::decoded(armored).ok_or(AgeFailure::Malformed)?;
    let header = header(&bytes).ok_or(AgeFailure::Malformed)?;
    let is_x25519 = |stanza: &&Stanza| stanza.words.first().is_some_and(|kind| kind == "X25519");
    let mine: Vec<&Stanza> = header.stanzas.iter().filter(is_x25519).collect();
    if mine.is_empty() {
        return Err(AgeFailure::NoX25519);
    }
    let key_for = |identity: &Identity| mine.iter().find_map(|stanza| file_key(identity, stanza));
    let file_key = identities.iter().find_map(key_for).ok_or(AgeFailure::NoIdentity)?;
    payload(&bytes, &header, &file_key).ok_or(AgeFailure::Malformed)
}

fn header(bytes: &[u8]) -> Option<Header> {
    let mut at = bytes.starts_with(VERSION.as_bytes()).then_some(VERSION.len())?;
    let mut stanzas = Vec::new();
    loop {
        let (line, next) = line(bytes, at)?;
        if let Some(mac) = line.strip_prefix("--- ") {
            let mac = STANDARD_NO_PAD.decode(mac).ok()?;
            return Some(Header { stanzas, mac, covered: at + "---".len(), end: next });
        }
        let words = line.strip_prefix("-> ")?.split(' ').map(str::to_owned).collect();
        let mut body = String::new();
        at = next;
        loop {
            let (line, next) = self::line(bytes, at)?;
            body.push_str(line);
            at = next;
            match line.len() {
                COLUMNS => {}
                0..COLUMNS => break,
                _ => return None,
            }
        }
        stanzas.push(Stanza { words, body: STANDARD_NO_PAD.decode(body).ok()? });
    }
}

/// The line from a byte on, and where the next one starts.
fn line(bytes: &[u8], at: usize) -> Option<(&str, usize)> {
    let rest = bytes.get(at..)?;
    let end = memchr::memchr(b'\n', rest)?;
    Some((std::str::from_utf8(&rest[..end]).ok()?, at + end + 1))
}

/// The key in a stanza of the type X25519, if it is for this identity.
fn file_key(identity: &Identity, stanza: &Stanza) -> Option<[u8; FILE_KEY]> {
    let [_, share] = stanza.words.as_slice() else { return None };
    let share: [u8; 32] = STANDARD_NO_PAD.decode(share).ok()?.try_into().ok()?;
    let shared = x25519(identity.secret, share);
    // A share of low order gives nothing that only the two know.
    if shared == [0; 32] {
        return None;
    }
    let salt = [share, identity.public].concat();
    let key = derived(&salt, &shared, b"age-encryption.org/v1/X25519")?;
    open(&key, [0; NONCE_LEN], &stanza.body)?.try_into().ok()
}

fn payload(bytes: &[u8], header: &Header, file_key: &[u8]) -> Option<Vec<u8>> {
    let mac_key = hmac::Key::new(hmac::HMAC_SHA256, &derived(&[], file_key, b"header")?);
    hmac::verify(&mac_key, bytes.get(..header.covered)?, &header.mac).ok()?;
    let (nonce, chunk) = bytes.get(header.end..)?.split_at_checked(PAYLOAD_NONCE)?;
    if chunk.len() > LARGEST_CHUNK {
        return None;
    }
    // Eleven bytes count the chunks; the last one says that there are no more.
    let mut only_chunk = [0; NONCE_LEN];
    only_chunk[NONCE_LEN - 1] = 1;
    open(&derived(nonce, file_key, b"payload")?, only_chunk, chunk)
}

/// HKDF with SHA-256.
fn derived(salt: &[u8], secret: &[u8], purpose: &[u8]) -> Option<[u8; 32]> {
    let mut key = [0; 32];
    let extracted = hkdf::Salt::new(hkdf::HKDF_SHA256, salt).extract(secret);
    extracted.expand(&[purpose], hkdf::HKDF_SHA256).ok()?.fill(&mut key).ok()?;
    Some(key)
}

/// ChaCha20-Poly1305.
fn open(key: &[u8; 32], nonce: [u8; NONCE_LEN], sealed: &[u8]) -> Option<Vec<u8>> {
    let key = LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, key).ok()?);
    let mut buffer = sealed.to_vec();
    let plain = key.open_in_place(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut buffer).ok()?;
    Some(plain.to_vec())
}
