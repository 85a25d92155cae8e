//! Single values: `ENC[AES256_GCM,data:…,iv:…,tag:…,type:…]`.

use crate::value::Value;
use aes_gcm::aead::consts::U32;
use aes_gcm::aead::{Aead as _, Payload};
use aes_gcm::aes::Aes256;
use aes_gcm::{AesGcm, KeyInit as _};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// What every encrypted value starts with.
pub(crate) const START: &str = "ENC[AES256_GCM,";

/// The key of a file. sops has nonces of 32 bytes, where 12 are usual.
pub(crate) struct DataKey(AesGcm<Aes256, U32>);

/// What an encrypted value stands for.
#[derive(Debug)]
pub(crate) enum Plain {
    Value(Value),
    Comment(String),
}

impl DataKey {
    /// A key of 32 bytes.
    pub(crate) fn new(bytes: &[u8]) -> Option<Self> {
        AesGcm::new_from_slice(bytes).ok().map(Self)
    }

    /// Decrypts a value that was encrypted at a place, which `context` stands for. sops leaves empty texts as they are.
    pub(crate) fn decrypt(&self, text: &str, context: &str) -> Option<Plain> {
        if text.is_empty() {
            return Some(Plain::Value(Value::Text(Vec::new())));
        }
        let fields = text.strip_prefix(START)?.split(']').next()?;
        let mut fields = fields.split(',');
        let mut field = |name: &str| fields.next()?.strip_prefix(name);
        let mut sealed = STANDARD.decode(field("data:")?).ok()?;
        let nonce: [u8; 32] = STANDARD.decode(field("iv:")?).ok()?.try_into().ok()?;
        sealed.extend(STANDARD.decode(field("tag:")?).ok()?);
        let kind = field("type:")?;
        let payload = Payload { msg: &sealed, aad: context.as_bytes() };
        plain(kind, self.0.decrypt(&nonce.into(), payload).ok()?)
    }
}

fn plain(kind: &str, bytes: Vec<u8>) -> Option<Plain> {
    if matches!(kind, "str" | "bytes") {
        return Some(Plain::Value(Value::Text(bytes)));
    }
    let text = String::from_utf8(bytes).ok()?;
    Some(Plain::Value(match kind {
        "int" => Value::Int(text.parse().ok()?),
        "float" => Value::Float(text.parse().ok().filter(|value: &f64| value.is_finite())?),
        // All that Go reads as a boolean.
        "bool" => match text.as_str() {
            "1" | "t" | "T" | "true" | "TRUE" | "True" => Value::Bool(true),
            "0" | "f" | "F" | "false" | "FALSE" | "False" => Value::Bool(false),
            _ => return None,
        },
        "time" => Value::Time(text),
        "comment" => return Some(Plain::Comment(text)),
        _ => return None,
    }))
}
