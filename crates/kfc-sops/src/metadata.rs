//! What a file says of its own encryption, under `sops`.

use crate::failure::Result;
use crate::value::Value;
use kfc_diagnostics::text::for_message;
use kfc_source::DecryptFailure;
use regex::Regex;

/// The field of a file that has it.
pub(crate) const FIELD: &str = "sops";

/// What a file says of its encryption.
#[derive(Debug)]
pub(crate) struct Metadata {
    /// The key of the file for each age recipient.
    pub(crate) age: Vec<Recipient>,
    /// Other kinds of keys that the file has, in words: `PGP (FINGERPRINT)`.
    pub(crate) others: Vec<String>,
    pub(crate) last_modified: String,
    /// Encrypted.
    pub(crate) mac: String,
    pub(crate) mac_only_encrypted: bool,
    pub(crate) rule: Rule,
}

/// The key of a file, encrypted for one age recipient.
#[derive(Debug)]
pub(crate) struct Recipient {
    pub(crate) name: String,
    pub(crate) encrypted: String,
}

/// Which values are encrypted.
#[derive(Debug)]
pub(crate) enum Rule {
    UnencryptedSuffix(String),
    EncryptedSuffix(String),
    UnencryptedRegex(Regex),
    EncryptedRegex(Regex),
    UnencryptedCommentRegex(Regex),
    EncryptedCommentRegex(Regex),
}

/// The kinds of keys that a file may have besides those of age: the field, the name, the field that tells one from another.
const OTHERS: [(&str, &str, &str); 6] = [
    ("pgp", "PGP", "fp"),
    ("kms", "AWS KMS", "arn"),
    ("gcp_kms", "Google Cloud KMS", "resource_id"),
    ("azure_kv", "Azure Key Vault", "vault_url"),
    ("hc_vault", "HashiCorp Vault", "vault_address"),
    ("hckms", "Huawei Cloud KMS", "key_id"),
];

impl Metadata {
    /// Reads the field of a file; none if it is not from sops.
    ///
    /// # Errors
    /// What kfc cannot read, or sops would not have written.
    pub(crate) fn read(field: &Value) -> Result<Option<Self>> {
        let text = |name: &str| field.get(name).and_then(Value::as_text).unwrap_or_default().to_owned();
        let mac = text("mac");
        if mac.is_empty() {
            return Ok(None);
        }
        let has_keys = std::iter::once("age")
            .chain(OTHERS.iter().map(|(name, ..)| *name))
            .any(|name| field.get(name).is_some_and(|list| list.items().next().is_some()));
        let groups: Vec<&Value> = if has_keys {
            vec![field]
        } else {
            field.get("key_groups").into_iter().flat_map(Value::items).collect()
        };
        let group = match groups.as_slice() {
            [group] => *group,
            [] => return Err(DecryptFailure::new("has no keys under `sops`")),
            several => {
                let why = format!(
                    "has {} groups of keys, each with a part of its key (Shamir's secret sharing), which kfc cannot join",
                    several.len()
                );
                return Err(
                    DecryptFailure::new(why).help("give the file one group of keys with `sops updatekeys`")
                );
            }
        };
        Ok(Some(Self {
            age: recipients(group),
            others: others(group),
            last_modified: text("lastmodified"),
            mac,
            mac_only_encrypted: is_true(field.get("mac_only_encrypted")),
            rule: Rule::read(field)?,
        }))
    }
}

fn recipients(group: &Value) -> Vec<Recipient> {
    let text =
        |key: &Value, name: &str| key.get(name).and_then(Value::as_text).unwrap_or_default().to_owned();
    let keys = group.get("age").into_iter().flat_map(Value::items);
    keys.map(|key| Recipient { name: text(key, "recipient"), encrypted: text(key, "enc") }).collect()
}

fn others(group: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for (field, kind, name) in OTHERS {
        for key in group.get(field).into_iter().flat_map(Value::items) {
            let name = key.get(name).and_then(Value::as_text).unwrap_or_default();
            found.push(format!("{kind} ({})", for_message(name)));
        }
    }
    found
}

/// dotenv has booleans as texts.
fn is_true(value: Option<&Value>) -> bool {
    match value {
        Some(Value::Bool(value)) => *value,
        Some(Value::Text(text)) => text == b"true",
        _ => false,
    }
}

impl Rule {
    fn read(field: &Value) -> Result<Self> {
        let text = |name: &str| {
            field.get(name).and_then(Value::as_text).filter(|text| !text.is_empty()).map(str::to_owned)
        };
        let regex = |name: &str| -> Result<Option<Regex>> {
            let Some(pattern) = text(name) else { return Ok(None) };
            let regex = Regex::new(&pattern);
            regex.map(Some).map_err(|_| {
                DecryptFailure::new(format!("has a regular expression `sops.{name}` that kfc cannot read"))
            })
        };
        let given = [
            text("unencrypted_suffix").map(Self::UnencryptedSuffix),
            text("encrypted_suffix").map(Self::EncryptedSuffix),
            regex("unencrypted_regex")?.map(Self::UnencryptedRegex),
            regex("encrypted_regex")?.map(Self::EncryptedRegex),
            regex("unencrypted_comment_regex")?.map(Self::UnencryptedCommentRegex),
            regex("encrypted_comment_regex")?.map(Self::EncryptedCommentRegex),
        ];
        let mut given = given.into_iter().flatten();
        match (given.next(), given.next()) {
            (None, _) => Ok(Self::UnencryptedSuffix("_unencrypted".to_owned())),
            (Some(rule), None) => Ok(rule),
            (Some(_), Some(_)) => {
                Err(DecryptFailure::new("has more than one rule under `sops` for what is encrypted"))
            }
        }
    }

    /// Whether the value at a path is encrypted, with the comments before it and what it is in; or the last of these comments.
    pub(crate) fn is_encrypted(&self, path: &[String], comments: &[Vec<String>], is_comment: bool) -> bool {
        match self {
            Self::UnencryptedSuffix(suffix) => !path.iter().any(|key| key.ends_with(suffix)),
            Self::EncryptedSuffix(suffix) => path.iter().any(|key| key.ends_with(suffix)),
            Self::UnencryptedRegex(regex) => !path.iter().any(|key| regex.is_match(key)),
            Self::EncryptedRegex(regex) => path.iter().any(|key| regex.is_match(key)),
            Self::UnencryptedCommentRegex(regex) => {
                !comments.iter().flatten().any(|comment| regex.is_match(comment))
            }
            // The comment that says so stays open.
            Self::EncryptedCommentRegex(regex) => {
                let own = usize::from(is_comment);
                let count = comments.iter().map(Vec::len).sum::<usize>() - own;
                comments.iter().flatten().take(count).any(|comment| regex.is_match(comment))
            }
        }
    }
}
